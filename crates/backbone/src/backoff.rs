//! How long to wait between attempts: twice as long each time, up to a limit, with jitter.

use std::time::Duration;

/// The waits between attempts to reach a store.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// The wait after the first failure.
    pub first: Duration,
    /// The longest wait.
    pub max: Duration,
}

impl Default for Backoff {
    /// 1, 2, 4, 8, 16, 30, 30 … seconds.
    fn default() -> Self {
        Self { first: Duration::from_secs(1), max: Duration::from_secs(30) }
    }
}

impl Backoff {
    /// The wait after so many failures (at least one): the step, less up to a quarter of it so that nodes do not return
    /// in one moment. `chance` is any number, best a random one.
    pub fn wait(self, failures: u32, chance: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let step = self.first.saturating_mul(1 << doublings).min(self.max);
        step.saturating_sub(step.mul_f64(0.25 * f64::from(chance) / f64::from(u32::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_limit() {
        let waits: Vec<u64> =
            (1..=8).map(|failures| Backoff::default().wait(failures, 0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30, 30]);
        assert_eq!(Backoff::default().wait(u32::MAX, 0), Duration::from_secs(30));
    }

    #[test]
    fn jitter_takes_at_most_a_quarter() {
        assert_eq!(Backoff::default().wait(3, u32::MAX), Duration::from_secs(3));
    }
}
