//! A single Engine.IO packet.

/// The type digit of a text packet.
pub const MESSAGE: u8 = b'4';

/// One packet. Binary messages have no type digit; over polling they are base64 behind a `b`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packet<'a> {
    /// `0`: the handshake, JSON, from the server.
    Open(&'a str),
    /// `1`: the peer closes the session.
    Close,
    /// `2`: a heartbeat of the server, or `2probe` of an upgrading client.
    Ping(&'a str),
    /// `3`: the answer.
    Pong(&'a str),
    /// `4`: text of the layer above.
    Text(&'a str),
    /// Bytes of the layer above.
    Binary(&'a [u8]),
    /// `5`: the client has moved to this transport.
    Upgrade,
    /// `6`: nothing; releases a waiting poll.
    Noop,
}

/// Text that is no Engine.IO packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// An empty packet.
    #[error("empty packet")]
    Empty,
    /// A type digit outside 0 to 6.
    #[error("unknown packet type")]
    UnknownType,
    /// Base64 that does not decode.
    #[error("invalid base64")]
    InvalidBase64,
    /// More packets in one payload than the limit.
    #[error("too many packets in a payload")]
    TooMany,
}

impl<'a> Packet<'a> {
    /// Decodes a text packet (a WebSocket text message, or a record of a payload that does not start with `b`).
    pub fn decode(text: &'a str) -> Result<Self, PacketError> {
        todo!()
    }
}
