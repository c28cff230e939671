//! The WebSocket upgrade: the request's bytes, and what the server made of it.

use crate::{failure::Fault, target::Target};

/// RFC 6455's own example key: one constant request, and one constant answer to compare with.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &[u8] = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
/// More than this before the empty line is no answer to a WebSocket upgrade.
const ANSWER_MAX: usize = 16 * 1024;

/// The request that opens an Engine.IO session over WebSocket, as a browser would send it less its cookies.
pub(crate) fn request(target: &Target) -> Vec<u8> {
    format!(
        "GET {}?EIO=4&transport=websocket HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n",
        target.path, target.host
    )
    .into_bytes()
}

/// Reads the answer: the bytes of its head, or `None` while the head is not complete.
///
/// # Errors
/// The fault when the server did not switch to WebSocket.
pub(crate) fn answer(bytes: &[u8]) -> Result<Option<usize>, Fault> {
    if !b"HTTP/1.1 ".starts_with(&bytes[..bytes.len().min(9)]) {
        return Err(Fault::NotHttp);
    }
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return if bytes.len() > ANSWER_MAX { Err(Fault::NotHttp) } else { Ok(None) };
    };
    let head = &bytes[..end];
    let status = head.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
    match status {
        Some(101) if head.windows(ACCEPT.len()).any(|window| window == ACCEPT) => Ok(Some(end + 4)),
        Some(101) | None => Err(Fault::NotWebSocket),
        Some(status) => Err(Fault::Status(status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &str, expected: Result<Option<usize>, Fault>) {
        assert_eq!(answer(bytes.as_bytes()), expected);
    }

    #[test]
    fn a_switch_is_recognised_when_its_head_is_whole() {
        let whole =
            "HTTP/1.1 101 Switching Protocols\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
        for end in 0..whole.len() {
            check(&whole[..end], Ok(None));
        }
        check(whole, Ok(Some(whole.len())));
        check(&format!("{whole}\u{1}"), Ok(Some(whole.len())));
    }

    #[test]
    fn every_other_answer_is_a_fault() {
        check("HTTP/1.1 404 Not Found\r\n\r\n", Err(Fault::Status(404)));
        check("HTTP/1.1 101 Sure\r\nsec-websocket-accept: guess\r\n\r\n", Err(Fault::NotWebSocket));
        check("HTTP/1.1 1\r\n\r\n", Err(Fault::NotWebSocket));
        check("SSH-2.0-OpenSSH", Err(Fault::NotHttp));
    }
}
