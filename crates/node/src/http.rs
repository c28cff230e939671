//! The guarded HTTP edge of a shard: it accepts connections, answers what is HTTP, and hands what becomes a WebSocket to
//! the shard that owns the session. What every request passes on its way is in the modules below.

mod access;
mod body;
mod bridge;
mod connection;
mod engine;
mod guard;
pub(crate) mod limited;
mod pace;
mod proxy_protocol;
mod request_id;
mod routes;
mod security;
mod tls;
mod trace_context;
mod trail;

use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use ipnet::IpNet;
use tokio::net::{TcpListener, TcpStream};

use crate::envelope::Errand;
use crate::metrics::Metrics;
use crate::node::{ConnectionPermit, Node};

pub(crate) use bridge::carry;
pub(crate) use engine::Endpoint;
pub use request_id::RequestId;
pub use tls::{TlsError, TlsHandle};
pub use trace_context::TraceContext;
pub(crate) use trail::Trail;

/// Connections by which one shard may be ahead of another before it passes new ones on.
const IMBALANCE_MAX: usize = 8;

/// How the edge meets the world.
#[derive(Debug, Clone)]
pub struct EdgeConfig {
    /// Time a connection may idle between two requests. Default 65 s, more than balancers keep theirs.
    pub keep_alive: Duration,
    /// The largest head of a request, in bytes; less than 8 KiB counts as 8 KiB. Default 64 KiB. Beyond it: 431.
    pub head_bytes_max: usize,
    /// The largest body of a request, in bytes, outside of the Engine.IO path. Default 1 MB. Beyond it: 413.
    pub body_bytes_max: usize,
    /// Whose `Forwarded` and `X-Forwarded-For` are believed. Default: nobody's.
    pub trusted_proxies: Vec<IpNet>,
    /// Every connection begins with a PROXY protocol header, version 1 or 2; those without one are closed. Only for a
    /// port that nobody but the balancer can reach. Default off.
    pub proxy_protocol: bool,
    /// The certificate; with one the listener speaks nothing but TLS. Default: none.
    pub tls: Option<TlsHandle>,
}

impl Default for EdgeConfig {
    fn default() -> Self {
        Self {
            keep_alive: Duration::from_secs(65),
            head_bytes_max: 64 << 10,
            body_bytes_max: 1_000_000,
            trusted_proxies: Vec::new(),
            proxy_protocol: false,
            tls: None,
        }
    }
}

/// The host that a request is for, as its header or, over HTTP/2, its target says.
pub(crate) fn host<'a>(headers: &'a http::HeaderMap, uri: &'a http::Uri) -> Option<&'a str> {
    let header = || headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
    uri.authority().map(|authority| authority.as_str()).or_else(header)
}

/// What a shard serves over HTTP.
#[derive(Debug, Clone)]
pub(crate) struct Edge {
    node: Arc<Node>,
    shard: u8,
    routes: Router,
}

impl Edge {
    /// `routes` are the embedder's own, beside those of the node.
    pub(crate) fn new(node: Arc<Node>, shard: u8, routes: Router) -> Self {
        let routes = routes::router(&node, routes);
        Self { node, shard, routes }
    }

    /// Accepts connections until the task is aborted.
    pub(crate) async fn accept(self, listener: std::net::TcpListener) {
        let listener = match TcpListener::from_std(listener) {
            Ok(listener) => listener,
            Err(error) => return tracing::error!(%error, "cannot listen"),
        };
        let edge = Rc::new(self);
        loop {
            match listener.accept().await {
                Ok((stream, address)) => edge.place(stream, address),
                Err(error) => {
                    // Out of descriptors, most likely: give connections the time to end.
                    tracing::warn!(%error, "accept failed");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    /// Serves a connection here, or on a shard that has noticeably fewer.
    fn place(&self, stream: TcpStream, address: SocketAddr) {
        let load = |index: usize| self.node.ports[index].connections.load(Ordering::Relaxed);
        let least = (0..self.node.ports.len()).min_by_key(|index| load(*index)).unwrap_or_default();
        if load(usize::from(self.shard)) <= load(least) + IMBALANCE_MAX {
            return self.serve(stream, address);
        }
        match stream.into_std() {
            Ok(stream) => self.node.errand(least, Errand::Connection(stream, address)),
            Err(error) => tracing::debug!(%error, "connection lost on its way to another shard"),
        }
    }

    /// Serves a connection that another shard accepted.
    pub(crate) fn adopt(&self, stream: std::net::TcpStream, address: SocketAddr) {
        match TcpStream::from_std(stream) {
            Ok(stream) => self.serve(stream, address),
            Err(error) => tracing::debug!(%error, "connection lost on its way from another shard"),
        }
    }

    fn serve(&self, stream: TcpStream, address: SocketAddr) {
        let metrics = self.metrics();
        let Some(permit) = ConnectionPermit::take(&self.node, self.shard) else {
            metrics.connections_refused.add(1);
            let node = self.node.clone();
            tokio::task::spawn_local(async move { connection::refuse(stream, &node.farewells).await });
            return;
        };
        metrics.connections_accepted.add(1);
        tokio::task::spawn_local(connection::serve(self.clone(), stream, address, permit));
    }

    fn metrics(&self) -> &Metrics {
        &self.node.ports[usize::from(self.shard)].metrics
    }
}

/// Lets the kernel drop a connection whose peer takes nothing for this long; zero for no bound.
pub(crate) fn bound_writes(stream: impl AsFd, timeout: Duration) {
    let millis = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
    // Without the bound the connection works as well, only a stalled one stays longer.
    let _ = rustix::net::sockopt::set_tcp_user_timeout(stream, millis);
}
