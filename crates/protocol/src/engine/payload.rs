//! Several packets in one HTTP body: records divided by `0x1e`, binary as base64 behind a `b`.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use bytes::Bytes;

use super::packet::PacketError;

/// The record separator.
pub const SEPARATOR: u8 = 0x1e;
/// What a binary message starts with where only text can travel.
pub const BINARY: u8 = b'b';

/// Padded or not, as Node decodes it.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// One record of a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record<'a> {
    /// A text packet, still with its type digit.
    Text(&'a str),
    /// A decoded binary message.
    Binary(Bytes),
}

impl<'a> Record<'a> {
    /// Decodes one record, or a WebSocket text message of a client that sends no binary frames (`forceBase64`).
    pub fn decode(record: &'a str) -> Result<Self, PacketError> {
        match record.as_bytes() {
            [] => Err(PacketError::Empty),
            [BINARY, base64 @ ..] => match LENIENT.decode(base64) {
                Ok(message) => Ok(Self::Binary(message.into())),
                Err(_) => Err(PacketError::InvalidBase64),
            },
            _ => Ok(Self::Text(record)),
        }
    }
}

/// Splits a body into its records, at most `records_max`; the iterator ends after its first error.
pub fn decode(body: &str, records_max: usize) -> impl Iterator<Item = Result<Record<'_>, PacketError>> {
    let mut rest = Some(body);
    let mut records_left = records_max;
    std::iter::from_fn(move || {
        let body = rest.take()?;
        if records_left == 0 {
            return Some(Err(PacketError::TooMany));
        }
        records_left -= 1;
        let (record, behind) = match memchr::memchr(SEPARATOR, body.as_bytes()) {
            Some(at) => (&body[..at], Some(&body[at + 1..])),
            None => (body, None),
        };
        let record = Record::decode(record);
        if record.is_ok() {
            rest = behind;
        }
        Some(record)
    })
}

/// Appends a text packet to a body.
pub fn push_text(body: &mut Vec<u8>, packet: &[u8]) {
    separate(body);
    body.extend_from_slice(packet);
}

/// Appends a binary message to a body.
pub fn push_binary(body: &mut Vec<u8>, message: &[u8]) {
    separate(body);
    body.push(BINARY);
    let start = body.len();
    body.resize(start + message.len().div_ceil(3) * 4, 0);
    STANDARD.encode_slice(message, &mut body[start..]).expect("base64 takes four characters for three bytes");
}

fn separate(body: &mut Vec<u8>) {
    if !body.is_empty() {
        body.push(SEPARATOR);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(body: &str, records_max: usize, expect: &[Result<Record<'_>, PacketError>]) {
        assert_eq!(decode(body, records_max).collect::<Vec<_>>(), expect, "{body:?}");
    }

    fn binary(message: &'static [u8]) -> Result<Record<'static>, PacketError> {
        Ok(Record::Binary(Bytes::from_static(message)))
    }

    #[test]
    fn records_are_divided_by_the_separator() {
        check("4hello", 16, &[Ok(Record::Text("4hello"))]);
        check(
            "4a\u{1e}2\u{1e}4é",
            16,
            &[Ok(Record::Text("4a")), Ok(Record::Text("2")), Ok(Record::Text("4é"))],
        );
        check(
            "4a\u{1e}bAQIDBA==\u{1e}4b",
            16,
            &[Ok(Record::Text("4a")), binary(&[1, 2, 3, 4]), Ok(Record::Text("4b"))],
        );
    }

    #[test]
    fn base64_may_lack_its_padding() {
        check("bAQIDBA==", 1, &[binary(&[1, 2, 3, 4])]);
        check("bAQIDBA", 1, &[binary(&[1, 2, 3, 4])]);
        check("bAQIDBAU=", 1, &[binary(&[1, 2, 3, 4, 5])]);
        check("b", 1, &[binary(&[])]);
        for body in ["bA", "b*", "bAQ-_", "bA===", "b====", "bAQID BA=="] {
            check(body, 1, &[Err(PacketError::InvalidBase64)]);
        }
    }

    #[test]
    fn first_error_is_the_last_item() {
        check("", 16, &[Err(PacketError::Empty)]);
        check("4a\u{1e}", 16, &[Ok(Record::Text("4a")), Err(PacketError::Empty)]);
        check("\u{1e}4a", 16, &[Err(PacketError::Empty)]);
        check("b*\u{1e}4a", 16, &[Err(PacketError::InvalidBase64)]);
    }

    #[test]
    fn records_over_the_limit_are_refused() {
        check("4a\u{1e}4b", 2, &[Ok(Record::Text("4a")), Ok(Record::Text("4b"))]);
        check(
            "4a\u{1e}4b\u{1e}4c",
            2,
            &[Ok(Record::Text("4a")), Ok(Record::Text("4b")), Err(PacketError::TooMany)],
        );
        check("4a", 0, &[Err(PacketError::TooMany)]);
    }

    #[test]
    fn bodies_are_written_as_node_writes_them() {
        let mut body = Vec::new();
        push_text(&mut body, b"4hello");
        push_binary(&mut body, &[1, 2, 3, 4]);
        push_text(&mut body, b"6");
        assert_eq!(body, b"4hello\x1ebAQIDBA==\x1e6");
    }

    #[derive(Debug, Clone)]
    enum Message {
        Text(String),
        Binary(Vec<u8>),
    }

    fn message() -> impl Strategy<Value = Message> {
        prop_oneof![
            "[^\u{1e}]*".prop_map(|text| Message::Text(format!("4{text}"))),
            any::<Vec<u8>>().prop_map(Message::Binary),
        ]
    }

    proptest! {
        #[test]
        fn written_bodies_read_back(messages in prop::collection::vec(message(), 1..8)) {
            let mut body = Vec::new();
            for message in &messages {
                match message {
                    Message::Text(text) => push_text(&mut body, text.as_bytes()),
                    Message::Binary(bytes) => push_binary(&mut body, bytes),
                }
            }
            let body = String::from_utf8(body).unwrap();
            let expect: Vec<_> = messages
                .iter()
                .map(|message| match message {
                    Message::Text(text) => Ok(Record::Text(text)),
                    Message::Binary(bytes) => Ok(Record::Binary(Bytes::copy_from_slice(bytes))),
                })
                .collect();
            prop_assert_eq!(decode(&body, messages.len()).collect::<Vec<_>>(), expect);
        }

        #[test]
        fn any_body_is_judged(body: String, records_max in 0usize..8) {
            prop_assert!(decode(&body, records_max).count() <= records_max + 1);
        }
    }
}
