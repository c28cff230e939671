//! What a shard knows of a socket that may be recovered: which histories it is in, and how far it has been told.

use std::sync::Arc;

use throng_backbone::{Hold, Position};

use super::record::Followed;
use super::vector::Vector;
use crate::envelope::Room;
use crate::ids::NodeTag;

/// What a client is given when its position cannot be said. It recovers nothing with it.
const NOWHERE: &str = "!";

/// A socket's way through its histories.
#[derive(Debug)]
pub(crate) struct Track {
    /// The secret name of the session.
    pub(crate) pid: Arc<str>,
    /// The right to change what is recorded; none before it was.
    pub(crate) hold: Option<Hold>,
    /// Something that is recorded has changed.
    pub(crate) dirty: bool,
    /// Messages were lost: what follows is no whole any more.
    pub(crate) broken: bool,
    generation: u64,
    told: u64,
    told_epoch: Option<u64>,
    steps: Vec<Step>,
    /// Messages that it was told before they had a position.
    early: Vec<(NodeTag, u64)>,
}

#[derive(Debug)]
struct Step {
    room: Room,
    /// Where it came in; unknown until the backbone has said so.
    base: Option<Position>,
    /// The last message that it was told.
    sent: u64,
    /// It was told everything up to here when it came back.
    replayed: u64,
}

impl Track {
    pub(crate) fn new(pid: Arc<str>) -> Self {
        Self {
            pid,
            hold: None,
            dirty: true,
            broken: false,
            generation: 1,
            told: 0,
            told_epoch: None,
            steps: Vec::new(),
            early: Vec::new(),
        }
    }

    /// It is in a history from this position on, or from one that is not known yet.
    pub(crate) fn enter(&mut self, room: Room, base: Option<Position>) {
        self.steps.retain(|step| step.room != room);
        self.steps.push(Step { room, base, sent: base.map_or(0, |base| base.offset), replayed: 0 });
        self.change();
    }

    /// It is not in a history any more.
    pub(crate) fn leave(&mut self, room: &str) {
        self.steps.retain(|step| *step.room != *room);
        self.change();
    }

    /// Its histories or its data are not as they were recorded.
    pub(crate) fn change(&mut self) {
        self.generation += 1;
        self.dirty = true;
    }

    /// The backbone has said where a history was.
    pub(crate) fn came_in(&mut self, room: &str, base: Position) {
        if let Some(step) = self.steps.iter_mut().find(|step| *step.room == *room && step.base.is_none()) {
            step.base = Some(base);
            step.sent = step.sent.max(base.offset);
        }
    }

    /// Rooms whose position is not known yet.
    pub(crate) fn unplaced(&self) -> impl Iterator<Item = &Room> {
        self.steps.iter().filter(|step| step.base.is_none()).map(|step| &step.room)
    }

    /// The epoch of the session's own history.
    pub(crate) fn set_told_epoch(&mut self, epoch: u64) {
        self.told_epoch.get_or_insert(epoch);
    }

    /// A message of a history is about to be told; `false` when it was already.
    pub(crate) fn step(&mut self, room: &str, position: Position, serial: (NodeTag, u64)) -> bool {
        let Some(step) = self.steps.iter_mut().find(|step| *step.room == *room) else { return true };
        if step.base.is_some_and(|base| base.epoch != position.epoch) {
            self.broken = true;
            return true;
        }
        if position.offset <= step.replayed {
            return false;
        }
        step.sent = step.sent.max(position.offset);
        let early = self.early.len();
        self.early.retain(|early| *early != serial);
        self.early.len() == early
    }

    /// A message is told before it has a position.
    pub(crate) fn step_early(&mut self, serial: (NodeTag, u64)) {
        self.early.push(serial);
    }

    /// A message is told to this socket alone; gives its number.
    pub(crate) fn tell(&mut self) -> u64 {
        self.told += 1;
        self.told
    }

