//! Whether two tickets accept each other at a moment. Pure, and the same whichever of the two asks.

use crate::criteria::Criteria;
use crate::facet::{Facet, Facets};
use crate::names::Topic;
use crate::policy::{Policy, TopicScope};
use crate::ticket::Ticket;
use crate::time::Time;
use crate::wish::{AnyTopic, Side, SideWish, Wish};

/// What a ticket demands and takes at a moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stance<'a> {
    pub(crate) ticket: &'a Ticket,
    /// What the other must share.
    pub(crate) demands: Facets,
    scope: TopicScope,
    /// Whether whoever lists the other as a recent partner has waited long enough to meet them again.
    takes_recent: bool,
}

/// How well two people know each other who may be paired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Familiarity {
    /// They have met lately.
    Recent,
    /// They have not.
    New,
}

impl<'a> Stance<'a> {
    /// Of a ticket in a queue with this policy.
    pub(crate) fn of(ticket: &'a Ticket, queue: &Policy, now: Time) -> Self {
        let policy = ticket.policy(queue);
        let waited = ticket.waited(now);
        let step = policy.step(waited);
        Self {
            ticket,
            demands: ticket.demands(step.shared),
            scope: step.topics,
            takes_recent: waited >= policy.recent_after(),
        }
    }

    /// Whether any topic will do.
    pub(crate) fn takes_any_topic(&self) -> bool {
        let wish = &self.ticket.wish;
        wish.topic.is_none() || (self.scope == TopicScope::Allowed && wish.any_topic == AnyTopic::Accepted)
    }

    /// The topics that were named and are taken, the preferred first.
    pub(crate) fn topics(&self) -> impl Iterator<Item = &'a Topic> + use<'a> {
        let wish: &'a Wish = &self.ticket.wish;
        let others: &[Topic] = if self.scope == TopicScope::Allowed { &wish.other_topics } else { &[] };
        wish.topic.iter().chain(others)
    }

    fn takes(&self, topic: &Topic) -> bool {
        self.takes_any_topic() || self.topics().any(|taken| taken == topic)
    }

    /// The two accept each other, or not.
    pub(crate) fn accepts(&self, other: &Stance<'_>) -> Option<Familiarity> {
        let (mine, theirs) = (self.ticket, other.ticket);
        let demands = self.demands.or(other.demands);
        let acceptable = mine.wish.queue == theirs.wish.queue
            && mine.user != theirs.user
            && sides(&mine.wish, &theirs.wish).is_some()
            && self.shares_topic(other)
            && Facet::ALL
                .iter()
                .all(|facet| !demands.contains(*facet) || shared(*facet, &mine.wish, &theirs.wish))
            && fulfils(&mine.wish.requires, &theirs.wish)
            && fulfils(&theirs.wish.requires, &mine.wish)
            && !mine.blocked.contains(&theirs.user)
            && !theirs.blocked.contains(&mine.user);
        if !acceptable {
            return None;
        }
        let mine_knows = mine.recent.contains(&theirs.user);
        let theirs_knows = theirs.recent.contains(&mine.user);
        match (mine_knows, theirs_knows) {
            (false, false) => Some(Familiarity::New),
            _ if (mine_knows && !self.takes_recent) || (theirs_knows && !other.takes_recent) => None,
            _ => Some(Familiarity::Recent),
        }
    }

    fn shares_topic(&self, other: &Stance<'_>) -> bool {
        (self.takes_any_topic() && other.takes_any_topic())
            || self.topics().any(|topic| other.takes(topic))
            || other.topics().any(|topic| self.takes(topic))
    }

    /// What the two talk about: what this one prefers among that which both take, else what the other prefers.
    pub(crate) fn topic_with(&self, other: &Stance<'a>) -> Option<&'a Topic> {
        let mine = self.topics().find(|topic| other.takes(topic));
        mine.or_else(|| other.topics().find(|topic| self.takes(topic)))
    }
}

/// The sides that fall to the two, when they can be shared out; nobody has one where nobody asks for one.
pub(crate) fn sides(first: &Wish, second: &Wish) -> Option<[Option<Side>; 2]> {
    match (first.side, second.side) {
        (None, None) => Some([None; 2]),
        (Some(first), Some(second)) => SideWish::share(first, second).map(|sides| sides.map(Some)),
        _ => None,
    }
}

/// Whether two wishes have something in common.
pub(crate) fn shared(facet: Facet, first: &Wish, second: &Wish) -> bool {
    match facet {
        Facet::Tag => first.tags.shared(&second.tags).next().is_some(),
        Facet::Language => first.language.is_some() && first.language == second.language,
        Facet::Region => first.region.is_some() && first.region == second.region,
    }
}

/// Whether the other's properties fulfil every condition. The facets are among the demands.
fn fulfils(criteria: &Criteria, other: &Wish) -> bool {
    criteria.conditions.iter().all(|condition| condition.holds(&other.properties))
}
