//! One queue: how many wait in it and for what, who is found in it, and how long it took lately.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::accept::Stance;
use crate::config::QueueConfig;
use crate::event::Place;
use crate::facet::Facets;
use crate::names::{Number, QueueName, Topic};
use crate::policy::Policy;
use crate::ticket::{Seat, Ticket};
use crate::time::Time;

use super::Cursor;
use super::index::Index;
use super::keys;
use super::lines::Block;
use super::seats::Seats;
use super::waits::Waits;

/// A queue and those who wait in it.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) name: QueueName,
    config: QueueConfig,
    /// Everyone who waits, with those who are away.
    pub(super) waiting: usize,
    /// The same, by the topic that they named first: by its number, with the count.
    pub(super) topics: HashMap<Number, (Topic, usize)>,
    /// How often tickets were posted.
    pub(super) posts: u64,
    pub(super) waits: Waits,
    /// The facets that anybody may demand who ever came.
    demandable: Facets,
    index: Index,
}

impl Queue {
    pub(super) fn new(name: QueueName, config: QueueConfig) -> Self {
        Self {
            name,
            config,
            waiting: 0,
            topics: HashMap::new(),
            posts: 0,
            waits: Waits::default(),
            demandable: Facets::NONE,
            index: Index::default(),
        }
    }

    pub(super) fn policy(&self) -> &Arc<Policy> {
        &self.config.policy
    }

    pub(super) fn is_full(&self) -> bool {
        self.waiting >= self.config.waiting_max
    }

    /// Makes sure that what a ticket demands is in the index. Says whether it was not: then everybody has to be posted
    /// anew.
    pub(super) fn learn(&mut self, ticket: &Ticket) -> bool {
        let first = ticket.policy(&self.config.policy).steps()[0];
        let demands = self.demandable.or(ticket.sketch.requires).or(first.shared.and(ticket.sketch.has));
        let grows = demands != self.demandable;
        self.demandable = demands;
        grows
    }

    /// Where a ticket would stand.
    pub(super) fn place(&self, ticket: &Ticket) -> Place {
        let count = |topic| self.topics.get(&topic).map_or(0, |(_, count)| *count);
        let others = ticket.sketch.topics.first().map_or(self.waiting, count);
        Place { others, estimated_wait: self.waits.median() }
    }

    /// Counts somebody who waits.
    pub(super) fn count(&mut self, ticket: &Ticket) {
        self.waiting += 1;
        if let Some(topic) = &ticket.wish.topic {
            self.topics.entry(topic.number()).or_insert_with(|| (topic.clone(), 0)).1 += 1;
        }
    }

    /// Counts somebody no longer.
    pub(super) fn discount(&mut self, ticket: &Ticket) {
        self.waiting -= 1;
        let Some(topic) = ticket.sketch.topics.first() else { return };
        if let Some((_, count)) = self.topics.get_mut(&topic) {
            *count -= 1;
            if *count == 0 {
                self.topics.remove(&topic);
            }
        }
    }

    /// Lets a ticket be found by what it demands now. Gives where it is, for [`withdraw`](Self::withdraw).
    pub(super) fn post(&mut self, seat: Seat, seats: &mut Seats, now: Time) -> Box<[Block]> {
        let Some(ticket) = seats.ticket(seat) else { return Box::default() };
        let keys = keys::found_under(&Stance::of(ticket, &self.config.policy, now), self.demandable);
        self.posts += 1;
        self.index.add(&keys, seat, seats)
    }

    /// Lets a ticket no longer be found.
    pub(super) fn withdraw(&mut self, seat: Seat, blocks: &[Block]) {
        self.index.remove(blocks, seat);
    }

