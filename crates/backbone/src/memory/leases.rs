//! Leases in memory.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use super::expiring::Expiring;
use crate::leases::Lease;

/// The fence of each lease that is held.
#[derive(Debug, Default)]
pub(crate) struct LeaseTable {
    held: Expiring<String, u64>,
    last_fence: u64,
}

impl LeaseTable {
    pub(crate) fn acquire(&mut self, name: &str, ttl: Duration) -> Option<u64> {
        if self.held.get(name).is_some() {
            return None;
        }
        // As in the other stores: also greater than any number of things that were done under the last one.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as u64;
        self.last_fence = now.max(self.last_fence + 1);
        self.held.insert(name.to_owned(), self.last_fence, Some(Instant::now() + ttl));
        Some(self.last_fence)
    }

    /// Whether the lease is still this one.
    pub(crate) fn renew(&mut self, lease: &Lease, ttl: Duration) -> bool {
        match self.held.get_mut(&*lease.name) {
            Some((fence, end)) if *fence == lease.fence => {
                *end = Some(Instant::now() + ttl);
                true
            }
            _ => false,
        }
    }

    /// Whether the lease was still this one.
    pub(crate) fn release(&mut self, lease: &Lease) -> bool {
        let ours = self.held.get(&*lease.name) == Some(&lease.fence);
        if ours {
            self.held.remove(&*lease.name);
        }
        ours
    }
}
