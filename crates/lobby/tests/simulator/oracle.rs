//! Who accepts whom, said once more and in other words than the crate says it: what the simulator believes.

use std::collections::BTreeSet;
use std::time::Duration;

use throng_lobby::{
    AnyTopic, Condition, Facet, Newcomer, Policy, SideWish, Test, Topic, TopicScope, Value, Wish,
};

/// Somebody at a moment.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    pub(crate) who: &'a Newcomer,
    pub(crate) waited: Duration,
}

impl At<'_> {
    fn wish(&self) -> &Wish {
        &self.who.wish
    }

    fn policy<'a>(&'a self, queue: &'a Policy) -> &'a Policy {
        self.who.policy.as_deref().unwrap_or(queue)
    }

    fn asks(&self, queue: &Policy, facet: Facet) -> bool {
        let mut begun = self.policy(queue).steps().iter().filter(|step| step.after <= self.waited);
        let has = match facet {
            Facet::Tag => !self.wish().tags.is_empty(),
            Facet::Language => self.wish().language.is_some(),
            Facet::Region => self.wish().region.is_some(),
        };
        let step = begun.next_back().expect("the first step begins at once");
        has && (step.shared.contains(facet) || self.wish().requires.facets.contains(facet))
    }

    /// The topics that this one takes; `None` when all of them.
    fn topics(&self, queue: &Policy) -> Option<BTreeSet<&Topic>> {
        let wish = self.wish();
        let own = wish.topic.as_ref()?;
        let mut begun = self.policy(queue).steps().iter().filter(|step| step.after <= self.waited);
        if begun.next_back().expect("the first step begins at once").topics == TopicScope::Same {
            return Some(BTreeSet::from([own]));
        }
        (wish.any_topic == AnyTopic::Refused).then(|| wish.other_topics.iter().chain([own]).collect())
    }

    fn requires_hold_of(&self, other: &At<'_>) -> bool {
        self.wish().requires.conditions.iter().all(|Condition { property, test }| {
            match (test, other.wish().properties.get(property)) {
                (Test::Equals(text), Some(Value::Text(value))) => text == value,
                (Test::Between { min, max }, Some(Value::Number(value))) => value >= min && value <= max,
                _ => false,
            }
        })
    }

    fn may_meet_again(&self, queue: &Policy, other: &At<'_>) -> bool {
        !self.who.recent.contains(&other.who.user) || self.waited >= self.policy(queue).recent_after()
    }
}

/// Why the two do not accept each other.
pub(crate) fn objection(first: At<'_>, second: At<'_>, queue: &Policy) -> Option<&'static str> {
    let (mine, theirs) = (first.wish(), second.wish());
    if first.who.user == second.who.user {
        return Some("the same person");
    }
    if mine.queue != theirs.queue {
        return Some("other queues");
    }
    if first.who.blocked.contains(&second.who.user) || second.who.blocked.contains(&first.who.user) {
        return Some("blocked");
    }
    if !matches!(
        (mine.side, theirs.side),
        (None, None)
            | (Some(SideWish::Any), Some(_))
            | (Some(_), Some(SideWish::Any))
            | (Some(SideWish::For), Some(SideWish::Against))
            | (Some(SideWish::Against), Some(SideWish::For))
    ) {
        return Some("sides");
    }
    if let (Some(mine), Some(theirs)) = (first.topics(queue), second.topics(queue))
        && mine.is_disjoint(&theirs)
    {
        return Some("topics");
    }
    for facet in Facet::ALL {
        let same = match facet {
            Facet::Tag => mine.tags.iter().any(|tag| theirs.tags.iter().any(|other| tag == other)),
            Facet::Language => mine.language.is_some() && mine.language == theirs.language,
            Facet::Region => mine.region.is_some() && mine.region == theirs.region,
        };
        if !same && (first.asks(queue, facet) || second.asks(queue, facet)) {
            return Some("facets");
        }
    }
    if !first.requires_hold_of(&second) || !second.requires_hold_of(&first) {
        return Some("requirements");
    }
    if !first.may_meet_again(queue, &second) || !second.may_meet_again(queue, &first) {
        return Some("met lately");
    }
    None
}
