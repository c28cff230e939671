//! One fetch of a key set over HTTP, with a bound on everything: the time, the size, the number of keys, the age.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jsonwebtoken::jwk::Jwk;
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;

use super::super::key::Key;

/// How long a fetch may take.
const DEADLINE: Duration = Duration::from_secs(5);
/// Largest document.
const BODY_BYTES_MAX: usize = 256 << 10;
/// Most keys of a set.
const KEYS_MAX: usize = 64;
/// Shortest and longest time for which a set is used, whatever its publisher says.
const LIFETIME: (Duration, Duration) = (Duration::from_secs(5 * 60), Duration::from_secs(24 * 3600));

/// Why a URL cannot be one of a key set.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A key set that came in clear over a network is anybody's.
    #[error("http is for this machine only; use https")]
    Clear,
    /// Not `https://host/path`.
    #[error("it must be https://host/path without a user")]
    Form,
    /// The machine trusts no certificate authority.
    #[error("no certificate authorities: {0}")]
    Authorities(std::io::Error),
    /// The TLS library does not do what is needed.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// Why a key set was not fetched.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("no answer within {0:?}")]
    Deadline(Duration),
    #[error("no connection: {0}")]
    Connect(#[from] hyper_util::client::legacy::Error),
    #[error("status {0}")]
    Status(StatusCode),
    #[error("the body broke off or has more than {BODY_BYTES_MAX} bytes")]
    Body,
    #[error("the body is no key set")]
    Json,
    #[error("{0} keys are more than {KEYS_MAX}")]
    Keys(usize),
    #[error("none of its {0} keys is an RSA, P-256 or Ed25519 key for signatures")]
    NoKey(usize),
}

/// A fetched set.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) keys: Vec<Key>,
    /// For how long it may be used.
    pub(super) lifetime: Duration,
}

/// Where a key set is fetched from.
#[derive(Debug)]
pub(in super::super) struct Source {
    url: Uri,
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    deadline: Duration,
}

impl Source {
    /// A place that is trusted as far as the authorities of the machine vouch for it.
    pub(in super::super) fn new(url: Uri) -> Result<Self, SourceError> {
        let tls = ClientConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()?;
        let tls = match url.scheme_str() {
            Some("https") => tls.with_native_roots().map_err(SourceError::Authorities)?,
            // The connector needs a configuration even where it never uses it.
            _ => tls.with_root_certificates(RootCertStore::empty()),
        };
        Self::with_tls(url, tls.with_no_client_auth(), DEADLINE)
    }

    pub(super) fn with_tls(url: Uri, tls: ClientConfig, deadline: Duration) -> Result<Self, SourceError> {
        let (Some(host), Some(authority)) = (url.host(), url.authority()) else {
            return Err(SourceError::Form);
        };
        match url.scheme_str() {
            Some("https") => {}
            Some("http") if is_this_machine(host) => {}
            Some("http") => return Err(SourceError::Clear),
            _ => return Err(SourceError::Form),
        }
        if authority.as_str().contains('@') {
            return Err(SourceError::Form);
        }
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
        // A connection belongs to the runtime that made it, and the next fetch may run on another.
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        Ok(Self { url, client, deadline })
    }

    /// The host, for logs: the rest of the URL may hold secrets.
    pub(super) fn host(&self) -> &str {
        self.url.host().unwrap_or_default()
    }

    /// Fetches the set. Redirections are not followed.
    pub(super) async fn fetch(&self) -> Result<Document, FetchError> {
        tokio::time::timeout(self.deadline, self.exchange())
            .await
            .unwrap_or(Err(FetchError::Deadline(self.deadline)))
    }

    async fn exchange(&self) -> Result<Document, FetchError> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = self.url.clone();
        request.headers_mut().insert(header::ACCEPT, header::HeaderValue::from_static("application/json"));
        let (head, body) = self.client.request(request).await?.into_parts();
        if head.status != StatusCode::OK {
            return Err(FetchError::Status(head.status));
        }
        let body = Limited::new(body, BODY_BYTES_MAX).collect().await.map_err(|_| FetchError::Body)?;
        Ok(Document { keys: read(&body.to_bytes())?, lifetime: lifetime(&head.headers) })
    }
}

