//! The HTTP edge of a shard: it accepts connections, answers what is HTTP, and hands what becomes a WebSocket to the
//! shard that owns the session.

mod engine;
mod routes;

use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};

use tower_service::Service as _;

use crate::envelope::Errand;
use crate::node::{ConnectionPermit, Node};

/// Connections by which one shard may be ahead of another before it passes new ones on.
const IMBALANCE_MAX: usize = 8;

/// What a shard serves over HTTP.
#[derive(Clone)]
pub(crate) struct Edge {
    node: Arc<Node>,
    shard: u8,
    routes: Router,
}

impl Edge {
    /// `routes` are the embedder's own, beside those of the node.
    pub(crate) fn new(node: Arc<Node>, shard: u8, routes: Router) -> Self {
        let routes = routes::router(&node).merge(routes);
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
        let metrics = &self.node.ports[usize::from(self.shard)].metrics;
        let Some(permit) = ConnectionPermit::take(&self.node, self.shard) else {
            metrics.connections_refused.add(1);
            tokio::task::spawn_local(refuse(stream));
            return;
        };
        metrics.connections_accepted.add(1);
        let header_timeout = self.node.config.header_timeout;
        let routes = self.routes.clone();
        let service = service_fn(move |mut request: http::Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(ConnectInfo(address));
            // A router is a reference to its routes; a call needs one of its own.
            routes.clone().call(request)
        });
        tokio::task::spawn_local(async move {
            let served = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(header_timeout)
                .max_buf_size(64 << 10)
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades()
                .await;
            if let Err(error) = served {
                tracing::debug!(%error, "connection failed");
            }
            drop(permit);
        });
    }
}

/// Lets the kernel drop a connection whose peer takes nothing for this long; zero for no bound.
pub(crate) fn bound_writes(stream: impl AsFd, timeout: Duration) {
    let millis = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
    // Without the bound the connection works as well, only a stalled one stays longer.
    let _ = rustix::net::sockopt::set_tcp_user_timeout(stream, millis);
}

/// Tells a client beyond the connection limit when to come back.
async fn refuse(mut stream: TcpStream) {
    const ANSWER: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\n\
        content-type: text/plain\r\ncontent-length: 33\r\n\r\nThe connection limit is reached.\r\n";
    let answered = async {
        stream.write_all(ANSWER).await?;
        stream.shutdown().await?;
        // Closing before the request was read would make the kernel take the answer back.
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), answered).await;
}
