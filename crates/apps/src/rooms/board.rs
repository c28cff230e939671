//! What the lobby shows of itself: made at most once a second, however much happens and whoever comes.

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;
use throng_lobby::{Statistics, Time};
use throng_node::{Args, IntoArgs as _};
use utoipa::ToSchema;

use super::room::Room;
use super::setting::{Setting, Theme};
use crate::debate::catalogue::TopicState;

/// The lobby is shown at most this often.
const INTERVAL: Duration = Duration::from_secs(1);

/// What was shown last, and when it will be again.
#[derive(Debug, Default)]
pub(crate) struct Board {
    shown: Option<(Time, Args)>,
    due: Option<Time>,
}

/// `lobby:state` of the roulette: how many people are here.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Crowd {
    waiting: usize,
    talking: usize,
}

impl Board {
    /// Something has changed: it will be shown, soon, and once for many changes.
    pub(crate) fn change(&mut self, now: Time) {
        let earliest = self.shown.as_ref().map_or(now, |(shown, _)| *shown + INTERVAL);
        self.due.get_or_insert(earliest.max(now));
    }

    /// When it is to be shown to everyone.
    pub(crate) fn due(&self) -> Option<Time> {
        self.due
    }

    /// What everyone is to be shown, if that is due.
    pub(crate) fn take_due(&mut self, now: Time, make: impl FnOnce() -> Option<Args>) -> Option<Args> {
        self.due.filter(|due| *due <= now)?;
        self.due = None;
        self.shown = make().map(|made| (now, made));
        self.shown.as_ref().map(|(_, made)| made.clone())
    }

    /// What someone who comes is shown: what there is, unless it is old.
    pub(crate) fn show(&mut self, now: Time, make: impl FnOnce() -> Option<Args>) -> Option<Args> {
        if self.shown.as_ref().is_none_or(|(shown, _)| now.since(*shown) >= INTERVAL) {
            self.shown = make().map(|made| (now, made));
        }
        self.shown.as_ref().map(|(_, made)| made.clone())
    }
}

/// What the lobby looks like.
pub(crate) fn picture<'a>(
    theme: &Theme,
    lobby: &Statistics,
    rooms: impl Iterator<Item = &'a Room>,
) -> Option<Args> {
    let made = match theme {
        Theme::Roulette(_) => {
            let waiting = lobby.queues.values().map(|queue| queue.waiting).sum();
            Crowd { waiting, talking: rooms.count() * 2 }.into_args()
        }
        Theme::Debate(catalogue) => {
            let mut people: HashMap<&str, (usize, usize)> = HashMap::new();
            for (topic, waiting) in lobby.queues.values().flat_map(|queue| &queue.topics) {
                people.entry(topic.as_str()).or_default().0 += waiting;
            }
            for room in rooms {
                if let Setting::Debate { topic, .. } = &room.setting {
                    people.entry(topic.as_str()).or_default().1 += 2;
                }
            }
            let state = |(topic, (waiting, debating)): (&str, _)| TopicState {
                topic: topic.to_owned(),
                waiting,
                debating,
            };
            catalogue.shown(people.into_iter().map(state).collect()).into_args()
        }
    };
    made.inspect_err(|error| tracing::error!(%error, "lobby not shown")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time(Duration::from_millis(millis))
    }

    fn made() -> Option<Args> {
        Some(Args::none())
    }

    #[test]
    fn many_changes_are_shown_once_a_second() {
        let mut board = Board::default();
        assert_eq!((board.due(), board.take_due(at(0), made)), (None, None));
        board.change(at(10));
        assert_eq!((board.due(), board.take_due(at(10), made)), (Some(at(10)), made()));
        board.change(at(20));
        board.change(at(30));
        assert_eq!((board.due(), board.take_due(at(1009), made)), (Some(at(1010)), None));
        assert_eq!((board.take_due(at(1010), made), board.due()), (made(), None));
    }

    #[test]
    fn whoever_comes_sees_what_was_shown_unless_it_is_old() {
        let mut board = Board::default();
        assert_eq!(board.show(at(0), made), made());
        assert_eq!(board.show(at(999), || None), made());
        assert_eq!(board.show(at(1000), || None), None);
    }
}
