//! What is recorded of a session, for any node to go on with it.

use serde::{Deserialize, Serialize};
use throng_backbone::Position;

/// A session as it is in the backbone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The identifier of the socket.
    pub(crate) socket: [u8; 15],
    /// The namespace.
    pub(crate) nsp: String,
    /// Who it is, on a node that asks.
    pub(crate) user: Option<String>,
    /// The node that it lives on.
    pub(crate) node: [u8; 3],
    /// The attached data, as JSON.
    pub(crate) data: Option<String>,
    /// Which list of histories follows.
    pub(crate) generation: u64,
    /// The epoch of the session's own history.
    pub(crate) told_epoch: u64,
    /// The histories that it is in, that of its namespace first.
    pub(crate) histories: Vec<Followed>,
}

/// A history that a session follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Followed {
    /// The room; that of the namespace has a name that no room has.
    pub(crate) room: String,
    pub(crate) epoch: u64,
    /// Where the session came in.
    pub(crate) offset: u64,
}

impl Followed {
    /// The position of a client that has received so many messages since it came in.
    pub(crate) fn after(&self, count: u64) -> Position {
        Position { epoch: self.epoch, offset: self.offset.saturating_add(count) }
    }
}

impl Record {
    /// Writes it.
    pub(crate) fn encode(&self) -> bytes::Bytes {
        postcard::to_allocvec(self).expect("memory takes what is written to it").into()
    }

    /// Reads it; `None` when another version wrote it.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        postcard::from_bytes(bytes).ok()
    }
}
