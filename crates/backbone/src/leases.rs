//! Leases: a name belongs to at most one holder at a time, for a time. The fencing number grows with every holder, so
//! that whoever is told to do something in the name of a lease can refuse those that come late.

use std::sync::Arc;
use std::time::Duration;

use crate::backbone::Kind;
use crate::error::StoreError;

/// A lease that was acquired. Whether it is still held is for [`Leases::renew`] to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// What it is for.
    pub name: Arc<str>,
    /// Greater than that of every earlier holder of this name, also after the store has lost its data as long as the
    /// store's clock does not go back.
    pub fence: u64,
}

/// Why a lease could not be kept or given back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LeaseError {
    /// It ended, and may be somebody else's by now. Stop what was done in its name.
    #[error("the lease is lost")]
    Lost,
    /// The store did not answer. The lease is held until its time is up, and not longer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The leases of a backbone. Names are of the fleet, not of a tenant; there should be few.
#[derive(Debug, Clone)]
pub struct Leases {
    kind: Kind,
}

impl Leases {
    pub(crate) fn new(kind: Kind) -> Self {
        Self { kind }
    }

    /// Takes the lease if nobody has it, for `ttl`.
    pub async fn acquire(&self, name: &str, ttl: Duration) -> Result<Option<Lease>, StoreError> {
        let fence = match &self.kind {
            Kind::Memory(seat) => seat.store().leases().acquire(name, ttl),
            Kind::Redis(store) => store.acquire(name, ttl).await?,
        };
        Ok(fence.map(|fence| Lease { name: name.into(), fence }))
    }

    /// Holds on to a lease for `ttl` from now.
    pub async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<(), LeaseError> {
        let ours = match &self.kind {
            Kind::Memory(seat) => seat.store().leases().renew(lease, ttl),
            Kind::Redis(store) => store.renew_lease(lease, ttl).await?,
        };
        if ours { Ok(()) } else { Err(LeaseError::Lost) }
    }

    /// Gives a lease back before its time.
    pub async fn release(&self, lease: &Lease) -> Result<(), LeaseError> {
        let ours = match &self.kind {
            Kind::Memory(seat) => seat.store().leases().release(lease),
            Kind::Redis(store) => store.release_lease(lease).await?,
        };
        if ours { Ok(()) } else { Err(LeaseError::Lost) }
    }
}
