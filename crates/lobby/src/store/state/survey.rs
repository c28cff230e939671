//! What concerns everyone who waits: pausing, handing over, counting.

use std::collections::BTreeMap;
use std::mem;
use std::time::Duration;

use crate::names::QueueName;
use crate::statistics::{QueueStatistics, Statistics};
use crate::store::seats::Stage;
use crate::ticket::Ticket;
use crate::time::Time;

use super::State;

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
        let seats = self.seats.in_order().into_iter();
        seats.filter_map(|seat| self.take(seat)).collect()
    }

    pub(in crate::store) fn estimated_wait(&self, queue: &QueueName) -> Option<Duration> {
        self.queues[*self.names.get(&queue.number())?].waits.median()
    }

    pub(in crate::store) fn statistics(&self, now: Time) -> Statistics {
        let mut queues: Vec<QueueStatistics> = Vec::with_capacity(self.queues.len());
        queues.extend(self.queues.iter().map(|queue| QueueStatistics {
            waiting: queue.waiting,
            topics: queue.topics.values().cloned().collect(),
            recent_wait: queue.waits.median(),
            recent_waits: queue.waits.latest().to_vec(),
            ..QueueStatistics::default()
        }));
        for (ticket, entry) in self.seats.iter() {
            if matches!(entry.stage, Stage::Entered(_)) {
                continue;
            }
            let queue = &mut queues[entry.queue];
            queue.away += usize::from(matches!(entry.stage, Stage::Away));
            queue.oldest_wait = queue.oldest_wait.max(Some(ticket.waited(now)));
        }
        let names = self.queues.iter().map(|queue| queue.name.clone());
        let queues: BTreeMap<QueueName, QueueStatistics> = names.zip(queues).collect();
        Statistics {
            queues,
            pairings_total: self.pairings_made,
            unconfirmed: self.pairings.len(),
            waits: self.waits,
        }
    }
}
