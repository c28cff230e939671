//! The opening handshake of the server (RFC 6455 section 4.2). Pure: headers in, verdict out. What is agreed about
//! compression is the business of its own file, `extension.rs`.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use http::header::{
    CONNECTION, HeaderName, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, Method};
use sha1::{Digest, Sha1};

use super::deflate::Window;
use super::extension;

/// What every server appends to the key (RFC 6455 section 1.3).
const KEY_SUFFIX: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// Bytes behind a key.
const KEY_BYTES: usize = 16;
/// The example key of RFC 6455 section 4.1 itself has bits left over in its last character.
const KEY_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

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
    /// The window that compressed messages must keep to, present when permessage-deflate is agreed.
    pub window: Option<Window>,
    /// `Sec-WebSocket-Protocol`: the first of those that the client offers, as Node takes it. It means nothing here, but a
    /// browser that has offered some closes a connection that agrees to none.
    pub protocol: Option<String>,
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
    method: &Method,
    headers: &HeaderMap,
    compression: Compression,
) -> Result<Accepted, HandshakeError> {
    if *method != Method::GET
        || !has_token(headers, &CONNECTION, "upgrade")
        || !has_token(headers, &UPGRADE, "websocket")
    {
        return Err(HandshakeError::NotAnUpgrade);
    }
    if only(headers, &SEC_WEBSOCKET_VERSION) != Some("13") {
        return Err(HandshakeError::UnsupportedVersion);
    }
    let key =
        only(headers, &SEC_WEBSOCKET_KEY).filter(|key| is_key(key)).ok_or(HandshakeError::InvalidKey)?;
    let window = match compression {
        Compression::Off => None,
        Compression::On => {
            let offers = headers.get_all(SEC_WEBSOCKET_EXTENSIONS);
            extension::negotiate(offers.iter().filter_map(|value| value.to_str().ok()))
        }
    };
    Ok(Accepted {
        accept: accept_key(key),
        extensions: window.as_ref().map(extension::Agreed::response),
        window: window.map(|agreed| agreed.window()),
        protocol: first_protocol(headers),
    })
}

fn first_protocol(headers: &HeaderMap) -> Option<String> {
    let offered = headers.get(SEC_WEBSOCKET_PROTOCOL)?.to_str().ok()?;
    let first = offered.split(',').next().map(str::trim)?;
    // What may be in a token (RFC 9110 section 5.6.2).
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    (!first.is_empty() && first.bytes().all(is_token)).then(|| first.to_owned())
}

/// `Sec-WebSocket-Accept` for a key.
pub fn accept_key(key: &str) -> String {
    STANDARD.encode(Sha1::new().chain_update(key).chain_update(KEY_SUFFIX).finalize())
}

/// Whether one of the comma-separated tokens of a header is `token`, in any case.
fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|listed| listed.trim().eq_ignore_ascii_case(token))
}

/// The value of a header that may stand only once.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then(|| value.trim())
}

