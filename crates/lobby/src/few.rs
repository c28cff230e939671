//! A list with a bound that its type says.

use std::ops::Deref;

/// At most `MAX` items, in the order given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Few<T, const MAX: usize>(Box<[T]>);

impl<T, const MAX: usize> Few<T, MAX> {
    /// These items. Gives nothing when they are more than `MAX`.
    pub fn new(items: impl Into<Box<[T]>>) -> Option<Self> {
        let items = items.into();
        (items.len() <= MAX).then_some(Self(items))
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
