//! Which settings there are: the leaves of the default file, which the binary carries, and the tables in it that are
//! commented out because the operator names them.

use std::sync::LazyLock;

use toml::Value;

use super::file;
use super::key::Key;

/// The annotated default file.
pub(crate) const DEFAULTS: &str = include_str!("../../throng.default.toml");

/// What a key was called before.
const RENAMED: [(&str, &str); 8] = [
    ("socket.ping_interval_ms", "socket.ping_interval"),
    ("socket.ping_timeout_ms", "socket.ping_timeout"),
    ("socket.connect_timeout_ms", "socket.connect_timeout"),
    ("socket.upgrade_timeout_ms", "socket.upgrade_timeout"),
    ("drain.spread_ms", "drain.spread"),
    ("drain.deadline_ms", "drain.deadline"),
    ("debate.duration_ms", "debate.duration"),
    ("debate.grace_ms", "debate.grace"),
];

/// How alike two names must be for one to be meant by the other.
const ALIKE: f64 = 0.8;

/// The known keys.
pub(crate) struct Schema {
    /// In the order of the default file. A name in capitals stands for any name.
    keys: Vec<Known>,
}

/// One known key.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) key: Key,
    /// What it is when nobody says otherwise; of a free table, an example of the right type.
    pub(crate) default: Value,
}

impl Known {
    /// Whether it stands in a table that the operator names.
    pub(crate) fn is_free(&self) -> bool {
        self.key.names().iter().any(|name| is_placeholder(name))
    }
}

/// What a key leads to.
#[derive(Debug)]
pub(crate) enum Meaning {
    /// A setting, and its entry in the default file.
    Setting(&'static Known),
    /// A table of settings that cannot be a setting itself.
    Table,
    /// A table that the operator may name and leave empty.
    FreeTable,
    /// It was called differently once.
    Renamed(&'static str),
    /// Nothing; perhaps another was meant.
    Unknown(Option<Key>),
}

/// The schema of this binary.
pub(crate) fn schema() -> &'static Schema {
    static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
        let written =
            file::read(&with_free_tables(DEFAULTS)).expect("the default file is TOML, as tests check");
        let known = |one: file::Written| Known { key: one.key, default: one.value };
        Schema { keys: written.into_iter().map(known).collect() }
    });
    &SCHEMA
}

impl Schema {
    /// The settings that every configuration has.
    pub(crate) fn defaults(&self) -> impl Iterator<Item = &Known> {
        self.keys.iter().filter(|known| !known.is_free())
    }

    /// Sorts keys as the default file does: at each depth by the first line there, then by name.
    pub(crate) fn place(&self, key: &Key) -> Vec<(usize, Box<str>)> {
        let first = |names: &[Box<str>]| {
            self.keys.iter().position(|known| begins_like(known.key.names(), names)).unwrap_or(usize::MAX)
        };
        let names = key.names();
        names.iter().enumerate().map(|(depth, name)| (first(&names[..=depth]), name.clone())).collect()
    }

    /// What a key of some layer leads to.
    pub(crate) fn meaning(&'static self, key: &Key) -> Meaning {
        let mut table = None;
        for known in &self.keys {
            if !begins_like(known.key.names(), key.names()) {
                continue;
            }
            let depth = key.names().len();
            if known.key.names().len() == depth {
                return Meaning::Setting(known);
            }
            let free = known.key.names()[depth - 1..=depth].iter().any(|name| is_placeholder(name));
            table = Some(if free { Meaning::FreeTable } else { table.unwrap_or(Meaning::Table) });
        }
        let dotted = key.to_string();
        let renamed = RENAMED.iter().find(|(old, _)| *old == dotted);
        table
            .or(renamed.map(|(_, new)| Meaning::Renamed(new)))
            .unwrap_or_else(|| Meaning::Unknown(self.nearest(key)))
    }

    /// The known key that was most likely meant: alike as a whole, or the same name in another table.
    fn nearest(&self, key: &Key) -> Option<Key> {
        let text = key.to_string();
        let near = self.keys.iter().map(|known| {
            let meant = instance(known, key);
            let whole = strsim::jaro_winkler(&text, &meant.to_string());
            let last = if meant.last() == key.last() { 0.9 } else { 0.0 };
            (f64::max(whole, last), meant)
        });
        near.filter(|(alike, _)| *alike > ALIKE)
            .max_by(|(a, _), (b, _)| a.total_cmp(b))
            .map(|(_, meant)| meant)
    }
}

/// A known key with the names that the operator gave in the place of those in capitals.
fn instance(known: &Known, key: &Key) -> Key {
    let mut given = key.names().iter();
    let name = |name: &str| match given.next() {
        Some(own) if is_placeholder(name) => own.clone(),
        _ => name.into(),
    };
    known.key.names().iter().map(AsRef::as_ref).map(name).collect()
}

fn begins_like(pattern: &[Box<str>], names: &[Box<str>]) -> bool {
    names.len() <= pattern.len()
        && names.iter().zip(pattern).all(|(name, expected)| name == expected || is_placeholder(expected))
}

/// Known keys are written small, so a name in capitals stands for one that the operator gives.
fn is_placeholder(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// The default file with its commented-out tables as tables; every line stays where it is.
pub(crate) fn with_free_tables(text: &str) -> String {
    let mut inside = false;
    let mut uncommented = String::with_capacity(text.len());
    for line in text.lines() {
        inside = if line.is_empty() { false } else { inside || line.starts_with("# [") };
        uncommented.push_str(if inside { line.strip_prefix("# ").unwrap_or(line) } else { line });
        uncommented.push('\n');
    }
    uncommented
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(key: &str, expect: &str) {
        let meaning = match schema().meaning(&Key::dotted(key)) {
            Meaning::Setting(known) => format!("setting {}", known.key),
            Meaning::Table => "table".into(),
            Meaning::FreeTable => "free table".into(),
            Meaning::Renamed(new) => format!("renamed {new}"),
            Meaning::Unknown(near) => near.map_or("unknown".into(), |near| format!("near {near}")),
        };
        assert_eq!(meaning, expect, "{key}");
    }

    #[test]
    fn keys_lead_to_their_meaning() {
        for (key, expect) in [
            ("port", "setting port"),
            ("socket.path", "setting socket.path"),
            ("socket", "table"),
            ("features.chat", "free table"),
            ("features.chat.on", "setting features.NAME.on"),
            ("pairing.steps", "setting pairing.steps"),
            ("debate.queues.ranked.policy", "setting debate.queues.NAME.policy"),
            ("features", "free table"),
            ("tenants.list", "free table"),
            ("tenants.list.acme", "free table"),
            ("tenants.list.acme.secret", "setting tenants.list.NAME.secret"),
            (
                "tenants.list.acme.limits.events.x.burst",
                "setting tenants.list.NAME.limits.events.EVENT.burst",
            ),
            ("limits.events", "free table"),
            ("limits.events.x.burst", "setting limits.events.EVENT.burst"),
            ("socket.ping_interval_ms", "renamed socket.ping_interval"),
            ("prot", "near port"),
            ("socket.ping_intervall", "near socket.ping_interval"),
            ("ping_timeout", "near socket.ping_timeout"),
            ("tenants.list.acme.orign", "near tenants.list.acme.origins"),
            ("zzz", "unknown"),
        ] {
            check(key, expect);
        }
    }

    #[test]
    fn every_new_name_is_known() {
        for (_, new) in RENAMED {
            assert!(matches!(schema().meaning(&Key::dotted(new)), Meaning::Setting(..)), "{new}");
        }
    }
}
