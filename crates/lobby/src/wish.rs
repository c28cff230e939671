//! What somebody wishes for: whom to meet, about what, on which side.

use serde::{Deserialize, Serialize};

use crate::criteria::{Criteria, Properties};
use crate::facet::{Facet, Facets};
use crate::few::Few;
use crate::names::{Language, QueueName, Region, Tag, Topic};

/// The most other topics of a wish.
pub const OTHER_TOPICS_MAX: usize = 5;
/// The most tags of a wish.
pub const TAGS_MAX: usize = 5;

/// A wish to be paired. Two are the same wish when all of their fields are equal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Wish {
    /// Where to wait.
    pub queue: QueueName,
    /// What to talk about. Somebody without a topic takes whatever the other wants.
    pub topic: Option<Topic>,
    /// What else to talk about after a while, in order of preference.
    pub other_topics: Few<Topic, OTHER_TOPICS_MAX>,
    /// Whether after a while any topic will do.
    pub any_topic: AnyTopic,
    /// The side to take. Somebody without one only meets others without one.
    pub side: Option<SideWish>,
    /// Interests.
    pub tags: Tags,
    /// The language to speak.
    pub language: Option<Language>,
    /// Where the person is.
    pub region: Option<Region>,
    /// What else there is to say about the person.
    pub properties: Properties,
    /// What the other must fulfil, however long it takes.
    pub requires: Criteria,
    /// What the other had better fulfil.
    pub prefers: Criteria,
}

impl Wish {
    /// A wish to meet anybody in a queue.
    pub fn new(queue: impl Into<QueueName>) -> Self {
        Self {
            queue: queue.into(),
            topic: None,
            other_topics: Few::default(),
            any_topic: AnyTopic::Refused,
            side: None,
            tags: Tags::default(),
            language: None,
            region: None,
            properties: Properties::default(),
            requires: Criteria::default(),
            prefers: Criteria::default(),
        }
    }

    /// The topics that were named, the own one first.
    pub fn topics(&self) -> impl Iterator<Item = &Topic> {
        self.topic.iter().chain(self.other_topics.iter())
    }

    /// The facets that the wish says something about.
    pub fn facets(&self) -> Facets {
        let tag = (!self.tags.is_empty()).then_some(Facet::Tag);
        let language = self.language.is_some().then_some(Facet::Language);
        let region = self.region.is_some().then_some(Facet::Region);
        tag.into_iter().chain(language).chain(region).collect()
    }
}

/// Whether somebody takes any topic once topics may differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AnyTopic {
    /// Any topic will do.
    Accepted,
    /// Only the topics that were named.
    #[default]
    Refused,
}

/// The side that somebody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SideWish {
    /// For the topic.
    For,
    /// Against it.
    Against,
    /// Either.
    Any,
}

/// The side that somebody has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Side {
    /// For the topic.
    For,
    /// Against it.
    Against,
}

impl SideWish {
    /// The sides of two people, if they can take opposite ones. Between two who take either, the first is for it.
    pub(crate) fn share(first: Self, second: Self) -> Option<[Side; 2]> {
        match (first, second) {
            (Self::For, Self::Against | Self::Any) | (Self::Any, Self::Against | Self::Any) => {
                Some([Side::For, Side::Against])
            }
            (Self::Against, Self::For | Self::Any) | (Self::Any, Self::For) => {
                Some([Side::Against, Side::For])
            }
            (Self::For, Self::For) | (Self::Against, Self::Against) => None,
        }
    }
}

/// At most [`TAGS_MAX`] different tags, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tags(Few<Tag, TAGS_MAX>);

impl Tags {
    /// A set of tags; those that are said twice count once. Gives nothing when they are more than [`TAGS_MAX`].
    pub fn new(tags: impl IntoIterator<Item = Tag>) -> Option<Self> {
        let mut tags: Vec<Tag> = tags.into_iter().collect();
        tags.sort_unstable();
        tags.dedup();
        Few::new(tags).map(Self)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tags, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Tag> {
        self.0.iter()
    }

    /// The tags that are in both.
    pub fn shared<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'a Tag> {
        self.iter().filter(|tag| other.0.contains(tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(names: &[&str]) -> Option<Tags> {
        Tags::new(names.iter().map(|name| Tag::from(*name)))
    }

    #[test]
    fn tags_are_a_bounded_set() {
        let both = tags(&["tea", "art", "tea"]).unwrap();
        assert_eq!(both.iter().map(Tag::as_str).collect::<Vec<_>>(), ["art", "tea"]);
        assert_eq!(both.shared(&tags(&["tea", "war"]).unwrap()).count(), 1);
        assert_eq!(tags(&["1", "2", "3", "4", "5", "6"]), None);
    }

    #[test]
    fn opposite_sides_can_be_shared_out() {
        use SideWish::{Against, Any, For};
        let mirrored = |sides: [Side; 2]| [sides[1], sides[0]];
        for (first, second, expect) in [
            (For, For, None),
            (Against, Against, None),
            (For, Against, Some([Side::For, Side::Against])),
            (For, Any, Some([Side::For, Side::Against])),
            (Against, Any, Some([Side::Against, Side::For])),
        ] {
            assert_eq!(SideWish::share(first, second), expect);
            assert_eq!(SideWish::share(second, first), expect.map(mirrored));
        }
        assert_eq!(SideWish::share(Any, Any), Some([Side::For, Side::Against]));
    }
}
