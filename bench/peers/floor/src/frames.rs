//! The fixed transformations from what the driver sends to what it expects back. No protocol: a frame is taken apart
//! by constant offsets, and whatever is not one of the driver's own frames is ignored.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha1::{Digest, Sha1};

/// Engine.IO `open`, Socket.IO `connect`, Engine.IO `ping`, and a WebSocket close frame with code 1000.
pub const OPEN: &[u8] =
    br#"0{"sid":"floor","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
pub const CONNECT: &[u8] = br#"40{"sid":"floor"}"#;
pub const PING: &[u8] = b"2";
pub const CLOSE: &[u8] = &[0x88, 2, 0x03, 0xe8];

const ECHO: &[u8] = br#"["echo","#;
const BCAST: &[u8] = br#"42["bcast","#;

/// What the server does with one frame.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// `40`: the client joins the room; it is answered with [`CONNECT`].
    Join,
    /// The frame in the output goes back to the sender.
    Reply,
    /// The frame in the output goes to everyone in the room.
    Everyone,
    /// A close frame: answer with [`CLOSE`] and hang up.
    HangUp,
    /// A pong, or nothing that the driver sends.
    Nothing,
}

/// Takes the first frame off `input`, unmasks it in place, and writes the frame to send, if any, over `output`.
/// Returns the answer and the bytes used, or `None` while the frame is not complete.
pub fn answer(input: &mut [u8], output: &mut Vec<u8>) -> Option<(Answer, usize)> {
    let (header, length): (usize, usize) = match input.get(1)? & 0x7f {
        126 => (4, usize::from(u16::from_be_bytes([*input.get(2)?, *input.get(3)?]))),
        127 => (10, usize::try_from(u64::from_be_bytes(input.get(2..10)?.try_into().ok()?)).ok()?),
        short => (2, usize::from(short)),
    };
    let end = header.checked_add(4)?.checked_add(length)?;
    let opcode = input[0] & 0x0f;
    let frame = input.get_mut(header..end)?;
    let (mask, payload) = frame.split_at_mut(4);
    for (index, byte) in payload.iter_mut().enumerate() {
        *byte ^= mask[index & 3];
    }
    if opcode == 8 {
        return Some((Answer::HangUp, end));
    }
    let answer = match &*payload {
        b"40" => Answer::Join,
        [b'4', b'2', id, rest @ ..] if rest.starts_with(ECHO) => {
            write_frame(output, &[b"43", &[*id], b"[", &rest[ECHO.len()..]]);
            Answer::Reply
        }
        bcast if bcast.starts_with(BCAST) => {
            write_frame(output, &[br#"42["msg","#, &bcast[BCAST.len()..]]);
            Answer::Everyone
        }
        _ => Answer::Nothing,
    };
    Some((answer, end))
}

/// Writes one unmasked text frame over `output`.
pub fn write_frame(output: &mut Vec<u8>, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    output.clear();
    match length {
        0..126 => output.extend_from_slice(&[0x81, length as u8]),
        126..65536 => {
            output.extend_from_slice(&[0x81, 126]);
            output.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            output.extend_from_slice(&[0x81, 127]);
            output.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    for part in parts {
        output.extend_from_slice(part);
    }
}

/// The 101 for a complete upgrade request, or `None` when it carries no key.
pub fn upgrade(request: &[u8]) -> Option<Vec<u8>> {
    const NAME: &[u8] = b"Sec-WebSocket-Key: ";
    let start =
        request.windows(NAME.len()).position(|window| window.eq_ignore_ascii_case(NAME))? + NAME.len();
    let key = request[start..].split(|&byte| byte == b'\r').next()?;
    let digest =
        Sha1::new().chain_update(key).chain_update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11").finalize();
    Some(
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\r\n",
            STANDARD.encode(digest)
        )
        .into_bytes(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(payload: &[u8]) -> Vec<u8> {
        let mask = [1, 2, 3, 4];
        let mut frame = vec![0x81, 0x80 | payload.len() as u8];
        frame.extend_from_slice(&mask);
        frame.extend(payload.iter().enumerate().map(|(index, byte)| byte ^ mask[index & 3]));
        frame
    }

    #[track_caller]
    fn check(payload: &[u8], expected: Answer, sent: &[u8]) {
        let mut frame = masked(payload);
        let whole = frame.len();
        let mut output = Vec::new();
        assert_eq!(answer(&mut frame[..whole - 1], &mut output), None);
        let mut frame = masked(payload);
        assert_eq!(answer(&mut frame, &mut output), Some((expected, whole)));
        assert_eq!(output.get(2..).unwrap_or_default(), sent);
    }

    #[test]
    fn the_drivers_frames_are_transformed() {
        check(br#"427["echo","x"]"#, Answer::Reply, br#"437["x"]"#);
        check(br#"42["bcast","x"]"#, Answer::Everyone, br#"42["msg","x"]"#);
        check(b"40", Answer::Join, b"");
        check(b"3", Answer::Nothing, b"");
    }

    #[test]
    fn the_accept_key_is_that_of_rfc_6455() {
        let answer =
            upgrade(b"GET / HTTP/1.1\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").unwrap();
        assert!(String::from_utf8(answer).unwrap().contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    }
}
