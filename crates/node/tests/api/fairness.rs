//! One socket's slowness is nobody else's, and heartbeats wait for nobody's data.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use throng_node::{App, Config, End, Namespace, Socket};
use throng_testkit::{Client, Node, config};
use tokio::sync::Notify;

use crate::{node, node_with};

fn held(nsp: &mut Namespace) {
    let gate = Arc::new(Notify::new());
    nsp.on("hold", move |_: Socket| {
        let gate = gate.clone();
        async move { gate.notified().await }
    });
}

#[test]
fn a_slow_handler_does_not_delay_another_socket() {
    let node = node(1, held);
    let mut slow: Vec<_> = (0..50).map(|_| Client::connect(node.address()).0).collect();
    for client in &mut slow {
        client.emit("hold", ());
    }
    let (mut quick, _) = Client::connect(node.address());
    for _ in 0..100 {
        quick.check();
    }
}

#[test]
fn a_slow_handler_does_not_delay_another_namespace_of_its_session() {
    let mut app = App::new();
    app.namespace("/slow", held);
    app.namespace("/", |nsp| {
        nsp.on(
            "echo",
            |_: Socket, args: throng_node::Args, ack: throng_node::Ack| async move { ack.send(args) },
        );
    });
    let node = Node::start(config(), app);
    let mut client = Client::websocket(node.address());
    client.join("/slow", None);
    client.join("/", None);
    client.emit_in("/slow", "hold", ());
    client.check();
}

#[test]
fn a_ping_overtakes_a_full_queue() {
    let node = node_with(
        Config {
            ping_interval: Duration::from_millis(500),
            queue_bytes_max: 64 << 20,
            shards: NonZeroUsize::MIN,
            ..config()
        },
        |nsp| {
            nsp.on("fill", |socket: Socket| async move {
                // More than the kernel takes, so that most of it waits in the node.
                for number in 0..400_u32 {
                    socket.emit("data", (number, "x".repeat(100_000)));
                }
                socket.emit("last", ());
            });
        },
    );
    let (mut client, _) = Client::connect(node.address());
    client.emit("fill", ());
    let (mut other, _) = Client::connect(node.address());
    // The ping is due, and queued behind nothing but the frame that has begun, before anything is read.
    assert_eq!(other.raw().next_frame().text(), "2");
    let mut seen = Vec::new();
    loop {
        let text = client.raw().next_frame().text();
        if text == "2" {
            seen.push("ping");
        } else if text.starts_with("42[\"last\"") {
            break;
        } else {
            seen.push("data");
        }
    }
    let ping = seen.iter().position(|what| *what == "ping").expect("a ping before the end of the data");
    let behind = seen.len() - 1 - ping;
    assert!(behind > 100, "{behind} of {} events were still behind the ping", seen.len());
}

#[test]
fn a_fast_sender_does_not_starve_its_neighbours() {
    let node = node(1, |_| {});
    let (mut fast, _) = Client::connect(node.address());
    let (mut neighbour, _) = Client::connect(node.address());
    let mut stream = fast.raw().stream().try_clone().unwrap();
    let events =
        throng_testkit::WebSocket::frame(throng_testkit::Opcode::Text, b"42[\"nothing\"]").repeat(10_000);
    let flood = std::thread::spawn(move || {
        use std::io::Write;
        for _ in 0..50 {
            stream.write_all(&events).expect("the node reads on");
        }
    });
    let mut echoes = 0;
    while !flood.is_finished() {
        neighbour.check();
        echoes += 1;
    }
    flood.join().unwrap();
    assert!(echoes > 10, "{echoes} echoes while half a million events came in");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "this is what a node does that stands still")]
fn what_came_while_the_node_stood_still_is_too_late() {
    let beat = Duration::from_millis(500);
    let (standing, stands) = mpsc::channel();
    let told = Arc::new(AtomicUsize::new(0));
    let telling = told.clone();
    let config = Config { ping_interval: beat, ping_timeout: beat, shards: NonZeroUsize::MIN, ..config() };
    let node = node_with(config, |nsp| {
        nsp.on("stand-still", move |_: Socket| {
            let standing = standing.clone();
            async move {
                // Between two turns of the shard, as a process is paused that has little to do.
                tokio::task::yield_now().await;
                let _ = standing.send(());
                std::thread::sleep(beat * 3);
            }
        });
        nsp.on("tell", move |_: Socket| {
            telling.fetch_add(1, Ordering::Relaxed);
            async {}
        });
    });
    let ((mut idle, _), (mut teller, _)) = (Client::connect(node.address()), Client::connect(node.address()));
    idle.emit("stand-still", ());
    stands.recv().expect("the event arrives");
    // By the time that it is read, the client has waited for a ping in vain, and is on another node.
    teller.emit("tell", ());
    node.until("ping timeouts", |metrics| metrics.sessions_ended(End::PingTimeout) == 2);
    assert_eq!(told.load(Ordering::Relaxed), 0);
}
