//! How fast a hall works: what it counts of its rooms. Pure: the time is an argument.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use throng_lobby::Time;
use throng_node::Distribution;

use super::ending::Reason;

/// The hour is counted in parts of this.
const SLOT: Duration = Duration::from_secs(60);
const SLOTS: u64 = 60;

/// Rooms, messages and waits since the hall opened, and the rooms of the last hour minute by minute.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Minute and number of rooms, the oldest first.
    begun: VecDeque<(u64, u64)>,
    pub(crate) ended: BTreeMap<&'static str, u64>,
    pub(crate) pairings: u64,
    pub(crate) messages: u64,
    pub(crate) waits: Distribution,
}

impl Pace {
    pub(crate) fn new() -> Self {
        Self {
            begun: VecDeque::new(),
            ended: Reason::ALL.map(|reason| (reason.code(), 0)).into(),
            pairings: 0,
            messages: 0,
            waits: Distribution::default(),
        }
    }

    /// Two people were paired who have waited so long.
    pub(crate) fn pair(&mut self, waits: [Duration; 2]) {
        self.pairings += 1;
        waits.into_iter().for_each(|wait| self.waits.observe(wait));
    }

    /// A room opens.
    pub(crate) fn open(&mut self, now: Time) {
        let minute = minute(now);
        match self.begun.back_mut() {
            Some((last, count)) if *last == minute => *count += 1,
            _ => self.begun.push_back((minute, 1)),
        }
        while self.begun.front().is_some_and(|(first, _)| first + SLOTS <= minute) {
            self.begun.pop_front();
        }
    }

    /// A room ends.
    pub(crate) fn end(&mut self, reason: Reason) {
        *self.ended.entry(reason.code()).or_default() += 1;
    }

    /// Rooms begun in the last hour.
    pub(crate) fn per_hour(&self, now: Time) -> u64 {
        let minute = minute(now);
        self.begun.iter().filter(|(at, _)| at + SLOTS > minute).map(|(_, count)| count).sum()
    }
}

fn minute(time: Time) -> u64 {
    time.0.as_secs() / SLOT.as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: u32) -> Time {
        Time(SLOT * minute)
    }

    #[test]
    fn an_hour_later_a_room_counts_no_more() {
        let mut pace = Pace::new();
        for minute in [0, 30, 30] {
            pace.open(at(minute));
        }
        assert_eq!([59, 60, 89, 90].map(|minute| pace.per_hour(at(minute))), [3, 2, 2, 0]);
        for minute in 0..10_000 {
            pace.open(at(minute));
        }
        assert!(pace.begun.len() as u64 <= SLOTS);
    }

    #[test]
    fn every_reason_is_counted_from_zero() {
        let mut pace = Pace::new();
        pace.end(Reason::Left);
        let counts: Vec<_> = Reason::ALL.map(|reason| pace.ended[reason.code()]).into();
        assert_eq!(counts, [0, 1, 0, 0, 0, 0]);
    }
}
