//! What a shard knows of a socket that may be recovered: which histories it is in, and how far it has been told.

use std::collections::BTreeSet;
use std::sync::Arc;

use throng_backbone::{Hold, Position};

use super::record::{Followed, Record};
use super::vector::Vector;
use crate::envelope::Room;
use crate::ids::NodeTag;

/// What a client is given when its position cannot be said. It recovers nothing with it.
pub(super) const NOWHERE: &str = "!";

/// Histories that were left and are remembered, for clients whose position is older than that.
const LEFT_MAX: usize = 32;

/// Messages without a position that are remembered. Whoever is told more of them is broken. Serials grow, so those that are
/// forgotten are known by the last of them: so many are not told while one that came before them still waits for the store
/// without being told itself.
const EARLY_MAX: usize = 1024;

/// A socket's way through its histories.
#[derive(Debug)]
pub(crate) struct Track {
    /// The secret name of the session.
    pub(crate) pid: Arc<str>,
    /// The right to change what is recorded; none before it was.
    pub(crate) hold: Option<Hold>,
    /// Something that is recorded has changed.
    pub(crate) dirty: bool,
    /// It is being recorded.
    pub(crate) recording: bool,
    /// How many times its session waits for that.
    pub(crate) waiting: u32,
    /// Messages were lost: what follows is no whole any more.
    pub(crate) broken: bool,
    generation: u64,
    oldest: u64,
    told: u64,
    told_epoch: Option<u64>,
    steps: Vec<Step>,
    /// Messages that it was told before they had a position.
    early: BTreeSet<(NodeTag, u64)>,
    /// The last of them that is not remembered.
    forgotten: Option<(NodeTag, u64)>,
}

#[derive(Debug)]
struct Step {
    room: Room,
    entered: u64,
    left: Option<u64>,
    /// Where it came in; unknown until the backbone has said so.
    base: Option<Position>,
    /// The last message that it was told.
    sent: u64,
    /// It was told everything up to here when it came back.
    replayed: u64,
    /// The last message of this node, by its serial, that it was told then.
    own_replayed: u64,
}

impl Track {
    pub(crate) fn new(pid: Arc<str>) -> Self {
        Self {
            pid,
            hold: None,
            dirty: true,
            recording: false,
            waiting: 0,
            broken: false,
            generation: 1,
            oldest: 1,
            told: 0,
            told_epoch: None,
            steps: Vec::new(),
            early: BTreeSet::new(),
            forgotten: None,
        }
    }

    /// Goes on with what was recorded, where its client says that it is.
    pub(crate) fn resume(pid: Arc<str>, hold: Hold, record: &Record, told: u64) -> Self {
        let step = |followed: &Followed| Step {
            room: followed.room.as_str().into(),
            entered: followed.entered,
            left: followed.left,
            base: Some(Position { epoch: followed.epoch, offset: followed.offset }),
            sent: followed.offset,
            replayed: 0,
            own_replayed: 0,
        };
        Self {
            hold: Some(hold),
            generation: record.generation,
            oldest: record.oldest,
            told,
            told_epoch: Some(record.told_epoch),
            steps: record.histories.iter().map(step).collect(),
            ..Self::new(pid)
        }
    }

    /// It is in a history from this position on, or from one that is not known yet. One that it is in already goes on.
    pub(crate) fn enter(&mut self, room: Room, base: Option<Position>) {
        if self.active().any(|step| step.room == room) {
            return;
        }
        self.generation += 1;
        let (entered, sent) = (self.generation, base.map_or(0, |base| base.offset));
        self.steps.push(Step { room, entered, left: None, base, sent, replayed: 0, own_replayed: 0 });
        self.dirty = true;
    }

    /// It is not in a history any more.
    pub(crate) fn leave(&mut self, room: &str) {
        self.generation += 1;
        let left = self.generation;
        if let Some(step) = self.active_mut(room) {
            step.left = Some(left);
            self.dirty = true;
        }
        // What never got a position is of no use to anybody.
        self.steps.retain(|step| step.left.is_none() || step.base.is_some());
        if self.steps.iter().filter(|step| step.left.is_some()).count() > LEFT_MAX
            && let Some(at) = self.steps.iter().position(|step| step.left.is_some())
        {
            self.oldest = self.steps.remove(at).left.unwrap_or(self.oldest);
        }
    }

    /// The backbone has said where a history was.
    pub(crate) fn came_in(&mut self, room: &str, base: Position) {
        if let Some(step) = self.active_mut(room).filter(|step| step.base.is_none()) {
            step.base = Some(base);
            step.sent = step.sent.max(base.offset);
        }
    }

