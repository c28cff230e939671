//! What is counted of one half of an experiment.

use super::Outcome;

/// The counts of those for whom a flag is on, or of those for whom it is off.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Tally {
    /// Times that one of them joined a queue.
    pub(super) assigned: u64,
    /// How long those who were paired had waited.
    pub(super) waits: Sum,
    /// How long the rooms of each of them lasted.
    pub(super) lengths: Sum,
    /// How they rated these, from 1 to 5.
    pub(super) ratings: Sum,
}

/// Some values and their sum.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Sum {
    pub(super) count: u64,
    pub(super) total: f64,
}

impl Sum {
    fn add(&mut self, value: f64) {
        self.count += 1;
        self.total += value;
    }

    /// Their mean; nothing when there are none.
    pub(super) fn mean(self) -> Option<f64> {
        (self.count > 0).then(|| self.total / self.count as f64)
    }
}

impl Tally {
    pub(super) fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Paired(wait) => self.waits.add(wait.as_secs_f64()),
            Outcome::Ended(length) => self.lengths.add(length.as_secs_f64()),
            Outcome::Rated(rating) => self.ratings.add(f64::from(rating)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn outcomes_are_counted_by_their_kind() {
        let mut tally = Tally::default();
        let seconds = Duration::from_secs;
        for outcome in [
            Outcome::Paired(seconds(2)),
            Outcome::Paired(seconds(4)),
            Outcome::Ended(seconds(60)),
            Outcome::Rated(5),
        ] {
            tally.add(outcome);
        }
        let means = [tally.waits, tally.lengths, tally.ratings].map(Sum::mean);
        assert_eq!(means, [Some(3.0), Some(60.0), Some(5.0)]);
        assert_eq!((Sum::default().mean(), tally.assigned), (None, 0));
    }
}
