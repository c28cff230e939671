//! A fixed rate of events: how many are due by now, and when the next one is. The clock is an argument.

const SECOND: f64 = 1e9;

/// Events at a fixed rate from its first question on.
#[derive(Debug)]
pub(crate) struct Metronome {
    per_second: f64,
    began: Option<u64>,
    given: u64,
}

impl Metronome {
    pub(crate) fn new(per_second: f64) -> Self {
        Self { per_second, began: None, given: 0 }
    }

    /// How many more events are due at `now`. Never the same event twice.
    pub(crate) fn due(&mut self, now: u64) -> u64 {
        let began = *self.began.get_or_insert(now);
        let due = (now.saturating_sub(began) as f64 / SECOND * self.per_second) as u64;
        let more = due.saturating_sub(self.given);
        self.given += more;
        more
    }

    /// When the next event is due.
    pub(crate) fn next(&self) -> u64 {
        self.began.unwrap_or(0) + ((self.given + 1) as f64 / self.per_second * SECOND).ceil() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_holds_however_often_it_is_asked() {
        let mut metronome = Metronome::new(3.0);
        assert_eq!(metronome.due(5_000_000_000), 0);
        let given: u64 = (1..=2000).map(|step| metronome.due(5_000_000_000 + step * 1_000_000)).sum();
        assert_eq!(given, 6);
        assert_eq!(metronome.due(15_000_000_000), 24);
    }

    #[test]
    fn the_next_event_is_due_when_it_says() {
        let mut metronome = Metronome::new(7.0);
        metronome.due(1000);
        for _ in 0..100 {
            let next = metronome.next();
            assert_eq!(metronome.due(next), 1);
        }
    }
}
