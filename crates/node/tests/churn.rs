//! Ten thousand clients come and go, and nothing of them stays. Alone in its process, because it looks at the memory.

use throng_node::{Ack, App, Args, Closing, Socket};
use throng_testkit::{Client, Node, Polling, WebSocket, config};

const CLIENTS: usize = 10_000;
/// Connecting takes a client longer than the node, which has a thread of its own.
const THREADS: usize = 4;
/// What an allocator may keep back for another time, and no more than a tenth of a kilobyte for each client.
const GROWTH_BYTES_MAX: usize = 1 << 20;

fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("a Linux process sees itself");
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).expect("pages in memory") * 4096
}

/// One client comes, does something, and goes in one of the ways that clients go.
fn visit(node: &Node, number: usize) {
    match number % 10 {
        0 => {
            let mut polling = Polling::open(node.address());
            polling.post("40");
            polling.packets();
            let mut moved = WebSocket::connect(node.address(), &polling.upgrade_path());
            moved.send_text("2probe");
            moved.next_frame();
            moved.send_text("5");
        }
        1 => {
            let mut polling = Polling::open(node.address());
            polling.post("40\u{1e}42[\"join\"]");
            polling.post("1");
        }
        2 => {
            let (mut client, _) = Client::connect(node.address());
            client.emit("slow", "x".repeat(1000));
            client.leave("/");
        }
        3 => {
            let (mut client, _) = Client::connect(node.address());
            client.emit("ask", ());
            client.asked("question");
        }
        4 => drop(WebSocket::connect(node.address(), "/socket.io/?EIO=4&transport=websocket")),
        _ => {
            let (mut client, _) = Client::connect(node.address());
            client.emit("join", ());
            client.call("echo", number);
        }
    }
}

fn round(node: &Node, clients: usize) {
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || (thread..clients).step_by(THREADS).for_each(|number| visit(node, number)));
        }
    });
    let metrics = node.until("everyone has gone", |metrics| {
        // A client that polls and hangs up between two polls is not noticed for a while, so it is told to go.
        node.io().of("/").disconnect_sockets(Closing::Session);
        metrics.sessions_open() == 0 && metrics.get("connections{transport=\"http\"}") == 1
    });
    assert_eq!((metrics.sockets_open(), metrics.get("rooms")), (0, 0));
}

#[test]
fn memory_is_back_where_it_was() {
    let mut app = App::new();
    app.namespace("/", |nsp| {
        nsp.on("join", |socket: Socket| async move { socket.join(format!("room of {}", socket.id())) });
        nsp.on("echo", |_: Socket, args: Args, ack: Ack| async move { ack.send(args) });
        nsp.on("slow", |_: Socket, _: Args| tokio::task::yield_now());
        nsp.on("ask", |socket: Socket| async move {
            drop(socket.emit_with_ack::<Args>("question", ()).await);
        });
    });
    let node = Node::start(config(), app);
    round(&node, CLIENTS / 2);
    let before = resident_bytes();
    round(&node, CLIENTS);
    let after = resident_bytes();
    let grown = after.saturating_sub(before);
    assert!(grown <= GROWTH_BYTES_MAX, "{CLIENTS} clients left {grown} bytes behind ({before} to {after})");
    assert_eq!(node.metrics().get("errands_dropped_total"), 0);
}
