//! What was said in a room: numbered, and the last of it kept for whoever comes back. Pure.

use std::collections::VecDeque;
use std::sync::Arc;

use throng_lobby::Time;

use super::room::Seat;

/// Messages that are kept.
pub(crate) const LINES_MAX: usize = 100;

/// A message as it was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// Its number in the room, from 1.
    pub(crate) seq: u64,
    /// Who said it.
    pub(crate) by: Seat,
    pub(crate) text: Arc<str>,
    pub(crate) at: Time,
}

/// The messages of a room.
#[derive(Debug, Default)]
pub(crate) struct History {
    lines: VecDeque<Line>,
    said: u64,
}

impl History {
    /// Adds a message; the oldest one falls off when there are too many.
    pub(crate) fn say(&mut self, by: Seat, text: Arc<str>, at: Time) -> Line {
        if self.lines.len() == LINES_MAX {
            self.lines.pop_front();
        }
        self.said += 1;
        let line = Line { seq: self.said, by, text, at };
        self.lines.push_back(line.clone());
        line
    }

    /// The last messages, oldest first.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter()
    }

    /// How many have been said, also those that are not kept.
    pub(crate) fn said(&self) -> u64 {
        self.said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_messages_are_kept_and_numbers_go_on() {
        let mut history = History::default();
        for _ in 0..LINES_MAX + 5 {
            history.say(Seat::First, "hi".into(), Time::default());
        }
        let numbers: Vec<_> = history.lines().map(|line| line.seq).collect();
        assert_eq!(numbers, (6..=105).collect::<Vec<u64>>());
        assert_eq!(history.said(), 105);
    }
}