    /// The position that the client is given with what it is told.
    pub(crate) fn text(&self) -> String {
        let base = |step: &Step| step.base.map(|base| step.sent.saturating_sub(base.offset));
        let placed = self.steps.iter().all(|step| step.base.is_some());
        if self.broken || !self.early.is_empty() || !placed {
            return NOWHERE.to_owned();
        }
        Vector::write(&self.pid, self.generation, self.told, self.steps.iter().filter_map(base))
    }

    /// The list of histories with its number and the epoch of the session's own, once all of it is known.
    pub(crate) fn followed(&self) -> Option<(u64, u64, Vec<Followed>)> {
        let followed = |step: &Step| {
            let base = step.base?;
            Some(Followed { room: step.room.to_string(), epoch: base.epoch, offset: base.offset })
        };
        Some((self.generation, self.told_epoch?, self.steps.iter().map(followed).collect::<Option<_>>()?))
    }

    /// Goes on where a client says that it is.
    pub(crate) fn resume(pid: Arc<str>, hold: Hold, from: Resumed) -> Self {
        let steps = from.steps.into_iter().map(|(room, base, replayed)| Step {
            room,
            base: Some(base),
            sent: replayed,
            replayed,
        });
        Self {
            hold: Some(hold),
            generation: from.generation,
            told: from.told,
            told_epoch: Some(from.told_epoch),
            steps: steps.collect(),
            ..Self::new(pid)
        }
    }
}

/// What a session goes on with: its histories, where it came into each, and up to where it was told just now.
#[derive(Debug)]
pub(crate) struct Resumed {
    pub(crate) generation: u64,
    pub(crate) told: u64,
    pub(crate) told_epoch: u64,
    pub(crate) steps: Vec<(Room, Position, u64)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: (NodeTag, u64) = (NodeTag([1, 2, 3]), 7);

    fn at(offset: u64) -> Position {
        Position { epoch: 9, offset }
    }

    fn track() -> Track {
        let mut track = Track::new("abcdefghijklmnopqrst".into());
        track.set_told_epoch(5);
        track.enter("\0".into(), Some(at(10)));
        track.enter("r".into(), None);
        track
    }

    #[test]
    fn a_position_is_said_once_all_histories_have_one() {
        let mut track = track();
        assert_eq!(track.text(), "!");
        assert_eq!(track.unplaced().map(|room| &**room).collect::<Vec<_>>(), ["r"]);
        track.came_in("r", at(100));
        assert!(track.step("r", at(101), AT));
        assert!(track.step("\0", at(13), AT));
        track.tell();
        let read = Vector::read("abcdefghijklmnopqrst", &track.text()).unwrap();
        assert_eq!((read.told, read.counts), (1, vec![3, 1]));
        let (generation, told_epoch, followed) = track.followed().unwrap();
        assert_eq!((generation, told_epoch, followed[1].after(1)), (read.generation, 5, at(101)));
    }

    #[test]
    fn what_was_told_early_is_not_told_again() {
        let mut track = track();
        track.came_in("r", at(100));
        track.step_early(AT);
        assert_eq!(track.text(), "!");
        assert!(!track.step("r", at(101), AT));
        assert_ne!(track.text(), "!");
        assert!(track.step("r", at(102), (AT.0, 8)));
    }

    #[test]
    fn another_epoch_breaks_it() {
        let mut track = track();
        track.came_in("r", at(100));
        assert!(track.step("r", Position { epoch: 10, offset: 1 }, AT));
        assert_eq!(track.text(), "!");
    }

    #[test]
    fn what_was_replayed_is_not_told_again() {
        let hold = Hold { key: throng_backbone::SessionKey::new("t", "p"), fence: 1 };
        let steps = vec![("r".into(), at(100), 105)];
        let resumed = Resumed { generation: 4, told: 2, told_epoch: 5, steps };
        let mut track = Track::resume("abcdefghijklmnopqrst".into(), hold, resumed);
        assert!(!track.step("r", at(105), AT));
        assert!(track.step("r", at(106), AT));
        let read = Vector::read("abcdefghijklmnopqrst", &track.text()).unwrap();
        assert_eq!(read, Vector { generation: 4, told: 2, counts: vec![6] });
    }
}
