//! What a client sends behind its upgrade request without waiting for the 101.

use throng_testkit::{Http, Opcode, Outcome, Polling, WebSocket, upgrade_request};

use crate::Stage;

fn text(packet: &str) -> Vec<u8> {
    WebSocket::frame(Opcode::Text, packet.as_bytes())
}

#[test]
fn bytes_behind_the_request_are_the_first_frames() {
    let mut stage = Stage::new(|_| {});
    let request = upgrade_request("/socket.io/?EIO=4&transport=websocket", "").into_bytes();
    let frames = [text("40"), text(r#"420["echo","early"]"#)].concat();
    // Cut everywhere that matters: inside a header, inside a payload, between frames.
    let mut kept = Vec::new();
    for cut in [1, 3, 7, text("40").len(), frames.len()] {
        let mut http = Http::connect(stage.node.address());
        http.send(&[&request, &frames[..cut]].concat());
        assert_eq!(http.response().status, 101);
        let mut websocket = WebSocket::from_http(http);
        websocket.send_raw(&frames[cut..]);
        assert!(websocket.next_frame().text().starts_with("0{"));
        assert!(websocket.next_frame().text().starts_with("40{"));
        assert_eq!(websocket.next_frame().text(), r#"430["early"]"#);
        kept.push(websocket);
    }
    stage.expect_none_ended();
}

#[test]
fn a_whole_upgrade_may_come_in_one_go() {
    let mut stage = Stage::new(|_| {});
    let mut polling = Polling::open(stage.node.address());
    let mut http = Http::connect(stage.node.address());
    let frames = [text("2probe"), text("5"), text("40"), text(r#"420["echo","early"]"#)].concat();
    http.send(&[upgrade_request(&polling.upgrade_path(), "").into_bytes(), frames].concat());
    assert_eq!(http.response().status, 101);
    let mut websocket = WebSocket::from_http(http);
    assert_eq!(websocket.next_frame().text(), "3probe");
    assert!(websocket.next_frame().text().starts_with("40{"));
    assert_eq!(websocket.next_frame().text(), r#"430["early"]"#);
    polling.poll();
    assert_eq!(polling.answer().status, 400);
    stage.expect_none_ended();
}

#[test]
fn garbage_behind_the_request_ends_only_that_session() {
    let mut stage = Stage::new(|_| {});
    let mut http = Http::connect(stage.node.address());
    let request = upgrade_request("/socket.io/?EIO=4&transport=websocket", "");
    http.send(&[request.as_bytes(), &[0xff; 3000]].concat());
    assert_eq!(http.response().status, 101);
    let mut websocket = WebSocket::from_http(http);
    assert_eq!(websocket.close_code(), Some(1002));
    assert_eq!(websocket.outcome(), Outcome::Closed);
    stage.expect_count(throng_node::End::TransportError);
}
