//! Clients that do not keep the heartbeat, or overdo it.

use std::time::Duration;

use throng_node::End;
use throng_testkit::{Client, Frame, Outcome, Polling, WebSocket, until};

use crate::{SHORT, Stage};

/// Pings come after a while; who answers has time enough on a busy machine.
fn stage() -> Stage {
    Stage::new(|config| (config.ping_interval, config.ping_timeout) = (SHORT, 4 * SHORT))
}

/// The silent one ends and no other: the innocent one, which answers its pings meanwhile, is served as ever.
fn expect_silence_to_end(stage: &mut Stage) {
    until("the silent one ends", || {
        stage.innocent.receive(SHORT / 5);
        (stage.node.metrics().sessions_ended(End::PingTimeout) > 0).then_some(())
    });
    stage.expect_count(End::PingTimeout);
}

#[test]
fn a_client_that_never_answers_pings_ends() {
    let mut stage = stage();
    let (mut mute, id) = Client::connect(stage.node.address());
    assert_eq!(mute.raw().next_frame().text(), "2");
    expect_silence_to_end(&mut stage);
    assert_eq!(stage.next_end(), (id, End::PingTimeout));
}

#[test]
fn a_polling_client_that_never_answers_pings_ends() {
    let mut stage = stage();
    let mut polling = Polling::open(stage.node.address());
    while !polling.packets().contains('2') {}
    expect_silence_to_end(&mut stage);
    polling.poll();
    assert_eq!(polling.answer().status, 400);
}

#[test]
fn pongs_that_nobody_asked_for_change_nothing() {
    let mut stage = Stage::new(|config| config.ping_interval = SHORT);
    let mut eager = WebSocket::connect(stage.node.address(), "/socket.io/?EIO=4&transport=websocket");
    assert!(eager.next_frame().text().starts_with('0'));
    let pinged = (0..200).any(|_| {
        eager.send_raw(&WebSocket::frame(throng_testkit::Opcode::Text, b"3").repeat(100));
        let frame = eager.next_within(Duration::from_millis(10));
        matches!(frame, Some(Outcome::Frame(Frame { opcode: 1, payload, .. })) if payload == b"2")
    });
    assert!(pinged, "each pong puts the next ping off, and is remembered until then");
    stage.expect_none_ended();
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
