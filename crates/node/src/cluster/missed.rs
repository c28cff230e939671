//! A message of a history, read again for a client that has missed it.

use throng_backbone::Entry;

use super::wire::{self, Action, Body};
use crate::envelope::{Room, Selection};
use crate::ids::NodeTag;
use crate::outgoing::Outgoing;

/// An event that a client may have missed.
#[derive(Debug)]
pub(crate) struct Missed {
    /// The history that it is in, and where.
    pub(crate) room: Room,
    pub(crate) offset: u64,
    /// When it was sent, in microseconds since 1970.
    pub(crate) sent_us: u64,
    /// The same in another history, or once more in this one, has the same.
    pub(crate) serial: (NodeTag, u64),
    /// Whom it was for.
    pub(crate) to: Selection,
    pub(crate) out: Outgoing,
}

impl Missed {
    /// `None` when it was written by another version.
    pub(super) fn read(room: Room, entry: &Entry) -> Option<Self> {
        let (from, body) = wire::decode(&entry.bytes).ok()?;
        let Body::Do { serial, sent_us, to, action: Action::Emit { packet, .. } } = body else { return None };
        let (to, out) = (to.selection(), packet.outgoing(&entry.bytes)?);
        Some(Self { room, offset: entry.offset, sent_us, serial: (from, serial), to, out })
    }
}
