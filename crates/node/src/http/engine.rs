//! Engine.IO over HTTP: handshakes, polls, posts, and the requests that become WebSockets. A session may be owned by
//! another shard than the one that happened to accept the connection; what is asked of it travels as an errand.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Extension;
use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use throng_protocol::engine::handshake::{Query, RequestError, Transport};
use throng_protocol::websocket::handshake::{self, Accepted, Compression, HandshakeError};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::server::TlsStream;
use tracing::Instrument as _;

use super::pace::Paced;
use super::{Trail, body, bridge, host, limited};
use crate::client::ClientAddress;
use crate::cluster::{self, ANSWER_PATIENCE};
use crate::envelope::{Errand, PollAnswer, SessionErrand, SessionName, Upgraded};
use crate::handshake::Handshake;
use crate::ids::Place;
use crate::node::Node;
use crate::problem::Problem;
use crate::shard::Shard;
use crate::tenants::{Seat, Tenant, TenantError};

/// What new clients read of a node that takes none.
const DRAINING: &str = "The node is draining, or full.\n";

/// What clients read whose session is on a node that hangs.
const SILENT: &str = "The node of this session does not answer.\n";

/// Where a request came in.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) node: Arc<Node>,
}

/// Any request to the Engine.IO path.
pub(crate) async fn request(
    State(endpoint): State<Endpoint>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    Extension(trail): Extension<Arc<Trail>>,
    request: Request,
) -> Response {
    match endpoint.answer(address, trail, request).await {
        Ok(response) => response,
        Err(error) => {
            if let Some(shard) = Shard::here() {
                shard.metrics().requests_refused[usize::from(error.code())].add(1);
            }
            refusal(error)
        }
    }
}

/// Any request of a bare WebSocket server.
pub(crate) async fn websocket(
    State(endpoint): State<Endpoint>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    request: Request,
) -> Response {
    match limited::handshake(&endpoint.node, address, None) {
        Some(refused) => refused,
        None => endpoint.upgrade(From { address, tenant: None }, None, request),
    }
}

fn refusal(error: RequestError) -> Response {
    let status =
        if error == RequestError::Forbidden { StatusCode::FORBIDDEN } else { StatusCode::BAD_REQUEST };
    (status, [(header::CONTENT_TYPE, "application/json")], error.body()).into_response()
}

fn unavailable(why: &'static str) -> Response {
    let retry = [(header::RETRY_AFTER, "5")];
    (StatusCode::SERVICE_UNAVAILABLE, retry, why).into_response()
}

fn text(body: impl Into<Body>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=UTF-8"), (header::CACHE_CONTROL, "no-store")], body.into())
        .into_response()
}

impl Endpoint {
    async fn answer(
        &self,
        address: IpAddr,
        trail: Arc<Trail>,
        request: Request,
    ) -> Result<Response, RequestError> {
        let query = Query::parse(request.method(), request.uri().query().unwrap_or_default())?;
        let tenant = self.node.tenants.of_host(host(request.headers(), request.uri()));
        if query.sid.is_none() {
            let known = tenant.as_ref().ok().and_then(Option::as_deref);
            if let Some(refused) = limited::handshake(&self.node, address, known) {
                return Ok(refused);
            }
        }
        let tenant = match tenant {
            Ok(tenant) => tenant,
            Err(error) => return Ok(Problem::from(error).into_response()),
        };
        if !self.node.origins(tenant.as_deref()).allow_header(request.headers().get(header::ORIGIN)) {
            return Err(RequestError::Forbidden);
        }
        let from = From { address, tenant };
        let upgrades = request.headers().contains_key(header::UPGRADE);
        let session = query.sid.map(|id| SessionName { id, tenant: from.tenant.clone(), trail });
        match (query.transport, session) {
            (Transport::WebSocket, _) if !upgrades => Err(RequestError::BadRequest),
            (Transport::Polling, _) if upgrades => Err(RequestError::BadRequest),
            (Transport::WebSocket, session) => {
                if let Some(session) = &session {
                    let asked = self.ask(session, SessionErrand::MayUpgrade);
                    let Some(may) = self.in_time(session, ANSWER_PATIENCE, asked).await else {
                        return Ok(unavailable(SILENT));
                    };
                    may.unwrap_or(Err(RequestError::SessionUnknown))?;
                }
                Ok(self.upgrade(from, session, request))
            }
            (Transport::Polling, None) => Ok(self.open(&from, &request)),
            (Transport::Polling, Some(session)) => match *request.method() {
                Method::GET => self.poll(&session).await,
                Method::POST => self.post(&session, request).await,
                _ => Err(RequestError::BadRequest),
            },
        }
    }

