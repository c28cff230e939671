//! The store of a single process: tables under a lock. It is what the other stores are measured against, so each step says
//! in a few lines what they must do.

mod bus;
mod documents;
mod expiring;
mod histories;
mod leases;
mod members;
mod sessions;
mod tickets;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use documents::DocumentTable;
use histories::HistoryTable;
use leases::LeaseTable;
use members::MemberTable;
use sessions::SessionTable;
use tickets::TicketTable;

pub(crate) use bus::Seat;

/// A store in memory. Backbones that are opened on clones of it see each other, as nodes do on one Redis.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    tables: Arc<Tables>,
}

#[derive(Debug, Default)]
struct Tables {
    bus: Mutex<bus::Switchboard>,
    members: Mutex<MemberTable>,
    leases: Mutex<LeaseTable>,
    tickets: Mutex<TicketTable>,
    documents: Mutex<DocumentTable>,
    sessions: Mutex<SessionTable>,
    histories: Mutex<HistoryTable>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Has tickets answer as if the store were away, until [`resume_tickets`](Self::resume_tickets): for tests of those who
    /// must bear it.
    pub fn suspend_tickets(&self) {
        self.tickets().suspend();
    }

    /// Ends what [`suspend_tickets`](Self::suspend_tickets) has begun.
    pub fn resume_tickets(&self) {
        self.tickets().resume();
    }

    /// Has the next append to a history hang, until [`break_append`](Self::break_append): for tests of those who must bear it.
    /// Later ones go on.
    pub fn hang_append(&self) {
        self.histories().hang_next();
    }

    /// Ends what [`hang_append`](Self::hang_append) has begun as if a connection had broken: nothing was appended, and the
    /// caller reads that the store is away.
    pub fn break_append(&self) {
        self.histories().break_hanging();
    }

    pub(crate) fn members(&self) -> MutexGuard<'_, MemberTable> {
        lock(&self.tables.members)
    }

    pub(crate) fn leases(&self) -> MutexGuard<'_, LeaseTable> {
        lock(&self.tables.leases)
    }

    pub(crate) fn tickets(&self) -> MutexGuard<'_, TicketTable> {
        lock(&self.tables.tickets)
    }

    pub(crate) fn documents(&self) -> MutexGuard<'_, DocumentTable> {
        lock(&self.tables.documents)
    }

    pub(crate) fn sessions(&self) -> MutexGuard<'_, SessionTable> {
        lock(&self.tables.sessions)
    }

    pub(crate) fn histories(&self) -> MutexGuard<'_, HistoryTable> {
        lock(&self.tables.histories)
    }
}

/// A step that panicked has changed nothing half: each writes last.
fn lock<T>(table: &Mutex<T>) -> MutexGuard<'_, T> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}
