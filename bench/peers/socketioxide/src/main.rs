//! The echo contract on socketioxide, axum and mimalloc, on one single-threaded runtime. Listens on 127.0.0.1:$PORT.

use axum::serve::ListenerExt;
use socketioxide::{
    SocketIo,
    extract::{AckSender, Data, SocketRef},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

async fn connected(socket: SocketRef) {
    socket.join("all");
    socket.on("echo", async |ack: AckSender, Data(value): Data<serde_json::Value>| {
        ack.send(&value).ok();
    });
    socket.on("bcast", async |io: SocketIo, Data(payload): Data<serde_json::Value>| {
        io.to("all").emit("msg", &payload).await.ok();
    });
}

/// One thread, as the server is pinned to one core: a second worker would only add switches between threads.
#[tokio::main(flavor = "current_thread")]
async fn main() {
    let port: u16 = std::env::var("PORT").ok().and_then(|port| port.parse().ok()).expect("PORT is a port number");
    let (layer, io) = SocketIo::new_layer();
    io.ns("/", connected);
    let app = axum::Router::new().layer(layer);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.expect("PORT is free");
    // Node and Bun set TCP_NODELAY by themselves; without it the delayed acknowledgements of clients that only listen
    // would hold up every second message.
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).expect("a fresh stream takes an option"));
    axum::serve(listener, app).await.expect("axum::serve does not end");
}
