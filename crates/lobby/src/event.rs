//! What the lobby tells whoever made it.

use std::time::Duration;

use crate::names::User;
use crate::pairing::{Pairing, PairingId};

/// Something that happened. Told after it was committed, and never while a lock is held.
#[derive(Debug, Clone)]
pub enum Event {
    /// Two people were paired. Both are to confirm.
    Paired(Pairing),
    /// The partner dropped out before both had confirmed: the user waits again, with the wait credited. Follows the
    /// pairing; the user may be paired anew right after.
    Returned {
        /// The pairing that is over.
        pairing: PairingId,
        /// Who waits again.
        user: User,
        /// Their place in the queue.
        place: Place,
    },
    /// The user did not confirm in time and is in no queue and in no pairing now. When the partner did confirm, a
    /// `Returned` follows for them.
    Lapsed {
        /// The pairing that is over.
        pairing: PairingId,
        /// Who did not confirm.
        user: User,
    },
    /// A lobby that is kept has lost its register to somebody else, or can no longer write: it is empty, and nothing follows.
    /// What it had is in the store.
    Deposed,
    /// The user was away for longer than the lease and waits no longer.
    Expired {
        /// Whose ticket it was.
        user: User,
    },
}

/// Where somebody stands who waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// How many others wait for the same topic (in the whole queue, for somebody without a topic).
    pub others: usize,
    /// How long it probably takes: the median of the queue's latest waits. `None` before the first pairing.
    pub estimated_wait: Option<Duration>,
}
