//! A text that nobody may read by accident: in logs, in panics, on a screen.

use std::fmt::{self, Debug, Display};

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

/// A secret, perhaps empty. `Debug` and `Display` tell its length alone; its memory is wiped when it is dropped.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Secret(SecretString);

impl Secret {
    /// A secret of so many random bytes, written in hexadecimal digits.
    pub(crate) fn random(bytes: usize) -> Result<Self, getrandom::Error> {
        let mut random = vec![0; bytes];
        getrandom::fill(&mut random)?;
        Ok(Self(random.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()))
    }

    /// The text itself.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether none was given.
    pub(crate) fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }

    /// Its length in bytes.
    pub(crate) fn len(&self) -> usize {
        self.expose().len()
    }
}

/// Tells a changed configuration, never a caller's guess: the comparison takes as long as the texts agree.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() { f.write_str("<not set>") } else { write!(f, "<set, {} bytes>", self.len()) }
    }
}

impl Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_its_length_alone() {
        let secret = Secret::from("hunter2");
        assert_eq!(
            format!("{secret} {secret:?} {}", Secret::default()),
            "<set, 7 bytes> <set, 7 bytes> <not set>"
        );
    }

    #[test]
    fn random_secrets_differ_and_are_long_enough() {
        let (a, b) = (Secret::random(32).unwrap(), Secret::random(32).unwrap());
        assert!(a != b && a.len() == 64);
    }
}
