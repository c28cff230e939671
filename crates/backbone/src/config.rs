//! What a backbone is opened with.

use std::sync::Arc;
use std::time::Duration;

use crate::memory::MemoryStore;
use crate::redis::RedisConfig;

/// Everything that [`Backbone::open`](crate::Backbone::open) needs.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it is all kept.
    pub store: Store,
    /// The name of this node, unlike that of any other: members are listed under it.
    pub node: Arc<str>,
    /// Where the other nodes reach this one, such as `host:port`. For them to read: see [`Member`](crate::Member).
    pub address: Arc<str>,
    /// How members notice each other.
    pub heartbeat: Heartbeat,
    /// Bytes of deliveries that may wait for their owner, besides as many that it is taking; each message counts for 128 more
    /// than it has. Beyond, they are dropped, counted, and the channels reported as missed.
    pub deliveries_bytes_max: usize,
}

impl Config {
    /// A configuration with the defaults: no address, heartbeats of 3 s, 64 MiB of deliveries that may wait.
    pub fn new(node: impl Into<Arc<str>>, store: Store) -> Self {
        Self {
            store,
            node: node.into(),
            address: "".into(),
            heartbeat: Heartbeat::default(),
            deliveries_bytes_max: 64 * 1024 * 1024,
        }
    }
}

/// Where a backbone keeps what nodes share.
#[derive(Debug, Clone)]
pub enum Store {
    /// In this process. Backbones opened on the same store see each other.
    Memory(MemoryStore),
    /// In Redis. Backbones with the same servers and prefix see each other.
    Redis(Box<RedisConfig>),
}

/// How members notice each other.
#[derive(Debug, Clone, Copy)]
pub struct Heartbeat {
    /// How often a member says that it is there.
    pub interval: Duration,
    /// How long it may be silent before the others take it for dead. At least twice the interval.
    pub dead_after: Duration,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self { interval: Duration::from_secs(3), dead_after: Duration::from_secs(10) }
    }
}
