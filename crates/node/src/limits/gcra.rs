//! The generic cell rate algorithm (ITU-T I.371): a rate with a burst, in eight bytes of state. Pure: it knows no clock
//! and allocates nothing, so one state can live in a socket as well as in a table.

use std::time::Duration;

/// How often something may happen: `count` times in `per`, and up to `burst` at once after a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Nanoseconds that one takes; above zero.
    interval: u64,
    /// Above zero.
    burst: u32,
}

impl Rate {
    /// `None`, no limit, when `count` is zero; a burst of zero is one.
    pub const fn new(count: u32, per: Duration, burst: u32) -> Option<Self> {
        if count == 0 {
            return None;
        }
        let nanos = per.as_nanos() / count as u128;
        let interval = if nanos > HOUR { HOUR as u64 } else { nanos as u64 };
        let (interval, burst) =
            (if interval == 0 { 1 } else { interval }, if burst == 0 { 1 } else { burst });
        Some(Self { interval, burst })
    }

    /// `None`, no limit, when `count` is zero.
    pub const fn per_second(count: u32, burst: u32) -> Option<Self> {
        Self::new(count, Duration::from_secs(1), burst)
    }

    /// `None`, no limit, when `count` is zero.
    pub const fn per_minute(count: u32, burst: u32) -> Option<Self> {
        Self::new(count, Duration::from_secs(60), burst)
    }

    /// How many may come at once.
    pub const fn burst(self) -> u32 {
        self.burst
    }

    /// The time in which a whole burst is earned again.
    pub const fn window(self) -> Duration {
        Duration::from_nanos(self.window_nanos())
    }

    const fn window_nanos(self) -> u64 {
        self.interval.saturating_mul(self.burst as u64)
    }
}

/// The longest interval, in nanoseconds: an hour each.
const HOUR: u128 = 3_600_000_000_000;

/// A time since something began, in the nanoseconds that [`Gcra::take`] counts in.
pub(crate) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// The state of one rate for one caller: when, in nanoseconds, all of the burst is there again. The default is a caller
/// who has done nothing yet.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gcra(u64);

/// What is left after something was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Remaining {
    rate: Rate,
    /// Nanoseconds until the whole burst is there again.
    owed: u64,
}

impl Remaining {
    /// So many more may come at once.
    pub(crate) fn count(self) -> u32 {
        u32::try_from((self.rate.window_nanos() - self.owed) / self.rate.interval).unwrap_or(u32::MAX)
    }

    /// Until the whole burst is there again.
    pub(crate) fn full_in(self) -> Duration {
        Duration::from_nanos(self.owed)
    }
}

/// When there will be enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RetryAfter(pub(crate) Duration);

impl Gcra {
    /// Takes `cost` at a time in nanoseconds on any clock that never goes back. A refusal takes nothing; a cost above
    /// the burst counts as the whole of it.
    pub(crate) fn take(&mut self, now: u64, rate: Rate, cost: u32) -> Result<Remaining, RetryAfter> {
        let window = rate.window_nanos();
        let price = rate.interval.saturating_mul(u64::from(cost.min(rate.burst)));
        // A rate that was replaced by a faster one must not hold on to the debts of the slower.
        let debt = self.0.saturating_sub(now).min(window);
        let after = debt.saturating_add(price);
        if after > window {
            return Err(RetryAfter(Duration::from_nanos(after - window)));
        }
        self.0 = now.saturating_add(after);
        Ok(Remaining { rate, owed: after })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use super::*;

    const MILLI: u64 = 1_000_000;

    fn rate(count: u32, burst: u32) -> Rate {
        Rate::per_second(count, burst).unwrap()
    }

    #[test]
    fn a_burst_passes_at_once_and_then_one_for_each_interval() {
        let (mut state, rate, now) = (Gcra::default(), rate(10, 20), 5_000 * MILLI);
        for left in (0..20).rev() {
            assert_eq!(state.take(now, rate, 1).unwrap().count(), left);
        }
        assert_eq!(state.take(now, rate, 1), Err(RetryAfter(Duration::from_millis(100))));
        assert_eq!(state.take(now + 99 * MILLI, rate, 1), Err(RetryAfter(Duration::from_millis(1))));
        assert_eq!(state.take(now + 100 * MILLI, rate, 1).unwrap().count(), 0);
    }

    #[test]
    fn a_refusal_costs_nothing() {
        let (mut state, rate) = (Gcra::default(), rate(1, 1));
        state.take(0, rate, 1).unwrap();
        let before = state;
        for _ in 0..100 {
            assert_eq!(state.take(0, rate, 1), Err(RetryAfter(Duration::from_secs(1))));
        }
        assert_eq!(state, before);
    }

    #[test]
    fn a_cost_above_the_burst_waits_for_all_of_it() {
        let (mut state, rate) = (Gcra::default(), rate(10, 5));
        let left = state.take(0, rate, 50).unwrap();
        assert_eq!((left.count(), left.full_in()), (0, Duration::from_millis(500)));
        assert_eq!(state.take(0, rate, 50), Err(RetryAfter(Duration::from_millis(500))));
    }

    #[test]
    fn a_slower_rate_leaves_no_debt_to_a_faster_one() {
        let mut state = Gcra::default();
        state.take(0, Rate::per_minute(1, 5).unwrap(), 5).unwrap();
        let RetryAfter(wait) = state.take(0, rate(10, 5), 1).unwrap_err();
        assert_eq!(wait, Duration::from_millis(100));
    }

    #[test]
    fn none_at_all_means_no_limit() {
        assert_eq!((Rate::per_second(0, 5), Rate::per_minute(0, 0)), (None, None));
        assert_eq!(Rate::per_second(1, 0).unwrap().burst(), 1);
    }

    proptest! {
        #[test]
        fn no_more_than_burst_and_rate_pass_in_any_time(
            count in 1_u32..1000, burst in 1_u32..100, steps in proptest::collection::vec(0_u64..200 * MILLI, 1..200),
        ) {
            let rate = rate(count, burst);
            let (mut state, mut now, mut passed) = (Gcra::default(), 0, 0_u64);
            for step in steps {
                now += step;
                passed += u64::from(state.take(now, rate, 1).is_ok());
            }
            prop_assert!(passed <= u64::from(burst) + now / rate.interval);
        }

        #[test]
        fn extremes_do_not_overflow(
            start in any::<u64>(), now in any::<u64>(), count in any::<u32>(), nanos in any::<u64>(),
            burst in any::<u32>(), cost in any::<u32>(),
        ) {
            let mut state = Gcra(start);
            if let Some(rate) = Rate::new(count, Duration::from_nanos(nanos), burst) {
                let _ = state.take(now, rate, cost);
            }
        }
    }
}
