//! HTTP/2, as ALPN under TLS offers it.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use serde_json::Value;
use throng_node::identity::mint::NewToken;
use throng_node::{Role, Tenancy, TenantName, TenantSettings};
use throng_testkit::tokens::{SECRET, identities, new_token, signed};
use throng_testkit::{Http, Node, WAIT};

use crate::encryption::{Pair, encrypted};
use crate::{POLLING, SHORT, node};

type Sender = SendRequest<Full<bytes::Bytes>>;

/// A client of a node, and what completes when the connection has ended.
async fn connect(pair: &Pair, node: &Node) -> (Sender, tokio::task::JoinHandle<hyper::Result<()>>) {
    let stream = tokio::net::TcpStream::connect(node.address()).await.expect("the node accepts");
    let name = ServerName::try_from("localhost").expect("a name");
    let tls = pair.connector(&[b"h2", b"http/1.1"]).connect(name, stream).await.expect("TLS");
    assert_eq!(tls.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(tls)).await.expect("HTTP/2");
    (sender, tokio::spawn(connection))
}

/// Status and body of an answer, which must not take long.
async fn ask(sender: &mut Sender, path: &str, body: Vec<u8>) -> (u16, http::HeaderMap, String) {
    let method = if body.is_empty() { "GET" } else { "POST" };
    let request = http::Request::builder().method(method).uri(format!("https://localhost{path}"));
    send(sender, request.body(Full::from(body)).expect("a request")).await
}

async fn send(
    sender: &mut Sender,
    request: http::Request<Full<bytes::Bytes>>,
) -> (u16, http::HeaderMap, String) {
    let answered = async {
        let (head, body) = sender.send_request(request).await.expect("an answer").into_parts();
        (head, body.collect().await.expect("a body").to_bytes())
    };
    let (head, body) = tokio::time::timeout(WAIT, answered).await.expect("an answer in time");
    (head.status.as_u16(), head.headers, String::from_utf8_lossy(&body).into_owned())
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(test);
}

#[test]
fn the_api_and_polling_are_served() {
    let pair = Pair::new();
    let node = encrypted(&pair);
    run(async {
        let (mut sender, _) = connect(&pair, &node).await;
        let (status, headers, body) = ask(&mut sender, "/api/address", Vec::new()).await;
        assert_eq!((status, body.as_str()), (200, "127.0.0.1"));
        assert!(headers.contains_key("strict-transport-security") && headers.contains_key("x-request-id"));
        let (status, _, body) = ask(&mut sender, POLLING, Vec::new()).await;
        assert!(status == 200 && body.starts_with("0{"), "{body}");
        let (status, _, body) = ask(&mut sender, "/api/upload", vec![b'x'; 700_000]).await;
        assert_eq!((status, body.as_str()), (200, "700000"));
        let (status, ..) = ask(&mut sender, "/api/upload", vec![b'x'; 1_000_001]).await;
        assert_eq!(status, 413);
    });
}

#[test]
fn a_client_that_asks_nothing_is_closed() {
    let pair = Pair::new();
    let node = node(|config| {
        config.edge.tls = Some(pair.handle());
        config.header_timeout = SHORT;
        config.edge.keep_alive = SHORT;
    });
    run(async {
        let (_silent, ended) = connect(&pair, &node).await;
        tokio::time::timeout(WAIT, ended).await.expect("closed in time").expect("a task").ok();
        let (mut sender, ended) = connect(&pair, &node).await;
        assert_eq!(ask(&mut sender, "/health", Vec::new()).await.0, 200);
        tokio::time::timeout(WAIT, ended).await.expect("closed in time").expect("a task").ok();
    });
}