    /// A new session's seat at the tenant that the host names.
    fn seat(&self, from: &From) -> Result<Option<Seat>, TenantError> {
        let taken = from.tenant.as_ref().map(|tenant| {
            tenant.open(SystemTime::now())?;
            Seat::take(tenant, self.node.uptime())
        });
        taken.transpose()
    }

    fn open(&self, from: &From, request: &Request) -> Response {
        let seat = match self.seat(from) {
            Ok(seat) => seat,
            Err(error) => return Problem::from(error).into_response(),
        };
        let handshake = said(from.address, request);
        let opened =
            (!self.node.is_draining()).then(|| Shard::here()?.open_polling(handshake, seat)).flatten();
        opened.map_or_else(|| unavailable(DRAINING), text)
    }

    async fn poll(&self, session: &SessionName) -> Result<Response, RequestError> {
        let patience = self.node.config.ping_interval + self.node.config.ping_timeout;
        let Some(answer) = self.in_time(session, patience, self.waiting_poll(session)).await else {
            return Ok(unavailable(SILENT));
        };
        match answer {
            Some(PollAnswer::Payload(body)) => Ok(text(body)),
            Some(PollAnswer::Unknown) | None => Err(RequestError::SessionUnknown),
            Some(PollAnswer::Overlap | PollAnswer::WrongTransport) => Err(RequestError::BadRequest),
        }
    }

    /// Waits for what a session has to say to a poll; the session hears of it when the wait is dropped. `None` when there
    /// is no such session.
    pub(crate) async fn waiting_poll(&self, session: &SessionName) -> Option<PollAnswer> {
        /// Tells the session when the client hangs up before the answer.
        struct Gone<'a>(&'a Endpoint, &'a SessionName, bool);
        impl Drop for Gone<'_> {
            fn drop(&mut self) {
                if !self.2 {
                    self.0.send(self.1, SessionErrand::PollGone);
                }
            }
        }
        let mut gone = Gone(self, session, false);
        let answer = self.ask(session, SessionErrand::Poll).await;
        gone.2 = true;
        answer
    }

    async fn post(&self, session: &SessionName, request: Request) -> Result<Response, RequestError> {
        let max = self.node.config.payload_bytes_max;
        let body = request.into_body();
        if body.size_hint().lower() > max as u64 {
            return Ok(self.too_large(session));
        }
        let body = Limited::new(body, max).collect();
        let body = match tokio::time::timeout(self.node.config.body_timeout, body).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
                return Ok(self.too_large(session));
            }
            Ok(Err(_)) => return Err(RequestError::BadRequest),
            Err(_) => {
                body::overdue();
                return Ok((StatusCode::REQUEST_TIMEOUT, "The body took too long.\n").into_response());
            }
        };
        let asked = self.ask(session, |done| SessionErrand::Post(body, done));
        let Some(taken) = self.in_time(session, ANSWER_PATIENCE, asked).await else {
            return Ok(unavailable(SILENT));
        };
        if taken.unwrap_or(Err(RequestError::SessionUnknown))? {
            Ok(text("ok"))
        } else {
            Err(RequestError::BadRequest)
        }
    }

    fn too_large(&self, session: &SessionName) -> Response {
        self.end_after_answer(session.clone());
        StatusCode::PAYLOAD_TOO_LARGE.into_response()
    }

    /// Waits for an answer of a session. `None` when it is on another node, which has not given it in time.
    async fn in_time<T>(
        &self,
        session: &SessionName,
        patience: Duration,
        answer: impl Future<Output = T>,
    ) -> Option<T> {
        if Place::of(session.id).node == self.node.tag {
            return Some(answer.await);
        }
        tokio::time::timeout(patience, answer).await.ok()
    }

    /// Ends a session over a body that is too large once this turn of the connection, which writes the refusal, is over.
    /// The end answers a waiting poll too: a client that reads that first never learns why.
    fn end_after_answer(&self, session: SessionName) {
        let endpoint = self.clone();
        let ending = async move { endpoint.send(&session, SessionErrand::TooLarge) };
        tokio::task::spawn_local(ending.in_current_span());
    }

    /// Asks the shard that a session's identifier names. `None` when there is no such shard or it is gone.
    pub(crate) async fn ask<T>(
        &self,
        session: &SessionName,
        errand: impl FnOnce(oneshot::Sender<T>) -> SessionErrand,
    ) -> Option<T> {
        let (asker, answer) = oneshot::channel();
        self.send(session, errand(asker));
        answer.await.ok()
    }

    pub(crate) fn send(&self, session: &SessionName, errand: SessionErrand) {
        let place = Place::of(session.id);
        if place.node != self.node.tag {
            return cluster::forward(&self.node, session.clone(), errand);
        }
        let shard = usize::from(place.shard);
        match Shard::on(&self.node, shard) {
            Some(shard) => shard.run_session(session, errand),
            None => self.node.errand(shard, Errand::Session(session.clone(), errand)),
        }
    }

    /// Answers 101 and takes the connection out of HTTP's hands.
    fn upgrade(&self, from: From, session: Option<SessionName>, mut request: Request) -> Response {
        let compression =
            if self.node.config.compression_bytes_min.is_some() { Compression::On } else { Compression::Off };
        let accepted = match handshake::accept(request.method(), request.headers(), compression) {
            Ok(accepted) => accepted,
            Err(error) => return not_upgraded(error),
        };
        if session.is_none() && self.node.is_draining() {
            return unavailable(DRAINING);
        }
        let seat = match session.is_none().then(|| self.seat(&from)).transpose() {
            Ok(seat) => seat.flatten(),
            Err(error) => return Problem::from(error).into_response(),
        };
        let Some(on_upgrade) = request.extensions_mut().remove::<OnUpgrade>() else {
            return not_upgraded(HandshakeError::NotAnUpgrade);
        };
        let (endpoint, handshake) = (self.clone(), said(from.address, &request));
        let window = accepted.window;
        let patience = self.node.config.ping_interval + self.node.config.ping_timeout;
        let serving = async move {
            let Some((stream, early)) = taken(on_upgrade, patience).await else { return };
            let upgraded = Upgraded { stream, early, window };
            match session {
                Some(session) => endpoint.send(&session, SessionErrand::Upgrade(upgraded)),
                None => {
                    if let Some(shard) = Shard::here() {
                        shard.open_websocket(handshake, seat, upgraded);
                    }
                }
            }
        };
        tokio::task::spawn_local(serving.in_current_span());
        switching(accepted)
    }
}

