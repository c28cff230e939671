//! When a load sends: as answers come in, or by the clock.

use super::metronome::Metronome;
use crate::plan::Pace;

/// A [`Pace`], at work.
#[derive(Debug)]
pub(crate) enum Beat {
    /// So many may be unanswered.
    Window(usize),
    Rate(Metronome),
}

impl Beat {
    pub(crate) fn of(pace: Pace) -> Self {
        match pace {
            Pace::Window(window) => Self::Window(window),
            Pace::Rate(rate) => Self::Rate(Metronome::new(rate)),
        }
    }
}