fn is_key(key: &str) -> bool {
    // One byte of slack: `decode_slice` wants room for what the length alone allows.
    let mut bytes = [0; KEY_BYTES + 2];
    KEY_BASE64.decode_slice(key, &mut bytes) == Ok(KEY_BYTES)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

    /// Judges a good request to which `changes` are made; an empty value removes the header.
    fn check(changes: &[(HeaderName, &'static str)], expect: Result<Option<&str>, HandshakeError>) {
        let mut headers = HeaderMap::new();
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        headers.insert(SEC_WEBSOCKET_KEY, HeaderValue::from_static(KEY));
        for (name, _) in changes {
            headers.remove(name);
        }
        for (name, value) in changes {
            if !value.is_empty() {
                headers.append(name, HeaderValue::from_static(value));
            }
        }
        let accepted = accept(&Method::GET, &headers, Compression::On);
        let extensions = accepted.as_ref().map(|accepted| accepted.extensions.as_deref());
        assert_eq!(extensions.map_err(|error| *error), expect, "{changes:?}");
    }

    #[test]
    fn key_is_answered_as_in_the_rfc() {
        assert_eq!(accept_key(KEY), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn headers_of_an_upgrade_are_needed() {
        check(&[], Ok(None));
        check(&[(CONNECTION, "keep-alive, uPgRaDe")], Ok(None));
        check(&[(CONNECTION, "keep-alive"), (CONNECTION, "Upgrade")], Ok(None));
        check(&[(UPGRADE, "h2c, WebSocket")], Ok(None));
        check(&[(CONNECTION, "")], Err(HandshakeError::NotAnUpgrade));
        check(&[(CONNECTION, "keep-alive")], Err(HandshakeError::NotAnUpgrade));
        check(&[(CONNECTION, "upgrades")], Err(HandshakeError::NotAnUpgrade));
        check(&[(UPGRADE, "")], Err(HandshakeError::NotAnUpgrade));
        check(&[(UPGRADE, "websocket2")], Err(HandshakeError::NotAnUpgrade));
    }

    #[test]
    fn only_get_can_upgrade() {
        let headers = HeaderMap::new();
        assert_eq!(accept(&Method::POST, &headers, Compression::Off), Err(HandshakeError::NotAnUpgrade));
    }

    #[test]
    fn only_version_13_is_spoken() {
        for version in ["", "8", "14", "13, 8", "0x0d", "013"] {
            check(&[(SEC_WEBSOCKET_VERSION, version)], Err(HandshakeError::UnsupportedVersion));
        }
        check(
            &[(SEC_WEBSOCKET_VERSION, "13"), (SEC_WEBSOCKET_VERSION, "8")],
            Err(HandshakeError::UnsupportedVersion),
        );
    }

    #[test]
    fn key_is_16_bytes() {
        check(&[(SEC_WEBSOCKET_KEY, "AQIDBAUGBwgJCgsMDQ4PEC==")], Ok(None));
        for key in [
            "",
            "AQIDBAUGBwgJCgsMDQ4P",
            "AQIDBAUGBwgJCgsMDQ4PEBE=",
            "AQIDBAUGBwgJCgsMDQ4PEC",
            "not base64!",
            "====",
        ] {
            check(&[(SEC_WEBSOCKET_KEY, key)], Err(HandshakeError::InvalidKey));
        }
        check(&[(SEC_WEBSOCKET_KEY, KEY), (SEC_WEBSOCKET_KEY, KEY)], Err(HandshakeError::InvalidKey));
    }

    #[test]
    fn offers_may_be_spread_over_headers() {
        check(
            &[
                (SEC_WEBSOCKET_EXTENSIONS, "x-webkit-deflate-frame"),
                (SEC_WEBSOCKET_EXTENSIONS, "permessage-deflate; client_max_window_bits"),
            ],
            Ok(Some("permessage-deflate; server_no_context_takeover; client_no_context_takeover")),
        );
    }

    #[test]
    fn the_first_protocol_that_is_offered_is_taken() {
        for (offered, expect) in
            [("foo", Some("foo")), (" v1.x , b", Some("v1.x")), ("a b, c", None), ("", None)]
        {
            let headers = HeaderMap::from_iter([(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(offered))]);
            assert_eq!(first_protocol(&headers).as_deref(), expect, "{offered}");
        }
        assert_eq!(first_protocol(&HeaderMap::new()), None);
    }

    #[test]
    fn offers_are_ignored_when_compression_is_off() {
        let mut headers = HeaderMap::new();
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        headers.insert(SEC_WEBSOCKET_KEY, HeaderValue::from_static(KEY));
        headers.insert(SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_static("permessage-deflate"));
        let expect = Accepted { accept: accept_key(KEY), extensions: None, window: None, protocol: None };
        assert_eq!(accept(&Method::GET, &headers, Compression::Off), Ok(expect));
    }
}
