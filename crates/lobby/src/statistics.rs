//! How busy a lobby is.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::names::{QueueName, Topic};

/// The upper bounds of the buckets of a [`WaitHistogram`]; what took longer is in one more.
pub const WAIT_BOUNDS: [Duration; 12] = [
    Duration::from_millis(10),
    Duration::from_millis(50),
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(15),
    Duration::from_secs(30),
    Duration::from_secs(60),
    Duration::from_secs(180),
    Duration::from_secs(600),
];

/// A lobby at a moment.
#[derive(Debug, Clone, Default)]
pub struct Statistics {
    /// Each queue.
    pub queues: BTreeMap<QueueName, QueueStatistics>,
    /// The pairings ever made.
    pub pairings_total: u64,
    /// The pairings that wait for their confirmations.
    pub unconfirmed: usize,
    /// How long the people of all pairings ever made had waited.
    pub waits: WaitHistogram,
}

/// A queue at a moment.
#[derive(Debug, Clone, Default)]
pub struct QueueStatistics {
    /// Who waits, with those who are away.
    pub waiting: usize,
    /// Those of them who are away.
    pub away: usize,
    /// Who waits, by the topic that they named first, in no order. Whoever named none is not among them.
    pub topics: Vec<(Topic, usize)>,
    /// How long the one has waited who waits longest.
    pub oldest_wait: Option<Duration>,
    /// The median of the latest waits.
    pub recent_wait: Option<Duration>,
    /// The latest waits, in no order.
    pub recent_waits: Vec<Duration>,
}

/// Waits, counted by how long they were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WaitHistogram {
    /// How many were as long as each of [`WAIT_BOUNDS`] at most and longer than the one before; the last is of those
    /// that were longer still.
    pub counts: [u64; WAIT_BOUNDS.len() + 1],
    /// How long they were together.
    pub sum: Duration,
}

impl WaitHistogram {
    pub(crate) fn record(&mut self, wait: Duration) {
        self.counts[WAIT_BOUNDS.partition_point(|bound| *bound < wait)] += 1;
        self.sum = self.sum.saturating_add(wait);
    }

    /// How many waits there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_counted_where_it_belongs() {
        let mut waits = WaitHistogram::default();
        [0, 10, 11, 600_000, 600_001].iter().for_each(|millis| waits.record(Duration::from_millis(*millis)));
        assert_eq!(waits.counts, [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!((waits.count(), waits.sum), (5, Duration::from_millis(1_200_022)));
    }
}
