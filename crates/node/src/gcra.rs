//! The generic cell rate algorithm (ITU-T I.371): a token bucket whose whole state is one number, the time at which the
//! bucket will be full again. Pure: the time is an argument, so that it can sit anywhere and cost nothing to keep.

use std::time::Duration;

/// How much of something may happen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// In the long run, each second.
    pub per_second: f64,
    /// At once, after a time of quiet.
    pub burst: u32,
}

/// The state of one bucket: nanoseconds, since whatever the times given count from, until it is full.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Gcra(pub(crate) u64);

impl Gcra {
    /// Takes `cost` at a time, or says how long to wait. What is over the burst passes when the bucket is full: it is
    /// paid for by the wait that follows.
    pub(crate) fn take(&mut self, rate: Rate, cost: u64, now: Duration) -> Result<(), Duration> {
        let now = nanos(now);
        let interval = 1e9 / rate.per_second.max(f64::MIN_POSITIVE);
        let full = self.0.max(now);
        let allowed =
            (f64::from(rate.burst.max(1)) - (cost as f64).min(f64::from(rate.burst.max(1)))) * interval;
        let ahead = full - now;
        // A saturating cast: a rate of next to nothing means a wait of centuries, not of none.
        if ahead > allowed as u64 {
            return Err(Duration::from_nanos(ahead - allowed as u64));
        }
        self.0 = full.saturating_add((cost as f64 * interval) as u64);
        Ok(())
    }

    /// How many more of cost 1 would pass at this time.
    pub(crate) fn left(self, rate: Rate, now: Duration) -> u32 {
        let ahead = self.0.saturating_sub(nanos(now)) as f64;
        (f64::from(rate.burst.max(1)) - ahead * rate.per_second / 1e9).max(0.0) as u32
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { per_second: 10.0, burst: 3 };

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_burst_passes_then_the_rate() {
        let mut bucket = Gcra::default();
        assert_eq!(bucket.left(RATE, at(5)), 3);
        for _ in 0..3 {
            assert_eq!(bucket.take(RATE, 1, at(5)), Ok(()));
        }
        assert_eq!((bucket.take(RATE, 1, at(5)), bucket.left(RATE, at(5))), (Err(at(100)), 0));
        assert_eq!(bucket.take(RATE, 1, at(105)), Ok(()));
        assert_eq!(bucket.take(RATE, 1, at(150)), Err(at(55)));
        assert_eq!(bucket.left(RATE, at(1_000)), 3);
    }

    #[test]
    fn refusals_cost_nothing() {
        let mut bucket = Gcra::default();
        bucket.take(RATE, 3, at(0)).unwrap();
        let before = bucket;
        for _ in 0..100 {
            bucket.take(RATE, 1, at(0)).unwrap_err();
        }
        assert_eq!(bucket, before);
    }

    #[test]
    fn more_than_the_burst_passes_a_full_bucket_and_is_paid_for() {
        let mut bucket = Gcra::default();
        assert_eq!(bucket.take(RATE, 10, at(0)), Ok(()));
        assert_eq!(bucket.take(RATE, 1, at(799)), Err(at(1)));
        assert_eq!(bucket.take(RATE, 1, at(800)), Ok(()));
    }
}
