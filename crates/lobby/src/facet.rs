//! What two people may have in common, as a small set.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Something that two tickets share or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Facet {
    /// At least one tag.
    Tag,
    /// The language.
    Language,
    /// The region.
    Region,
}

impl Facet {
    /// Every facet.
    pub const ALL: [Self; 3] = [Self::Tag, Self::Language, Self::Region];
}

/// A set of facets.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "u8")]
pub struct Facets(u8);

impl Facets {
    /// The set of none.
    pub const NONE: Self = Self(0);

    /// Whether the facet is in the set.
    pub fn contains(self, facet: Facet) -> bool {
        self.0 & (1 << facet as u8) != 0
    }

    /// Whether every facet of the other set is in this one.
    pub fn covers(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The facets that are in either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The facets that are in both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The facets of the set.
    pub fn iter(self) -> impl Iterator<Item = Facet> {
        Facet::ALL.into_iter().filter(move |facet| self.contains(*facet))
    }

    /// Every set that has all of this one, and nothing that is not in `widest`. None when this one has more than that.
    pub(crate) fn up_to(self, widest: Self) -> impl Iterator<Item = Self> {
        (0..8).map(Self).filter(move |set| set.covers(self) && widest.covers(*set))
    }

    /// The set as a number below eight.
    pub(crate) fn bits(self) -> u8 {
        self.0
    }
}

impl FromIterator<Facet> for Facets {
    fn from_iter<I: IntoIterator<Item = Facet>>(facets: I) -> Self {
        Self(facets.into_iter().fold(0, |bits, facet| bits | 1 << facet as u8))
    }
}

/// Bits that stand for no facet stand for none.
impl From<u8> for Facets {
    fn from(bits: u8) -> Self {
        Self(bits).and(Facet::ALL.into())
    }
}

impl<const N: usize> From<[Facet; N]> for Facets {
    fn from(facets: [Facet; N]) -> Self {
        facets.into_iter().collect()
    }
}

impl fmt::Debug for Facets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_between_two_sets_are_all_listed() {
        let tag = Facets::from([Facet::Tag]);
        let both = Facets::from([Facet::Tag, Facet::Language]);
        assert_eq!(tag.up_to(both).collect::<Vec<_>>(), [tag, both]);
        assert_eq!(Facets::NONE.up_to(Facets::from(Facet::ALL)).count(), 8);
        assert_eq!(both.up_to(tag).count(), 0);
    }
}
