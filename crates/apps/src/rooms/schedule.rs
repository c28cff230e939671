//! When each room wants to be looked at. Pure.

use std::collections::{BTreeSet, HashMap};

use throng_lobby::Time;

use super::room::RoomId;

/// What is due when; each room once.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    by_time: BTreeSet<(Time, RoomId)>,
    by_room: HashMap<RoomId, Time>,
}

impl Schedule {
    /// Sets the time of a room, in the place of the one it had; `None`: never.
    pub(crate) fn set(&mut self, room: &RoomId, due: Option<Time>) {
        let before = match due {
            Some(due) => self.by_room.insert(room.clone(), due),
            None => self.by_room.remove(room),
        };
        if let Some(before) = before {
            self.by_time.remove(&(before, room.clone()));
        }
        if let Some(due) = due {
            self.by_time.insert((due, room.clone()));
        }
    }

    /// When the next room is due.
    pub(crate) fn next(&self) -> Option<Time> {
        self.by_time.first().map(|(due, _)| *due)
    }

    /// Takes out a room that is due.
    pub(crate) fn pop(&mut self, now: Time) -> Option<RoomId> {
        let (due, _) = self.by_time.first()?;
        if *due > now {
            return None;
        }
        let (_, room) = self.by_time.pop_first()?;
        self.by_room.remove(&room);
        Some(room)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn rooms_are_due_once_and_at_their_latest_time() {
        let at = |seconds| Time(Duration::from_secs(seconds));
        let (tea, art): (RoomId, RoomId) = ("tea".into(), "art".into());
        let mut schedule = Schedule::default();
        schedule.set(&tea, Some(at(1)));
        schedule.set(&art, Some(at(2)));
        schedule.set(&tea, Some(at(3)));
        assert_eq!((schedule.next(), schedule.pop(at(1))), (Some(at(2)), None));
        assert_eq!(
            [schedule.pop(at(9)), schedule.pop(at(9)), schedule.pop(at(9))],
            [Some(art), Some(tea.clone()), None]
        );
        schedule.set(&tea, Some(at(1)));
        schedule.set(&tea, None);
        assert_eq!((schedule.next(), schedule.pop(at(9))), (None, None));
    }
}