#[test]
fn a_client_that_gives_up_a_request_is_closed_too() {
    let pair = Pair::new();
    let node = node(|config| {
        config.edge.tls = Some(pair.handle());
        config.edge.keep_alive = SHORT;
        config.ping_interval = Duration::from_secs(3600);
    });
    run(async {
        let (mut sender, ended) = connect(&pair, &node).await;
        let (_, _, body) = ask(&mut sender, POLLING, Vec::new()).await;
        let open: Value = serde_json::from_str(&body[1..]).expect("an open packet");
        let path = format!("{POLLING}&sid={}", open["sid"].as_str().expect("an identifier"));
        // Nothing answers this poll within the test.
        let poll = tokio::time::timeout(SHORT, ask(&mut sender, &path, Vec::new()));
        assert!(poll.await.is_err());
        tokio::time::timeout(WAIT, ended).await.expect("closed in time").expect("a task").ok();
    });
}

/// The tenants `acme`, which has a licence that ends in the year 2100, and `initech`, under `example.test`.
fn tenancy() -> Arc<Tenancy> {
    let expires = Some(UNIX_EPOCH + Duration::from_secs(4_102_444_800));
    let acme = TenantSettings { expires, ..TenantSettings::default() };
    let tenants = [("acme", acme), ("initech", TenantSettings::default())]
        .map(|(name, settings)| (TenantName::parse(name).expect("a good name"), Arc::new(settings)));
    let identities = Some(identities(SECRET));
    let domain = Some("example.test".into());
    Arc::new(Tenancy { domain, identities, tenants: tenants.into(), ..Tenancy::default() })
}

/// The header with which an operator of `acme` comes.
fn operator_of_acme() -> String {
    let token = NewToken { tenant: Some("acme".into()), ..new_token("olga", Role::Operator) };
    format!("Bearer {}", signed(SECRET, token)["token"].as_str().expect("a token"))
}

#[test]
fn the_host_names_the_tenant() {
    let pair = Pair::new();
    let node = node(|config| {
        config.edge.tls = Some(pair.handle());
        config.tenancy = tenancy();
    });
    let operator = operator_of_acme();
    run(async {
        let (mut sender, _) = connect(&pair, &node).await;
        let mut ask = async |method: &str, tenant: &str, path: &str| {
            let request = http::Request::builder().method(method).header("authorization", &operator);
            let request = request.uri(format!("https://{tenant}.example.test{path}"));
            let (status, _, body) =
                send(&mut sender, request.body(Full::default()).expect("a request")).await;
            (status, body)
        };
        assert_eq!(ask("GET", "acme", POLLING).await.0, 200);
        assert_eq!(ask("GET", "acme", "/api/admin/sockets").await.0, 200);
        for (method, path) in
            [("GET", "/api/admin/sockets"), ("GET", "/health/performance"), ("POST", "/api/publish")]
        {
            let (status, body) = ask(method, "initech", path).await;
            assert!(status == 403 && body.contains("tenant_mismatch"), "{path}: {status} {body}");
        }
        for (tenant, connections, ends) in [("acme", 1, Some(4_102_444_800_000_u64)), ("initech", 0, None)] {
            let read = |(_, body): (u16, String)| serde_json::from_str::<Value>(&body).expect("JSON");
            let stats = read(ask("GET", tenant, "/api/stats").await);
            assert_eq!(stats["totalConnections"], connections, "{tenant}: {stats}");
            let health = read(ask("GET", tenant, "/api/health").await);
            assert_eq!(health["licence"]["expiresAt"].as_u64(), ends, "{tenant}: {health}");
        }
    });
}

#[test]
fn a_whole_url_as_target_names_the_tenant_over_http_1_too() {
    let node = node(|config| config.tenancy = tenancy());
    let operator = operator_of_acme();
    for (tenant, status) in [("acme", 200), ("initech", 403)] {
        let mut http = Http::connect(node.address());
        let headers = format!("authorization: {operator}\r\nconnection: close\r\n");
        let target = format!("http://{tenant}.example.test/api/admin/sockets");
        http.request("GET", &target, &headers, b"");
        assert_eq!(http.response().status, status, "{tenant}");
    }
}
