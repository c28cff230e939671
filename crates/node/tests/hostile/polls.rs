//! Polls and posts that belong to no session, come twice, or are given up.

use throng_node::End;
use throng_testkit::{Http, Polling};

use crate::Stage;

const UNKNOWN: &str = r#"{"code":1,"message":"Session ID unknown"}"#;

#[test]
fn a_poll_for_a_foreign_session_is_refused() {
    let mut stage = Stage::new(|_| {});
    let other = Stage::new(|_| {});
    let foreign = Polling::open(other.node.address());
    let answer = Http::get(stage.node.address(), &foreign.path());
    assert_eq!((answer.status, answer.body.as_str()), (400, UNKNOWN));
    for sid in ["AAAAAAAAAAAAAAAAAAAA", "x", "%00", "____________________"] {
        let path = format!("/socket.io/?EIO=4&transport=polling&sid={sid}");
        let answer = Http::get(stage.node.address(), &path);
        assert_eq!((answer.status, answer.body.as_str()), (400, UNKNOWN), "{sid}");
    }
    stage.expect_refused("session_unknown", 5);
    stage.expect_refused("bad_request", 0);
    stage.expect_none_ended();
}

#[test]
fn an_identifier_of_the_right_place_is_not_enough() {
    let mut stage = Stage::new(|_| {});
    let mut polling = Polling::open(stage.node.address());
    let mut guessed = polling.path();
    let last = if guessed.ends_with('A') { "B" } else { "A" };
    guessed.replace_range(guessed.len() - 1.., last);
    assert_eq!(Http::get(stage.node.address(), &guessed).status, 400);
    stage.expect_refused("session_unknown", 1);
    stage.expect_none_ended();
    assert_eq!(polling.post("40").status, 200);
}

#[test]
fn posts_after_the_close_are_refused() {
    let mut stage = Stage::new(|_| {});
    let mut polling = Polling::open(stage.node.address());
    assert_eq!(polling.post("1").status, 200);
    for _ in 0..3 {
        let answer = polling.post("42[\"echo\"]");
        assert_eq!((answer.status, answer.body.as_str()), (400, UNKNOWN));
    }
    stage.expect_refused("session_unknown", 3);
    stage.expect_count(End::TransportClose);
}

#[test]
fn what_follows_a_close_in_the_same_body_is_dropped() {
    let mut stage = Stage::new(|_| {});
    let mut polling = Polling::open(stage.node.address());
    assert_eq!(polling.post("40\u{1e}1\u{1e}42[\"echo\"]\u{1e}x").status, 200);
    stage.expect_count(End::TransportClose);
}

#[test]
fn two_polls_at_once_end_the_session() {
    let mut stage = Stage::new(|_| {});
    let mut polling = Polling::open(stage.node.address());
    polling.poll();
    let second = Http::get(stage.node.address(), &polling.path());
    // They travel on connections of their own: whichever comes second is refused, and ends what the first waits for.
    let mut statuses = [second.status, polling.answer().status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
    stage.expect_refused("bad_request", 1);
    stage.expect_count(End::TransportError);
}

#[test]
fn a_poll_that_is_given_up_ends_the_session() {
    let mut stage = Stage::new(|_| {});
    let mut polling = Polling::open(stage.node.address());
    polling.post("40");
    assert!(polling.packets().contains("40{"));
    polling.poll();
    // An answered request behind it on another connection: the poll has reached the session.
    stage.node.metrics();
    polling.hang_up();
    let (_, end) = stage.next_end();
    assert_eq!(end, End::TransportError);
    stage.expect_count(End::TransportError);
}

#[test]
fn bodies_that_are_no_packets_end_the_session() {
    for body in ["", "x", "9", "4", "42[\"e\"", "bAAA!", "40\u{1e}", "40\u{1e}42[\"disconnect\"]"] {
        let mut stage = Stage::new(|_| {});
        let mut polling = Polling::open(stage.node.address());
        let answer = polling.post(body);
        assert!(matches!(answer.status, 200 | 400), "{body:?}: {answer:?}");
        stage.expect_count(End::ParseError);
    }
}

#[test]
fn a_websocket_session_is_not_polled() {
    let mut stage = Stage::new(|_| {});
    let mut websocket =
        throng_testkit::WebSocket::connect(stage.node.address(), "/socket.io/?EIO=4&transport=websocket");
    let open = websocket.next_frame().text();
    let packet: serde_json::Value = serde_json::from_str(&open[1..]).unwrap();
    let path = format!("/socket.io/?EIO=4&transport=polling&sid={}", packet["sid"].as_str().unwrap());
    assert_eq!(Http::get(stage.node.address(), &path).status, 400);
    stage.expect_refused("bad_request", 1);
    stage.expect_none_ended();
    websocket.send_text("40");
    assert!(websocket.next_frame().text().starts_with("40{"));
}
