//! When a load sends: as answers come in, or by the clock; nothing before it begins, and nothing while it rests.

use super::metronome::Metronome;
use crate::plan::Pace;

/// A [`Pace`], at work.
#[derive(Debug)]
pub(crate) struct Beat {
    measure: Measure,
    going: bool,
}

#[derive(Debug)]
enum Measure {
    /// So many may be unanswered.
    Window(usize),
    Rate(Metronome),
}

impl Beat {
    pub(crate) fn of(pace: Pace) -> Self {
        let measure = match pace {
            Pace::Window(window) => Measure::Window(window),
            Pace::Rate(rate) => Measure::Rate(Metronome::new(rate)),
        };
        Self { measure, going: false }
    }

    pub(crate) fn begin(&mut self) {
        self.going = true;
    }

    /// Until it begins again.
    pub(crate) fn rest(&mut self) {
        self.going = false;
    }

    /// How many may be unanswered, where that is what decides and something may be sent.
    pub(crate) fn window(&self) -> Option<usize> {
        match self.measure {
            Measure::Window(window) if self.going => Some(window),
            Measure::Window(_) | Measure::Rate(_) => None,
        }
    }

    /// How many more are due by the clock, and when the next one is; where the clock decides and something may be sent.
    pub(crate) fn due(&mut self, now: u64) -> Option<(u64, u64)> {
        match &mut self.measure {
            Measure::Rate(metronome) if self.going => Some((metronome.due(now), metronome.next())),
            Measure::Window(_) | Measure::Rate(_) => None,
        }
    }
}
