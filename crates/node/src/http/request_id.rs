//! The name of a request, by which what several systems log of it can be brought together.

use std::time::{SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Builder;
use uuid::fmt::Hyphenated;

/// The header that carries it, in both directions.
pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest that is taken over from a client, in characters.
const CHARACTERS_MAX: usize = 64;

/// The name of a request: what the client called it when that is up to 64 visible ASCII characters, else a UUID of
/// version 7. Every request inside the router carries it as an extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let fits = |id: &&HeaderValue| {
            (1..=CHARACTERS_MAX).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic)
        };
        match headers.get(X_REQUEST_ID).filter(fits) {
            Some(id) => Self(id.clone()),
            None => Self::new(),
        }
    }

    fn new() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        let id = Builder::from_unix_timestamp_millis(millis, &crate::ids::random()).into_uuid();
        let mut text = [0; Hyphenated::LENGTH];
        let text = id.hyphenated().encode_lower(&mut text);
        Self(HeaderValue::from_str(text).expect("a UUID is visible ASCII"))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    pub(super) fn into_header(self) -> HeaderValue {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(theirs: &[u8], kept: bool) {
        let mut headers = HeaderMap::new();
        headers.insert(X_REQUEST_ID, HeaderValue::from_bytes(theirs).unwrap());
        let id = RequestId::of(&headers);
        assert_eq!(id.as_str().as_bytes() == theirs, kept, "{id:?}");
        assert!(kept || uuid::Uuid::parse_str(id.as_str()).is_ok(), "{id:?}");
    }

    #[test]
    fn only_short_visible_names_are_taken_over() {
        check(b"abc-123_/+=", true);
        check(&[b'x'; 64], true);
        for bad in [&[b'x'; 65][..], b"", b"a b", b"a\tb", b"caf\xc3\xa9"] {
            check(bad, false);
        }
        assert_ne!(RequestId::of(&HeaderMap::new()), RequestId::of(&HeaderMap::new()));
    }
}
