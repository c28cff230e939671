//! What other nodes may ask of the sessions of this one: an HTTP listener of its own, which only they can use. They know the
//! fleet's secret because they can read the backbone.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use http::{HeaderName, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use throng_protocol::engine::handshake::RequestError;
use throng_protocol::id::Id;
use throng_protocol::websocket::deflate::Window;
use tokio::net::{TcpListener, TcpStream};

use crate::envelope::{PollAnswer, SessionErrand, SessionName, Upgraded};
use crate::http::Endpoint;
use crate::node::Node;

pub(super) const SECRET: HeaderName = HeaderName::from_static("throng-fleet-secret");
pub(super) const TENANT: HeaderName = HeaderName::from_static("throng-tenant");
/// The window of permessage-deflate that was negotiated for a tunnel, as its number of bits.
pub(super) const WINDOW: HeaderName = HeaderName::from_static("throng-window");

/// Requests of one other node that may be open at once: polls wait for as long as there is nothing to say.
const STREAMS_MAX: u32 = 100_000;

/// How long a connection may be silent before it is asked whether it is alive.
const ALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// The path of a request about a session.
pub(super) fn path(session: Id, what: &str) -> String {
    format!("/sessions/{session}/{what}")
}

/// What a status of a refusal means.
pub(super) fn error_of(status: StatusCode) -> Option<RequestError> {
    match status {
        StatusCode::NOT_FOUND => Some(RequestError::SessionUnknown),
        StatusCode::CONFLICT => Some(RequestError::BadRequest),
        _ => None,
    }
}

fn status_of(error: RequestError) -> StatusCode {
    if error == RequestError::SessionUnknown { StatusCode::NOT_FOUND } else { StatusCode::CONFLICT }
}

/// Serves the other nodes, for as long as this one runs.
pub(super) async fn serve(node: &Arc<Node>, listener: TcpListener) -> Infallible {
    let peers = Peers { endpoint: Endpoint { node: node.clone() } };
    let sessions = Router::new()
        .route("/sessions/{session}/poll", get(poll))
        .route("/sessions/{session}/packets", post(packets))
        .route("/sessions/{session}/too-large", post(too_large))
        .route("/sessions/{session}/upgrade", get(may_upgrade))
        .route("/sessions/{session}/tunnel", post(tunnel))
        .layer(middleware::from_fn_with_state(peers.clone(), known))
        .with_state(peers);
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(connection(stream, sessions.clone()))),
            Err(error) => {
                tracing::warn!(%error, "connection of another node not accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, sessions: Router) {
    // Answers are whole; waiting for more would only delay them.
    let _ = stream.set_nodelay(true);
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new()).header_read_timeout(ALIVE_INTERVAL);
    server
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(ALIVE_INTERVAL)
        .max_concurrent_streams(STREAMS_MAX);
    let served =
        server.serve_connection_with_upgrades(TokioIo::new(stream), TowerToHyperService::new(sessions)).await;
    if let Err(error) = served {
        tracing::debug!(%error, "connection of another node ended");
    }
}

/// The sessions of this node, for other nodes.
#[derive(Debug, Clone)]
struct Peers {
    endpoint: Endpoint,
}

/// Lets only those pass who know the fleet's secret.
async fn known(State(peers): State<Peers>, request: Request, next: Next) -> Response {
    let given = request.headers().get(SECRET).map(http::HeaderValue::as_bytes).unwrap_or_default();
    let secret = peers.endpoint.node.cluster.as_ref().map(|cluster| cluster.secret.as_bytes());
    let same =
        secret.is_some_and(|secret| aws_lc_rs::constant_time::verify_slices_are_equal(secret, given).is_ok());
    if same { next.run(request).await } else { StatusCode::FORBIDDEN.into_response() }
}

impl Peers {
    /// The session that a request is about; `None` for one that cannot be.
    fn session(&self, session: &str, headers: &http::HeaderMap) -> Option<SessionName> {
        let id = Id::parse(session)?;
        let tenant = match headers.get(TENANT) {
            Some(name) => Some(self.endpoint.node.tenants.find(name.to_str().ok()?)?),
            None => None,
        };
        Some(SessionName { id, tenant })
    }
}

async fn poll(State(peers): State<Peers>, Path(session): Path<String>, request: Request) -> Response {
    let Some(session) = peers.session(&session, request.headers()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match peers.endpoint.waiting_poll(&session).await {
        Some(PollAnswer::Payload(body)) => body.into_response(),
        Some(PollAnswer::Overlap | PollAnswer::WrongTransport) => StatusCode::CONFLICT.into_response(),
        Some(PollAnswer::Unknown) | None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn packets(State(peers): State<Peers>, Path(session): Path<String>, request: Request) -> Response {
    let Some(session) = peers.session(&session, request.headers()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let bytes_max = peers.endpoint.node.config.payload_bytes_max;
    let Ok(body) = Limited::new(request.into_body(), bytes_max).collect().await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let taken = peers.endpoint.ask(&session, |done| SessionErrand::Post(body.to_bytes(), done)).await;
    match taken.unwrap_or(Err(RequestError::SessionUnknown)) {
        Ok(true) => StatusCode::OK.into_response(),
        Ok(false) => StatusCode::UNPROCESSABLE_ENTITY.into_response(),
        Err(error) => status_of(error).into_response(),
    }
}

async fn too_large(State(peers): State<Peers>, Path(session): Path<String>, request: Request) -> StatusCode {
    match peers.session(&session, request.headers()) {
        Some(session) => {
            peers.endpoint.send(&session, SessionErrand::TooLarge);
            StatusCode::OK
        }
        None => StatusCode::NOT_FOUND,
    }
}

async fn may_upgrade(
    State(peers): State<Peers>,
    Path(session): Path<String>,
    request: Request,
) -> StatusCode {
    let Some(session) = peers.session(&session, request.headers()) else { return StatusCode::NOT_FOUND };
    match peers.endpoint.ask(&session, SessionErrand::MayUpgrade).await {
        Some(Ok(())) => StatusCode::OK,
        Some(Err(error)) => status_of(error),
        None => StatusCode::NOT_FOUND,
    }
}

async fn tunnel(State(peers): State<Peers>, Path(session): Path<String>, mut request: Request) -> Response {
    let Some(session) = peers.session(&session, request.headers()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let window = match request.headers().get(WINDOW) {
        None => None,
        Some(bits) => {
            let window = bits.to_str().ok().and_then(|bits| bits.parse().ok()).and_then(Window::from_bits);
            if window.is_none() {
                return StatusCode::BAD_REQUEST.into_response();
            }
            window
        }
    };
    let Some(upgrade) = request.extensions_mut().remove::<OnUpgrade>() else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    tokio::spawn(async move {
        if let Some((stream, early)) = taken(upgrade).await {
            peers.endpoint.send(&session, SessionErrand::Upgrade(Upgraded { stream, early, window }));
        }
    });
    let headers = [(header::CONNECTION, "upgrade"), (header::UPGRADE, "throng")];
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}

/// The raw connection.
async fn taken(upgrade: OnUpgrade) -> Option<(std::net::TcpStream, Bytes)> {
    let parts = upgrade.await.ok()?;
    let parts = auto::upgrade::downcast::<TokioIo<TcpStream>>(parts).ok()?;
    Some((parts.io.into_inner().into_std().ok()?, parts.read_buf))
}