    /// Those who fit the ticket by topic, side and facets, oldest first, who wait after the cursor.
    pub(super) fn fitting<'a>(
        &'a self,
        ticket: &Ticket,
        after: Cursor,
        now: Time,
    ) -> impl Iterator<Item = Seat> + use<'a> {
        let keys = keys::asked_for(&Stance::of(ticket, &self.config.policy, now), self.demandable);
        self.index.after(&keys, after)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::*;
    use crate::criteria::Criteria;
    use crate::facet::Facet;
    use crate::few::Few;
    use crate::lobby::{Bound, Newcomer};
    use crate::names::Tag;
    use crate::policy::{Step, TopicScope, Weights};
    use crate::store::journal::Recorded;
    use crate::store::seats::{Entry, Stage};
    use crate::ticket::TicketId;
    use crate::wish::{AnyTopic, SideWish, Tags, Wish};

    /// One of the numbers below `end`, by the state of a linear congruential generator.
    fn below(state: &mut u64, end: usize) -> usize {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 33) as usize % end
    }

    fn pick<T: Clone>(state: &mut u64, items: &[T]) -> T {
        items[below(state, items.len())].clone()
    }

    fn ticket(id: u64, state: &mut u64) -> Ticket {
        let mut wish = Wish::new("default");
        wish.topic = pick(state, &[None, Some("tea"), Some("art"), Some("law")]).map(Topic::from);
        wish.other_topics = Few::new([Topic::from(pick(state, &["tea", "art", "pop"]))]).unwrap();
        wish.any_topic = pick(state, &[AnyTopic::Accepted, AnyTopic::Refused, AnyTopic::Refused]);
        wish.side = pick(state, &[None, Some(SideWish::For), Some(SideWish::Against), Some(SideWish::Any)]);
        let tags = (0..below(state, 4)).map(|_| Tag::from(pick(state, &["a", "b", "c"])));
        wish.tags = Tags::new(tags).unwrap();
        wish.language = pick(state, &[None, Some("en"), Some("de")]).map(Into::into);
        wish.region = pick(state, &[None, Some("eu"), Some("us")]).map(Into::into);
        let facets = pick(state, &[None, None, Some(Facet::Language), Some(Facet::Region)]);
        wish.requires = Criteria { facets: facets.into_iter().collect(), ..Criteria::default() };
        let enqueued = Time(Duration::from_secs(below(state, 10) as u64));
        Ticket::new(TicketId(id), Newcomer::new(id.to_string(), wish), enqueued, Duration::ZERO)
    }

    /// Everything that the decider accepts is found, and nothing else, whatever people wish and however long they wait.
    #[test]
    fn exactly_those_are_found_who_fit() {
        let step = |seconds, shared, topics| Step { after: Duration::from_secs(seconds), shared, topics };
        let steps = vec![
            step(0, Facet::ALL.into(), TopicScope::Same),
            step(3, [Facet::Tag].into(), TopicScope::Same),
            step(6, Facets::NONE, TopicScope::Allowed),
        ];
        let policy = Policy::new(steps, Duration::ZERO, Weights::default()).unwrap();
        let mut state = 1;
        let now = Time(Duration::from_secs(10));
        let config = QueueConfig { policy: Arc::new(policy.clone()), waiting_max: 1000 };
        let mut queue = Queue::new(QueueName::from("default"), config);
        let mut seats = Seats::default();
        let tickets: Vec<Ticket> = (1..=300).map(|id| ticket(id, &mut state)).collect();
        tickets.iter().for_each(|ticket| _ = queue.learn(ticket));
        for ticket in &tickets {
            let seat = seats.take(ticket.clone(), Entry::new(0, Bound::Kept, Recorded::Not)).seat;
            seats[seat].stage = Stage::Posted(queue.post(seat, &mut seats, now));
        }
        let mut found_in_all = 0;
        for mine in &tickets {
            let places = |after| queue.fitting(mine, after, now).map(|seat| seats.place(seat));
            let found: Vec<Cursor> = places(Cursor::default()).collect();
            assert!(found.is_sorted_by(|first, second| first < second), "in order, each once");
            let stance = Stance::of(mine, &policy, now);
            let fitting: BTreeSet<Cursor> = tickets
                .iter()
                .filter(|other| stance.accepts(&Stance::of(other, &policy, now)).is_some())
                .map(|ticket| ticket.place())
                .collect();
            // It also finds itself when it asks for what it has; the decider does not take it.
            let others: BTreeSet<Cursor> =
                found.iter().copied().filter(|place| *place != mine.place()).collect();
            assert_eq!(others, fitting);
            found_in_all += others.len();
            let rest: Vec<Cursor> = found.get(1..).map(<[Cursor]>::to_vec).unwrap_or_default();
            let first = found.first().copied().unwrap_or_default();
            assert_eq!(places(first).collect::<Vec<_>>(), rest, "after a place come the others");
        }
        assert!(found_in_all > 1000, "a test that finds nobody shows nothing");
        for seat in seats.in_order() {
            let Some((_, Entry { stage: Stage::Posted(blocks), .. })) = seats.leave(seat) else { panic!() };
            queue.withdraw(seat, &blocks);
        }
        assert_eq!(queue.index.lines(), 0, "nothing is left behind");
    }
}
