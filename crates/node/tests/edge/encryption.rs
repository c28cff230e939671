//! TLS: pages, sockets and certificates that change.

use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use throng_node::{Config, TlsHandle};
use throng_testkit::{Client, Http, Node, Polling, WebSocket, until};
use tokio_rustls::TlsConnector;

use crate::{SHORT, address_of_socket, get_with, node};

/// A certificate and its key, in PEM.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Pair {
    pub(crate) fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        Self { certificate: made.cert.pem(), key: made.signing_key.serialize_pem() }
    }

    pub(crate) fn handle(&self) -> TlsHandle {
        TlsHandle::new(self.certificate.as_bytes(), self.key.as_bytes()).expect("a pair")
    }

    pub(crate) fn der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.certificate.as_bytes()).expect("PEM")
    }

    /// What a client needs that trusts this certificate and nothing else.
    pub(crate) fn connector(&self, protocols: &[&[u8]]) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(self.der()).expect("a certificate");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        client.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        Arc::new(client).into()
    }

    /// A port that leads through TLS to a node, so that plain clients can use it.
    fn tunnel(&self, node: SocketAddr) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        listener.set_nonblocking(true).expect("a listener");
        let connector = self.connector(&[b"http/1.1"]);
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                while let Ok((mut plain, _)) = listener.accept().await {
                    let connector = connector.clone();
                    tokio::spawn(async move {
                        let name = ServerName::try_from("localhost").expect("a name");
                        let stream = tokio::net::TcpStream::connect(node).await?;
                        let mut tls = connector.connect(name, stream).await?;
                        tokio::io::copy_bidirectional(&mut plain, &mut tls).await
                    });
                }
            });
        });
        address
    }
}

pub(crate) fn encrypted(pair: &Pair) -> Node {
    node(|config| config.edge.tls = Some(pair.handle()))
}

/// The certificate that a node shows.
fn shown(pair: &Pair, node: SocketAddr) -> std::io::Result<CertificateDer<'static>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(node).await?;
        let tls =
            pair.connector(&[]).connect(ServerName::try_from("localhost").expect("a name"), stream).await?;
        let chain = tls.get_ref().1.peer_certificates().expect("a server shows one");
        Ok(chain[0].clone().into_owned())
    })
}

#[test]
fn requests_are_answered_and_browsers_told_to_stay_with_tls() {
    let pair = Pair::new();
    let node = encrypted(&pair);
    let answer = get_with(pair.tunnel(node.address()), "/api/address", "");
    assert_eq!((answer.status, answer.body.as_str()), (200, "127.0.0.1"));
    let strict = answer.header("strict-transport-security");
    assert_eq!(strict, Some("max-age=31536000; includeSubDomains"));
}

#[test]
fn sockets_work_over_tls_on_either_transport() {
    let pair = Pair::new();
    let node = encrypted(&pair);
    let tunnel = pair.tunnel(node.address());
    assert_eq!(address_of_socket(tunnel, ""), "127.0.0.1");
    let (mut websocket, _) = Client::connect(tunnel);
    websocket.check();
    let mut polling = Client::polling(tunnel);
    polling.join("/", None);
    polling.check();
}

#[test]
fn large_messages_and_closing_pass_the_bridge() {
    let pair = Pair::new();
    let node = encrypted(&pair);
    let tunnel = pair.tunnel(node.address());
    let (mut client, _) = Client::connect(tunnel);
    let large = "x".repeat(900_000);
    let answer = client.call("echo", large.as_str());
    assert_eq!(answer.decode::<String>().expect("what was sent"), large);
    drop(client);
    let mut http = Polling::open(tunnel);
    assert_eq!(http.post("1").body, "ok");
    let open = |metrics: &throng_testkit::Metrics| metrics.sessions_open() == 0;
    until("every session has ended", || {
        let page = get_with(tunnel, "/metrics", "").body;
        Some(throng_testkit::Metrics::parse(&page)).filter(open).map(drop)
    });
}

