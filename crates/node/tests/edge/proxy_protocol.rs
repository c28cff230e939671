//! Behind a balancer that speaks the PROXY protocol.

use throng_node::Config;
use throng_testkit::{Http, Response};

use crate::{SHORT, get_with, node};

fn switched_on(config: &mut Config) {
    config.edge.proxy_protocol = true;
}

const REQUEST: &[u8] = b"GET /api/address HTTP/1.1\r\nhost: test\r\n\r\n";

/// The start of a version 2 header for an IPv4 client at 198.51.100.22.
const VERSION_2: [u8; 28] = [
    13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10, 0x21, 0x11, 0, 12, 198, 51, 100, 22, 203, 0, 113, 7, 1, 2,
    0, 80,
];

/// What is answered to a header and a request behind it, sent in pieces.
fn answer(pieces: &[&[u8]]) -> Response {
    let node = node(switched_on);
    let mut http = Http::connect(node.address());
    let (last, others) = pieces.split_last().expect("at least one piece");
    for piece in others {
        http.send(piece);
        assert!(http.is_silent_for(SHORT / 50), "answered before there was a request");
    }
    http.send(last);
    http.response()
}

#[test]
fn both_versions_say_where_a_connection_came_from() {
    let line = b"PROXY TCP4 198.51.100.22 203.0.113.7 35646 80\r\n";
    assert_eq!(answer(&[line, REQUEST]).body, "198.51.100.22");
    assert_eq!(answer(&[&[line, REQUEST].concat()]).body, "198.51.100.22");
    assert_eq!(answer(&[&VERSION_2, REQUEST]).body, "198.51.100.22");
    assert_eq!(answer(&[&[&VERSION_2, REQUEST].concat()]).body, "198.51.100.22");
    let line = b"PROXY TCP6 2001:db8::1 2001:db8::2 35646 80\r\n";
    assert_eq!(answer(&[line, REQUEST]).body, "2001:db8::1");
}

#[test]
fn a_header_may_come_in_pieces() {
    let line = b"PROXY TCP4 198.51.100.22 203.0.113.7 35646 80\r\n";
    assert_eq!(
        answer(&[&line[..3], &line[3..14], &line[14..30], &line[30..], REQUEST]).body,
        "198.51.100.22"
    );
    assert_eq!(
        answer(&[&VERSION_2[..13], &VERSION_2[13..20], &VERSION_2[20..], REQUEST]).body,
        "198.51.100.22"
    );
}

#[test]
fn a_balancer_that_speaks_for_itself_is_the_client() {
    assert_eq!(answer(&[b"PROXY UNKNOWN\r\n", REQUEST]).body, "127.0.0.1");
    let mut local = VERSION_2;
    local[12] = 0x20;
    assert_eq!(answer(&[&local, REQUEST]).body, "127.0.0.1");
}

#[test]
fn a_connection_without_a_header_or_with_a_bad_one_is_closed() {
    let node = node(switched_on);
    let endless = [b"PROXY TCP4 ".as_slice(), &[b'1'; 200]].concat();
    let mut long = VERSION_2;
    (long[14], long[15]) = (0xff, 0xff);
    let mut unix = VERSION_2;
    unix[13] = 0x31;
    let bad: [&[u8]; 6] = [
        REQUEST,
        b"PROXY TCP4 a b c d\r\n 12345",
        &endless,
        &long,
        &unix,
        b"PROXY TCP4 198.51.100.22 203.0.113.7 1\r\n",
    ];
    for header in bad {
        let mut http = Http::connect(node.address());
        http.send(header);
        http.send(REQUEST);
        assert_eq!(http.closed(), "", "{:?}", String::from_utf8_lossy(header));
    }
}

#[test]
fn a_header_that_never_ends_is_not_waited_for() {
    let node = node(|config| {
        switched_on(config);
        config.header_timeout = SHORT;
    });
    for part in [&b""[..], b"PROXY TCP4 198.51", &VERSION_2[..20]] {
        let mut http = Http::connect(node.address());
        http.send(part);
        assert_eq!(http.closed(), "");
    }
}

#[test]
fn switched_off_a_header_is_no_request() {
    let node = node(|_| {});
    let mut http = Http::connect(node.address());
    http.send(b"PROXY TCP4 198.51.100.22 203.0.113.7 35646 80\r\n");
    http.send(REQUEST);
    assert_eq!(http.response().status, 400);
    assert_eq!(get_with(node.address(), "/api/address", "").body, "127.0.0.1");
}
