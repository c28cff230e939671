//! One request to a webhook: what it looks like, how it is signed, and what its answer means. When to ask again is decided
//! elsewhere.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};
use secrecy::{ExposeSecret as _, SecretString};

use super::pseudonym::hex;

/// How long one request may take, its answer included.
const DEADLINE: Duration = Duration::from_secs(10);
/// Bytes of an answer that are read so that the connection can serve again.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// How long a connection waits for the next request.
const IDLE: Duration = Duration::from_secs(30);

/// Names a delivery: one that is sent again has the same.
pub(super) const DELIVERY: HeaderName = HeaderName::from_static("throng-delivery");
/// Proves that a delivery is ours: `t=<seconds since the epoch>,v1=<hexadecimal HMAC-SHA256 of "<t>.<body>">`.
pub(super) const SIGNATURE: HeaderName = HeaderName::from_static("throng-signature");

/// Where batches are sent, by POST.
pub struct Webhook {
    url: Uri,
    key: hmac::Key,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    deadline: Duration,
}

/// Why a URL cannot be one of a webhook.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// Not `https://host/path`.
    #[error("it must be https://host/path or http://host/path, without a user")]
    Form,
    /// The machine trusts no certificate authority.
    #[error("no certificate authorities: {0}")]
    Authorities(std::io::Error),
    /// The TLS library does not do what is needed.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// Why a batch was not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    #[error("no answer within {0:?}")]
    Deadline(Duration),
    #[error("no connection: {0}")]
    Connect(#[from] hyper_util::client::legacy::Error),
    #[error("status {0}")]
    Status(StatusCode),
}

impl SendError {
    /// Whether the same batch may be taken another time.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Deadline(_) | Self::Connect(_) => true,
            Self::Status(status) => {
                let slow =
                    [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS];
                status.is_server_error() || slow.contains(status)
            }
        }
    }
}

impl Webhook {
    /// A webhook, and the secret that its owner checks signatures with.
    ///
    /// # Errors
    /// When the URL is none, or it is one over TLS and the machine trusts nobody.
    pub fn new(url: Uri, secret: &SecretString) -> Result<Self, WebhookError> {
        let authority = url.authority().ok_or(WebhookError::Form)?;
        let tls = ClientConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()?;
        let tls = match url.scheme_str() {
            _ if authority.as_str().contains('@') => return Err(WebhookError::Form),
            Some("https") => tls.with_native_roots().map_err(WebhookError::Authorities)?,
            // The connector needs a configuration even where it never uses it.
            Some("http") => tls.with_root_certificates(RootCertStore::empty()),
            _ => return Err(WebhookError::Form),
        };
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls.with_no_client_auth());
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(1)
            .build(connector.https_or_http().enable_http1().build());
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
        Ok(Self { url, key, client, deadline: DEADLINE })
    }

    /// The same with another time for each request.
    #[cfg(test)]
    pub(super) fn within(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// The host, for logs: the rest of the URL may hold secrets.
    pub(super) fn host(&self) -> &str {
        self.url.host().unwrap_or_default()
    }

    /// Sends a batch once. Redirections are not followed.
    pub(super) async fn send(&self, delivery: &str, body: Bytes) -> Result<(), SendError> {
        let exchange = tokio::time::timeout(self.deadline, self.exchange(delivery, body));
        exchange.await.unwrap_or(Err(SendError::Deadline(self.deadline)))
    }

    async fn exchange(&self, delivery: &str, body: Bytes) -> Result<(), SendError> {
        let signature = signature(&self.key, SystemTime::now(), &body);
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = self.url.clone();
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(
            header::USER_AGENT,
            HeaderValue::from_static(concat!("throng/", env!("CARGO_PKG_VERSION"))),
        );
        for (name, value) in [(DELIVERY, delivery), (SIGNATURE, &signature)] {
            headers.insert(name, HeaderValue::from_str(value).expect("digits, letters and punctuation"));
        }
        let (head, answer) = self.client.request(request).await?.into_parts();
        if !head.status.is_success() {
            return Err(SendError::Status(head.status));
        }
        // Its connection is closed when this fails; the batch was taken all the same.
        let _ = Limited::new(answer, ANSWER_BYTES_MAX).collect().await;
        Ok(())
    }
}

/// What goes into the header.
fn signature(key: &hmac::Key, now: SystemTime, body: &[u8]) -> String {
    let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut context = hmac::Context::with_key(key);
    context.update(format!("{seconds}.").as_bytes());
    context.update(body);
    format!("t={seconds},v1={}", hex(context.sign().as_ref()))
}

/// The host alone: the rest of the URL may hold secrets.
impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("host", &self.host()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn a_webhook_is_an_address_over_http_without_a_user() {
        let check = |url: &str, expect: bool| {
            let made = Webhook::new(url.parse().unwrap(), &"secret".to_owned().into());
            assert_eq!(made.is_ok(), expect, "{url}");
        };
        check("http://collector:8080/throng", true);
        for url in ["/path", "collector:80", "ftp://collector/", "http://u:p@collector/"] {
            check(url, false);
        }
    }

    #[test]
    fn the_signature_is_that_of_time_and_body() {
        // Checked with: printf '1700000000.{}' | openssl dgst -sha256 -hmac secret
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"secret");
        let now = UNIX_EPOCH + Duration::from_millis(1_700_000_000_900);
        assert_eq!(
            signature(&key, now, b"{}"),
            "t=1700000000,v1=b8569b78799ff9e3cbff0fc2d63a33a2b57f3282abd07c37ae5e8e7d79a5f163"
        );
    }

    #[test]
    fn what_passes_is_tried_again_and_a_refusal_is_not() {
        for (status, passing) in
            [(500, true), (503, true), (429, true), (408, true), (400, false), (404, false), (302, false)]
        {
            let error = SendError::Status(StatusCode::from_u16(status).unwrap());
            assert_eq!(error.is_passing(), passing, "{status}");
        }
    }
}
