//! The latest waits of a queue, from which the next ones are estimated.

use std::time::Duration;

/// How many waits are remembered.
const KEPT: usize = 64;

/// So many new waits make a new estimate.
const FRESH: usize = 8;

/// A ring of waits.
#[derive(Debug, Default)]
pub(super) struct Waits {
    latest: Vec<Duration>,
    next: usize,
    /// As of a few waits ago.
    median: Option<Duration>,
}

impl Waits {
    pub(super) fn record(&mut self, wait: Duration) {
        if self.latest.len() < KEPT {
            self.latest.push(wait);
        } else {
            self.latest[self.next] = wait;
        }
        self.next = (self.next + 1) % KEPT;
        if self.latest.len() < KEPT || self.next.is_multiple_of(FRESH) {
            let mut waits = self.latest.clone();
            let middle = waits.len() / 2;
            self.median = Some(*waits.select_nth_unstable(middle).1);
        }
    }

    /// The one in the middle, up to a few waits ago; of two, the longer.
    pub(super) fn median(&self) -> Option<Duration> {
        self.median
    }

    /// All that are remembered, in no order.
    pub(super) fn latest(&self) -> &[Duration] {
        &self.latest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_waits_are_forgotten() {
        let mut waits = Waits::default();
        assert_eq!(waits.median(), None);
        waits.record(Duration::from_secs(9));
        assert_eq!(waits.median(), Some(Duration::from_secs(9)));
        for _ in 0..KEPT {
            waits.record(Duration::from_secs(1));
        }
        assert_eq!((waits.median(), waits.latest().len()), (Some(Duration::from_secs(1)), KEPT));
    }
}
