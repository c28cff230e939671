//! What concerns everyone who waits: pausing, handing over, counting.

use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use crate::names::QueueName;
use crate::statistics::{QueueStatistics, Statistics};
use crate::store::journal::Recorded;
use crate::ticket::{Ticket, TicketId};
use crate::time::Time;

use super::{Stage, State};

impl State {
    pub(in crate::store) fn pause(&mut self) {
        self.paused = true;
    }

    pub(in crate::store) fn resume(&mut self, now: Time) {
        if mem::take(&mut self.paused) {
            self.look_all(now);
        }
    }

    pub(in crate::store) fn extract(&mut self) -> Vec<Ticket> {
        let ids: Vec<TicketId> = self.tickets.keys().copied().collect();
        let removed: Vec<(Arc<Ticket>, Recorded)> =
            ids.into_iter().filter_map(|id| self.remove(id)).collect();
        for (ticket, recorded) in &removed {
            self.journal.remove_ticket(&ticket.user, *recorded);
        }
        let mut tickets: Vec<Arc<Ticket>> = removed.into_iter().map(|(ticket, _)| ticket).collect();
        tickets.sort_unstable_by_key(|ticket| ticket.place());
        for ticket in &tickets {
            self.users.remove(&ticket.user);
        }
        tickets.into_iter().map(Arc::unwrap_or_clone).collect()
    }

    pub(in crate::store) fn estimated_wait(&self, queue: &QueueName) -> Option<Duration> {
        self.queues[*self.names.get(queue)?].waits.median()
    }

    pub(in crate::store) fn statistics(&self, now: Time) -> Statistics {
        let mut queues: Vec<QueueStatistics> = Vec::with_capacity(self.queues.len());
        queues.extend(self.queues.iter().map(|queue| QueueStatistics {
            waiting: queue.waiting,
            topics: queue.topics.iter().map(|(topic, count)| (topic.clone(), *count)).collect(),
            recent_wait: queue.waits.median(),
            recent_waits: queue.waits.latest().to_vec(),
            ..QueueStatistics::default()
        }));
        for entry in self.tickets.values().filter(|entry| !matches!(entry.stage, Stage::Entered(_))) {
            let queue = &mut queues[entry.queue];
            queue.away += usize::from(matches!(entry.stage, Stage::Away));
            queue.oldest_wait = queue.oldest_wait.max(Some(entry.ticket.waited(now)));
        }
        let names = self.names.iter().map(|(name, index)| (name.clone(), mem::take(&mut queues[*index])));
        let queues: BTreeMap<QueueName, QueueStatistics> = names.collect();
        Statistics {
            queues,
            pairings_total: self.pairings_made,
            unconfirmed: self.pairings.len(),
            waits: self.waits,
        }
    }
}
