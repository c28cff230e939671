//! What a tenant uses on this node: counters that each shard writes alone, and the few numbers that quotas compare.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::limits::gcra::nanos;
use crate::metrics::Counter;
use crate::tenants::TenantName;

/// The use of one tenant.
#[derive(Debug)]
pub(crate) struct Usage {
    shards: Box<[ShardUsage]>,
    /// Sessions open now.
    pub(crate) connections: Held,
    /// Rooms that have members now, summed over shards.
    pub(crate) rooms: Held,
    pub(crate) connects: Quota,
    pub(crate) events: Quota,
    pub(crate) bytes: Quota,
}

/// One shard's part, on cache lines of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct ShardUsage {
    pub(crate) sockets_connected: Counter,
    pub(crate) sockets_disconnected: Counter,
    pub(crate) events_received: Counter,
    pub(crate) events_refused: Counter,
    pub(crate) bytes_received: Counter,
}

impl Usage {
    pub(super) fn new(shards: usize) -> Self {
        Self {
            shards: (0..shards).map(|_| ShardUsage::default()).collect(),
            connections: Held::default(),
            rooms: Held::default(),
            connects: Quota::default(),
            events: Quota::default(),
            bytes: Quota::default(),
        }
    }

    /// The part of a shard, for that shard to write.
    pub(crate) fn of(&self, shard: u8) -> &ShardUsage {
        &self.shards[usize::from(shard)]
    }

    pub(super) fn counts(&self, name: TenantName) -> TenantCounts {
        let sum = |read: fn(&ShardUsage) -> &Counter| self.shards.iter().map(|shard| read(shard).get()).sum();
        let disconnected: u64 = sum(|shard| &shard.sockets_disconnected);
        TenantCounts {
            name,
            connections: self.connections.get(),
            // The shards count on while this reads: what is gone is read before what came.
            sockets: sum(|shard| &shard.sockets_connected).saturating_sub(disconnected),
            rooms: self.rooms.get(),
            events_received: sum(|shard| &shard.events_received),
            events_refused: sum(|shard| &shard.events_refused),
            bytes_received: sum(|shard| &shard.bytes_received),
        }
    }
}

/// What one tenant uses.
#[derive(Debug, Clone)]
pub(crate) struct TenantCounts {
    pub(crate) name: TenantName,
    /// Sessions open now.
    pub(crate) connections: u64,
    /// Sockets connected now.
    pub(crate) sockets: u64,
    /// Rooms with members now, summed over shards.
    pub(crate) rooms: u64,
    /// Events received since the start, refused ones included.
    pub(crate) events_received: u64,
    /// Events refused since the start.
    pub(crate) events_refused: u64,
    /// Bytes of events received since the start.
    pub(crate) bytes_received: u64,
}

/// How many of something are held at the moment.
#[derive(Debug, Default)]
pub(crate) struct Held(AtomicU64);

impl Held {
    /// Takes one unless that were more than `max`.
    pub(crate) fn take(&self, max: Option<u64>) -> bool {
        let before = self.0.fetch_add(1, Ordering::Relaxed);
        let fits = max.is_none_or(|max| before < max);
        if !fits {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
        fits
    }

    /// Gives some back.
    pub(crate) fn give(&self, count: u64) {
        self.0.fetch_sub(count, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A rate that all shards share: of so many a second, at most one second's worth at once. As [`crate::limits::gcra`],
/// but what costs more than that is let in when nothing is owed, and paid for in full by the wait that follows.
#[derive(Debug, Default)]
pub(crate) struct Quota(AtomicU64);

impl Quota {
    /// Takes `cost` at a time since the node began, or says how long to wait. A rate of zero lets nothing in, and may be
    /// another within the hour.
    pub(crate) fn take(&self, per_second: u32, cost: u32, now: Duration) -> Result<(), Duration> {
        const HOUR: Duration = Duration::from_secs(3600);
        const SECOND: u64 = 1_000_000_000;
        let now = nanos(now);
        let price = (u64::from(cost) * SECOND).checked_div(u64::from(per_second)).ok_or(HOUR)?;
        let mut wait = Duration::ZERO;
        let taken = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |paid_until| {
            let debt = paid_until.saturating_sub(now);
            let over = (debt + price.min(SECOND)).saturating_sub(SECOND);
            wait = Duration::from_nanos(over);
            (over == 0).then_some(now + debt + price)
        });
        taken.map(|_| ()).map_err(|_| wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_never_exceeds_its_bound() {
        let held = Held::default();
        assert!(held.take(Some(2)) && held.take(Some(2)) && !held.take(Some(2)));
        held.give(1);
        assert_eq!(held.get(), 1);
        assert!(held.take(Some(2)) && held.take(None));
    }

    #[test]
    fn a_quota_admits_a_second_at_once_and_then_its_rate() {
        let quota = Quota::default();
        let second = Duration::from_secs(1);
        for _ in 0..10 {
            assert_eq!(quota.take(10, 1, second), Ok(()));
        }
        assert_eq!(quota.take(10, 1, second), Err(Duration::from_millis(100)));
        assert_eq!(quota.take(10, 1, second + Duration::from_millis(100)), Ok(()));
        assert_eq!(Quota::default().take(0, 1, second), Err(Duration::from_secs(3600)));
    }

    #[test]
    fn what_costs_more_than_a_second_is_paid_in_full() {
        let quota = Quota::default();
        assert_eq!(quota.take(100, 500, Duration::ZERO), Ok(()));
        assert_eq!(quota.take(100, 1, Duration::from_secs(4)), Err(Duration::from_millis(10)));
        assert_eq!(quota.take(100, 1, Duration::from_millis(4_010)), Ok(()));
    }
}
