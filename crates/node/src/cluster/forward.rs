//! What a client asks of a session that lives on another node: asked of that node, so that it does not matter which one a
//! balancer picks. Requests share one HTTP/2 connection to each node; a session that moves to a WebSocket gets a connection of
//! its own, and its bytes are carried.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use throng_protocol::engine::handshake::RequestError;
use tokio::net::TcpStream;
use tracing::Instrument as _;

use super::Cluster;
use super::peer_api::{self, SECRET, TENANT, WINDOW};
use crate::envelope::{PollAnswer, SessionErrand, SessionName, Upgraded};
use crate::http::carry;
use crate::ids::Place;
use crate::node::{ConnectionPermit, Node};
use crate::shard::Shard;

/// How long another node may take to accept a connection.
const CONNECT_PATIENCE: Duration = Duration::from_secs(2);

/// How long another node may take to answer what does not wait for something to happen.
pub(crate) const ANSWER_PATIENCE: Duration = Duration::from_secs(10);

/// How long a connection between nodes may be silent before it is asked whether it is alive.
const ALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// The way of requests to other nodes.
pub(super) type Requests = Client<HttpConnector, Full<Bytes>>;

pub(super) fn requests() -> Requests {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(CONNECT_PATIENCE));
    Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .http2_only(true)
        .http2_keep_alive_interval(ALIVE_INTERVAL)
        .build(connector)
}

/// Hands an errand to the node that owns the session. Who asked learns that there is no such session when there is no such
/// node, or the connection to it breaks; how long an answer may take is up to who asked.
pub(crate) fn forward(node: &Arc<Node>, session: SessionName, errand: SessionErrand) {
    let node = node.clone();
    let forwarding = async move {
        if let Some(cluster) = &node.cluster {
            cluster.forward(&node, &session, errand).await;
        }
    };
    tokio::task::spawn_local(forwarding.in_current_span());
}

impl Cluster {
    async fn forward(&self, node: &Arc<Node>, session: &SessionName, errand: SessionErrand) {
        let Some(address) = self.address(Place::of(session.id).node).await else {
            return unknown(errand);
        };
        let there = There { cluster: self, address: &address, session };
        match errand {
            SessionErrand::Poll(mut waiting) => {
                let answer = tokio::select! {
                    answer = there.ask(Method::GET, "poll", Bytes::new()) => answer,
                    // The client gave the poll up. Dropping the request tells the owner.
                    () = waiting.closed() => return,
                };
                let answer = match answer {
                    Some((StatusCode::OK, body)) => PollAnswer::Payload(body.into()),
                    Some((status, _)) => match peer_api::error_of(status) {
                        Some(RequestError::SessionUnknown) | None => PollAnswer::Unknown,
                        Some(_) => PollAnswer::WrongTransport,
                    },
                    None => PollAnswer::Unknown,
                };
                let _ = waiting.send(answer);
            }
            SessionErrand::Post(body, mut done) => {
                let answer = tokio::select! {
                    answer = there.ask(Method::POST, "packets", body) => answer,
                    () = done.closed() => return,
                };
                let taken = match answer {
                    Some((StatusCode::OK, _)) => Ok(true),
                    Some((StatusCode::UNPROCESSABLE_ENTITY, _)) => Ok(false),
                    Some((status, _)) => {
                        Err(peer_api::error_of(status).unwrap_or(RequestError::SessionUnknown))
                    }
                    None => Err(RequestError::SessionUnknown),
                };
                let _ = done.send(taken);
            }
            SessionErrand::MayUpgrade(mut done) => {
                let answer = tokio::select! {
                    answer = there.ask(Method::GET, "upgrade", Bytes::new()) => answer,
                    () = done.closed() => return,
                };
                let may = match answer {
                    Some((StatusCode::OK, _)) => Ok(()),
                    _ => Err(RequestError::SessionUnknown),
                };
                let _ = done.send(may);
            }
            SessionErrand::TooLarge => {
                let told = there.ask(Method::POST, "too-large", Bytes::new());
                // Nobody waits for it.
                let _ = tokio::time::timeout(ANSWER_PATIENCE, told).await;
            }
            SessionErrand::Upgrade(upgraded) => {
                if let Err(error) = there.tunnel(upgraded, node).await {
                    tracing::debug!(%error, "no tunnel to the node of a session");
                }
            }
            SessionErrand::PollGone => {}
        }
    }
}

