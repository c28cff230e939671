//! Any text is judged as a packet, a payload and a query; records that decode are written back as they were.

#![no_main]

use http::Method;
use libfuzzer_sys::fuzz_target;
use throng_protocol::engine::handshake::Query;
use throng_protocol::engine::packet::Packet;
use throng_protocol::engine::payload::{Record, decode, push_binary, push_text};

const RECORDS_MAX: usize = 16;

fuzz_target!(|text: &str| {
    let _ = Packet::decode(text);
    for method in [Method::GET, Method::POST] {
        let _ = Query::parse(&method, text);
    }
    let mut body = Vec::new();
    let mut records = Vec::new();
    for record in decode(text, RECORDS_MAX) {
        match record {
            Ok(Record::Text(packet)) => push_text(&mut body, packet.as_bytes()),
            Ok(Record::Binary(ref message)) => push_binary(&mut body, message),
            Err(_) => break,
        }
        records.push(record);
    }
    if !records.is_empty() {
        let body = str::from_utf8(&body).expect("records are text");
        assert_eq!(decode(body, RECORDS_MAX).collect::<Vec<_>>(), records);
    }
});
