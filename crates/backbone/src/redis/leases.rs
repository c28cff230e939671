//! Leases in Redis.

use std::time::Duration;

use super::{RedisStore, millis, read, script};
use crate::error::StoreError;
use crate::leases::Lease;

impl RedisStore {
    pub(crate) async fn acquire(&self, name: &str, ttl: Duration) -> Result<Option<u64>, StoreError> {
        let [lease, fence] = self.keys.lease(name);
        let ttl = millis(ttl);
        read(self.commands.run(&script::LEASE_ACQUIRE, &[&lease, &fence], &[ttl.as_bytes()]).await?)
    }

    /// Whether the lease is still this one.
    pub(crate) async fn renew_lease(&self, lease: &Lease, ttl: Duration) -> Result<bool, StoreError> {
        let [key, _] = self.keys.lease(&lease.name);
        let (fence, ttl) = (lease.fence.to_string(), millis(ttl));
        read(self.commands.run(&script::LEASE_RENEW, &[&key], &[fence.as_bytes(), ttl.as_bytes()]).await?)
    }

    /// Whether the lease was still this one.
    pub(crate) async fn release_lease(&self, lease: &Lease) -> Result<bool, StoreError> {
        let [key, _] = self.keys.lease(&lease.name);
        read(self.commands.run(&script::LEASE_RELEASE, &[&key], &[lease.fence.to_string().as_bytes()]).await?)
    }
}
