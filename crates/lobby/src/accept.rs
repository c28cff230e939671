//! Whether two tickets accept each other at a moment. Pure, and the same whichever of the two asks.

use crate::criteria::Criteria;
use crate::facet::Facets;
use crate::names::{Number, Topic};
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
            demands: ticket.sketch.requires.or(step.shared.and(ticket.sketch.has)),
            scope: step.topics,
            takes_recent: waited >= policy.recent_after(),
        }
    }

    /// Whether any topic will do.
    pub(crate) fn takes_any_topic(&self) -> bool {
        let sketch = &self.ticket.sketch;
        sketch.topics.first().is_none()
            || (self.scope == TopicScope::Allowed && sketch.any_topic == AnyTopic::Accepted)
    }

    /// The numbers of the topics that were named and are taken, the own one first.
    pub(crate) fn topics(&self) -> impl Iterator<Item = Number> + use<'a> {
        let most = if self.scope == TopicScope::Allowed { usize::MAX } else { 1 };
        self.ticket.sketch.topics.iter().take(most)
    }

    fn takes(&self, topic: Number) -> bool {
        self.takes_any_topic() || self.topics().any(|taken| taken == topic)
    }

    /// The two accept each other, or not.
    pub(crate) fn accepts(&self, other: &Stance<'_>) -> Option<Familiarity> {
        let (mine, theirs) = (self.ticket, other.ticket);
        let demands = self.demands.or(other.demands);
        let acceptable = mine.sketch.queue == theirs.sketch.queue
            && mine.sketch.user != theirs.sketch.user
            && sides(mine.sketch.side, theirs.sketch.side).is_some()
            && self.shares_topic(other)
            && demands.iter().all(|facet| mine.sketch.shares(facet, &theirs.sketch))
            && !mine.blocked.contains_number(theirs.sketch.user)
            && !theirs.blocked.contains_number(mine.sketch.user)
            && (!mine.sketch.has_criteria || fulfils(&mine.wish.requires, &theirs.wish))
            && (!theirs.sketch.has_criteria || fulfils(&theirs.wish.requires, &mine.wish));
        if !acceptable {
            return None;
        }
        let mine_knows = mine.recent.contains_number(theirs.sketch.user);
        let theirs_knows = theirs.recent.contains_number(mine.sketch.user);
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
        let chosen = self.topics().find(|topic| other.takes(*topic));
        let chosen = chosen.or_else(|| other.topics().find(|topic| self.takes(*topic)))?;
        // Most of the younger have just come, and theirs is at hand.
        let named = [other, self].into_iter().flat_map(|stance| stance.ticket.wish.topics());
        named.into_iter().find(|topic| topic.number() == chosen)
    }
}

/// The sides that fall to the two, when they can be shared out; nobody has one where nobody asks for one.
pub(crate) fn sides(first: Option<SideWish>, second: Option<SideWish>) -> Option<[Option<Side>; 2]> {
    match (first, second) {
        (None, None) => Some([None; 2]),
        (Some(first), Some(second)) => SideWish::share(first, second).map(|sides| sides.map(Some)),
        _ => None,
    }
}

/// Whether the other's properties fulfil every condition. The facets are among the demands.
fn fulfils(criteria: &Criteria, other: &Wish) -> bool {
    criteria.conditions.iter().all(|condition| condition.holds(&other.properties))
}
