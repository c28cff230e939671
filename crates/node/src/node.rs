//! What the shards of a node share: configuration, behaviour, the ways to each other, and a few counters.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use throng_protocol::socket::codec::Codec;
use tokio::sync::{Semaphore, mpsc, watch};

use crate::app::Service;
use crate::cluster::Cluster;
use crate::config::{Config, Origins};
use crate::envelope::{Envelope, Errand, Operation, Reach, Urgency};
use crate::ids::NodeTag;
use crate::limits::Limiter;
use crate::metrics::Metrics;
use crate::operator::Operations;
use crate::publish::repeats::Repeats;
use crate::shard::Shard;
use crate::tenants::{Tenancy, Tenant, Tenants};

/// Errands that may wait for a shard; more are dropped and counted, because a shard that far behind is lost anyway.
pub(crate) const INBOX_MAX: usize = 1 << 16;

/// Connections beyond the limit that are waited for: they take descriptors of those that stay back.
const FAREWELLS_MAX: usize = 64;

/// A running node.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) config: Config,
    pub(crate) codec: Codec,
    pub(crate) tag: NodeTag,
    pub(crate) service: Service,
    pub(crate) operations: Operations,
    /// The other nodes, when there may be any.
    pub(crate) cluster: Option<Cluster>,
    /// What was published with keys.
    pub(crate) repeats: Repeats,
    pub(crate) tenants: Tenants,
    pub(crate) ports: Vec<Port>,
    pub(crate) limiter: Limiter,
    /// Which web origins may talk to the node now.
    pub(crate) origins: ArcSwap<Origins>,
    /// Connections of all shards.
    pub(crate) connections: AtomicUsize,
    /// How many connections beyond the limit may still be waited for, until their clients have read why.
    pub(crate) farewells: Semaphore,
    /// Set when the node stops taking sessions.
    pub(crate) draining: AtomicBool,
    /// Some namespace listens to outgoing events.
    pub(crate) overheard: bool,
    next_ack: AtomicU64,
    started: Instant,
}

/// What a node is made of beside its configuration.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) service: Service,
    pub(crate) operations: Operations,
    pub(crate) ports: Vec<Port>,
    pub(crate) tag: NodeTag,
    pub(crate) cluster: Option<Cluster>,
    pub(crate) repeats: Repeats,
}

/// The way to a shard.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) inbox: mpsc::Sender<Errand>,
    pub(crate) metrics: Arc<Metrics>,
    /// Connections of this shard.
    pub(crate) connections: AtomicUsize,
    /// Those of them that are WebSockets.
    pub(crate) websockets: AtomicUsize,
    /// It is to look at every socket again: tenants or tokens have changed.
    pub(crate) reexamine: AtomicBool,
    /// What it still has, told while it drains.
    pub(crate) left: watch::Receiver<Option<Left>>,
}

/// What a draining shard still has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left {
    /// Sessions whose turn has not come.
    pub(crate) sessions: usize,
    /// Connections that were told to go and have not gone yet.
    pub(crate) lingering: usize,
}

impl Node {
    pub(crate) fn new(config: Config, parts: Parts) -> Self {
        let Parts { service, operations, ports, tag, cluster, repeats } = parts;
        Self {
            codec: Codec { parser: config.parser, limits: config.packets },
            tag,
            cluster,
            repeats,
            overheard: matches!(&service, Service::Sockets(namespaces) if namespaces.overheard()),
            tenants: Tenants::new(config.tenancy.clone(), ports.len()),
            limiter: Limiter::new(config.limits.clone()),
            origins: ArcSwap::from_pointee(config.origins.clone()),
            config,
            service,
            operations,
            ports,
            connections: AtomicUsize::new(0),
            farewells: Semaphore::new(FAREWELLS_MAX),
            draining: AtomicBool::new(false),
            next_ack: AtomicU64::new(0),
            started: Instant::now(),
        }
    }

    /// Does something to a selection of sockets.
    pub(crate) fn send(self: &Arc<Self>, envelope: Envelope, reach: Reach) {
        let Some(cluster) = self.cluster(reach) else { return self.send_here(envelope) };
        if let Operation::Emit { urgency: Urgency::Queued, .. } = &envelope.operation
            && let Some(recorder) = &cluster.recorder
        {
            return cluster.record(self, recorder, envelope);
        }
        cluster.spread(&envelope);
        self.send_here(envelope);
    }

