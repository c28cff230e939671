//! Tickets: what one node at a time decides about, written down so that the next one can go on with it. A scope is a set of
//! records, bytes under keys. Whoever opens it has the [`Register`], and nobody who opened it earlier can change anything.
//!
//! What a record means is its owner's. Deciding lies outside: a commit says what must be there and what becomes of it.

mod register;
mod writer;

use std::sync::Arc;

use bytes::Bytes;

use crate::backbone::Kind;
use crate::error::StoreError;

pub use register::{Receipt, Register};
pub(crate) use writer::{Batch, Records, Stamp, Written, apply};

/// The most bytes of a value.
pub const VALUE_BYTES_MAX: usize = 256 * 1024;

/// The most records of a scope.
pub const RECORDS_MAX: usize = 1 << 20;

/// The name of a set of records, of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Scope {
    /// The tenant.
    pub tenant: Arc<str>,
    /// The name.
    pub name: Arc<str>,
}

impl Scope {
    /// Names a scope.
    pub fn new(tenant: impl Into<Arc<str>>, name: impl Into<Arc<str>>) -> Self {
        Self { tenant: tenant.into(), name: name.into() }
    }
}

/// What changes at once: all of it, or nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Commit {
    /// Keys of records that must be there, and are gone. If one of them is not there, nothing happens and the outcome is
    /// [`Committed::Lost`].
    pub take: Vec<Box<str>>,
    /// Keys of records that are gone, if they were there.
    pub remove: Vec<Box<str>>,
    /// Records with their keys, that come last, in place of whatever was there. A value has [`VALUE_BYTES_MAX`] at most.
    pub put: Vec<(Box<str>, Bytes)>,
}

/// What became of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committed {
    /// All of it happened.
    Done,
    /// Something that was to be taken was not there: none of it happened.
    Lost,
}

/// Why a scope could not be opened or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TicketsError {
    /// Somebody has opened it later, or with a greater fence. Whoever reads this has no say in it any more.
    #[error("the tickets were taken over")]
    Superseded,
    /// Too much waits to be written ([`Register::has_room`]), or the scope has [`RECORDS_MAX`] records. Nothing of the commit
    /// happened. Try again later.
    #[error("too many tickets")]
    Full,
    /// A value has more than [`VALUE_BYTES_MAX`]. Nothing of the commit happened. Not for trying again.
    #[error("a ticket of {0} bytes is too large")]
    TooLarge(usize),
    /// The store did not answer. Only for opening: a register waits until its store is back.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The tickets of a backbone.
#[derive(Debug, Clone)]
pub struct Tickets {
    kind: Kind,
}

/// What the store says when a scope is opened.
#[derive(Debug)]
pub(crate) struct Opened {
    /// The number of this opening.
    pub(crate) opening: u64,
    /// The number of the last batch that was written.
    pub(crate) number: u64,
    pub(crate) records: Vec<(Box<str>, Bytes)>,
}

impl Commit {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.take.is_empty() && self.remove.is_empty() && self.put.is_empty()
    }

    /// Writes one record.
    pub fn put(key: impl Into<Box<str>>, value: impl Into<Bytes>) -> Self {
        Self { put: vec![(key.into(), value.into())], ..Self::default() }
    }

    /// Removes one record.
    pub fn remove(key: impl Into<Box<str>>) -> Self {
        Self { remove: vec![key.into()], ..Self::default() }
    }
}

impl Tickets {
    pub(crate) fn new(kind: Kind) -> Self {
        Self { kind }
    }

    /// Opens a scope in the name of a lease with this fence, and gives all of its records, sorted by key. From now on every
    /// earlier register of it is refused. Answers [`TicketsError::Superseded`] when a greater fence has opened it.
    ///
    /// After a [`StoreError`] it may have been opened all the same: then open it again.
    pub async fn open(
        &self,
        scope: &Scope,
        fence: u64,
    ) -> Result<(Register, Vec<(Box<str>, Bytes)>), TicketsError> {
        let opened = match &self.kind {
            Kind::Memory(seat) => seat.store().tickets().open(scope, fence),
            Kind::Redis(store) => store.open_tickets(scope, fence).await,
        };
        let Opened { opening, number, mut records } = opened?;
        records.sort_unstable();
        let stamp = Stamp { fence, prior: fence, opening, number };
        let register = Register::start(self.kind.clone(), scope.clone(), stamp, &records);
        Ok((register, records))
    }
}
