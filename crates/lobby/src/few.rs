//! A list with a bound that its type says.

use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize, de};

/// At most `MAX` items, in the order given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Few<T, const MAX: usize>(Box<[T]>);

impl<T, const MAX: usize> Few<T, MAX> {
    /// These items. Gives nothing when they are more than `MAX`.
    pub fn new(items: impl Into<Box<[T]>>) -> Option<Self> {
        let items = items.into();
        (items.len() <= MAX).then_some(Self(items))
    }
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for Few<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items = Vec::deserialize(deserializer)?;
        let count = items.len();
        Self::new(items).ok_or_else(|| de::Error::invalid_length(count, &"a few"))
    }
}

impl<T, const MAX: usize> Default for Few<T, MAX> {
    fn default() -> Self {
        Self(Box::default())
    }
}

impl<T, const MAX: usize> Deref for Few<T, MAX> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}
