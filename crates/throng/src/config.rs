//! From the default file, the operator's file, the environment and flags to one typed configuration. Every value knows
//! where it comes from, and a wrong configuration is refused with every problem at once.

pub(crate) mod environment;
mod file;
pub(crate) mod key;
pub(crate) mod problem;
#[cfg(test)]
mod reference;
pub(crate) mod reloading;
pub(crate) mod safety;
pub(crate) mod schema;
pub(crate) mod secret;
pub(crate) mod shown;
pub(crate) mod typed;
mod validation;
pub(crate) mod values;
mod web_origin;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_path_to_error::Segment;
use toml::Value;

use key::Key;
use problem::{Problem, Problems};
use safety::Danger;
use typed::{Config, Profile};
use values::{Origin, Values};

/// What a flag says of a key: the key, the flag's name, the text.
pub(crate) type Said = (&'static str, &'static str, Option<String>);

/// Where a configuration is read from, besides the default file. Reading it again reads the file again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sources {
    /// The operator's file.
    pub(crate) file: Option<PathBuf>,
    /// The environment as it was at the start of the process.
    pub(crate) environment: BTreeMap<String, String>,
    /// What flags say.
    pub(crate) flags: Vec<Said>,
}

impl Sources {
    /// The operator's file and flags over the environment of this process.
    pub(crate) fn of_process(file: Option<PathBuf>, flags: Vec<Said>) -> Self {
        let text = |name: std::ffi::OsString| name.to_string_lossy().into_owned();
        let environment = std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect();
        Self { file, environment, flags }
    }

    /// Reads every layer. Whatever is wrong is replaced by its default, so that the rest can be judged too.
    pub(crate) fn read(&self) -> Effective {
        let (mut values, mut problems) = (Values::defaults(), Problems::default());
        if let Some(path) = &self.file {
            values.add_file(path, &mut problems);
        }
        environment::add(&mut values, &self.environment, &mut problems);
        for (key, flag, text) in &self.flags {
            if let Some(text) = text {
                let (key, origin) = (Key::dotted(key), Origin::Flag(flag));
                match environment::plain(text, &key) {
                    Ok(value) => values.put(key, value, origin, &mut problems),
                    Err(message) => problems.add(Problem::of(origin, &key, message)),
                }
            }
        }
        Effective::of(values, problems)
    }
}

/// What came of all layers.
pub(crate) struct Effective {
    pub(crate) values: Values,
    pub(crate) config: Config,
    pub(crate) problems: Problems,
    /// What production does not allow.
    pub(crate) dangers: Vec<Danger>,
}

impl Effective {
    /// Reads the values into types and judges them. `problems` are those that there are already.
    pub(crate) fn of(mut values: Values, mut problems: Problems) -> Self {
        let config = typed(&mut values, &mut problems);
        validation::judge(&config, &values, &mut problems);
        let dangers = safety::dangers(&config);
        Self { values, config, problems, dangers }
    }

    /// Everything for which a node refuses to start.
    pub(crate) fn refusals(&self) -> Problems {
        let mut refusals = self.problems.clone();
        if self.config.profile == Profile::Production {
            for danger in &self.dangers {
                let origin = self.values.origin(&danger.key);
                refusals.add(Problem::of(
                    origin,
                    &danger.key,
                    format!("production refuses it: {}", danger.message),
                ));
            }
        }
        refusals
    }

    /// The configuration, unless a node must not start with it.
    pub(crate) fn accepted(self) -> Result<(Config, Values), Problems> {
        let refusals = self.refusals();
        if refusals.is_empty() { Ok((self.config, self.values)) } else { Err(refusals) }
    }
}

/// Reads the values into types. A value that does not fit becomes a problem and its key is as if it had not been said.
fn typed(values: &mut Values, problems: &mut Problems) -> Config {
    loop {
        let error = match serde_path_to_error::deserialize(Value::Table(values.table())) {
            Ok(config) => return config,
            Err(error) => error,
        };
        // A setting may be a list of tables; what is wrong in there is wrong with the setting.
        let names = error.path().iter().map_while(|segment| match segment {
            Segment::Map { key } => Some(Box::from(key.as_str())),
            _ => None,
        });
        let key: Key = names.collect();
        let wrong = values.reset(&key).expect("the default file fits the types, as a test checks");
        problems.add(Problem::of(wrong.origin, &key, in_words(error.inner().message())));
    }
}

/// What serde says, with numbers as people name them.
fn in_words(message: &str) -> String {
    const WORDS: [(&str, &str); 6] = [
        ("a nonzero usize", "a whole number from 1"),
        ("usize", "a whole number from 0"),
        ("u64", "a whole number from 0"),
        ("u32", "a whole number from 0 to 4294967295"),
        ("u16", "a whole number from 0 to 65535"),
        ("u8", "a whole number from 0 to 255"),
    ];
    let Some((found, expected)) = message.split_once(", expected ") else {
        return message.replace('`', "\"");
    };
    let found = found.replace("invalid value: integer ", "").replace("unknown variant ", "").replace('`', "");
    match WORDS.iter().find(|(word, _)| expected == *word) {
        Some((_, words)) => format!("{found} is not {words}"),
        None => format!("{found:?} is not {}", expected.replace('`', "\"")),
    }
}

#[cfg(test)]
mod tests;
