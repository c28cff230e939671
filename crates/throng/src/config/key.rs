//! The name of one setting: a path of table names, written with dots as in TOML.

use std::fmt::{self, Display};

/// A path such as `socket.ping_interval` or `limits.events."room:message".burst`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key(Vec<Box<str>>);

impl Key {
    /// A key of names without dots of their own.
    pub(crate) fn dotted(path: &str) -> Self {
        Self(path.split('.').map(Box::from).collect())
    }

    /// The key of an entry in the table that this key names.
    pub(crate) fn child(&self, name: &str) -> Self {
        Self(self.0.iter().cloned().chain([name.into()]).collect())
    }

    /// The names, the outermost first.
    pub(crate) fn names(&self) -> &[Box<str>] {
        &self.0
    }

    /// The innermost name.
    pub(crate) fn last(&self) -> &str {
        self.0.last().map_or("", |name| name)
    }

    /// Whether the key is `path` or lies in the table of that name.
    pub(crate) fn is_in(&self, path: &str) -> bool {
        let mut names = self.0.iter();
        path.split('.').all(|part| names.next().is_some_and(|name| **name == *part))
    }
}

impl FromIterator<Box<str>> for Key {
    fn from_iter<T: IntoIterator<Item = Box<str>>>(names: T) -> Self {
        Self(names.into_iter().collect())
    }
}

impl Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            let bare =
                !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
            if bare { f.write_str(name)? } else { write!(f, "{name:?}")? }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_not_bare_are_quoted() {
        let key = Key::dotted("limits.events").child("room:message").child("burst");
        assert_eq!(key.to_string(), "limits.events.\"room:message\".burst");
        assert_eq!(key.last(), "burst");
    }

    #[test]
    fn a_table_holds_whole_names() {
        let key = Key::dotted("tls.key");
        assert!(key.is_in("tls") && key.is_in("tls.key"));
        assert!(!key.is_in("tl") && !key.is_in("tls.key.x"));
    }
}
