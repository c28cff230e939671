//! Tickets in memory.

use hashbrown::HashMap;

use crate::tickets::{Batch, Commit, Committed, Opened, Records, Scope, Stamp, TicketsError, Written, apply};

/// The records of each scope.
#[derive(Debug, Default)]
pub(crate) struct TicketTable {
    scopes: HashMap<Scope, Shelf>,
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
    pub(crate) fn open(&mut self, scope: &Scope, fence: u64) -> Result<Opened, TicketsError> {
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
    pub(crate) fn write(&mut self, scope: &Scope, batch: &Batch) -> Written {
        let Stamp { fence, prior, opening, number } = batch.stamp;
        let shelf = match self.scopes.get_mut(scope) {
            Some(shelf) if shelf.opening == opening && [fence, prior].contains(&shelf.fence) => shelf,
            _ => return Written::Superseded,
        };
        (shelf.fence, shelf.number) = (fence, number);
        Written::Done(batch.commits.iter().map(|commit| shelf.commit(commit)).collect())
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
