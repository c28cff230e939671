//! Bodies of requests that are too large or too slow.

use throng_testkit::Http;

use crate::{SHORT, ask, node};

#[test]
fn a_body_at_the_limit_passes_and_one_beyond_is_refused() {
    let node = node(|config| config.edge.body_bytes_max = 10_000);
    let upload = |bytes: usize| ask(node.address(), "POST", "/api/upload", "", &vec![b'x'; bytes]);
    assert_eq!(upload(10_000).body, "10000");
    let refused = upload(10_001);
    assert_eq!(refused.status, 413);
    assert!(refused.body.contains(r#""code":"payload_too_large""#), "{refused:?}");
}

#[test]
fn a_body_that_does_not_announce_its_length_is_refused_too() {
    let node = node(|config| config.edge.body_bytes_max = 10_000);
    let mut http = Http::connect(node.address());
    http.send(b"POST /api/upload HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n");
    for _ in 0..11 {
        http.send(b"3e8\r\n");
        http.send(&[b'x'; 1000]);
        http.send(b"\r\n");
    }
    let refused = http.response();
    assert_eq!(refused.status, 413);
    assert!(refused.body.contains(r#""code":"payload_too_large""#), "{refused:?}");
}

#[test]
fn a_large_limit_is_not_undercut() {
    let node = node(|config| config.edge.body_bytes_max = 4 << 20);
    let answer = ask(node.address(), "POST", "/api/upload", "", &vec![b'x'; 4 << 20]);
    assert_eq!((answer.status, answer.body.as_str()), (200, "4194304"));
}

#[test]
fn a_body_that_comes_a_byte_at_a_time_is_given_up() {
    let node = node(|config| config.body_timeout = SHORT);
    let mut http = Http::connect(node.address());
    http.send(b"POST /api/upload HTTP/1.1\r\nhost: test\r\ncontent-length: 5000\r\n\r\n");
    let mut sent = 0;
    while http.is_silent_for(SHORT / 50) {
        http.send(b"4");
        sent += 1;
        assert!(sent < 4999, "the whole body was waited for");
    }
    let refused = http.response();
    assert_eq!(refused.status, 408);
    assert!(refused.body.contains(r#""code":"request_timeout""#), "{refused:?}");
    http.closed();
}
