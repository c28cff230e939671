//! Clears away what crashed nodes left. One node of the fleet does it, the holder of a lease; its fencing number keeps one
//! that held it earlier, and does not know that it is over, from doing it too.
//!
//! Little is left of a node: what it recorded of sessions and histories lives on for its clients to come back to, and expires.
//! But whoever comes back after it was cleared away has to know, because its clients may live elsewhere by now: it begins a
//! new life, in which every socket asks whether it still has its session.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use throng_backbone::{Lease, LeaseError};
use tokio::time::{MissedTickBehavior, interval};

use super::Cluster;
use crate::envelope::Errand;
use crate::node::Node;

const LEASE: &str = "sweeper";

/// Clears away, whenever it is this node's turn, and begins a new life when this node was itself cleared away.
pub(super) async fn run(node: &Arc<Node>) -> Infallible {
    let Some(cluster) = &node.cluster else { return std::future::pending().await };
    let members = cluster.backbone.members();
    let mut lives = members.incarnation();
    let mut turns = interval(members.heartbeat().interval);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut lease = None;
    loop {
        tokio::select! {
            Ok(()) = lives.changed() => {
                lives.mark_unchanged();
                for shard in 0..node.ports.len() {
                    node.errand(shard, Errand::Reclaim);
                }
            }
            _ = turns.tick() => {
                if let Err(error) = cluster.sweep(&mut lease).await {
                    tracing::debug!(%error, "crashed nodes are not cleared away now");
                }
            }
        }
    }
}

impl Cluster {
    /// Does what is to be done if it is this node's turn.
    async fn sweep(&self, lease: &mut Option<Lease>) -> Result<(), LeaseError> {
        let (members, leases) = (self.backbone.members(), self.backbone.leases());
        let heartbeat = members.heartbeat();
        let ttl = heartbeat.dead_after;
        let held = match lease.take() {
            Some(held) => match leases.renew(&held, ttl).await {
                Ok(()) => Some(held),
                Err(LeaseError::Lost) => None,
                Err(error) => {
                    *lease = Some(held);
                    return Err(error);
                }
            },
            None => leases.acquire(LEASE, ttl).await?,
        };
        let Some(held) = held else { return Ok(()) };
        let swept = self.clear_away(&held).await;
        if swept != Err(LeaseError::Lost) {
            *lease = Some(held);
        }
        swept
    }

    async fn clear_away(&self, held: &Lease) -> Result<(), LeaseError> {
        let members = self.backbone.members();
        for fallen in members.fallen(held).await? {
            if members.bury(held, fallen.incarnation).await? {
                self.counts.swept.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(node = %fallen.node, address = %fallen.address, "a node is silent and taken for dead");
            }
        }
        Ok(())
    }
}
