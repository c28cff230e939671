//! A pairing: what two tickets become.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::names::{QueueName, Tag, Topic};
use crate::record;
use crate::ticket::Ticket;
use crate::wish::Side;

/// The name of a pairing, which no other of its lobby ever has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PairingId(pub u64);

impl PairingId {
    /// The key of the pairing's record in a lobby that is kept.
    pub fn key(self) -> Box<str> {
        record::pairing_key(self)
    }
}

/// Two people who were paired.
#[derive(Debug, Clone)]
pub struct Pairing {
    /// Which pairing.
    pub id: PairingId,
    /// In which queue.
    pub queue: QueueName,
    /// What they talk about; nothing when neither named a topic.
    pub topic: Option<Topic>,
    /// Who they are, the one who waited longer first.
    pub tickets: [Arc<Ticket>; 2],
    /// The side of each, where sides are taken.
    pub sides: [Option<Side>; 2],
    /// The tags that they share.
    pub tags: Vec<Tag>,
    /// How long each has waited, with the credit.
    pub waits: [Duration; 2],
}

/// What became of a confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmed {
    /// The other has not confirmed yet.
    One,
    /// Both have: the lobby has forgotten the pairing, and either may join again.
    Both,
    /// There is no such pairing, or no longer, or the user is not in it.
    Unknown,
}
