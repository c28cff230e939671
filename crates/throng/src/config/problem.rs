//! What is wrong with a configuration, all of it at once.

use std::fmt::{self, Display};

use super::key::Key;
use super::values::Origin;

/// One thing that is wrong: where it was said, of which key, and why it cannot be.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Problem {
    /// Such as `throng.toml:3` or `environment PORT`.
    #[serde(rename = "origin")]
    place: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    message: String,
}

impl Problem {
    /// A problem of a setting.
    pub(crate) fn of(origin: Origin, key: &Key, message: impl Display) -> Self {
        Self { place: origin.to_string(), key: Some(key.to_string()), message: message.to_string() }
    }

    /// A problem of something that is no setting, such as a file.
    pub(crate) fn elsewhere(place: impl Display, message: impl Display) -> Self {
        Self { place: place.to_string(), key: None, message: message.to_string() }
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if let Some(key) = &self.key {
            write!(f, "{key}: ")?;
        }
        f.write_str(&self.message)
    }
}

/// Everything that is wrong with a configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    /// Adds one, unless it was the last one already.
    pub(crate) fn add(&mut self, problem: Problem) {
        if self.0.last() != Some(&problem) {
            self.0.push(problem);
        }
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "throng: the configuration is wrong")?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for Problems {}
