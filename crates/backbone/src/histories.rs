//! The histories of rooms: bounded streams of what was sent, each message at a position. What was missed is read whole or
//! not at all.

use std::time::Duration;

use bytes::Bytes;

use crate::backbone::Kind;
use crate::bus::PAYLOAD_BYTES_MAX;
use crate::channel::Room;
use crate::error::StoreError;

/// A place in a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Which of the room's histories: they end when nobody asks for them, and when the store loses its data.
    pub epoch: u64,
    /// How many messages there had been, this one included. The first has 1.
    pub offset: u64,
}

/// How much of a history is kept.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// Messages, the last ones. At least 1.
    pub entries_max: usize,
    /// How long after the last append or question messages are kept.
    pub ttl: Duration,
    /// How long after the last append or question the count goes on. At least `ttl`: a room where nothing happens is
    /// then recovered whole.
    pub epoch_ttl: Duration,
}

/// A message of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its offset.
    pub offset: u64,
    /// The message.
    pub bytes: Bytes,
}

/// What came after a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replay {
    /// All of it, in order.
    Whole(Vec<Entry>),
    /// It cannot be told whole.
    Gone(Gone),
}

/// Why a history cannot be told whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// The position is of another epoch: that history ended.
    OtherEpoch,
    /// The position is after the last message: the store has lost some.
    Ahead,
    /// The oldest of what was missed are not kept any more.
    Trimmed,
    /// More was missed than was asked for.
    TooMany,
}

/// The histories of a backbone.
#[derive(Debug, Clone)]
pub struct Histories {
    kind: Kind,
}

impl Histories {
    pub(crate) fn new(kind: Kind) -> Self {
        Self { kind }
    }

    /// Appends a message to a room's history and publishes it on the room's channel, in one step: positions and
    /// deliveries have the same order. All subscribers get it, this node included, so that all see that order. Nothing is
    /// queued while the store is away. After an error the message may be in the history all the same; it is never there
    /// twice unless this is called twice.
    pub async fn append(&self, room: &Room, bytes: Bytes, keep: Retention) -> Result<Position, StoreError> {
        if bytes.len() > PAYLOAD_BYTES_MAX {
            return Err(StoreError::Refused(format!("a message of {} bytes is too large", bytes.len())));
        }
        match &self.kind {
            Kind::Memory(seat) => Ok(seat.append(room, bytes, keep)),
            Kind::Redis(store) => store.append(room, &bytes, keep).await,
        }
    }

    /// Appends a message after a call for it has failed, unless it is in the history: then it stays where it is. Tells
    /// messages apart by their bytes, and reads all that is kept of the history.
    pub async fn append_again(
        &self,
        room: &Room,
        bytes: Bytes,
        keep: Retention,
    ) -> Result<Position, StoreError> {
        let there = match &self.kind {
            Kind::Memory(seat) => seat.store().histories().find(room, &bytes),
            Kind::Redis(store) => store.find(room, &bytes).await?,
        };
        match there {
            Some(position) => Ok(position),
            None => self.append(room, bytes, keep).await,
        }
    }

    /// The position of the last message; of a new history if there is none. Also keeps the history for another while.
    pub async fn position(&self, room: &Room, keep: Retention) -> Result<Position, StoreError> {
        match &self.kind {
            Kind::Memory(seat) => Ok(seat.store().histories().position(room, keep)),
            Kind::Redis(store) => store.position(room, keep).await,
        }
    }

    /// What came after a position, at most `max` messages.
    pub async fn after(&self, room: &Room, position: Position, max: usize) -> Result<Replay, StoreError> {
        match &self.kind {
            Kind::Memory(seat) => Ok(seat.store().histories().after(room, position, max)),
            Kind::Redis(store) => store.after(room, position, max).await,
        }
    }
}
