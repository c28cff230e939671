//! Tickets in memory.

use hashbrown::HashMap;

use crate::error::StoreError;
use crate::tickets::{Batch, Commit, Committed, Opened, Records, Scope, Stamp, TicketsError, Written, apply};

/// The records of each scope.
#[derive(Debug, Default)]
pub(crate) struct TicketTable {
    scopes: HashMap<Scope, Shelf>,
    suspended: bool,
}

/// A scope: who may change it, and what is in it.
#[derive(Debug, Default)]
struct Shelf {
    fence: u64,
    opening: u64,
    /// The number of the last batch.
    number: u64,
    records: Records,
}

impl TicketTable {
    pub(crate) fn suspend(&mut self) {
        self.suspended = true;
    }

    pub(crate) fn resume(&mut self) {
        self.suspended = false;
    }

    fn reach(&self) -> Result<(), StoreError> {
        if self.suspended { Err(StoreError::Away) } else { Ok(()) }
    }

    pub(crate) fn open(&mut self, scope: &Scope, fence: u64) -> Result<Opened, TicketsError> {
        self.reach()?;
        let shelf = self.scopes.entry(scope.clone()).or_default();
        if fence < shelf.fence {
            return Err(TicketsError::Superseded);
        }
        shelf.fence = fence;
        shelf.opening += 1;
        let records = shelf.records.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        Ok(Opened { opening: shelf.opening, number: shelf.number, records })
    }

    /// Nothing is ever lost or answered late here, so no batch is behind and none comes twice.
    pub(crate) fn write(&mut self, scope: &Scope, batch: &Batch) -> Result<Written, StoreError> {
        self.reach()?;
        let Stamp { fence, prior, opening, number } = batch.stamp;
        let shelf = match self.scopes.get_mut(scope) {
            Some(shelf) if shelf.opening == opening && [fence, prior].contains(&shelf.fence) => shelf,
            _ => return Ok(Written::Superseded),
        };
        (shelf.fence, shelf.number) = (fence, number);
        Ok(Written::Done(batch.commits.iter().map(|commit| shelf.commit(commit)).collect()))
    }
}

impl Shelf {
    fn commit(&mut self, commit: &Commit) -> Committed {
        if !commit.take.iter().all(|key| self.records.contains_key(key)) {
            return Committed::Lost;
        }
        apply(&mut self.records, commit.clone());
        Committed::Done
    }
}
