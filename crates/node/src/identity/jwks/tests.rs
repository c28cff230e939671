//! The key set against real HTTP servers on this machine: one that rotates its keys, and those that do not do what they
//! should.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use futures_util::future::join_all;
use http::{StatusCode, Uri};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::super::keys::{Keys, KeysConfig};
use super::super::samples::{ED25519, NOW, P256, RSA, hmac, p256};
use super::super::token::{Token, TokenError};
use super::*;

type Answer = Box<dyn Fn() -> Response + Send>;

/// A publisher whose answer can be changed.
struct Publisher {
    answer: Mutex<Answer>,
    asked: AtomicUsize,
    url: Uri,
}

impl Publisher {
    async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap()).parse().unwrap();
        let answer: Answer = Box::new(|| StatusCode::NOT_FOUND.into_response());
        let publisher = Arc::new(Self { answer: Mutex::new(answer), asked: AtomicUsize::new(0), url });
        let asked = publisher.clone();
        let router = Router::new().fallback(move || {
            asked.asked.fetch_add(1, Ordering::Relaxed);
            let response = (asked.answer.lock().unwrap())();
            async { response }
        });
        tokio::spawn(async { axum::serve(listener, router).await });
        publisher
    }

    fn answers(&self, answer: impl Fn() -> Response + Send + 'static) {
        *self.answer.lock().unwrap() = Box::new(answer);
    }

    fn publishes(&self, keys: Vec<Value>) {
        self.answers(move || axum::Json(json!({"keys": keys})).into_response());
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    fn keys(&self) -> Keys {
        Keys::new(KeysConfig { jwks_url: Some(self.url.clone()), ..KeysConfig::default() }).unwrap()
    }
}

fn after(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOW + seconds)
}

/// A token that is valid for a day.
fn token(pair: &super::super::samples::Pair, kid: &str) -> String {
    let header = json!({"alg": format!("{:?}", pair.algorithm), "kid": kid});
    pair.sign(&header, &json!({"sub": "ada", "exp": NOW + 90_000}))
}

async fn check(keys: &Keys, token: &str, now: SystemTime, expect: Result<(), TokenError>) {
    assert_eq!(keys.verify_or_fetch(token, now).await.map(|_| ()), expect);
}

#[tokio::test]
async fn keys_rotate_without_a_restart() {
    let publisher = Publisher::start().await;
    let (old, new) = (p256(), p256());
    publisher.publishes(vec![old.jwk("1"), RSA.jwk("r"), ED25519.jwk("e")]);
    let keys = publisher.keys();
    assert_eq!(keys.verify(&token(&old, "1"), after(0)), Err(TokenError::KeyUnknown));
    check(&keys, &token(&old, "1"), after(0), Ok(())).await;
    check(&keys, &token(&RSA, "r"), after(0), Ok(())).await;
    check(&keys, &token(&ED25519, "e"), after(0), Ok(())).await;
    assert!(keys.verify(&token(&old, "1"), after(0)).is_ok());
    assert_eq!(publisher.asked(), 1);

    publisher.publishes(vec![new.jwk("2"), old.jwk("1")]);
    check(&keys, &token(&new, "2"), after(40), Ok(())).await;
    check(&keys, &token(&old, "1"), after(40), Ok(())).await;
    assert_eq!(publisher.asked(), 2);

    // A key that is withdrawn is refused as soon as the set is too old.
    publisher.publishes(vec![new.jwk("2")]);
    check(&keys, &token(&old, "1"), after(80), Ok(())).await;
    check(&keys, &token(&old, "1"), after(40 + 300), Err(TokenError::KeyUnknown)).await;
    check(&keys, &token(&new, "2"), after(40 + 300), Ok(())).await;
    assert_eq!(publisher.asked(), 3);
}

#[tokio::test]
async fn a_name_picks_its_key_only() {
    let publisher = Publisher::start().await;
    let (one, two) = (p256(), p256());
    publisher.publishes(vec![one.jwk("1"), two.jwk("2"), RSA.jwk("r")]);
    let keys = publisher.keys();
    check(&keys, &token(&two, "1"), after(0), Err(TokenError::Signature)).await;
    check(&keys, &token(&two, "r"), after(0), Err(TokenError::Algorithm)).await;
    check(&keys, &two.token(None), after(0), Ok(())).await;
    check(&keys, &p256().token(None), after(0), Err(TokenError::Signature)).await;
    // A published key is no secret, and no secret is asked of the publisher.
    let forged = hmac(two.public.as_bytes());
    check(&keys, &token(&forged, "2"), after(0), Err(TokenError::Algorithm)).await;
    assert_eq!(publisher.asked(), 1);
}

#[tokio::test]
async fn forged_names_do_not_hammer_the_publisher() {
    let publisher = Publisher::start().await;
    publisher.publishes(vec![P256.jwk("1")]);
    let keys = publisher.keys();
    check(&keys, &token(&P256, "1"), after(0), Ok(())).await;
    for n in 0..60 {
        check(&keys, &token(&P256, &format!("forged {n}")), after(n), Err(TokenError::KeyUnknown)).await;
    }
    assert_eq!(publisher.asked(), 2);
}

