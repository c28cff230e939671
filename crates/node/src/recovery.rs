//! Connection state recovery: what is known of a socket so that its client may lose its connection, or its node, and go on
//! with the same identifier, rooms and data and without missing an event.
//!
//! Each room has a history, in which every message has a position. A client holds its own position in all of its rooms: it
//! comes with every event, as the last argument, where Socket.IO clients look for it. So nobody has to know what a client has
//! received; it says so when it comes back, and reads the rest of each history whole or starts afresh. What a socket is told
//! alone is a history of its own, written by the node that it lives on.

mod record;
mod track;
mod vector;

use std::time::Duration;

use throng_backbone::Retention;

pub(crate) use self::record::Record;
pub(crate) use self::track::{Recorded, Track};
pub(crate) use self::vector::Vector;
use crate::tenants::Space;

/// What clients may recover, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovery {
    /// How long a client may be away. Default 2 minutes, as in Node.
    pub window: Duration,
    /// Messages of a room that are kept for those who are away; who has missed more starts afresh. Default 1,000.
    pub messages_max: usize,
    /// Bytes in them. Default 16 MiB. The last message is kept, however long.
    pub bytes_max: usize,
}

impl Default for Recovery {
    fn default() -> Self {
        Self { window: Duration::from_secs(120), messages_max: 1000, bytes_max: 16 * 1024 * 1024 }
    }
}

/// The history of what goes to no single room: to a whole namespace, or to several rooms. No client can name it.
const EVERYONE: &str = "\0";

impl Recovery {
    /// How histories are kept. The count goes on for longer than any client stays away, so that a room where nothing happens
    /// is recovered too.
    pub(crate) fn retention(&self) -> Retention {
        Retention {
            entries_max: self.messages_max,
            bytes_max: self.bytes_max,
            ttl: self.window * 2,
            epoch_ttl: self.window * 10,
        }
    }
}

/// The history of a namespace.
pub(crate) fn of_namespace(space: &Space) -> throng_backbone::Room {
    of_room(space, EVERYONE.into())
}

/// The history of a room.
pub(crate) fn of_room(space: &Space, room: crate::envelope::Room) -> throng_backbone::Room {
    throng_backbone::Room { tenant: space.tenant.name.shared(), namespace: space.nsp.clone(), room }
}

/// The history of what a socket is told alone, by the secret name of its session.
pub(crate) fn of_session(space: &Space, pid: &str) -> throng_backbone::Room {
    of_room(space, format!("\0{pid}").into())
}

/// Whether a history is that of a namespace.
pub(crate) fn is_everyone(room: &str) -> bool {
    room == EVERYONE
}

/// Whether a client was given no position.
pub(crate) fn is_nowhere(text: &str) -> bool {
    text == track::NOWHERE
}
