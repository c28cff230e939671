//! A node that speaks msgpack.

use bytes::Bytes;
use serde_json::json;
use throng_node::{Config, End, Parser, Socket};
use throng_testkit::{Client, config};

use crate::node_with;

#[test]
fn events_answers_and_binary_travel_in_msgpack() {
    let node = node_with(Config { parser: Parser::MsgPack, ..config() }, |nsp| {
        nsp.on("ask", |socket: Socket| async move {
            let answer = socket.emit_with_ack::<String>("question", ()).await.unwrap();
            socket.nsp().emit("answer", (answer, Bytes::from_static(&[1, 2, 3])));
        });
    });
    let mut client = Client::websocket_with(node.address(), Parser::MsgPack);
    client.join("/", Some(json!({"token": 1})));
    let sent = ("text", 7, Bytes::from_static(&[0, 255]));
    let back = client.call("echo", sent.clone()).decode::<(String, u32, Bytes)>().unwrap();
    assert_eq!(back, ("text".into(), 7, sent.2));
    client.emit("ask", ());
    let (_, number) = client.asked("question");
    client.acknowledge(number.unwrap(), "yes");
    let answer = client.event("answer").decode::<(String, Bytes)>().unwrap();
    assert_eq!(answer, ("yes".into(), Bytes::from_static(&[1, 2, 3])));
}

#[test]
fn text_and_garbage_end_the_session() {
    for bad in [&b"\xc1"[..], b"\x80", b"\xdf\xff\xff\xff\xff", &[0x91; 5000]] {
        let node = node_with(Config { parser: Parser::MsgPack, ..config() }, |_| {});
        let mut client = Client::websocket_with(node.address(), Parser::MsgPack);
        client.join("/", None);
        client.raw().send_binary(bad);
        client.wait_closed();
        node.until("parse error", |metrics| metrics.sessions_ended(End::ParseError) == 1);
    }
    let node = node_with(Config { parser: Parser::MsgPack, ..config() }, |_| {});
    let mut client = Client::websocket_with(node.address(), Parser::MsgPack);
    client.raw().send_text("40");
    client.wait_closed();
    node.until("parse error", |metrics| metrics.sessions_ended(End::ParseError) == 1);
}
