//! What other nodes may ask of the sessions of this one: an HTTP listener of its own, which only they can use. They know the
//! fleet's secret because they can read the backbone.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use http::request::Parts;
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
use tracing::Instrument as _;

use crate::envelope::{PollAnswer, SessionErrand, SessionName, Upgraded};
use crate::http::{Endpoint, Trail};
use crate::ids::Place;
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
    let endpoint = Endpoint { node: node.clone() };
    let sessions = Router::new()
        .route("/sessions/{session}/poll", get(poll))
        .route("/sessions/{session}/packets", post(packets))
        .route("/sessions/{session}/too-large", post(too_large))
        .route("/sessions/{session}/upgrade", get(may_upgrade))
        .route("/sessions/{session}/tunnel", post(tunnel))
        .layer(middleware::from_fn_with_state(endpoint.clone(), known))
        .with_state(endpoint);
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

/// Lets only those pass who know the fleet's secret, and names what is logged of them as the other node does.
async fn known(State(endpoint): State<Endpoint>, mut request: Request, next: Next) -> Response {
    let given = request.headers().get(SECRET).map(http::HeaderValue::as_bytes).unwrap_or_default();
    let secret = endpoint.node.cluster.as_ref().map(|cluster| cluster.secret.as_bytes());
    let same =
        secret.is_some_and(|secret| aws_lc_rs::constant_time::verify_slices_are_equal(secret, given).is_ok());
    if !same {
        return StatusCode::FORBIDDEN.into_response();
    }
    let trail = Trail::of(request.headers());
    let span = trail.span();
    request.extensions_mut().insert(Arc::new(trail));
    next.run(request).instrument(span).await
}

/// The session of this node that a request is about.
struct Session(SessionName);

impl FromRequestParts<Endpoint> for Session {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, endpoint: &Endpoint) -> Result<Self, StatusCode> {
        let named = Path::<String>::from_request_parts(parts, endpoint).await;
        let id = named.ok().and_then(|Path(session)| Id::parse(&session));
        let node = &endpoint.node;
        let id = id.filter(|id| Place::of(*id).node == node.tag).ok_or(StatusCode::NOT_FOUND)?;
        let tenant = match parts.headers.get(TENANT) {
            Some(name) => {
                let tenant = name.to_str().ok().and_then(|name| node.tenants.find(name));
                Some(tenant.ok_or(StatusCode::NOT_FOUND)?)
            }
            None => None,
        };
        let trail = parts.extensions.get::<Arc<Trail>>().cloned().ok_or(StatusCode::NOT_FOUND)?;
        Ok(Self(SessionName { id, tenant, trail }))
    }
}

async fn poll(State(endpoint): State<Endpoint>, Session(session): Session) -> Response {
    match endpoint.waiting_poll(&session).await {
        Some(PollAnswer::Payload(body)) => body.into_response(),
        Some(PollAnswer::Overlap | PollAnswer::WrongTransport) => StatusCode::CONFLICT.into_response(),
        Some(PollAnswer::Unknown) | None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn packets(State(endpoint): State<Endpoint>, Session(session): Session, request: Request) -> Response {
    let bytes_max = endpoint.node.config.payload_bytes_max;
    let Ok(body) = Limited::new(request.into_body(), bytes_max).collect().await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let taken = endpoint.ask(&session, |done| SessionErrand::Post(body.to_bytes(), done)).await;
    match taken.unwrap_or(Err(RequestError::SessionUnknown)) {
        Ok(true) => StatusCode::OK.into_response(),
        Ok(false) => StatusCode::UNPROCESSABLE_ENTITY.into_response(),
        Err(error) => status_of(error).into_response(),
    }
}

async fn too_large(State(endpoint): State<Endpoint>, Session(session): Session) {
    endpoint.send(&session, SessionErrand::TooLarge);
}

async fn may_upgrade(State(endpoint): State<Endpoint>, Session(session): Session) -> StatusCode {
    match endpoint.ask(&session, SessionErrand::MayUpgrade).await {
        Some(Ok(())) => StatusCode::OK,
        Some(Err(error)) => status_of(error),
        None => StatusCode::NOT_FOUND,
    }
}

async fn tunnel(
    State(endpoint): State<Endpoint>,
    Session(session): Session,
    mut request: Request,
) -> Response {
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
            endpoint.send(&session, SessionErrand::Upgrade(Upgraded { stream, early, window }));
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
