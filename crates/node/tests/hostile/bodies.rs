//! Posted bodies that are too large or too slow.

use std::num::NonZeroUsize;

use throng_node::End;
use throng_testkit::{Http, Polling};

use crate::{SHORT, Stage};

#[test]
fn a_body_over_the_limit_is_refused_and_ends_the_session() {
    let mut stage = Stage::new(|config| config.payload_bytes_max = 10_000);
    let mut polling = Polling::open(stage.node.address());
    let answer = polling.post(&format!("42[\"echo\",\"{}\"]", "x".repeat(10_000)));
    assert_eq!(answer.status, 413);
    stage.expect_count(End::PayloadTooLarge);
}

// A client that reads first that the session is over never learns why.
#[test]
fn the_refusal_of_a_body_is_told_before_the_waiting_poll_ends() {
    const ROUNDS: u64 = 64;
    let stage = Stage::new(|config| {
        config.payload_bytes_max = 10_000;
        // The post, the poll and the session may each be on another one.
        config.shards = NonZeroUsize::new(4).expect("not zero");
    });
    let both: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let mut polling = Polling::open(stage.node.address());
            let mut post = Http::connect(stage.node.address());
            polling.poll();
            post.request("POST", &polling.path(), "", &[b'4'; 10_001]);
            (polling, post)
        })
        .collect();
    for (mut polling, mut post) in both {
        assert_eq!(polling.answer().status, 400, "no goodbye");
        assert!(post.has_answer(), "the poll was answered first");
        assert_eq!(post.response().status, 413);
    }
    stage.node.until("all ended", |metrics| metrics.sessions_ended(End::PayloadTooLarge) == ROUNDS);
}

#[test]
fn a_body_that_only_announces_too_much_is_refused_too() {
    let mut stage = Stage::new(|config| config.payload_bytes_max = 10_000);
    let polling = Polling::open(stage.node.address());
    let mut http = Http::connect(stage.node.address());
    let head =
        format!("POST {} HTTP/1.1\r\nhost: test\r\ncontent-length: 2147483648\r\n\r\n", polling.path());
    http.send(head.as_bytes());
    assert_eq!(http.response().status, 413);
    stage.expect_count(End::PayloadTooLarge);
}

#[test]
fn a_body_that_comes_a_byte_at_a_time_is_given_up() {
    let mut stage = Stage::new(|config| config.body_timeout = SHORT);
    let polling = Polling::open(stage.node.address());
    let mut http = Http::connect(stage.node.address());
    let head = format!("POST {} HTTP/1.1\r\nhost: test\r\ncontent-length: 5000\r\n\r\n", polling.path());
    http.send(head.as_bytes());
    let mut sent = 0;
    while http.is_silent_for(SHORT / 50) {
        http.send(b"4");
        sent += 1;
        assert!(sent < 4999, "the whole body was waited for");
    }
    assert_eq!(http.response().status, 408);
    http.closed();
    stage.expect_timeout("body");
    stage.expect_none_ended();
}
