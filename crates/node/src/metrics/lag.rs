//! How late a shard's loop is: a timer that should fire at a known time, and when it did. It measures whatever keeps the
//! loop busy, handlers included, and costs ten wake-ups a second, whatever the traffic.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::histogram::Histogram;
use super::{Counter, Metrics};

/// Time between two measurements.
const TICK: Duration = Duration::from_millis(100);
/// Measurements over which the worst is remembered; two such spans are kept.
const SPAN: u64 = 50;

/// The lag of one shard's loop.
#[derive(Debug, Default)]
pub(crate) struct Lag {
    pub(crate) seen: Histogram<9>,
    /// The worst of this span and of the one before, in nanoseconds, in turns.
    worst: [Counter; 2],
    ticks: Counter,
}

impl Lag {
    fn observe(&self, late: Duration) {
        self.seen.observe(late);
        let worst = &self.worst[(self.ticks.get() / SPAN % 2) as usize];
        let nanos = usize::try_from(late.as_nanos()).unwrap_or(usize::MAX);
        if self.ticks.get().is_multiple_of(SPAN) || nanos as u64 > worst.get() {
            worst.set(nanos);
        }
        self.ticks.add(1);
    }

    /// The worst of the last five to ten seconds.
    pub(crate) fn worst(&self) -> Duration {
        Duration::from_nanos(self.worst[0].get().max(self.worst[1].get()))
    }
}

/// Measures for as long as the shard's thread runs.
pub(crate) async fn watch(metrics: Arc<Metrics>) {
    loop {
        let due = Instant::now() + TICK;
        tokio::time::sleep_until(due).await;
        metrics.lag.observe(due.elapsed());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_is_forgotten_after_two_spans() {
        let lag = Lag::default();
        let (stall, usual) = (Duration::from_millis(300), Duration::from_millis(1));
        lag.observe(stall);
        for _ in 1..2 * SPAN {
            lag.observe(usual);
            assert_eq!(lag.worst(), stall);
        }
        lag.observe(usual);
        assert_eq!(lag.worst(), usual);
    }
}
