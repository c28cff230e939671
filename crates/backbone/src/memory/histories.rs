//! Histories of rooms in memory.

use std::collections::VecDeque;

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::expiring::Expiring;
use crate::channel::Room;
use crate::histories::{Entry, Gone, Position, Replay, Retention};

/// The history of each room.
#[derive(Debug, Default)]
pub(crate) struct HistoryTable {
    rooms: Expiring<Room, History>,
    last_epoch: u64,
    hang: Hang,
}

/// Which append hangs.
#[derive(Debug, Default)]
enum Hang {
    #[default]
    None,
    Next,
    /// One that is on its way; it breaks when this is dropped.
    Now(#[expect(dead_code, reason = "it is there to be dropped")] oneshot::Sender<()>),
}

#[derive(Debug)]
struct History {
    top: Position,
    entries: VecDeque<Bytes>,
    bytes: usize,
    entries_end: Instant,
}

impl History {
    fn has_too_much(&self, keep: Retention) -> bool {
        let count = self.entries.len();
        count > keep.entries_max || (count > 1 && self.bytes > keep.bytes_max)
    }
}

impl HistoryTable {
    /// Has the next append hang.
    pub(super) fn hang_next(&mut self) {
        self.hang = Hang::Next;
    }

    /// Breaks the append that hangs.
    pub(super) fn break_hanging(&mut self) {
        self.hang = Hang::None;
    }

    /// What an append that is to hang waits for.
    pub(super) fn hanging(&mut self) -> Option<oneshot::Receiver<()>> {
        if !matches!(self.hang, Hang::Next) {
            return None;
        }
        let (hang, broken) = oneshot::channel();
        self.hang = Hang::Now(hang);
        Some(broken)
    }

    pub(super) fn append(&mut self, room: &Room, bytes: Bytes, keep: Retention) -> Position {
        let history = self.kept(room, keep);
        history.top.offset += 1;
        history.bytes += bytes.len();
        history.entries.push_back(bytes);
        while history.has_too_much(keep)
            && let Some(oldest) = history.entries.pop_front()
        {
            history.bytes -= oldest.len();
        }
        history.top
    }

    pub(super) fn find(&self, room: &Room, bytes: &Bytes) -> Option<Position> {
        let history = self.rooms.get(room).filter(|history| Instant::now() < history.entries_end)?;
        let (_, behind) = history.entries.iter().rev().zip(0..).find(|(entry, _)| *entry == bytes)?;
        Some(Position { offset: history.top.offset - behind, ..history.top })
    }

    pub(crate) fn position(&mut self, room: &Room, known: Option<Position>, keep: Retention) -> Position {
        let has_lost = |history: &History| {
            known.is_some_and(|known| known.epoch == history.top.epoch && known.offset > history.top.offset)
        };
        if self.rooms.get(room).is_some_and(has_lost) {
            self.rooms.remove(room);
        }
        self.kept(room, keep).top
    }

    pub(crate) fn after(&self, room: &Room, position: Position, max: usize) -> Replay {
        let Some(history) = self.rooms.get(room).filter(|history| history.top.epoch == position.epoch) else {
            return Replay::Gone(Gone::OtherEpoch);
        };
        let Some(missed) = history.top.offset.checked_sub(position.offset) else {
            return Replay::Gone(Gone::Ahead);
        };
        if missed > max as u64 {
            return Replay::Gone(Gone::TooMany);
        }
        let kept = if Instant::now() < history.entries_end { history.entries.len() as u64 } else { 0 };
        if missed > kept {
            return Replay::Gone(Gone::Trimmed);
        }
        let recent = history.entries.iter().skip((kept - missed) as usize);
        let entries = recent.zip(position.offset + 1..);
        let whole = entries.take(missed as usize);
        Replay::Whole(whole.map(|(bytes, offset)| Entry { offset, bytes: bytes.clone() }).collect())
    }

    /// The room's history, kept for another while; a new one if there is none.
    fn kept(&mut self, room: &Room, keep: Retention) -> &mut History {
        let now = Instant::now();
        if self.rooms.get(room).is_none() {
            self.last_epoch += 1;
            let top = Position { epoch: self.last_epoch, offset: 0 };
            let history = History { top, entries: VecDeque::new(), bytes: 0, entries_end: now };
            self.rooms.insert(room.clone(), history, Some(now + keep.epoch_ttl));
        }
        let (history, end) = self.rooms.get_mut(room).expect("it is there or was just made");
        if now >= history.entries_end {
            history.entries.clear();
            history.bytes = 0;
        }
        history.entries_end = now + keep.ttl;
        *end = Some(now + keep.epoch_ttl);
        history
    }
}
