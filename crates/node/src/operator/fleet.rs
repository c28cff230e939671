//! What the other nodes are told of this one with each sign of life, and how the way to them is: looked at by one task every
//! second and never for a request.

use std::convert::Infallible;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use throng_backbone::{DocumentKey, Load};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::node::Node;

/// Time between two looks. A sign of life is that much older than what it says, at the most.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long the store keeps what a look leaves there.
const KEPT: Duration = Duration::from_secs(60);
/// A store that takes longer to answer is as good as away.
const LATE: Duration = Duration::from_secs(1);

/// How the store behind the backbone answered last, when it was to write something.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Probe {
    pub(crate) answered: bool,
    /// How long it took.
    pub(crate) latency: Duration,
}

impl Default for Probe {
    /// A node begins once the store has answered.
    fn default() -> Self {
        Self { answered: true, latency: Duration::ZERO }
    }
}

/// Looks for as long as it is polled.
pub(crate) async fn watch(node: &Node) -> Infallible {
    let Some(cluster) = &node.cluster else { return std::future::pending().await };
    let backbone = cluster.backbone();
    // A store that is full reads and does not write.
    let (probe, nothing) = (DocumentKey::new("", "probe"), [("", Bytes::new())]);
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        backbone.members().announce(load(node));
        let began = Instant::now();
        let written = timeout(LATE, backbone.documents().hash_set(&probe, &nothing, Some(KEPT))).await;
        let answered = matches!(written, Ok(Ok(())));
        node.operations.probe.store(Probe { answered, latency: began.elapsed() }.into());
    }
}

/// Tells the others at once that this node drains, without waiting for them.
pub(crate) fn tell_draining(node: &Node) {
    let Some(cluster) = &node.cluster else { return };
    let members = cluster.backbone().members().clone();
    members.announce(load(node));
    tokio::spawn(async move {
        if let Err(error) = members.refresh().await {
            tracing::debug!(%error, "the next sign of life says that this node drains");
        }
    });
}

/// What there is to say of this node now.
pub(crate) fn load(node: &Node) -> Load {
    let sample = node.operations.sample.load();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    Load {
        connections: count(node.connections.load(Ordering::Relaxed)),
        rooms: node.ports.iter().map(|port| port.metrics.rooms.get()).sum(),
        cpu: (sample.cpu_percent / 100.0 / cores as f64).clamp(0.0, 1.0) as f32,
        memory_bytes: sample.process.resident_bytes,
        capacity: count(node.config.connections_max),
        region: node.config.region.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        draining: node.is_draining(),
    }
}