#[test]
fn a_polling_session_moves_to_a_websocket_from_shard_to_shard() {
    let pair = Pair::new();
    let node = node(|config| {
        config.shards = NonZeroUsize::new(4).expect("a node has shards");
        config.edge.tls = Some(pair.handle());
    });
    let tunnel = pair.tunnel(node.address());
    let mut kept = Vec::new();
    for _ in 0..20 {
        let mut polling = Polling::open(tunnel);
        polling.post("40");
        assert!(polling.packets().starts_with("40{"));
        let mut moved = WebSocket::connect(tunnel, &polling.upgrade_path());
        moved.send_text("2probe");
        assert_eq!(moved.next_frame().text(), "3probe");
        moved.send_text("5");
        moved.send_text("420[\"echo\",1]");
        let answer = (0..3).map(|_| moved.next_frame().text()).find(|text| text.starts_with("43"));
        assert_eq!(answer.as_deref(), Some("430[1]"));
        kept.push(moved);
    }
}

#[test]
fn a_drain_says_goodbye_through_the_bridge() {
    let pair = Pair::new();
    let node = encrypted(&pair);
    let (mut client, _) = Client::connect(pair.tunnel(node.address()));
    let drained = std::thread::spawn(move || node.stop());
    client.wait_closed();
    assert_eq!(drained.join().expect("the node stops").cut, 0);
}

#[test]
fn a_certificate_is_swapped_under_open_sockets() {
    let (pair, next) = (Pair::new(), Pair::new());
    let handle = pair.handle();
    let node = node(|config: &mut Config| config.edge.tls = Some(handle.clone()));
    let (mut open, _) = Client::connect(pair.tunnel(node.address()));
    assert_eq!(shown(&pair, node.address()).expect("the first certificate"), pair.der());
    assert!(handle.replace(next.certificate.as_bytes(), pair.key.as_bytes()).is_err());
    assert_eq!(shown(&pair, node.address()).expect("still the first certificate"), pair.der());
    handle.replace(next.certificate.as_bytes(), next.key.as_bytes()).expect("a pair");
    assert_eq!(shown(&next, node.address()).expect("the next certificate"), next.der());
    assert!(shown(&pair, node.address()).is_err());
    open.check();
}

#[test]
fn plain_http_is_told_what_the_port_speaks() {
    let node = encrypted(&Pair::new());
    let answer = get_with(node.address(), "/health", "");
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("TLS"), "{answer:?}");
    let mut noise = Http::connect(node.address());
    noise.send(b"\0\0\0\0");
    assert_eq!(noise.closed(), "");
}

#[test]
fn a_handshake_that_stalls_is_not_waited_for() {
    let pair = Pair::new();
    let node = node(|config| {
        config.edge.tls = Some(pair.handle());
        config.header_timeout = SHORT;
    });
    for part in [&b""[..], &[0x16], &[0x16, 3, 1, 2, 0, 1]] {
        let mut http = Http::connect(node.address());
        http.send(part);
        http.closed();
    }
}

#[test]
fn a_proxy_header_comes_before_tls() {
    let pair = Pair::new();
    let node = node(|config| {
        config.edge.tls = Some(pair.handle());
        config.edge.proxy_protocol = true;
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let answer = runtime.block_on(async {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let mut stream = tokio::net::TcpStream::connect(node.address()).await?;
        stream.write_all(b"PROXY TCP4 198.51.100.22 203.0.113.7 35646 443\r\n").await?;
        let name = ServerName::try_from("localhost").expect("a name");
        let mut tls = pair.connector(&[]).connect(name, stream).await?;
        tls.write_all(b"GET /api/address HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n").await?;
        let mut answer = String::new();
        tls.read_to_string(&mut answer).await?;
        std::io::Result::Ok(answer)
    });
    let answer = answer.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("198.51.100.22"), "{answer}");
}
