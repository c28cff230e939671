//! What browsers are told to be strict about: the headers that Helmet sets by default, on every answer. A route that
//! sets one of them itself keeps its own.

use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode, header};

/// Scripts, styles and connections of our own only, none of them inline: what the pages need, and nothing more.
const POLICY: &str = "default-src 'self';base-uri 'self';font-src 'self' data:;form-action 'self';\
    frame-ancestors 'self';img-src 'self' data:;object-src 'none';script-src 'self';script-src-attr 'none';\
    style-src 'self'";

const ALWAYS: [(HeaderName, &str); 11] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("origin-agent-cluster"), "?1"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_DNS_PREFETCH_CONTROL, "off"),
    (HeaderName::from_static("x-download-options"), "noopen"),
    (header::X_FRAME_OPTIONS, "SAMEORIGIN"),
    (HeaderName::from_static("x-permitted-cross-domain-policies"), "none"),
    (header::X_XSS_PROTECTION, "0"),
];

/// A year, for every host below this one.
const TRANSPORT: HeaderValue = HeaderValue::from_static("max-age=31536000; includeSubDomains");

/// Whether a request came over TLS that ends here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    Https,
}

/// Who may embed an answer in pages of other origins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Embedding {
    /// Nobody, as is the default.
    SameOrigin,
    /// Anybody: the Engine.IO path, where pages elsewhere also load the client from. CORS decides who may poll.
    CrossOrigin,
}

/// Sets the headers.
pub(super) fn harden(response: &mut Response, scheme: Scheme, embedding: Embedding) {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return;
    }
    let headers = response.headers_mut();
    headers.reserve(ALWAYS.len() + 2);
    if embedding == Embedding::CrossOrigin {
        headers.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
    }
    for (name, value) in ALWAYS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if scheme == Scheme::Https {
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(TRANSPORT);
    }
}