    /// Rooms whose position is not known yet.
    pub(crate) fn unplaced(&self) -> Vec<Room> {
        self.active().filter(|step| step.base.is_none()).map(|step| step.room.clone()).collect()
    }

    /// Whether the epoch of the session's own history is known.
    pub(crate) fn is_begun(&self) -> bool {
        self.told_epoch.is_some()
    }

    /// The epoch of the session's own history.
    pub(crate) fn begin(&mut self, epoch: u64) {
        self.told_epoch.get_or_insert(epoch);
    }

    /// A message of a history is about to be told; `false` when it was already.
    pub(crate) fn step(&mut self, room: &str, position: Position, serial: (NodeTag, u64)) -> bool {
        let is_forgotten = self.forgotten.is_some_and(|last| last.0 == serial.0 && serial.1 <= last.1);
        let is_new = !(self.early.remove(&serial) || is_forgotten);
        let Some(step) = self.active_mut(room) else { return is_new };
        if step.base.is_some_and(|base| base.epoch != position.epoch) {
            self.broken = true;
            return is_new;
        }
        if position.offset <= step.replayed {
            return false;
        }
        step.sent = step.sent.max(position.offset);
        is_new
    }

    /// A message of this node is about to be told before it is known to have a position; `false` when it has one, and was told
    /// with it when the socket came back.
    pub(crate) fn step_early(&mut self, room: &str, serial: (NodeTag, u64)) -> bool {
        // A node's messages stand in a history in the order of their serials, but for those of two shards in the same moment: of
        // those one may have to wait until it has a position.
        if self.active().any(|step| *step.room == *room && serial.1 <= step.own_replayed) {
            return false;
        }
        self.early.insert(serial);
        if self.early.len() > EARLY_MAX {
            self.forgotten = self.forgotten.max(self.early.pop_first());
            self.broken = true;
        }
        true
    }

    /// A message that was missed is told now, `own` being its serial if it is one of this node; messages up to it that arrive
    /// later are not told again.
    pub(crate) fn replay(&mut self, room: &str, offset: u64, own: Option<u64>) {
        if let Some(step) = self.active_mut(room) {
            step.sent = step.sent.max(offset);
            step.replayed = step.replayed.max(offset);
            step.own_replayed = step.own_replayed.max(own.unwrap_or_default());
        }
    }

    /// A message is told to this socket alone.
    pub(crate) fn tell(&mut self) {
        self.told += 1;
    }

    /// The position that the client is given with what it is told.
    pub(crate) fn text(&self) -> String {
        let whole = !self.broken && self.early.is_empty() && self.active().all(|step| step.base.is_some());
        if !whole {
            return NOWHERE.to_owned();
        }
        let count = |step: &Step| step.base.map(|base| step.sent.saturating_sub(base.offset));
        Vector::write(&self.pid, self.generation, self.told, self.active().filter_map(count))
    }

    /// What there is to record of it, once all of it is known.
    pub(crate) fn record(&self, of: Recorded) -> Option<Record> {
        let followed = |step: &Step| {
            let Step { room, entered, left, base, .. } = step;
            let (base, room) = ((*base)?, room.to_string());
            Some(Followed { room, epoch: base.epoch, offset: base.offset, entered: *entered, left: *left })
        };
        Some(Record {
            socket: of.socket,
            nsp: of.nsp,
            user: of.user,
            node: of.node,
            data: of.data,
            generation: self.generation,
            oldest: self.oldest,
            told_epoch: self.told_epoch?,
            histories: self.steps.iter().map(followed).collect::<Option<_>>()?,
        })
    }

    fn active(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.left.is_none())
    }

    fn active_mut(&mut self, room: &str) -> Option<&mut Step> {
        self.steps.iter_mut().find(|step| step.left.is_none() && *step.room == *room)
    }
}

