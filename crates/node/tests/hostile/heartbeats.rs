//! Clients that do not keep the heartbeat, or overdo it.

use std::time::Duration;

use throng_node::End;
use throng_testkit::{Client, Frame, Outcome, Polling, WebSocket};

use crate::{SHORT, Stage};

#[test]
fn a_client_that_never_answers_pings_ends() {
    let mut stage = Stage::new(|config| (config.ping_interval, config.ping_timeout) = (SHORT, SHORT));
    let (mut mute, id) = Client::connect(stage.node.address());
    let address = stage.node.address();
    // The innocent one answers its pings from a thread of its own.
    let innocent = std::mem::replace(&mut stage.innocent, Client::websocket(address));
    let answering = std::thread::spawn(move || {
        let mut innocent = innocent;
        for _ in 0..4 {
            innocent.receive(SHORT);
        }
        innocent
    });
    assert_eq!(mute.raw().next_frame().text(), "2");
    let ended = stage.next_end();
    assert_eq!(ended, (id, End::PingTimeout));
    answering.join().unwrap().check();
    assert!(stage.node.metrics().sessions_ended(End::PingTimeout) >= 1);
}

#[test]
fn a_polling_client_that_never_answers_pings_ends() {
    let stage = Stage::new(|config| (config.ping_interval, config.ping_timeout) = (SHORT, SHORT));
    let mut polling = Polling::open(stage.node.address());
    while !polling.packets().contains('2') {}
    // The innocent one does not answer either, as nobody reads for it here.
    stage.node.until("ping timeout", |metrics| metrics.sessions_ended(End::PingTimeout) == 2);
    polling.poll();
    assert_eq!(polling.answer().status, 400);
}

#[test]
fn pongs_that_nobody_asked_for_change_nothing() {
    let interval = SHORT;
    let stage = Stage::new(|config| config.ping_interval = interval);
    let mut eager = WebSocket::connect(stage.node.address(), "/socket.io/?EIO=4&transport=websocket");
    assert!(eager.next_frame().text().starts_with('0'));
    let pinged = (0..200).any(|_| {
        eager.send_raw(&WebSocket::frame(throng_testkit::Opcode::Text, b"3").repeat(100));
        let frame = eager.next_within(Duration::from_millis(10));
        matches!(frame, Some(Outcome::Frame(Frame { opcode: 1, payload, .. })) if payload == b"2")
    });
    assert!(pinged, "each pong puts the next ping off, and is remembered until then");
}

#[test]
fn a_ping_of_a_client_ends_its_session() {
    let mut stage = Stage::new(|_| {});
    let mut backwards = WebSocket::connect(stage.node.address(), "/socket.io/?EIO=4&transport=websocket");
    backwards.send_text("2");
    stage.expect_count(End::TransportError);
}

#[test]
fn a_posted_ping_ends_its_session() {
    let mut stage = Stage::new(|_| {});
    let mut backwards = Polling::open(stage.node.address());
    assert_eq!(backwards.post("2").status, 200);
    stage.expect_count(End::TransportError);
}