    /// Does something to a selection of the sockets of this node, on every shard.
    pub(crate) fn send_here(self: &Arc<Self>, envelope: Envelope) {
        for index in 0..self.ports.len() {
            match Shard::on(self, index) {
                Some(shard) => {
                    shard.hear_out();
                    shard.apply(envelope.clone());
                }
                None => self.errand(index, Errand::Envelope(envelope.clone())),
            }
        }
    }

    /// Takes a new list of tenants, and ends the sockets that it has no place for.
    pub(crate) fn set_tenancy(&self, tenancy: Arc<Tenancy>) {
        self.tenants.replace(tenancy);
        self.reexamine();
    }

    /// Lets every shard look at its sockets again. That is never lost: a shard whose inbox has no room for the errand that
    /// wakes it has a turn to come.
    pub(crate) fn reexamine(&self) {
        for port in &self.ports {
            port.reexamine.store(true, Ordering::Release);
            // It has no room, or the shard is gone with its sockets.
            let _ = port.inbox.try_send(Errand::Wake);
        }
    }

    /// Hands an errand to a shard.
    pub(crate) fn errand(&self, shard: usize, errand: Errand) {
        let Some(port) = self.ports.get(shard) else { return };
        if port.inbox.try_send(errand).is_err() {
            port.metrics.errands_dropped.shared_add(1);
            tracing::debug!(shard, "shard inbox full");
        }
    }

    /// The other nodes, when there may be any and an operation is to reach them.
    pub(crate) fn cluster(&self, reach: Reach) -> Option<&Cluster> {
        self.cluster.as_ref().filter(|_| reach == Reach::Fleet)
    }

    /// A number for an acknowledgement, so that one packet can ask many sockets: unlike any other of this node, or of any
    /// node of a fleet. Clients take what JavaScript holds exactly, 53 bits.
    pub(crate) fn next_ack(&self) -> u64 {
        const COUNT_BITS: u32 = 29;
        let count = self.next_ack.fetch_add(1, Ordering::Relaxed);
        if self.cluster.is_none() {
            return count;
        }
        let [a, b, c] = self.tag.0;
        u64::from(u32::from_be_bytes([0, a, b, c])) << COUNT_BITS | count & ((1 << COUNT_BITS) - 1)
    }

    /// Keeps an address from opening sessions for as long as is configured.
    pub(crate) fn hold_off(&self, address: IpAddr) {
        self.limiter.hold_off(address, self.limiter.limits().hold_off);
    }

    /// Time since the node began.
    pub(crate) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// The web origins that may talk to a tenant: its own list, or else the node's.
    pub(crate) fn origins(&self, tenant: Option<&Tenant>) -> Arc<Origins> {
        let own = tenant.and_then(|tenant| tenant.settings().origins.clone());
        own.unwrap_or_else(|| self.origins.load_full())
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

/// The right to have one TCP connection open; given back when dropped.
#[derive(Debug)]
pub(crate) struct ConnectionPermit {
    node: Arc<Node>,
    shard: u8,
    carries: Carries,
}

/// What a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carries {
    Http,
    WebSocket,
}

impl ConnectionPermit {
    /// Takes a permit, or `None` at the limit.
    pub(crate) fn take(node: &Arc<Node>, shard: u8) -> Option<Self> {
        let before = node.connections.fetch_add(1, Ordering::Relaxed);
        node.ports[usize::from(shard)].connections.fetch_add(1, Ordering::Relaxed);
        let permit = Self { node: node.clone(), shard, carries: Carries::Http };
        (before < node.config.connections_max).then_some(permit)
    }

    /// A permit for a connection that had one already, has become a WebSocket and now changes hands.
    pub(crate) fn renew(node: &Arc<Node>, shard: u8) -> Self {
        node.connections.fetch_add(1, Ordering::Relaxed);
        let port = &node.ports[usize::from(shard)];
        port.connections.fetch_add(1, Ordering::Relaxed);
        port.websockets.fetch_add(1, Ordering::Relaxed);
        Self { node: node.clone(), shard, carries: Carries::WebSocket }
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        self.node.connections.fetch_sub(1, Ordering::Relaxed);
        let port = &self.node.ports[usize::from(self.shard)];
        port.connections.fetch_sub(1, Ordering::Relaxed);
        if self.carries == Carries::WebSocket {
            port.websockets.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
