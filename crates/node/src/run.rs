//! The life of a node: start the shards, serve until told to stop, drain.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use throng_backbone::{Backbone, Documents, MemoryStore, Store};
use tokio::sync::{mpsc, oneshot, watch};

use crate::app::App;
use crate::cluster::{self, Cluster, FromOthers};
use crate::config::{Config, Drain};
use crate::envelope::Errand;
use crate::fleet::Fleet;
use crate::http::bound_writes;
use crate::ids::NodeTag;
use crate::metrics::Metrics;
use crate::node::{INBOX_MAX, Left, Node, Parts, Port};
use crate::operator;
use crate::publish::repeats::Repeats;
use crate::shard::{self, Start};

/// Most shards of a node: an identifier has one byte for them.
const SHARDS_MAX: usize = 256;

/// How long a shard that does not answer is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// Why a node could not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// More shards than an identifier can name.
    #[error("{0} shards are more than the 256 that a node can have")]
    TooManyShards(usize),
    /// The listener or a thread could not be set up.
    #[error("cannot start")]
    Start(#[from] std::io::Error),
    /// The thread of a shard ended by itself. The server's fault.
    #[error("shard {0} has ended by itself")]
    ShardEnded(usize),
}

/// How a stop went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Sessions still open when the deadline cut them off.
    pub cut: usize,
}

/// A node before it runs: how it behaves and what it does.
#[derive(Debug)]
pub struct Server {
    config: Config,
    app: App,
    routes: Router,
    fleet: Option<Fleet>,
}

impl Server {
    /// A node that has no others.
    pub fn new(config: Config, app: App) -> Self {
        Self { config, app, routes: Router::new(), fleet: None }
    }

    /// Adds routes, served beside the node's own (its Engine.IO path, what an operator reads under `/health`, `/metrics` and
    /// `/api`).
    #[must_use]
    pub fn routes(self, routes: Router) -> Self {
        Self { routes: self.routes.merge(routes), ..self }
    }

    /// Makes it one of several nodes.
    #[must_use]
    pub fn fleet(self, fleet: Fleet) -> Self {
        Self { fleet: Some(fleet), ..self }
    }

