//! Any headers are judged; what is agreed about compression is one of the answers that RFC 7692 allows.

#![no_main]

use http::header::{CONNECTION, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderMap, HeaderValue, Method};
use libfuzzer_sys::fuzz_target;
use throng_protocol::websocket::handshake::{Compression, accept};

fuzz_target!(|data: &[u8]| {
    let mut lines = data.split(|byte| *byte == b'\n').filter_map(|line| HeaderValue::from_bytes(line).ok());
    let mut headers = HeaderMap::new();
    headers.append(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.append(UPGRADE, HeaderValue::from_static("websocket"));
    headers.append(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    let given = lines.next().filter(|key| !key.is_empty());
    headers.append(SEC_WEBSOCKET_KEY, given.unwrap_or(HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ==")));
    for line in lines {
        headers.append(SEC_WEBSOCKET_EXTENSIONS, line);
    }
    let Ok(accepted) = accept(&Method::GET, &headers, Compression::On) else { return };
    assert_eq!(accepted.accept.len(), 28);
    assert_eq!(accepted.extensions.is_some(), accepted.window.is_some());
    if let Some(extensions) = accepted.extensions {
        assert!(
            extensions
                .starts_with("permessage-deflate; server_no_context_takeover; client_no_context_takeover")
        );
    }
});
