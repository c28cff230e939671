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
    /// Decodes a text packet (a WebSocket text message, or a record of a payload that does not start with `b`). What
    /// follows the digit of a close, upgrade or noop packet is ignored, as in Node.
    pub fn decode(text: &'a str) -> Result<Self, PacketError> {
        let Some(digit) = text.as_bytes().first() else { return Err(PacketError::Empty) };
        let data = || &text[1..];
        match digit {
            b'0' => Ok(Self::Open(data())),
            b'1' => Ok(Self::Close),
            b'2' => Ok(Self::Ping(data())),
            b'3' => Ok(Self::Pong(data())),
            &MESSAGE => Ok(Self::Text(data())),
            b'5' => Ok(Self::Upgrade),
            b'6' => Ok(Self::Noop),
            _ => Err(PacketError::UnknownType),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expect: Result<Packet<'_>, PacketError>) {
        assert_eq!(Packet::decode(text), expect, "{text:?}");
    }

    #[test]
    fn type_digit_decides() {
        check("0{\"sid\":\"x\"}", Ok(Packet::Open("{\"sid\":\"x\"}")));
        check("1", Ok(Packet::Close));
        check("2", Ok(Packet::Ping("")));
        check("2probe", Ok(Packet::Ping("probe")));
        check("3probe", Ok(Packet::Pong("probe")));
        check("4", Ok(Packet::Text("")));
        check("4hé", Ok(Packet::Text("hé")));
        check("5", Ok(Packet::Upgrade));
        check("6", Ok(Packet::Noop));
    }

    #[test]
    fn anything_else_is_refused() {
        check("", Err(PacketError::Empty));
        for text in ["7", "b", "é", "x4", "-1", " 4", "\u{1e}"] {
            check(text, Err(PacketError::UnknownType));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_judged(text: String) {
            let _ = Packet::decode(&text);
        }
    }
}