/// What is recorded of a socket beside its way.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) socket: [u8; 15],
    pub(crate) nsp: String,
    pub(crate) user: Option<String>,
    pub(crate) node: [u8; 3],
    pub(crate) data: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const PID: &str = "abcdefghijklmnopqrst";
    const AT: (NodeTag, u64) = (NodeTag([1, 2, 3]), 7);

    fn at(offset: u64) -> Position {
        Position { epoch: 9, offset }
    }

    fn track() -> Track {
        let mut track = Track::new(PID.into());
        track.begin(5);
        track.enter("\0".into(), Some(at(10)));
        track.enter("r".into(), None);
        track
    }

    fn recorded(track: &Track) -> Option<Record> {
        let (nsp, user, data) = ("/".to_owned(), None, None);
        track.record(Recorded { socket: [0; 15], nsp, user, node: [0; 3], data })
    }

    /// Where the client of a track is, by what it was given last.
    fn positions(track: &Track) -> Vec<(String, u64)> {
        let vector = Vector::read(PID, &track.text()).unwrap();
        let positions = recorded(track).unwrap().positions(&vector).unwrap();
        positions.into_iter().map(|(room, at)| (room.to_string(), at.offset)).collect()
    }

    #[test]
    fn a_position_is_said_once_all_histories_have_one() {
        let mut track = track();
        assert_eq!((track.text().as_str(), recorded(&track)), ("!", None));
        assert_eq!(track.unplaced(), [Room::from("r")]);
        track.came_in("r", at(100));
        assert!(track.step("r", at(101), AT));
        assert!(track.step("\0", at(13), AT));
        assert_eq!(positions(&track), [("\0".to_owned(), 13), ("r".to_owned(), 101)]);
        track.leave("\0");
        assert_eq!(positions(&track), [("r".to_owned(), 101)]);
    }

    #[test]
    fn what_was_told_early_is_not_told_again() {
        let mut track = track();
        track.came_in("r", at(100));
        assert!(track.step_early("r", AT));
        assert_eq!(track.text(), "!");
        assert!(!track.step("r", at(101), AT));
        assert_ne!(track.text(), "!");
        assert!(track.step("r", at(102), (AT.0, 8)));
    }

    #[test]
    fn what_was_told_early_is_not_told_again_by_another_epoch() {
        let mut track = track();
        track.came_in("r", at(100));
        assert!(track.step_early("r", AT));
        assert!(!track.step("r", Position { epoch: 10, offset: 1 }, AT));
    }

    #[test]
    fn what_was_told_early_and_is_forgotten_is_not_told_again_either() {
        let mut track = track();
        track.came_in("r", at(100));
        let all = 2 * EARLY_MAX as u64;
        assert!((1..=all).all(|number| track.step_early("r", (AT.0, number))));
        assert_eq!(track.early.len(), EARLY_MAX);
        for number in 1..=all {
            assert!(!track.step("r", at(100 + number), (AT.0, number)), "{number}");
        }
        assert!(track.step("r", at(101 + all), (AT.0, all + 1)));
        assert!(track.step("r", at(102 + all), (NodeTag([3, 2, 1]), 1)), "of another node");
        assert_eq!((track.text().as_str(), track.early.len()), ("!", 0));
    }

    #[test]
    fn another_epoch_breaks_it() {
        let mut track = track();
        track.came_in("r", at(100));
        assert!(track.step("r", Position { epoch: 10, offset: 1 }, AT));
        assert_eq!(track.text(), "!");
    }

    #[test]
    fn one_that_comes_back_goes_on_and_is_told_nothing_twice() {
        let mut first = track();
        first.came_in("r", at(100));
        let hold = Hold { key: throng_backbone::SessionKey::new("t", "p"), fence: 1 };
        let mut track = Track::resume(PID.into(), hold, &recorded(&first).unwrap(), 2);
        track.replay("r", 105, None);
        assert!(!track.step("r", at(105), AT));
        assert!(track.step("r", at(106), AT));
        assert_eq!(positions(&track)[1], ("r".to_owned(), 106));
    }

    #[test]
    fn what_was_replayed_is_not_told_early_either() {
        let mut track = track();
        track.came_in("r", at(100));
        track.replay("r", 101, Some(AT.1));
        assert!(!track.step_early("r", AT));
        assert!(!track.step("r", at(101), AT));
        assert_eq!(positions(&track)[1], ("r".to_owned(), 101));
        assert!(track.step_early("\0", AT), "in another room");
        assert!(track.step_early("r", (AT.0, AT.1 + 1)));
    }

    #[test]
    fn what_was_left_is_forgotten_in_time() {
        let mut track = track();
        track.came_in("r", at(100));
        let early = Vector::read(PID, &track.text()).unwrap();
        for round in 0..LEFT_MAX + 1 {
            assert!(recorded(&track).unwrap().positions(&early).is_some(), "{round}");
            track.enter(format!("room {round}").into(), Some(at(1)));
            track.leave(&format!("room {round}"));
        }
        assert_eq!(recorded(&track).unwrap().positions(&early), None);
    }
}
