//! One queue: how many wait in it and for what, who is found in it, and how long it took lately.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::accept::Stance;
use crate::config::QueueConfig;
use crate::event::Place;
use crate::facet::Facets;
use crate::names::Topic;
use crate::policy::Policy;
use crate::ticket::Ticket;
use crate::time::Time;

use super::Cursor;
use super::index::Index;
use super::keys::Keys;
use super::waits::Waits;

/// A queue and those who wait in it.
#[derive(Debug)]
pub(super) struct Queue {
    config: QueueConfig,
    /// Everyone who waits, with those who are away.
    pub(super) waiting: usize,
    /// The same, by the topic that they named first.
    pub(super) topics: HashMap<Topic, usize>,
    /// How often tickets were posted.
    pub(super) posts: u64,
    pub(super) waits: Waits,
    /// The facets that anybody may demand who ever came.
    demandable: Facets,
    index: Index,
    keys: Keys,
}

impl Queue {
    pub(super) fn new(config: QueueConfig) -> Self {
        Self {
            config,
            waiting: 0,
            topics: HashMap::new(),
            posts: 0,
            waits: Waits::default(),
            demandable: Facets::NONE,
            index: Index::default(),
            keys: Keys::default(),
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
        let demands = self.demandable.or(ticket.demands(first.shared));
        let grows = demands != self.demandable;
        self.demandable = demands;
        grows
    }

    /// Where a ticket would stand.
    pub(super) fn place(&self, ticket: &Ticket) -> Place {
        let topic = ticket.wish.topic.as_ref();
        let others = topic.map_or(self.waiting, |topic| self.topics.get(topic).copied().unwrap_or_default());
        Place { others, estimated_wait: self.waits.median() }
    }

    /// Counts somebody who waits.
    pub(super) fn count(&mut self, ticket: &Ticket) {
        self.waiting += 1;
        if let Some(topic) = &ticket.wish.topic {
            *self.topics.entry_ref(topic).or_default() += 1;
        }
    }

    /// Counts somebody no longer.
    pub(super) fn discount(&mut self, ticket: &Ticket) {
        self.waiting -= 1;
        let Some(topic) = &ticket.wish.topic else { return };
        if let Some(count) = self.topics.get_mut(topic) {
            *count -= 1;
            if *count == 0 {
                self.topics.remove(topic);
            }
        }
    }

    /// Lets a ticket be found by what it demands now. Gives the keys under which it is, for [`withdraw`](Self::withdraw).
    pub(super) fn post(&mut self, ticket: &Ticket, now: Time) -> Vec<u64> {
        let keys = self.keys.of(&Stance::of(ticket, &self.config.policy, now), self.demandable);
        self.index.add(&keys, ticket.place());
        self.posts += 1;
        keys
    }

    /// Lets a ticket no longer be found.
    pub(super) fn withdraw(&mut self, ticket: &Ticket, keys: &[u64]) {
        self.index.remove(keys, ticket.place());
    }

    /// Those who fit the ticket by topic, side and facets, oldest first, who wait after the cursor.
    pub(super) fn fitting(
        &self,
        ticket: &Ticket,
        after: Cursor,
        now: Time,
    ) -> impl Iterator<Item = Cursor> + use<'_> {
        let keys = self.keys.asked(&Stance::of(ticket, &self.config.policy, now), self.demandable);
        self.index.after(&keys, after)
    }
}