/// Where a request comes from.
struct From {
    address: IpAddr,
    /// The tenant that its host names, when hosts do.
    tenant: Option<Arc<Tenant>>,
}

/// The raw connection, or the shard's end of the bridge to an encrypted one, and what the client sent behind its
/// request.
async fn taken(on_upgrade: OnUpgrade, patience: Duration) -> Option<(std::net::TcpStream, Bytes)> {
    match on_upgrade.await.ok()?.downcast::<TokioIo<Paced<TcpStream>>>() {
        Ok(plain) => Some((plain.io.into_inner().into_inner().into_std().ok()?, plain.read_buf)),
        Err(other) => {
            let tls = other.downcast::<TokioIo<Paced<TlsStream<TcpStream>>>>().ok()?;
            Some((bridge::couple(tls.io.into_inner().into_inner(), patience).ok()?, tls.read_buf))
        }
    }
}

fn said(address: IpAddr, request: &Request) -> Handshake {
    Handshake::new(address, request.uri().query().unwrap_or_default(), request.headers())
}

fn not_upgraded(error: HandshakeError) -> Response {
    let message = format!("{error}\n");
    match error {
        HandshakeError::UnsupportedVersion => {
            (StatusCode::UPGRADE_REQUIRED, [(header::SEC_WEBSOCKET_VERSION, "13")], message).into_response()
        }
        HandshakeError::NotAnUpgrade | HandshakeError::InvalidKey => {
            (StatusCode::BAD_REQUEST, message).into_response()
        }
    }
}

fn switching(accepted: Accepted) -> Response {
    let mut headers = HeaderMap::new();
    let mut put = |name, value: String| drop(value.parse().map(|value| headers.insert(name, value)));
    put(header::CONNECTION, "Upgrade".into());
    put(header::UPGRADE, "websocket".into());
    put(header::SEC_WEBSOCKET_ACCEPT, accepted.accept);
    if let Some(extensions) = accepted.extensions {
        put(header::SEC_WEBSOCKET_EXTENSIONS, extensions);
    }
    if let Some(protocol) = accepted.protocol {
        put(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}
