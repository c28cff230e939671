//! What a message from the server is, told by its first bytes. Data is never parsed.

/// One Engine.IO message, with the Socket.IO packet inside told apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Packet<'a> {
    /// Engine.IO `open`.
    Open,
    /// Engine.IO `ping`.
    Ping,
    /// Engine.IO `close`.
    Close,
    /// Socket.IO `CONNECT`: the namespace is joined, with its JSON.
    Connect(&'a [u8]),
    /// Socket.IO `CONNECT_ERROR`, with its JSON.
    Refused(&'a [u8]),
    /// Socket.IO `DISCONNECT`.
    Disconnect,
    /// Socket.IO `EVENT`, from its opening bracket.
    Event(&'a [u8]),
    /// Socket.IO `ACK` to the event of this id.
    Ack(u64),
    /// Anything else: no-ops, binary packets.
    Other,
}

impl<'a> Packet<'a> {
    pub(crate) fn of(message: &'a [u8]) -> Self {
        match message {
            [b'4', kind, rest @ ..] => Self::of_socket(*kind, rest),
            [b'0', ..] => Self::Open,
            [b'1'] => Self::Close,
            [b'2'] => Self::Ping,
            _ => Self::Other,
        }
    }

    fn of_socket(kind: u8, rest: &'a [u8]) -> Self {
        let rest = if rest.first() == Some(&b'/') {
            let comma = rest.iter().position(|&byte| byte == b',').map_or(rest.len(), |comma| comma + 1);
            &rest[comma..]
        } else {
            rest
        };
        match kind {
            b'0' => Self::Connect(rest),
            b'1' => Self::Disconnect,
            b'2' => Self::Event(&rest[digits(rest)..]),
            b'3' => Self::Ack(number(&rest[..digits(rest)])),
            b'4' => Self::Refused(rest),
            _ => Self::Other,
        }
    }
}

/// How many decimal digits `bytes` begins with.
fn digits(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len())
}

/// The value of these digits; what is too large is no id of ours, so it wraps.
fn number(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |value: u64, digit| value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(message: &str, expected: Packet<'_>) {
        assert_eq!(Packet::of(message.as_bytes()), expected);
    }

    #[test]
    fn packets_are_told_by_their_first_bytes() {
        check(r#"0{"sid":"a"}"#, Packet::Open);
        check("1", Packet::Close);
        check("2", Packet::Ping);
        check(r#"40{"sid":"a"}"#, Packet::Connect(br#"{"sid":"a"}"#));
        check("41", Packet::Disconnect);
        check(r#"42["msg",1]"#, Packet::Event(br#"["msg",1]"#));
        check(r#"4217["msg",1]"#, Packet::Event(br#"["msg",1]"#));
        check(r#"437["x"]"#, Packet::Ack(7));
        check(r#"44{"message":"no"}"#, Packet::Refused(br#"{"message":"no"}"#));
        check("6", Packet::Other);
        check("", Packet::Other);
    }

    #[test]
    fn a_namespace_is_skipped() {
        check(r#"43/chat,12["x"]"#, Packet::Ack(12));
        check(r#"42/chat,["msg"]"#, Packet::Event(br#"["msg"]"#));
        check("42/chat", Packet::Event(b""));
    }
}
