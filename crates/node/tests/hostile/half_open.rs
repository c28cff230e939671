//! Connections that never become a request.

use throng_node::End;
use throng_testkit::{Client, Http, upgrade_request};

use crate::{SHORT, Stage};

#[test]
fn a_connection_that_says_nothing_is_closed() {
    let mut stage = Stage::new(|config| config.header_timeout = SHORT);
    let silent = Http::connect(stage.node.address());
    assert_eq!(silent.closed(), "");
    stage.expect_timeout("head");
}

#[test]
fn half_a_request_is_closed_however_slowly_it_grows() {
    let mut stage = Stage::new(|config| config.header_timeout = SHORT);
    let mut slow = Http::connect(stage.node.address());
    let request = upgrade_request("/socket.io/?EIO=4&transport=websocket", &"x-padding: a\r\n".repeat(500));
    let mut bytes = request.bytes();
    // One byte at a time, well inside the timeout each: only the time of the whole counts.
    while slow.is_silent_for(SHORT / 50) {
        slow.send(&[bytes.next().expect("closed before the request is whole")]);
    }
    slow.closed();
    stage.expect_timeout("head");
    stage.expect_none_ended();
}

#[test]
fn a_kept_alive_connection_that_stops_asking_is_closed() {
    let mut stage = Stage::new(|config| config.edge.keep_alive = SHORT);
    let mut http = Http::connect(stage.node.address());
    http.request("GET", "/health", "", b"");
    assert_eq!(http.response().status, 200);
    assert_eq!(http.closed(), "");
    stage.expect_timeout("idle");
}

#[test]
fn a_session_that_joins_no_namespace_ends() {
    let mut stage = Stage::new(|config| config.connect_timeout = SHORT);
    let mut idle = Client::websocket(stage.node.address());
    idle.wait_closed();
    stage.expect_count(End::ConnectTimeout);
}

#[test]
fn a_client_that_asks_without_end_and_never_reads_is_cut_off() {
    let mut stage = Stage::new(|config| config.body_timeout = SHORT);
    let mut deaf = Http::connect(stage.node.address());
    // Far more answers than the kernel holds for a client that takes none.
    let request = "GET /metrics HTTP/1.1\r\nhost: test\r\n\r\n".repeat(200);
    stage.node.until("the connection is open", |metrics| metrics.get("connections{transport=\"http\"}") == 2);
    for _ in 0..50 {
        deaf.send(request.as_bytes());
    }
    stage.node.until("the connection is gone", |metrics| metrics.get("connections{transport=\"http\"}") == 1);
    stage.expect_timeout("answer");
    stage.expect_none_ended();
}
