//! Bytes that no client should send.

use throng_node::End;
use throng_testkit::{Client, Opcode, WebSocket};

use crate::Stage;

/// A client sends this on a joined session, is closed with this code, and ends for this reason.
fn check(name: &str, bytes: &[u8], code: u16, end: End) {
    let mut stage = Stage::new(|_| {});
    let (mut bad, id) = Client::connect(stage.node.address());
    bad.raw().send_raw(bytes);
    assert_eq!(bad.raw().close_code(), Some(code), "{name}");
    stage.expect_end(id, end);
}

fn text(packet: &str) -> Vec<u8> {
    WebSocket::frame(Opcode::Text, packet.as_bytes())
}

#[test]
fn a_length_over_the_limit_ends_at_its_header() {
    let mut two_gigabytes = vec![0x82, 0xff];
    two_gigabytes.extend_from_slice(&(2_u64 << 30).to_be_bytes());
    check("2 GB", &two_gigabytes, 1009, End::PayloadTooLarge);
    let mut all_bits = vec![0x82, 0xff, 0x7f];
    all_bits.extend_from_slice(&[0xff; 7]);
    check("2^63-1", &all_bits, 1009, End::PayloadTooLarge);
}

#[test]
fn fragments_that_add_up_over_the_limit_end() {
    let mut first = WebSocket::frame(Opcode::Text, &[b'x'; 60_000]);
    first[0] &= 0x7f;
    let mut more = WebSocket::frame(Opcode::Continuation, &[b'x'; 60_000]);
    more[0] &= 0x7f;
    check("fragments", &[first, more.repeat(17)].concat(), 1009, End::PayloadTooLarge);
}

#[test]
fn frames_without_a_mask_end() {
    check("unmasked", b"\x81\x012", 1002, End::TransportError);
}

#[test]
fn frames_against_the_rules_end() {
    check("reserved opcode", &[0x83, 0x80, 0, 0, 0, 0], 1002, End::TransportError);
    check("reserved bit", &[0xa1, 0x80, 0, 0, 0, 0], 1002, End::TransportError);
    check("bare continuation", &[0x80, 0x80, 0, 0, 0, 0], 1002, End::TransportError);
    check("fragmented ping", &[0x09, 0x80, 0, 0, 0, 0], 1002, End::TransportError);
    check("compressed, not negotiated", &[0xc1, 0x80, 0, 0, 0, 0], 1002, End::TransportError);
}

#[test]
fn text_that_is_not_utf8_ends() {
    check("invalid", &WebSocket::frame(Opcode::Text, b"42[\"\xff\xfe\"]"), 1007, End::TransportError);
    check("surrogate", &WebSocket::frame(Opcode::Text, b"42[\"\xed\xa0\x80\"]"), 1007, End::TransportError);
}

#[test]
fn a_thousand_announced_attachments_end() {
    check("announced", &text(r#"451000-["e",{"_placeholder":true,"num":0}]"#), 1008, End::ParseError);
    check("in digits", &text(&format!("45{}-[\"e\"]", "9".repeat(400))), 1008, End::ParseError);
}

#[test]
fn attachments_that_do_not_fit_end() {
    check("nobody announced it", &WebSocket::frame(Opcode::Binary, b"x"), 1008, End::ParseError);
    let announced = text(r#"451-["e",{"_placeholder":true,"num":0}]"#);
    check("text instead", &[announced, text("42[\"e\"]")].concat(), 1008, End::ParseError);
}

#[test]
fn deep_json_ends() {
    for depth in [100, 100_000] {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        check("arrays", &text(&format!("42[\"e\",{open}{close}]")), 1008, End::ParseError);
    }
    let objects = format!("42[\"e\",{}0{}]", r#"{"a":"#.repeat(5000), "}".repeat(5000));
    check("objects", &text(&objects), 1008, End::ParseError);
    check("auth", &text(&format!("40/x,{}", "[".repeat(5000))), 1008, End::ParseError);
}

#[test]
fn packets_that_are_none_end() {
    for packet in [
        "",
        "9",
        "x",
        "4",
        "49",
        "42",
        "42[",
        "42{}",
        "42[]",
        "42[1",
        "42[\"disconnect\"]",
        "44\"x\"",
        "42/other,[\"e\"]",
        "43[]",
        "40",
    ] {
        check(packet, &text(packet), 1008, End::ParseError);
    }
    check("long name", &text(&format!("42[\"{}\"]", "e".repeat(300))), 1008, End::ParseError);
}

#[test]
fn pongs_come_in_the_order_of_their_pings() {
    let mut stage = Stage::new(|_| {});
    let (mut client, _) = Client::connect(stage.node.address());
    let pings: Vec<u8> = (0..10).flat_map(|number| WebSocket::frame(Opcode::Ping, &[number])).collect();
    client.raw().send_raw(&pings);
    let pongs: Vec<u8> = (0..10).flat_map(|_| client.raw().next_frame().payload).collect();
    assert_eq!(pongs, (0..10).collect::<Vec<u8>>());
    stage.expect_none_ended();
}

#[test]
fn a_client_that_floods_on_after_its_end_holds_nobody_up() {
    let mut stage = Stage::new(|_| {});
    let (mut bad, id) = Client::connect(stage.node.address());
    bad.raw().send_raw(b"\x81\x012");
    let mut stream = bad.raw().stream().try_clone().unwrap();
    let flood = std::thread::spawn(move || {
        use std::io::Write;
        let junk = vec![0; 1 << 20];
        while stream.write_all(&junk).is_ok() {}
    });
    stage.expect_end(id, End::TransportError);
    for _ in 0..100 {
        stage.innocent.check();
    }
    // After its time to read the goodbye, the connection is gone.
    flood.join().unwrap();
}