    /// Serves on a listener until `shutdown` completes, then drains: stop accepting, close the sessions spread over a time,
    /// cut off what is left at the deadline.
    pub async fn run(
        self,
        listener: std::net::TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> Result<Drained, RunError> {
        run(self, listener, shutdown).await
    }
}

async fn run(
    server: Server,
    listener: std::net::TcpListener,
    shutdown: impl Future<Output = ()>,
) -> Result<Drained, RunError> {
    let Server { mut config, app, routes, fleet } = server;
    let shards = config.shards.get();
    if shards > SHARDS_MAX {
        return Err(RunError::TooManyShards(shards));
    }
    config.bound_connections();
    listener.set_nonblocking(true)?;
    // Accepted connections inherit this: messages are written whole, so waiting for more only delays them.
    rustix::net::sockopt::set_tcp_nodelay(&listener, true).map_err(std::io::Error::from)?;
    // A client that takes no answers may hold its connection no longer than one that sends no body.
    bound_writes(&listener, config.body_timeout);
    let (mut ports, mut ends) = (Vec::new(), Vec::new());
    for _ in 0..shards {
        let (inbox, errands) = mpsc::channel(INBOX_MAX);
        let (leaving, left) = watch::channel(None);
        let metrics = Arc::new(Metrics::default());
        let (connections, websockets, reexamine) = (0.into(), 0.into(), false.into());
        ports.push(Port { inbox, metrics, connections, websockets, reexamine, left });
        ends.push((errands, leaving));
    }
    let drain = config.drain;
    let tag = fleet.as_ref().map_or_else(NodeTag::draw, |fleet| fleet.tag);
    let (cluster, from_others) = match fleet {
        Some(fleet) => {
            let (cluster, from_others) = Cluster::begin(fleet, config.recovery)?;
            (Some(cluster), Some(from_others))
        }
        None => (None, None),
    };
    let repeats = Repeats::new(match &cluster {
        Some(cluster) => cluster.backbone().documents().clone(),
        None => own_documents(tag).await,
    });
    let App { io, service, operations, beside } = app;
    let node = Arc::new(Node::new(config, Parts { service, operations, ports, tag, cluster, repeats }));
    io.attach(&node);
    let mut threads = Vec::new();
    for (index, (inbox, left)) in (0..=u8::MAX).zip(ends) {
        let (listener, routes) = (listener.try_clone()?, routes.clone());
        let (started, ready) = oneshot::channel();
        threads.push(shard::start(Start {
            node: node.clone(),
            index,
            inbox,
            listener,
            left,
            routes,
            started,
        })?);
        ready.await.unwrap_or_else(|_| Err(std::io::Error::other("a shard ended before it had begun")))?;
    }
    drop(listener);
    let mut beside = beside.start(&io);
    let lived = async {
        tokio::select! {
            () = shutdown => {}
            () = node.operations.drain.asked() => {}
        }
        node.draining.store(true, Ordering::Relaxed);
        operator::fleet::tell_draining(&node);
        beside.leave().await;
        let cut = leave(&node, drain).await;
        if let Some(cluster) = &node.cluster {
            // What was said last waits for what was said before it.
            let _ = tokio::time::timeout(PATIENCE, cluster.settle()).await;
        }
        cut
    };
    let cut = tokio::select! {
        cut = lived => Ok(cut),
        shard = shard_ended(&node) => Err(RunError::ShardEnded(shard)),
        never = operator::watch(&node) => match never {},
        never = operator::fleet::watch(&node) => match never {},
        never = watch_licences(&node) => match never {},
        never = attend(&node, from_others) => match never {},
    };
    if cut.is_err() {
        tell(&node, || Errand::Stop).await;
    }
    if let Some(cluster) = &node.cluster {
        cluster.leave().await;
    }
    join(threads).await;
    Ok(Drained { cut: cut? })
}

/// What a node without others keeps to itself.
async fn own_documents(tag: NodeTag) -> Documents {
    let store = Store::Memory(MemoryStore::new());
    let opened = Backbone::open(throng_backbone::Config::new(tag.to_string(), store)).await;
    opened.expect("memory is always there").0.documents().clone()
}

/// Drains; gives how many sessions the deadline cut off.
async fn leave(node: &Node, drain: Drain) -> usize {
    tell(node, || Errand::Drain(drain.spread)).await;
    let cut = match tokio::time::timeout(drain.deadline, emptied(node)).await {
        Ok(()) => 0,
        Err(_) => node.ports.iter().filter_map(|port| *port.left.borrow()).map(|left| left.sessions).sum(),
    };
    tell(node, || Errand::Stop).await;
    cut
}

/// Waits for a shard that ends although nobody has told it to; gives its number.
async fn shard_ended(node: &Node) -> usize {
    let ends = node.ports.iter().enumerate().map(|(shard, port)| {
        let mut left = port.left.clone();
        Box::pin(async move {
            while left.changed().await.is_ok() {}
            shard
        })
    });
    let (shard, ..) = futures_util::future::select_all(ends).await;
    if node.is_draining() { std::future::pending().await } else { shard }
}

/// Licences run out while nothing else happens.
async fn watch_licences(node: &Node) -> Infallible {
    const EVERY: Duration = Duration::from_secs(30);
    loop {
        tokio::time::sleep(EVERY).await;
        if node.tenants.any_ends() {
            node.reexamine();
        }
    }
}

/// Attends to the other nodes.
async fn attend(node: &Arc<Node>, from_others: Option<FromOthers>) -> Infallible {
    match from_others {
        Some(from_others) => cluster::attend(node, from_others).await,
        None => std::future::pending().await,
    }
}

/// Tells every shard something that it must hear, however full its inbox is.
async fn tell(node: &Node, errand: impl Fn() -> Errand) {
    for port in &node.ports {
        // One that is gone, or hangs in a handler, hears nothing any more.
        let _ = tokio::time::timeout(PATIENCE, port.inbox.send(errand())).await;
    }
}

/// Waits until no shard has a session left, and all clients know.
async fn emptied(node: &Node) {
    for port in &node.ports {
        let mut left = port.left.clone();
        // A shard that is gone has none left.
        let _ = left.wait_for(|left| *left == Some(Left { sessions: 0, lingering: 0 })).await;
    }
}

/// A shard stops between two turns; one that hangs in a handler is left behind.
async fn join(threads: Vec<JoinHandle<()>>) {
    let (all, ended) = oneshot::channel();
    // No thread of the runtime, which would wait for it when it ends.
    std::thread::spawn(move || {
        threads.into_iter().for_each(|thread| drop(thread.join()));
        // Nobody may be waiting any more.
        let _ = all.send(());
    });
    if tokio::time::timeout(PATIENCE, ended).await.is_err() {
        tracing::warn!("a shard hangs in a handler, and is left behind");
    }
}
