//! Clients that read too slowly, or not at all: what waits for them is bounded, and a client that does read is not
//! taken for one of them.

use throng_node::{Config, End, Socket};
use throng_testkit::{Client, Opcode, Polling, WebSocket};

use crate::Stage;

/// Emits `count` events of `bytes` bytes each, in one go.
fn bulk(socket: &Socket, count: usize, bytes: usize) {
    let payload = "x".repeat(bytes);
    for _ in 0..count {
        socket.emit("bulk", payload.as_str());
    }
    socket.emit("done", ());
}

fn stage(change: impl FnOnce(&mut Config)) -> Stage {
    Stage::with(change, |nsp| {
        nsp.on("bulk", |socket: Socket, (count, bytes): (usize, usize)| async move {
            bulk(&socket, count, bytes);
        });
        nsp.on("hoard", |socket: Socket, count: usize| async move {
            let before = resident_bytes();
            bulk(&socket, count, 100_000);
            socket.broadcast().emit("hoarded", resident_bytes().saturating_sub(before));
        });
    })
}

fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("a Linux process sees itself");
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).expect("pages in memory") * 4096
}

#[test]
fn a_client_that_never_reads_ends() {
    let mut stage = stage(|_| {});
    let (mut deaf, id) = Client::connect(stage.node.address());
    // More than the kernel holds on both sides, and the queue behind it.
    deaf.emit("bulk", (400, 100_000));
    stage.expect_end(id, End::SlowConsumer);
}

#[test]
fn what_waits_for_a_client_is_bounded_even_within_one_handler() {
    let mut stage = stage(|_| {});
    let (mut deaf, id) = Client::connect(stage.node.address());
    deaf.emit("hoard", 600);
    let grown = stage.innocent.event("hoarded").decode::<usize>().unwrap();
    // The kernel's buffers are not the process's; 60 MB were emitted.
    assert!(grown < 25_000_000, "grew by {grown} bytes");
    stage.expect_end(id, End::SlowConsumer);
}

#[test]
fn a_client_that_reads_gets_a_burst_larger_than_its_queue() {
    let mut stage = stage(|_| {});
    let (mut reading, _) = Client::connect(stage.node.address());
    // Three times the queue in one go, but no more than the kernel takes at once.
    reading.emit("bulk", (300, 10_000));
    assert_eq!(reading.events_before("done").len(), 300);
    stage.expect_none_ended();
}

#[test]
fn a_client_that_pings_without_reading_ends() {
    let mut stage = stage(|_| {});
    let (mut deaf, id) = Client::connect(stage.node.address());
    let ping = WebSocket::frame(Opcode::Ping, &[b'x'; 125]).repeat(1000);
    let sent = (0..1000).take_while(|_| deaf.raw().send_raw(&ping)).count();
    assert!(sent < 1000, "131 MB of pings were taken, with nobody reading the pongs");
    stage.expect_end(id, End::SlowConsumer);
}

#[test]
fn a_polling_client_that_does_not_poll_ends() {
    let mut stage = stage(|_| {});
    let mut polling = Polling::open(stage.node.address());
    assert_eq!(polling.post("40").status, 200);
    assert!(polling.packets().starts_with("40{"));
    polling.post(r#"42["bulk",30,100000]"#);
    let (_, end) = stage.next_end();
    assert_eq!(end, End::SlowConsumer);
    stage.expect_count(End::SlowConsumer);
}

#[test]
fn volatile_messages_are_dropped_for_a_client_that_never_reads() {
    let mut stage = Stage::with(
        |_| {},
        |nsp| {
            nsp.on("flood", |socket: Socket| async move {
                for _ in 0..400 {
                    socket.emit_volatile("flood", "x".repeat(100_000));
                    tokio::task::yield_now().await;
                }
                socket.broadcast().emit("flooded", ());
            });
        },
    );
    let (mut deaf, _) = Client::connect(stage.node.address());
    deaf.emit("flood", ());
    stage.innocent.event("flooded");
    stage.expect_none_ended();
    assert!(stage.node.metrics().get("volatile_dropped_total") > 0);
}