/// Whether a host can only be this machine.
fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// The keys of a document (RFC 7517, 5) that can check our tokens; others are passed over.
fn read(body: &[u8]) -> Result<Vec<Key>, FetchError> {
    #[derive(Deserialize)]
    struct KeySet {
        keys: Vec<serde_json::Value>,
    }
    let KeySet { keys: all } = serde_json::from_slice(body).map_err(|_| FetchError::Json)?;
    let count = all.len();
    if count > KEYS_MAX {
        return Err(FetchError::Keys(count));
    }
    let read = |key| Key::from_jwk(&serde_json::from_value::<Jwk>(key).ok()?).ok();
    let keys: Vec<_> = all.into_iter().filter_map(read).collect();
    if keys.is_empty() { Err(FetchError::NoKey(count)) } else { Ok(keys) }
}

/// The `max-age` of a `Cache-Control` (RFC 9111, 5.2.2.1), within bounds; the lower one when there is none.
fn lifetime(headers: &HeaderMap) -> Duration {
    let directives =
        headers.get_all(header::CACHE_CONTROL).into_iter().filter_map(|value| value.to_str().ok());
    let seconds = directives.flat_map(|value| value.split(',')).find_map(|directive| {
        let (name, seconds) = directive.trim().split_once('=')?;
        let seconds = seconds.trim_matches('"').parse().ok()?;
        name.eq_ignore_ascii_case("max-age").then_some(seconds)
    });
    Duration::from_secs(seconds.unwrap_or_default()).clamp(LIFETIME.0, LIFETIME.1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::samples::{ED25519, P256, RSA};
    use super::*;

    #[test]
    fn http_is_for_this_machine_and_users_for_nobody() {
        let check = |url: &str, expect: bool| {
            assert_eq!(Source::new(url.parse().unwrap()).is_ok(), expect, "{url}");
        };
        for url in ["http://127.0.0.1:1/k", "http://127.9.9.9/", "http://[::1]/k", "http://localhost/k"] {
            check(url, true);
        }
        for url in
            ["http://id.example/k", "http://10.0.0.1/k", "http://localhost.example/k", "http://0.0.0.0/k"]
        {
            check(url, false);
        }
        for url in ["/keys", "id.example:443", "ftp://localhost/k", "http://u:p@localhost/k"] {
            check(url, false);
        }
    }

    #[test]
    fn a_set_is_used_for_as_long_as_it_says_within_bounds() {
        let check = |value: &str, seconds| {
            let headers = HeaderMap::from_iter([(header::CACHE_CONTROL, value.parse().unwrap())]);
            assert_eq!(lifetime(&headers), Duration::from_secs(seconds), "{value}");
        };
        check("public, max-age=3600, must-revalidate", 3600);
        check("MAX-AGE=\"600\"", 600);
        check("max-age=1", 300);
        check("max-age=99999999999", 86_400);
        check("no-store", 300);
        check("max-age=99999999999999999999999", 300);
        check("max-age=-1", 300);
        assert_eq!(lifetime(&HeaderMap::new()), Duration::from_secs(300));
    }

    #[test]
    fn keys_for_other_ends_are_passed_over() {
        let with = |name: &str, value: serde_json::Value| {
            let mut key = RSA.jwk("other");
            key[name] = value;
            key
        };
        let mut off_curve = P256.jwk("off");
        off_curve["x"] = off_curve["y"].clone();
        let others = [
            with("use", json!("enc")),
            with("alg", json!("PS256")),
            with("alg", json!("RSA-OAEP")),
            with("key_ops", json!(["encrypt"])),
            with("n", json!("AQAB")),
            with("n", json!("?")),
            with("kty", json!("AKP")),
            off_curve,
            json!({"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"}),
            json!({"kty": "OKP", "crv": "X25519", "x": "AA"}),
            json!({"kty": "oct", "k": "c2VjcmV0"}),
            json!({}),
            json!(null),
        ];
        for other in others {
            let body = json!({"keys": [other]}).to_string();
            assert!(matches!(read(body.as_bytes()), Err(FetchError::NoKey(1))), "{other}");
            let body = json!({"keys": [other, ED25519.jwk("ours")]}).to_string();
            assert_eq!(read(body.as_bytes()).unwrap().len(), 1);
        }
        assert!(matches!(read(b"[]"), Err(FetchError::Json)));
        assert!(matches!(read(b"\xff"), Err(FetchError::Json)));
    }
}
