//! Who of those at hand is the best partner for a ticket. Pure: no clock, no randomness, no I/O.

use std::cmp::Reverse;
use std::sync::Arc;

use crate::accept::{Familiarity, Stance, shared};
use crate::criteria::Criteria;
use crate::facet::Facet;
use crate::policy::{Policy, Weights};
use crate::ticket::{Ticket, TicketId};
use crate::time::Time;
use crate::wish::Wish;

/// A partner that was chosen.
#[derive(Debug, Clone)]
pub struct Choice {
    /// Whom.
    pub candidate: Arc<Ticket>,
    /// Whether the two have met lately. They are chosen then only because nobody else is acceptable.
    pub familiarity: Familiarity,
    /// How good it is, by the weights of the ticket's policy.
    pub score: u64,
}

/// What makes a choice the better one: first whether it is new, then the score, then who waits longest.
type Rank = (Familiarity, u64, Reverse<(Time, TicketId)>);

impl Choice {
    /// Comparable with others of the same ticket: the greater, the better.
    pub(crate) fn rank(&self) -> Rank {
        rank(&self.candidate, self.familiarity, self.score)
    }
}

/// The best partner in a window of candidates, in a queue with this policy. A ticket and a candidate may have policies
/// of their own; both must accept the other now.
pub fn decide(ticket: &Ticket, window: &[Arc<Ticket>], policy: &Policy, now: Time) -> Option<Choice> {
    let mine = Stance::of(ticket, policy, now);
    let weights = ticket.policy(policy).weights();
    let acceptable = window.iter().filter_map(|candidate| {
        let familiarity = mine.accepts(&Stance::of(candidate, policy, now))?;
        Some((candidate, familiarity, score(ticket, candidate, weights, now)))
    });
    let best = acceptable.max_by_key(|(candidate, familiarity, score)| rank(candidate, *familiarity, *score));
    best.map(|(candidate, familiarity, score)| Choice {
        candidate: Arc::clone(candidate),
        familiarity,
        score,
    })
}

fn rank(candidate: &Ticket, familiarity: Familiarity, score: u64) -> Rank {
    (familiarity, score, Reverse((candidate.since(), candidate.id)))
}

fn score(ticket: &Ticket, candidate: &Ticket, weights: Weights, now: Time) -> u64 {
    let (mine, theirs) = (&*ticket.wish, &*candidate.wish);
    let is_shared = |facet| u64::from(shared(facet, mine, theirs));
    let parts = [
        (weights.tag, mine.tags.shared(&theirs.tags).count() as u64),
        (weights.language, is_shared(Facet::Language)),
        (weights.region, is_shared(Facet::Region)),
        (
            weights.preference,
            fulfilled(&mine.prefers, mine, theirs) + fulfilled(&theirs.prefers, theirs, mine),
        ),
        (weights.waiting, candidate.waited(now).as_secs()),
    ];
    parts
        .into_iter()
        .fold(0, |sum, (weight, amount)| sum.saturating_add(u64::from(weight).saturating_mul(amount)))
}

/// How many of somebody's preferences the other fulfils.
fn fulfilled(preferences: &Criteria, mine: &Wish, theirs: &Wish) -> u64 {
    let facets = Facet::ALL
        .iter()
        .filter(|facet| preferences.facets.contains(**facet) && shared(**facet, mine, theirs));
    let conditions = preferences.conditions.iter().filter(|condition| condition.holds(&theirs.properties));
    (facets.count() + conditions.count()) as u64
}
