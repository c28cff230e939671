//! The layers in one: every setting with its value and where it comes from. A later layer wins; what no layer may say
//! becomes a problem.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display};
use std::path::Path;
use std::sync::Arc;

use toml::{Table, Value};

use super::file;
use super::key::Key;
use super::problem::{Problem, Problems};
use super::schema::{Meaning, schema};

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The default file.
    Default,
    /// A line of the operator's file, from 1.
    File(Arc<Path>, usize),
    /// A variable of the environment.
    Environment(String),
    /// A flag, with its dashes.
    Flag(&'static str),
    /// A list to which the second added.
    Both(Box<(Origin, Origin)>),
}

impl Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(flag) => write!(f, "flag {flag}"),
            Self::Both(both) => write!(f, "{} and {}", both.0, both.1),
        }
    }
}

/// A value and where it comes from.
#[derive(Clone, PartialEq)]
pub(crate) struct Setting {
    pub(crate) value: Value,
    pub(crate) origin: Origin,
}

/// Every setting of a configuration. It holds secrets: [`shown`](super::shown) is for the eyes of people.
#[derive(Clone, PartialEq)]
pub(crate) struct Values(BTreeMap<Key, Setting>);

impl Values {
    /// The default file alone.
    pub(crate) fn defaults() -> Self {
        let setting = |value: &Value| Setting { value: value.clone(), origin: Origin::Default };
        Self(schema().defaults().map(|known| (known.key.clone(), setting(&known.default))).collect())
    }

    /// One setting.
    pub(crate) fn get(&self, key: &Key) -> Option<&Setting> {
        self.0.get(key)
    }

    /// Where a setting comes from; of a table, its first setting.
    pub(crate) fn origin(&self, key: &Key) -> Origin {
        let inside =
            self.0.range(key.clone()..).next().filter(|(found, _)| found.names().starts_with(key.names()));
        inside.map_or(Origin::Default, |(_, setting)| setting.origin.clone())
    }

    /// Every setting, in the order of the default file, the tables that the operator named by name.
    pub(crate) fn in_order(&self) -> Vec<(&Key, &Setting)> {
        let mut all: Vec<_> = self.0.iter().collect();
        all.sort_by_cached_key(|(key, _)| schema().place(key));
        all
    }

    /// The keys whose values differ from `other`'s, those that one of the two lacks included.
    pub(crate) fn changed(&self, other: &Self) -> Vec<Key> {
        let value = |values: &Self, key: &Key| values.get(key).map(|setting| setting.value.clone());
        let keys: BTreeSet<&Key> = self.0.keys().chain(other.0.keys()).collect();
        keys.into_iter().filter(|key| value(self, key) != value(other, key)).cloned().collect()
    }

    /// Takes a setting over from `other`, its absence too.
    pub(crate) fn take(&mut self, key: &Key, other: &Self) {
        match other.0.get(key) {
            Some(setting) => self.0.insert(key.clone(), setting.clone()),
            None => self.0.remove(key),
        };
    }

    /// Puts the default back, and says where the value came from that was there.
    pub(crate) fn reset(&mut self, key: &Key) -> Option<Setting> {
        let Meaning::Setting(known) = schema().meaning(key) else { return None };
        let was = self.0.remove(key)?;
        if !known.is_free() {
            self.0.insert(key.clone(), Setting { value: known.default.clone(), origin: Origin::Default });
        }
        Some(was)
    }

    /// Adds the file's layer.
    pub(crate) fn add_file(&mut self, path: &Path, problems: &mut Problems) {
        let shared: Arc<Path> = path.into();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => return problems.add(Problem::elsewhere(path.display(), error)),
        };
        match file::read(&text) {
            Ok(written) => {
                for one in written {
                    self.put(one.key, one.value, Origin::File(shared.clone(), one.line), problems);
                }
            }
            Err(faults) => {
                for fault in faults {
                    problems.add(Problem::elsewhere(Origin::File(shared.clone(), fault.line), fault.message));
                }
            }
        }
    }

    /// Puts a setting over what is there, unless its key or its type is wrong.
    pub(crate) fn put(&mut self, key: Key, value: Value, origin: Origin, problems: &mut Problems) {
        let key = if is_switch(&key, &value) { key.child("on") } else { key };
        let wrong = match schema().meaning(&key) {
            Meaning::Setting(known) => match fitting(value, &known.default) {
                Ok(value) => {
                    self.0.insert(key, Setting { value, origin });
                    return;
                }
                Err(wrong) => wrong,
            },
            Meaning::Table | Meaning::FreeTable if is_empty_table(&value) => {
                self.0.insert(key, Setting { value, origin });
                return;
            }
            Meaning::Table | Meaning::FreeTable => format!("expected a table, found {}", kind(&value)),
            Meaning::Renamed(new) => format!("is called {new} now, and has a unit: such as {}", example(new)),
            Meaning::Unknown(_) if let Some((setting, default)) = setting_above(&key) => {
                let wrong = format!("expected {}, such as {default}, found a table", kind(default));
                return problems.add(Problem::of(origin, &setting, wrong));
            }
            Meaning::Unknown(None) => "unknown key".into(),
            Meaning::Unknown(Some(near)) => format!("unknown key; did you mean {near}?"),
        };
        problems.add(Problem::of(origin, &key, wrong));
    }

    /// Everything as one table, as a file would say it.
    pub(crate) fn table(&self) -> Table {
        let mut root = Table::new();
        for (key, setting) in &self.0 {
            let mut place = &mut root;
            let (last, tables) = key.names().split_last().expect("a key has a name");
            for name in tables {
                let inner = place.entry(name.as_ref()).or_insert_with(|| Value::Table(Table::new()));
                let Value::Table(inner) = inner else { unreachable!("{key} lies in a setting") };
                place = inner;
            }
            place.entry(last.as_ref()).or_insert_with(|| setting.value.clone());
        }
        root
    }
}

/// The setting that was written as a table with this key in it.
fn setting_above(key: &Key) -> Option<(Key, &'static Value)> {
    (1..key.names().len()).find_map(|depth| {
        let above: Key = key.names()[..depth].iter().cloned().collect();
        match schema().meaning(&above) {
            Meaning::Setting(known) => Some((above, &known.default)),
            _ => None,
        }
    })
}

fn example(key: &str) -> String {
    match schema().meaning(&Key::dotted(key)) {
        Meaning::Setting(known) => known.default.to_string(),
        _ => String::new(),
    }
}

/// Whether a feature is written as a mere switch: `live_chat = true` is short for `live_chat.on = true`.
fn is_switch(key: &Key, value: &Value) -> bool {
    value.is_bool() && key.is_in("features") && key.names().len() == 2
}

fn is_empty_table(value: &Value) -> bool {
    value.as_table().is_some_and(Table::is_empty)
}

/// The value in the type of the default. A date may stand without quotes.
fn fitting(value: Value, default: &Value) -> Result<Value, String> {
    match (value, default) {
        (Value::Datetime(date), Value::String(_)) => Ok(Value::String(date.to_string())),
        (value, default) if value.same_type(default) => Ok(value),
        (value, default) => {
            Err(format!("expected {}, such as {default}, found {}", kind(default), kind(&value)))
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a string",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a fraction",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}
