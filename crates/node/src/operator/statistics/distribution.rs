//! How long many things took, told by fixed bounds. An app keeps one and hands out copies; unlike the shards' histograms
//! it is written behind the app's own lock.

use std::ops::AddAssign;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How many durations lie below each of a few bounds. The bounds are the same for every distribution, so any two can be
/// added up: 0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120 and 300 seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distribution {
    /// What fell between each bound and the one before; the last is what lies above all.
    counts: [u64; BOUNDS.len() + 1],
    sum: Duration,
}

const BOUNDS: [Duration; 11] = [
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(15),
    Duration::from_secs(30),
    Duration::from_secs(60),
    Duration::from_secs(120),
    Duration::from_secs(300),
];

impl Distribution {
    /// Counts one more.
    pub fn observe(&mut self, took: Duration) {
        let at = BOUNDS.partition_point(|bound| *bound < took);
        self.counts[at] += 1;
        self.sum = self.sum.saturating_add(took);
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// All of them together.
    pub fn sum(&self) -> Duration {
        self.sum
    }

    /// Each bound, and how many are at most that.
    pub fn buckets(&self) -> impl Iterator<Item = (Duration, u64)> {
        let mut below = 0;
        BOUNDS.into_iter().zip(self.counts).map(move |(bound, count)| {
            below += count;
            (bound, below)
        })
    }
}

impl AddAssign<&Self> for Distribution {
    fn add_assign(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
        self.sum = self.sum.saturating_add(other.sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(millis: &[u64]) -> Distribution {
        let mut distribution = Distribution::default();
        millis.iter().for_each(|millis| distribution.observe(Duration::from_millis(*millis)));
        distribution
    }

    #[test]
    fn a_duration_counts_at_and_above_its_bound() {
        let buckets: Vec<_> = of(&[100, 101, 300_001]).buckets().map(|(_, count)| count).collect();
        assert_eq!(buckets, [1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
    }

    #[test]
    fn a_sum_holds_what_either_holds() {
        let mut sum = of(&[50, 700]);
        sum += &of(&[400_000]);
        assert_eq!(sum, of(&[50, 700, 400_000]));
        assert_eq!((sum.count(), sum.sum()), (3, Duration::from_millis(400_750)));
    }
}
