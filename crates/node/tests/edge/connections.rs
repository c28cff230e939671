//! How long a connection may take, and how large a head may be.

use std::time::{Duration, Instant};

use throng_testkit::Http;

use crate::{SHORT, node};

#[test]
fn a_pause_between_requests_may_be_longer_than_a_head() {
    let node = node(|config| {
        config.header_timeout = SHORT;
        config.edge.keep_alive = SHORT * 8;
    });
    let mut http = Http::connect(node.address());
    http.request("GET", "/health", "", b"");
    assert_eq!(http.response().status, 200);
    assert!(http.is_silent_for(SHORT * 2), "closed before its time");
    http.request("GET", "/health", "", b"");
    assert_eq!(http.response().status, 200);
    let answered = Instant::now();
    assert_eq!(http.closed(), "");
    assert!(answered.elapsed() > SHORT * 6, "{:?}", answered.elapsed());
}

#[test]
fn after_a_pause_a_head_has_its_own_time() {
    let node = node(|config| {
        config.header_timeout = SHORT;
        config.edge.keep_alive = Duration::from_secs(3600);
    });
    let mut http = Http::connect(node.address());
    http.request("GET", "/health", "", b"");
    assert_eq!(http.response().status, 200);
    let mut head = b"GET /health HTTP/1.1\r\n".iter().chain(b"x-padding: a\r\n".iter().cycle());
    // One byte at a time, well inside the timeout each: only the time of the whole counts.
    while http.is_silent_for(SHORT / 50) {
        http.send(&[*head.next().expect("an endless head")]);
    }
    http.closed();
}

#[test]
fn an_answer_may_take_longer_than_either() {
    let node = node(|config| {
        config.header_timeout = SHORT;
        config.edge.keep_alive = SHORT;
        config.ping_interval = SHORT * 4;
    });
    let mut polling = throng_testkit::Polling::open(node.address());
    polling.poll();
    assert_eq!(polling.answer().body, "2", "the poll waits for the ping");
}

#[test]
fn a_head_beyond_the_limit_is_refused() {
    let node = node(|config| config.edge.head_bytes_max = 16 << 10);
    let get = |bytes: usize| {
        crate::get_with(node.address(), "/health", &format!("x-padding: {}\r\n", "a".repeat(bytes)))
    };
    assert_eq!(get(15 << 10).status, 200);
    assert_eq!(get(17 << 10).status, 431);
}
