//! Upgrades that are started and not finished as they should.

use std::time::{Duration, Instant};

use throng_node::{Closing, End, Socket};
use throng_testkit::{Client, Opcode, Outcome, Polling, WebSocket};

use crate::{SHORT, Stage};

#[test]
fn an_upgrade_that_is_never_finished_leaves_the_session_polling() {
    let mut stage = Stage::new(|config| config.upgrade_timeout = SHORT);
    let mut polling = Polling::open(stage.node.address());
    let mut probe = WebSocket::connect(stage.node.address(), &polling.upgrade_path());
    probe.send_text("2probe");
    assert_eq!(probe.next_frame().text(), "3probe");
    assert_eq!(probe.outcome(), Outcome::Closed);
    assert_eq!(polling.post("40").status, 200);
    while !polling.packets().contains("40{") {}
    polling.post(r#"420["echo",1]"#);
    assert_eq!(polling.packets(), "430[1]");
    stage.expect_timeout("upgrade");
    stage.expect_none_ended();
}

#[test]
fn a_probe_that_says_nothing_is_dropped() {
    let mut stage = Stage::new(|config| config.upgrade_timeout = SHORT);
    let mut polling = Polling::open(stage.node.address());
    let mut probe = WebSocket::connect(stage.node.address(), &polling.upgrade_path());
    assert_eq!(probe.outcome(), Outcome::Closed);
    stage.expect_timeout("upgrade");
    stage.expect_none_ended();
    assert_eq!(polling.post("40").status, 200);
}

#[test]
fn a_second_attempt_has_its_own_time() {
    let timeout = Duration::from_secs(1);
    let mut stage = Stage::new(|config| config.upgrade_timeout = timeout);
    let polling = Polling::open(stage.node.address());
    let mut first = WebSocket::connect(stage.node.address(), &polling.upgrade_path());
    assert_eq!(first.next_within(timeout / 2), None);
    first.send_text("nonsense");
    assert_eq!(first.outcome(), Outcome::Closed);

    let begun = Instant::now();
    let mut second = WebSocket::connect(stage.node.address(), &polling.upgrade_path());
    assert_eq!(second.outcome(), Outcome::Closed);
    assert!(begun.elapsed() >= timeout, "cut after {:?} by the deadline of the first", begun.elapsed());
    stage.expect_none_ended();
}

#[test]
fn a_probe_that_asks_without_end_is_dropped() {
    let mut stage = Stage::new(|_| {});
    let mut polling = Polling::open(stage.node.address());
    let mut probe = WebSocket::connect(stage.node.address(), &polling.upgrade_path());
    let probes = WebSocket::frame(Opcode::Text, b"2probe").repeat(10_000);
    probe.send_raw(&probes);
    while let Outcome::Frame(frame) = probe.outcome() {
        assert_eq!(frame.text(), "3probe");
    }
    stage.expect_none_ended();
    assert_eq!(polling.post("40").status, 200);
}

#[test]
fn a_second_connection_cannot_take_a_session_that_has_moved() {
    let mut stage = Stage::new(|_| {});
    let polling = Polling::open(stage.node.address());
    let mut moved = WebSocket::connect(stage.node.address(), &polling.upgrade_path());
    moved.send_text("2probe");
    assert_eq!(moved.next_frame().text(), "3probe");
    moved.send_text("5");
    moved.send_text("40");
    assert!(moved.next_frame().text().starts_with("40{"));
    let mut thief = WebSocket::connect(stage.node.address(), &polling.upgrade_path());
    thief.send_text("2probe");
    assert_eq!(thief.outcome(), Outcome::Closed);
    moved.send_text(r#"420["echo",1]"#);
    assert_eq!(moved.next_frame().text(), "430[1]");
    stage.expect_none_ended();
}

/// A session that its handler closes after the client's last poll and before its first frame on the WebSocket.
fn closed_on_the_way(upgrade_timeout: Duration) -> (Stage, Polling, WebSocket) {
    let stage = Stage::with(
        |config| config.upgrade_timeout = upgrade_timeout,
        |nsp| {
            nsp.on("close", |socket: Socket| async move { socket.disconnect(Closing::Session) });
        },
    );
    let mut polling = Polling::open(stage.node.address());
    polling.post("40");
    while !polling.packets().contains("40{") {}
    let mut probe = WebSocket::connect(stage.node.address(), &polling.upgrade_path());
    probe.send_text("2probe");
    assert_eq!(probe.next_frame().text(), "3probe");
    assert_eq!(polling.post(r#"42["close"]"#).status, 200);
    assert_eq!(stage.next_end().1, End::ServerDisconnect);
    (stage, polling, probe)
}

#[test]
fn a_client_on_the_way_hears_of_the_end_once_it_has_moved() {
    let (mut stage, mut polling, mut probe) = closed_on_the_way(Duration::from_secs(30));
    for late in ["40", r#"420["echo",1]"#, "1"] {
        assert_eq!(polling.post(late).status, 200, "nobody is left to hear {late}");
    }
    probe.send_text("5");
    assert_eq!(probe.next_frame().text(), "41");
    assert_eq!(probe.close_code(), Some(1000));
    stage.expect_count(End::ForcedClose);
}

#[test]
fn a_client_that_polls_again_hears_of_the_end_there() {
    let (mut stage, mut polling, mut probe) = closed_on_the_way(Duration::from_secs(30));
    assert_eq!(polling.packets(), "41");
    assert_eq!(probe.outcome(), Outcome::Closed);
    stage.expect_count(End::ForcedClose);
}

#[test]
fn a_client_that_stays_on_the_way_is_not_waited_for() {
    let (mut stage, mut polling, mut probe) = closed_on_the_way(SHORT);
    assert_eq!(probe.outcome(), Outcome::Closed);
    stage.expect_count(End::ForcedClose);
    assert_eq!(polling.packets(), "41");
}

#[test]
fn a_session_that_ends_takes_its_probe_along() {
    let mut stage = Stage::new(|_| {});
    let mut polling = Polling::open(stage.node.address());
    let mut probe = WebSocket::connect(stage.node.address(), &polling.upgrade_path());
    probe.send_text("2probe");
    assert_eq!(probe.next_frame().text(), "3probe");
    assert_eq!(polling.post("1").status, 200);
    probe.send_text("5");
    assert_eq!(probe.outcome(), Outcome::Closed);
    stage.expect_count(End::TransportClose);
    let (mut later, _) = Client::connect(stage.node.address());
    later.check();
}
