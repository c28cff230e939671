//! A fleet for one case: nodes on one store, apart from every other fleet on the same servers.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use throng_backbone::{
    Backbone, Backoff, Channel, Config, Deliveries, Delivery, Deployment, Heartbeat, KeyPrefix, MemoryStore,
    Missed, Position, RedisConfig, Store,
};
use tokio::time::{Instant, sleep, timeout};

use crate::servers::{Cluster, Sentinels, Single};

/// How long anything may take before a case fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// Longer than any case takes.
pub(crate) const LONG: Duration = Duration::from_secs(3600);
/// As short as a time may be that a case waits for the end of.
pub(crate) const SHORT: Duration = Duration::from_millis(100);

pub(crate) struct Fleet {
    store: Store,
}

/// A node of a fleet.
pub(crate) struct Node {
    pub(crate) backbone: Backbone,
    pub(crate) deliveries: Deliveries,
}

impl Fleet {
    /// Whether what was released goes on arriving for a while.
    pub(crate) fn lets_go_late(&self) -> bool {
        !matches!(self.store, Store::Memory(_))
    }

    pub(crate) fn memory() -> Self {
        Self { store: Store::Memory(MemoryStore::new()) }
    }

    /// On one server, that all such fleets share.
    pub(crate) fn single() -> Self {
        static SHARED: OnceLock<Single> = OnceLock::new();
        Self::redis(SHARED.get_or_init(Single::start).deployment())
    }

    /// On a primary with a replica and three sentinels.
    pub(crate) fn sentinel() -> Self {
        static SHARED: OnceLock<Sentinels> = OnceLock::new();
        Self::redis(SHARED.get_or_init(Sentinels::start).deployment())
    }

    /// On a cluster of three primaries and three replicas.
    pub(crate) fn cluster() -> Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        Self::redis(SHARED.get_or_init(Cluster::start).deployment())
    }

    /// On these servers, under a prefix of its own. It tries again soon, and has patience with busy machines.
    pub(crate) fn redis(deployment: Deployment) -> Self {
        static FLEETS: AtomicU32 = AtomicU32::new(0);
        let number = FLEETS.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("fleet-{}-{number}", std::process::id());
        Self {
            store: Store::Redis(Box::new(RedisConfig {
                prefix: KeyPrefix::try_from(&*prefix).expect("a good prefix"),
                beat_interval: Duration::from_millis(500),
                response_timeout: PATIENCE / 2,
                backoff: Backoff { first: Duration::from_millis(50), max: Duration::from_millis(500) },
                ..RedisConfig::new(deployment)
            })),
        }
    }

    /// A node that beats ten times a second, and is not taken for dead within a case.
    pub(crate) async fn node(&self, name: &str) -> Node {
        self.node_with(name, |_| ()).await
    }

    /// A node with another configuration.
    pub(crate) async fn node_with(&self, name: &str, change: impl FnOnce(&mut Config)) -> Node {
        let mut config = Config::new(name, self.store.clone());
        config.heartbeat = Heartbeat { interval: Duration::from_millis(100), dead_after: LONG };
        change(&mut config);
        let (backbone, deliveries) =
            timeout(PATIENCE, Backbone::open(config)).await.expect("opened in time").expect("opened");
        Node { backbone, deliveries }
    }
}

impl Node {
    pub(crate) async fn subscribe(&self, channel: &Channel) {
        let subscribed = timeout(PATIENCE, self.backbone.bus().subscribe(channel.clone())).await;
        subscribed.expect("subscribed in time").expect("subscribed");
    }

    /// The next delivery.
    pub(crate) async fn next(&mut self) -> Delivery {
        timeout(PATIENCE, self.deliveries.next()).await.expect("something arrives in time").expect("open")
    }

    /// The next delivery, which must be a message.
    pub(crate) async fn message(&mut self) -> (Channel, Bytes, Option<Position>) {
        match self.next().await {
            Delivery::Message { channel, bytes, position } => (Channel::clone(&channel), bytes, position),
            other => panic!("expected a message, got {other:?}"),
        }
    }

    /// The channels of the next report of missed messages, past any message.
    pub(crate) async fn missed(&mut self) -> Missed {
        loop {
            if let Delivery::Resynced(missed) = self.next().await {
                return missed;
            }
        }
    }
}

/// Waits until something that was begun now, and lasts for [`SHORT`], has ended in the store.
pub(crate) async fn outlast(node: &Node) {
    let leases = node.backbone.leases();
    leases.acquire("watch", SHORT).await.expect("asked").expect("nobody else has it");
    until("a short time is over", async || leases.acquire("watch", LONG).await.expect("asked").is_some())
        .await;
}

/// Waits until the condition holds.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < PATIENCE, "in vain: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}
