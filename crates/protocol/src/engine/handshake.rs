//! The query of an Engine.IO request, the open packet, and the refusals with their standard bodies.

use std::time::Duration;

use crate::id::Id;

/// How packets travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// HTTP long-polling.
    Polling,
    /// WebSocket.
    WebSocket,
}

impl Transport {
    /// `polling` or `websocket`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Polling => "polling",
            Self::WebSocket => "websocket",
        }
    }
}

/// A refused request: HTTP 400 (403 for `Forbidden`) with a JSON body that the clients know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum RequestError {
    /// Code 0.
    #[error("Transport unknown")]
    TransportUnknown,
    /// Code 1.
    #[error("Session ID unknown")]
    SessionUnknown,
    /// Code 2.
    #[error("Bad handshake method")]
    BadHandshakeMethod,
    /// Code 3.
    #[error("Bad request")]
    BadRequest,
    /// Code 4.
    #[error("Forbidden")]
    Forbidden,
    /// Code 5.
    #[error("Unsupported protocol version")]
    UnsupportedProtocolVersion,
}

impl RequestError {
    /// The number in the body.
    pub const fn code(self) -> u8 {
        todo!()
    }

    /// `{"code":0,"message":"Transport unknown"}`.
    pub fn body(self) -> String {
        todo!()
    }
}

/// What the query string of a request says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// `transport`.
    pub transport: Transport,
    /// `sid`, when the request belongs to a session. A `sid` that is no identifier is `SessionUnknown`.
    pub sid: Option<Id>,
}

impl Query {
    /// Reads the query string of a request. `EIO` must be 4. Order of the checks as in Node: transport, then session
    /// or (for a handshake) method, then version.
    pub fn parse(method: &http::Method, query: &str) -> Result<Self, RequestError> {
        todo!()
    }
}

/// The first packet of a session.
#[derive(Debug, Clone, Copy)]
pub struct Open<'a> {
    /// The session.
    pub sid: Id,
    /// Transports the client may move to.
    pub upgrades: &'a [Transport],
    /// Time between pings.
    pub ping_interval: Duration,
    /// Time a pong may take.
    pub ping_timeout: Duration,
    /// The largest payload the server takes, in bytes.
    pub payload_bytes_max: usize,
}

impl Open<'_> {
    /// The packet, type digit included: `0{"sid":"...","upgrades":["websocket"],"pingInterval":25000,...}`.
    pub fn encode(&self) -> String {
        todo!()
    }
}