/// A session on another node.
struct There<'a> {
    cluster: &'a Cluster,
    address: &'a str,
    session: &'a SessionName,
}

impl There<'_> {
    /// `None` when there is no answer.
    async fn ask(&self, method: Method, what: &str, body: Bytes) -> Option<(StatusCode, Bytes)> {
        let request = self.request(method, what, Full::new(body))?;
        let answered = async {
            let answer = self.cluster.requests.request(request).await.ok()?;
            let status = answer.status();
            Some((status, answer.into_body().collect().await.ok()?.to_bytes()))
        };
        let answer = answered.await;
        if answer.is_none() {
            tracing::debug!(address = self.address, "the node of a session does not answer");
        }
        answer
    }

    fn request<B>(&self, method: Method, what: &str, body: B) -> Option<Request<B>> {
        let uri = format!("http://{}{}", self.address, peer_api::path(self.session.id, what));
        let mut request = Request::builder()
            .method(method)
            .uri(uri.parse::<Uri>().ok()?)
            .header(SECRET, self.cluster.secret.clone());
        if let Some(tenant) = &self.session.tenant {
            request = request.header(TENANT, &*tenant.name);
        }
        self.session.trail.hand_on(request.headers_mut()?);
        request.body(body).ok()
    }

    /// Carries a client's WebSocket to the session.
    async fn tunnel(&self, upgraded: Upgraded, node: &Arc<Node>) -> Result<(), TunnelError> {
        let Upgraded { stream, early, window } = upgraded;
        let connecting = TcpStream::connect(self.address);
        let peer =
            tokio::time::timeout(CONNECT_PATIENCE, connecting).await.map_err(|_| TunnelError::Late)??;
        peer.set_nodelay(true)?;
        let mut request =
            self.request(Method::POST, "tunnel", Full::new(Bytes::new())).ok_or(TunnelError::Refused)?;
        let headers = request.headers_mut();
        headers.insert(header::HOST, self.address.parse().map_err(|_| TunnelError::Refused)?);
        headers.insert(header::CONNECTION, http::HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, http::HeaderValue::from_static("throng"));
        if let Some(window) = window {
            headers.insert(WINDOW, u16::from(window.bits()).into());
        }
        let (mut sender, connection) = http1::handshake(TokioIo::new(peer)).await?;
        let connection = tokio::spawn(connection.with_upgrades());
        let asked = sender.send_request(request);
        let answer = tokio::time::timeout(CONNECT_PATIENCE, asked).await.map_err(|_| TunnelError::Late)??;
        if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(TunnelError::Refused);
        }
        let through = hyper::upgrade::on(answer).await?;
        drop(connection);
        let parts = through.downcast::<TokioIo<TcpStream>>().map_err(|_| TunnelError::Refused)?;
        let mut peer = parts.io.into_inner();
        let mut client = TcpStream::from_std(stream)?;
        tokio::io::AsyncWriteExt::write_all(&mut peer, &early).await?;
        tokio::io::AsyncWriteExt::write_all(&mut client, &parts.read_buf).await?;
        let _permit = Shard::here().map(|shard| ConnectionPermit::renew(node, shard.index));
        carry(client, peer).await;
        Ok(())
    }
}

/// Why a WebSocket could not be carried to its session.
#[derive(Debug, thiserror::Error)]
enum TunnelError {
    #[error("no answer in time")]
    Late,
    #[error("refused")]
    Refused,
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Http(#[from] hyper::Error),
}

fn unknown(errand: SessionErrand) {
    // Whoever has given up asking needs no answer.
    match errand {
        SessionErrand::Poll(waiting) => drop(waiting.send(PollAnswer::Unknown)),
        SessionErrand::Post(_, done) => drop(done.send(Err(RequestError::SessionUnknown))),
        SessionErrand::MayUpgrade(done) => drop(done.send(Err(RequestError::SessionUnknown))),
        SessionErrand::PollGone | SessionErrand::TooLarge | SessionErrand::Upgrade(_) => {}
    }
}
