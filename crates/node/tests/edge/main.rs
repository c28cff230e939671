//! The guarded HTTP edge as clients and proxies meet it: who they are taken for, how much they may do, how long they
//! may take, and what they are told.

mod access_log;
mod addresses;
mod bodies;
mod connections;
mod encryption;
mod http2;
mod limits;
mod proxy_protocol;
mod requests;
mod secure;

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Bytes;
use axum::routing::{get, post};
use axum::{Extension, Router};
use throng_node::{Ack, App, Args, ClientAddress, Config, IpNet, RequestId, Socket, TraceContext};
use throng_testkit::{Http, Node, Response, WebSocket};

/// The smallest wait that still tells a difference on a busy machine.
const SHORT: Duration = Duration::from_millis(250);

/// Where the client of a request is in a trace.
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// A node whose sockets are told their address as `address`, with a few routes that tell what they know.
fn node(change: impl FnOnce(&mut Config)) -> Node {
    let mut config = throng_testkit::config();
    change(&mut config);
    let mut app = App::new();
    app.namespace("/", |nsp| {
        nsp.on_connect(|socket: Socket| async move {
            socket.emit("address", socket.handshake().address.to_string());
        });
        nsp.on("echo", |_: Socket, args: Args, ack: Ack| async move { ack.send(args) });
    });
    Node::start_with(config, app, routes())
}

fn routes() -> Router {
    Router::new()
        .route(
            "/api/address",
            get(|Extension(client): Extension<ClientAddress>| async move { client.0.to_string() }),
        )
        .route("/api/auth/guest", post(|| async { "welcome" }))
        .route("/api/upload", post(|body: Bytes| async move { body.len().to_string() }))
        .route("/api/names", get(names))
        .route("/api/panic", get(panics))
}

async fn names(Extension(id): Extension<RequestId>, Extension(trace): Extension<TraceContext>) -> String {
    format!("{} {}", id.as_str(), trace.traceparent())
}

async fn panics() -> &'static str {
    panic!("a route of a test fails")
}

fn net(text: &str) -> IpNet {
    text.parse().expect("a network")
}

/// One request on a connection of its own; `headers` are whole lines.
fn ask(address: SocketAddr, method: &str, path: &str, headers: &str, body: &[u8]) -> Response {
    let mut http = Http::connect(address);
    http.request(method, path, &format!("connection: close\r\n{headers}"), body);
    http.response()
}

fn get_with(address: SocketAddr, path: &str, headers: &str) -> Response {
    ask(address, "GET", path, headers, b"")
}

const WEBSOCKET: &str = "/socket.io/?EIO=4&transport=websocket";
const POLLING: &str = "/socket.io/?EIO=4&transport=polling";

/// What a socket is told of its address.
fn address_of_socket(address: SocketAddr, headers: &str) -> String {
    let (mut websocket, _) = WebSocket::connect_with(address, WEBSOCKET, headers);
    websocket.next_frame();
    websocket.send_text("40");
    let heard = [websocket.next_frame().text(), websocket.next_frame().text()];
    let event = heard.into_iter().find(|text| text.starts_with("42")).expect("an event");
    event.trim_start_matches("42[\"address\",\"").trim_end_matches("\"]").to_owned()
}
