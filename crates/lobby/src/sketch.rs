//! A wish in numbers, in one piece of memory: what is compared when many candidates are looked at.

use crate::facet::{Facet, Facets};
use crate::names::{Number, User};
use crate::wish::{AnyTopic, OTHER_TOPICS_MAX, SideWish, TAGS_MAX, Wish};

/// What two tickets are compared by.
#[derive(Debug, Clone)]
pub(crate) struct Sketch {
    pub(crate) user: Number,
    pub(crate) queue: Number,
    /// The own topic, if there is one, and then the others.
    pub(crate) topics: Numbers<{ OTHER_TOPICS_MAX + 1 }>,
    pub(crate) tags: Numbers<TAGS_MAX>,
    pub(crate) language: Option<Number>,
    pub(crate) region: Option<Number>,
    pub(crate) side: Option<SideWish>,
    pub(crate) any_topic: AnyTopic,
    /// What the wish says something about.
    pub(crate) has: Facets,
    /// What of that the other must share, however long it takes.
    pub(crate) requires: Facets,
    /// Whether the wish says more about the other, which is not in here.
    pub(crate) has_criteria: bool,
}

/// At most `MAX` numbers; the empty places are not numbers of anything.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbers<const MAX: usize>([Option<Number>; MAX]);

impl Sketch {
    /// Reads something of each of its cache lines.
    pub(crate) fn touch(&self) -> u64 {
        let [first, last] = [self.user, self.queue].map(|number| number.get());
        let tags = self.tags.0.iter().flatten().fold(0, |sum, number| sum ^ number.get());
        first ^ last ^ tags ^ u64::from(self.has_criteria)
    }

    pub(crate) fn of(user: &User, wish: &Wish) -> Self {
        let own = wish.topic.as_ref().map(|topic| topic.number());
        let others = wish.other_topics.iter().map(|topic| Some(topic.number()));
        let (requires, prefers) = (&wish.requires, &wish.prefers);
        Self {
            user: user.number(),
            queue: wish.queue.number(),
            topics: Numbers::new([own].into_iter().chain(others)),
            tags: Numbers::new(wish.tags.iter().map(|tag| Some(tag.number()))),
            language: wish.language.as_ref().map(|language| language.number()),
            region: wish.region.as_ref().map(|region| region.number()),
            side: wish.side,
            any_topic: wish.any_topic,
            has: wish.facets(),
            requires: requires.facets.and(wish.facets()),
            has_criteria: !requires.conditions.is_empty()
                || !prefers.conditions.is_empty()
                || prefers.facets != Facets::NONE,
        }
    }

    /// Whether the two have something in common.
    pub(crate) fn shares(&self, facet: Facet, other: &Self) -> bool {
        match facet {
            Facet::Tag => self.shared_tags(other) > 0,
            Facet::Language => self.language.is_some() && self.language == other.language,
            Facet::Region => self.region.is_some() && self.region == other.region,
        }
    }

    /// How many tags the two have in common.
    pub(crate) fn shared_tags(&self, other: &Self) -> usize {
        self.tags.iter().filter(|tag| other.tags.contains(*tag)).count()
    }
}

impl<const MAX: usize> Numbers<MAX> {
    /// The first `MAX` of them.
    fn new(numbers: impl Iterator<Item = Option<Number>>) -> Self {
        let mut places = [None; MAX];
        places.iter_mut().zip(numbers).for_each(|(place, number)| *place = number);
        Self(places)
    }

    pub(crate) fn first(&self) -> Option<Number> {
        self.0.first().copied().flatten()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Number> + '_ {
        self.0.iter().flatten().copied()
    }

    pub(crate) fn contains(&self, number: Number) -> bool {
        self.0.contains(&Some(number))
    }
}
