//! Close frames: their codes, their payload, and what may go wrong on a WebSocket (RFC 6455 sections 5.5.1 and 7.4).

use bytes::Bytes;

use super::frame::{CONTROL_BYTES_MAX, HEADER_BYTES_MAX, Header, Opcode};

/// A violation of the protocol by the peer; each one closes the connection with [`Violation::close_code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A frame or sequence of frames that RFC 6455 forbids.
    #[error("protocol error: {0}")]
    Protocol(&'static str),
    /// Text that is not UTF-8.
    #[error("text is not UTF-8")]
    InvalidUtf8,
    /// A message over the limit, announced or inflated.
    #[error("message too large")]
    TooLarge,
}

impl Violation {
    /// 1002, 1007 or 1009.
    pub const fn close_code(self) -> u16 {
        match self {
            Self::Protocol(_) => 1002,
            Self::InvalidUtf8 => 1007,
            Self::TooLarge => 1009,
        }
    }
}

/// Appends the payload of a close frame: the code, then as much of the reason as fits the 123 bytes left, cut at a
/// character.
pub fn write(code: u16, reason: &str, into: &mut Vec<u8>) {
    let room = reason.floor_char_boundary(CONTROL_BYTES_MAX - 2);
    into.extend_from_slice(&code.to_be_bytes());
    into.extend_from_slice(&reason.as_bytes()[..room]);
}

/// A whole close frame of a server, to be sent before the connection is closed; `None` answers a close without a code.
pub fn close_frame(code: Option<u16>, reason: &str) -> Bytes {
    let mut payload = Vec::new();
    if let Some(code) = code {
        write(code, reason, &mut payload);
    }
    let mut header = [0; HEADER_BYTES_MAX];
    let header_bytes = Header::server(Opcode::Close, payload.len()).write(&mut header);
    [&header[..header_bytes], &payload].concat().into()
}

/// Reads the payload of a close frame: nothing, or a code that may stand on the wire and a reason in UTF-8.
pub(super) fn read(payload: &[u8]) -> Result<(Option<u16>, &str), Violation> {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        return if payload.is_empty() {
            Ok((None, ""))
        } else {
            Err(Violation::Protocol("close frame of one byte"))
        };
    };
    let code = u16::from_be_bytes(*code);
    if !may_be_sent(code) {
        return Err(Violation::Protocol("close code that may not be sent"));
    }
    let reason = std::str::from_utf8(reason).map_err(|_| Violation::InvalidUtf8)?;
    Ok((Some(code), reason))
}

/// 1004 to 1006 and 1015 are never on the wire; the rest under 3000 is what IANA has registered; 3000 to 4999 belong to
/// libraries and applications.
const fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(payload: &[u8], expect: Result<(Option<u16>, &str), Violation>) {
        assert_eq!(read(payload), expect, "{payload:02x?}");
    }

    #[test]
    fn payload_is_nothing_or_a_code_and_text() {
        check(b"", Ok((None, "")));
        check(&[3], Err(Violation::Protocol("close frame of one byte")));
        check(&[0x03, 0xe8], Ok((Some(1000), "")));
        check(b"\x03\xe8bye", Ok((Some(1000), "bye")));
        check(b"\x03\xe8\xce\xba\xff", Err(Violation::InvalidUtf8));
    }

    #[test]
    fn only_codes_for_the_wire_are_taken() {
        for code in [
            1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999u16,
        ] {
            check(&code.to_be_bytes(), Ok((Some(code), "")));
        }
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535u16] {
            check(&code.to_be_bytes(), Err(Violation::Protocol("close code that may not be sent")));
        }
    }

    #[test]
    fn frames_of_a_server_are_not_masked() {
        assert_eq!(close_frame(None, ""), &b"\x88\x00"[..]);
        assert_eq!(close_frame(Some(1000), "bye"), &b"\x88\x05\x03\xe8bye"[..]);
    }

    #[test]
    fn long_reasons_are_cut_at_a_character() {
        let mut payload = Vec::new();
        write(1000, &"é".repeat(100), &mut payload);
        assert_eq!(payload.len(), 2 + 122);
        assert_eq!(read(&payload), Ok((Some(1000), "é".repeat(61).as_str())));
    }
}
