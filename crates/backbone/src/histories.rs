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
    /// Bytes in them. The last message is kept, however long.
    pub bytes_max: usize,
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

/// Messages that are appended together.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// At least one.
    pub messages: &'a [Bytes],
    /// The last position that the caller knows of. A history that has not come so far has lost its end: a new one begins, since
    /// the same positions once more would be taken for what they were.
    pub known: Option<Position>,
}

/// What is appended, to what, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Append<'a> {
    pub(crate) attempt: Attempt,
    pub(crate) room: &'a Room,
    pub(crate) batch: Batch<'a>,
    pub(crate) keep: Retention,
}

/// Whether messages are appended for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    First,
    /// A call has failed, and they are looked for.
    Again,
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

    /// Appends messages to a room's history and publishes them on the room's channel, in one step: all of them, one after the
    /// other, or none; positions and deliveries have the same order. Gives the position of the last. All subscribers get
    /// them, this node included, so that all see that order. Nothing is queued while the store is away. After an error they
    /// may be in the history all the same; they are never there twice unless this is called twice.
    pub async fn append(
        &self,
        room: &Room,
        batch: Batch<'_>,
        keep: Retention,
    ) -> Result<Position, StoreError> {
        self.perform(Append { attempt: Attempt::First, room, batch, keep }).await
    }

    /// Appends messages after a call for them has failed, unless they are in the history: then they stay where they are.
    /// Finds them by the bytes of the last, in all that is kept of the history.
    pub async fn append_again(
        &self,
        room: &Room,
        batch: Batch<'_>,
        keep: Retention,
    ) -> Result<Position, StoreError> {
        self.perform(Append { attempt: Attempt::Again, room, batch, keep }).await
    }

    async fn perform(&self, append: Append<'_>) -> Result<Position, StoreError> {
        let messages = append.batch.messages;
        if messages.is_empty() {
            return Err(StoreError::Refused("nothing to append".to_owned()));
        }
        if let Some(large) = messages.iter().find(|bytes| bytes.len() > PAYLOAD_BYTES_MAX) {
            return Err(StoreError::Refused(format!("a message of {} bytes is too large", large.len())));
        }
        match &self.kind {
            Kind::Memory(seat) => seat.append(append).await,
            Kind::Redis(store) => store.append(append).await,
        }
    }

    /// The position of the last message; of a new history if there is none. Also keeps the history for another while.
    pub async fn position(&self, room: &Room, keep: Retention) -> Result<Position, StoreError> {
        self.position_past(room, None, keep).await
    }

    /// The same for somebody who knows of a message: of a new history, too, if the present one has not come so far.
    pub async fn position_past(
        &self,
        room: &Room,
        known: Option<Position>,
        keep: Retention,
    ) -> Result<Position, StoreError> {
        match &self.kind {
            Kind::Memory(seat) => Ok(seat.store().histories().position(room, known, keep)),
            Kind::Redis(store) => store.position(room, known, keep).await,
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
