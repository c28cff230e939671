//! The opening handshake of the server (RFC 6455 section 4.2) and the negotiation of permessage-deflate (RFC 7692
//! section 7.1). Pure: headers in, verdict out.

/// Why a request cannot become a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// Not a GET with `Connection: Upgrade` and `Upgrade: websocket`. 400.
    #[error("not a websocket upgrade request")]
    NotAnUpgrade,
    /// `Sec-WebSocket-Version` is not 13. 426 with `Sec-WebSocket-Version: 13`.
    #[error("unsupported websocket version")]
    UnsupportedVersion,
    /// `Sec-WebSocket-Key` is not 16 bytes of base64. 400.
    #[error("invalid sec-websocket-key")]
    InvalidKey,
}

/// What to answer with a 101.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// `Sec-WebSocket-Accept`.
    pub accept: String,
    /// `Sec-WebSocket-Extensions`, present when permessage-deflate is agreed.
    pub extensions: Option<String>,
}

/// Whether the server is willing to compress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Offers are ignored.
    Off,
    /// permessage-deflate is accepted without context takeover both ways.
    On,
}

/// Checks an upgrade request.
pub fn accept(
    method: &http::Method,
    headers: &http::HeaderMap,
    compression: Compression,
) -> Result<Accepted, HandshakeError> {
    todo!()
}

/// `Sec-WebSocket-Accept` for a key.
pub fn accept_key(key: &str) -> String {
    todo!()
}
