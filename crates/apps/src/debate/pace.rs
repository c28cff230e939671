//! How fast the hall works: how long people wait, and how many debates begin. Pure: the time is an argument.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// People whose wait counts, the latest ones.
const WAITS_MAX: usize = 100;
/// The hour is counted in parts of this.
const SLOT: Duration = Duration::from_secs(60);
const SLOTS: u64 = 60;

/// The latest waits, and the debates of the last hour, minute by minute.
#[derive(Debug)]
pub(super) struct Pace {
    epoch: Instant,
    waits: VecDeque<Duration>,
    /// Minute and number of debates, the oldest first.
    begun: VecDeque<(u64, u64)>,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self { epoch: now, waits: VecDeque::new(), begun: VecDeque::new() }
    }

    /// A debate begins between people who have waited so long.
    pub(super) fn begin(&mut self, waited: [Duration; 2], now: Instant) {
        for wait in waited {
            if self.waits.len() == WAITS_MAX {
                self.waits.pop_front();
            }
            self.waits.push_back(wait);
        }
        let minute = self.minute(now);
        match self.begun.back_mut() {
            Some((last, count)) if *last == minute => *count += 1,
            _ => self.begun.push_back((minute, 1)),
        }
        while self.begun.front().is_some_and(|(first, _)| first + SLOTS <= minute) {
            self.begun.pop_front();
        }
    }

    /// The sum of the latest waits, and how many they are.
    pub(super) fn waits(&self) -> (Duration, u32) {
        (self.waits.iter().sum(), u32::try_from(self.waits.len()).unwrap_or(u32::MAX))
    }

    /// Debates begun in the last hour.
    pub(super) fn per_hour(&self, now: Instant) -> u64 {
        let minute = self.minute(now);
        self.begun.iter().filter(|(at, _)| at + SLOTS > minute).map(|(_, count)| count).sum()
    }

    fn minute(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.epoch).as_secs() / SLOT.as_secs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_later_a_debate_counts_no_more() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let minute = |minute: u32| start + SLOT * minute;
        pace.begin([Duration::ZERO; 2], minute(0));
        pace.begin([Duration::ZERO; 2], minute(30));
        pace.begin([Duration::ZERO; 2], minute(30));
        assert_eq!([59, 60, 89, 90].map(|at| pace.per_hour(minute(at))), [3, 2, 2, 0]);
    }

    #[test]
    fn the_latest_waits_count_and_the_table_is_bounded() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        assert_eq!(pace.waits(), (Duration::ZERO, 0));
        pace.begin([Duration::from_secs(1_000), Duration::ZERO], start);
        assert_eq!(pace.waits(), (Duration::from_secs(1_000), 2));
        for at in 0..10_000 {
            pace.begin([Duration::from_secs(4), Duration::ZERO], start + Duration::from_secs(at));
        }
        assert_eq!(pace.waits(), (Duration::from_secs(200), 100));
        assert!(pace.waits.len() <= WAITS_MAX && pace.begun.len() as u64 <= SLOTS);
    }
}
