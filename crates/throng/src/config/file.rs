//! A TOML text as a list of settings, each with the line it stands on. What the keys mean is not known here.

use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

use super::key::Key;

/// One setting as a file has it.
#[derive(Debug, PartialEq)]
pub(crate) struct Written {
    pub(crate) key: Key,
    /// Anything but a table that is not empty.
    pub(crate) value: Value,
    /// From 1.
    pub(crate) line: usize,
}

/// A place at which a text is not TOML. It repeats nothing of the text, which may hold secrets.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// From 1.
    pub(crate) line: usize,
    pub(crate) message: String,
}

/// The settings in the order of their lines, or everything that is wrong with the text.
pub(crate) fn read(text: &str) -> Result<Vec<Written>, Vec<Fault>> {
    let (spans, errors) = DeTable::parse_recoverable(text);
    let faults: Vec<Fault> = errors.iter().map(|error| fault(text, error)).collect();
    if !faults.is_empty() {
        return Err(faults);
    }
    let values: Table = toml::from_str(text).map_err(|error| vec![fault(text, &error)])?;
    let mut written = Vec::new();
    collect(&Key::default(), &values, spans.get_ref(), text, &mut written);
    written.sort_by_key(|setting| setting.line);
    Ok(written)
}

fn fault(text: &str, error: &toml::de::Error) -> Fault {
    let line = error.span().map_or(1, |span| line_of(text, span.start));
    Fault { line, message: error.message().to_owned() }
}

fn collect(at: &Key, values: &Table, spans: &DeTable<'_>, text: &str, written: &mut Vec<Written>) {
    for (name, span) in spans {
        let Some(value) = values.get(name.get_ref().as_ref()) else { continue };
        let key = at.child(name.get_ref());
        match (value, span.get_ref()) {
            (Value::Table(inner), DeValue::Table(spans)) if !inner.is_empty() => {
                collect(&key, inner, spans, text, written);
            }
            _ => {
                written.push(Written { key, value: value.clone(), line: line_of(text, name.span().start) });
            }
        }
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_keep_their_lines() {
        let written = read("port = 1\n\n[socket]\n# why\npath = '/x/'\n[tenants.list.acme]\n").unwrap();
        let found: Vec<_> = written.iter().map(|one| (one.key.to_string(), one.line)).collect();
        assert_eq!(found, [("port".into(), 1), ("socket.path".into(), 5), ("tenants.list.acme".into(), 6)]);
    }

    #[test]
    fn every_fault_has_its_line_and_tells_no_secret() {
        let faults = read("a = \nb = 1\nc = \"hunter2\nd = 1\n").unwrap_err();
        assert_eq!(faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [1, 3]);
        assert!(!format!("{faults:?}").contains("hunter2"));
    }

    #[test]
    fn a_key_said_twice_is_a_fault() {
        assert_eq!(read("a = 1\na = 2\n").unwrap_err()[0].line, 2);
    }
}