#[tokio::test]
async fn many_who_ask_at_once_share_one_fetch() {
    let publisher = Publisher::start().await;
    let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let body = serde_json::to_string(&json!({"keys": [P256.jwk("1")]})).unwrap();
    let waits = (begun.clone(), go.clone());
    publisher.answers(move || {
        let (begun, go, body) = (waits.0.clone(), waits.1.clone(), body.clone());
        let body = futures_util::stream::once(async move {
            begun.notify_one();
            go.notified().await;
            Ok::<_, std::io::Error>(body)
        });
        Body::from_stream(body).into_response()
    });
    let (keys, text) = (publisher.keys(), token(&P256, "1"));
    // The first who asked hangs up; the others wait on.
    let hung_up = tokio::select! {
        biased;
        () = begun.notified() => true,
        _ = keys.verify_or_fetch(&text, after(0)) => false,
    };
    assert!(hung_up);
    let parsed = Token::parse(&text).unwrap();
    assert_eq!(keys.check_now(&parsed, after(0)), None);
    let all = join_all((0..100).map(|_| keys.verify_or_fetch(&text, after(0))));
    let (all, ()) = tokio::join!(all, async { go.notify_one() });
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(publisher.asked(), 1);
    assert!(matches!(keys.check_now(&parsed, after(0)), Some(Ok(_))));
}

#[tokio::test]
async fn keys_stay_when_the_publisher_fails() {
    let publisher = Publisher::start().await;
    publisher.publishes(vec![P256.jwk("1")]);
    let (keys, text) = (publisher.keys(), token(&P256, "1"));
    check(&keys, &text, after(0), Ok(())).await;
    let redirect = [("location", "http://127.0.0.1:1/keys")];
    let failures: [Answer; 7] = [
        Box::new(|| StatusCode::INTERNAL_SERVER_ERROR.into_response()),
        Box::new(move || (StatusCode::FOUND, redirect).into_response()),
        Box::new(|| "<html>garbage</html>".into_response()),
        Box::new(|| axum::Json(json!({"keys": []})).into_response()),
        Box::new(|| {
            axum::Json(json!({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "1"}]})).into_response()
        }),
        Box::new(|| axum::Json(json!({"keys": vec![P256.jwk("1"); 65]})).into_response()),
        Box::new(|| {
            Body::from_stream(futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>("x".repeat(4096))))
                .into_response()
        }),
    ];
    for (n, failure) in failures.into_iter().enumerate() {
        let now = after(1000 + 60 * n as u64);
        publisher.answers(failure);
        keys.jwks.as_ref().unwrap().fetch(now).await;
        assert_eq!(publisher.asked(), n + 2);
        assert!(keys.jwks.as_ref().unwrap().fetches().failing, "{n}");
        check(&keys, &text, now, Ok(())).await;
    }
    // Nobody waits for one who failed before, as long as there are keys.
    publisher.answers(|| {
        let never = futures_util::stream::pending::<Result<String, std::io::Error>>();
        Body::from_stream(never).into_response()
    });
    check(&keys, &text, after(2000), Ok(())).await;
    assert!(keys.jwks.as_ref().unwrap().fetches().flight().is_some());
}

#[tokio::test]
async fn a_publisher_recovers() {
    let publisher = Publisher::start().await;
    let keys = publisher.keys();
    check(&keys, &token(&P256, "1"), after(0), Err(TokenError::KeyUnknown)).await;
    assert!(keys.jwks.as_ref().unwrap().fetches().failing);
    publisher.publishes(vec![P256.jwk("1")]);
    check(&keys, &token(&P256, "1"), after(30), Ok(())).await;
    assert!(!keys.jwks.as_ref().unwrap().fetches().failing);
}

#[tokio::test]
async fn a_publisher_who_is_down_or_slow_costs_the_deadline_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: Uri = format!("http://{}/keys", listener.local_addr().unwrap()).parse().unwrap();
    let tls = ClientConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    // The listener accepts and never answers.
    let source = Source::with_tls(url, tls, Duration::from_millis(50)).unwrap();
    let mut keys = Keys::new(KeysConfig::default()).unwrap();
    let jwks = Arc::new(Jwks::new(source));
    keys.jwks = Some(jwks.clone());
    check(&keys, &token(&P256, "1"), after(0), Err(TokenError::KeyUnknown)).await;
    assert!(jwks.fetches().failing && jwks.fetches().flight().is_none());
    assert!(!jwks.may_fetch(after(29)) && jwks.may_fetch(after(30)));
    // Not even begun again before it is time.
    check(&keys, &token(&P256, "1"), after(29), Err(TokenError::KeyUnknown)).await;
    assert!(jwks.fetches().begun == Some(after(0)));
    drop(listener);
    check(&keys, &token(&P256, "1"), after(30), Err(TokenError::KeyUnknown)).await;
    assert!(jwks.fetches().begun == Some(after(30)));
}

#[tokio::test]
async fn a_set_comes_over_tls_from_a_host_that_is_who_it_says() {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let private = rustls::pki_types::PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], private)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(server));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let body = json!({"keys": [P256.jwk("1")]}).to_string();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    });
    let source = |roots: RootCertStore| {
        let tls = ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
        let tls = tls.unwrap().with_root_certificates(roots).with_no_client_auth();
        let url = format!("https://localhost:{port}/keys").parse().unwrap();
        Source::with_tls(url, tls, Duration::from_secs(30)).unwrap()
    };
    let mut roots = RootCertStore::empty();
    roots.add(certified.cert.der().clone()).unwrap();
    assert_eq!(source(roots).fetch().await.unwrap().keys.len(), 1);
    assert!(matches!(source(RootCertStore::empty()).fetch().await, Err(fetch::FetchError::Connect(_))));
}
