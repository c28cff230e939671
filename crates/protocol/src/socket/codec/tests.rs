//! Properties of both encodings: what is written is read back, and nothing that is read can panic.

use proptest::prelude::*;
use rmpv::Value;
use serde_json::Value as Json;

use super::super::args::{Args, ArgsRef};
use super::super::packet::{Body, Limits, Packet, PacketError};
use super::*;

const PARSERS: [Parser; 2] = [Parser::Default, Parser::MsgPack];

fn codec(parser: Parser) -> Codec {
    Codec { parser, limits: Limits::default() }
}

/// What the other side makes of a packet, in values whatever the encoding.
#[derive(Debug, PartialEq)]
struct Read {
    nsp: String,
    ack: Option<u64>,
    name: Option<String>,
    args: Vec<Value>,
}

/// Feeds the messages of one packet.
fn read(codec: &Codec, first: &[u8], attachments: &[bytes::Bytes]) -> Read {
    let mut assembler = Assembler::default();
    let messages = std::iter::once(first).chain(attachments.iter().map(|bytes| &bytes[..]));
    for (at, message) in messages.enumerate() {
        let packet = match (at, codec.is_text()) {
            (0, true) => assembler.text(codec, std::str::from_utf8(message).expect("text")),
            _ => assembler.binary(codec, message),
        };
        match packet.expect("a packet of our own") {
            None => assert!(at < attachments.len(), "attachments are due that were never announced"),
            Some(packet) => {
                assert_eq!(at, attachments.len(), "complete before its last attachment");
                return unpacked(packet);
            }
        }
    }
    unreachable!("the last message completes the packet or the assertion above fails");
}

fn unpacked(packet: Packet<'_>) -> Read {
    let (ack, name, args) = match packet.body {
        Body::Event { ack, name, args } => (ack, Some(name.into_owned()), args),
        Body::Ack { ack, args } => (Some(ack), None, args),
        other => panic!("{other:?}"),
    };
    let args = match args {
        ArgsRef::Json(text) => serde_json::from_str(&format!("[{text}]")).expect("checked JSON"),
        ArgsRef::Values(values) => values.to_vec(),
    };
    Read { nsp: packet.nsp.into_owned(), ack, name, args }
}

/// Values that both encodings can carry without loss.
fn values() -> impl Strategy<Value = Vec<Value>> {
    let leaf = prop_oneof![
        Just(Value::Nil),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i32>().prop_map(|quarters| Value::F64(f64::from(quarters) / 4.0)),
        ".{0,12}".prop_map(Value::from),
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(Value::Binary),
    ];
    let value = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            proptest::collection::btree_map(".{0,8}", inner, 0..6).prop_map(|map| Value::Map(
                map.into_iter().map(|(key, value)| (key.into(), value)).collect()
            )),
        ]
    });
    proptest::collection::vec(value, 0..4)
}

fn namespace() -> impl Strategy<Value = String> {
    "/[^,?]{0,20}".prop_filter("within the limit", |nsp| nsp.len() <= 256)
}

fn name() -> impl Strategy<Value = String> {
    any::<String>().prop_filter("an allowed name", |name| {
        name.len() <= 256 && !["connect", "disconnect", "disconnecting"].contains(&name.as_str())
    })
}

/// Limits that no generated packet exceeds.
fn roomy(parser: Parser) -> Codec {
    Codec { parser, limits: Limits { attachments_max: 1_000, ..Limits::default() } }
}

/// Text that is close enough to a packet to get past the first checks.
fn nearly_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        r#"[0-7]([0-9]{0,2}-)?(/[a-z?]{0,4},)?[0-9]{0,3}[\[{]?("[a-z\\u0-9]{0,6}"[,:]?|[0-9\[\]{},:.e-]|null,?){0,12}[\]}]?"#,
        Just(r#"51-["a",{"_placeholder":true,"num":0}]"#.to_owned()),
    ]
}

/// Bytes that are close enough to a packet to get past the first checks.
fn nearly_msgpack() -> impl Strategy<Value = Vec<u8>> {
    let packet = (name(), values(), any::<Option<u64>>()).prop_map(|(name, values, ack)| {
        let mut into = Vec::new();
        codec(Parser::MsgPack).event("/", ack, &name, &Args::Values(values), &mut into);
        into
    });
    let damaged = (packet, proptest::collection::vec((any::<usize>(), any::<u8>()), 1..4), any::<usize>());
    let damaged = damaged.prop_map(|(mut packet, changes, end)| {
        for (at, byte) in changes {
            let at = at % packet.len();
            packet[at] = byte;
        }
        packet.truncate(end % (packet.len() * 2) + 1);
        packet
    });
    prop_oneof![proptest::collection::vec(any::<u8>(), 0..100), damaged]
}

proptest! {
    #[test]
    fn events_come_back(nsp in namespace(), ack in any::<Option<u64>>(), name in name(), args in values()) {
        for parser in PARSERS {
            let (codec, mut first) = (roomy(parser), Vec::new());
            let attachments = codec.event(&nsp, ack, &name, &Args::Values(args.clone()), &mut first);
            let expect = Read { nsp: nsp.clone(), ack, name: Some(name.clone()), args: args.clone() };
            prop_assert_eq!(read(&codec, &first, &attachments), expect);
        }
    }

    #[test]
    fn acknowledgements_come_back(nsp in namespace(), ack in any::<u64>(), args in values()) {
        for parser in PARSERS {
            let (codec, mut first) = (roomy(parser), Vec::new());
            let attachments = codec.ack(&nsp, ack, &Args::Values(args.clone()), &mut first);
            let expect = Read { nsp: nsp.clone(), ack: Some(ack), name: None, args: args.clone() };
            prop_assert_eq!(read(&codec, &first, &attachments), expect);
        }
    }

    #[test]
    fn serde_values_come_back(first in any::<String>(), second in any::<Option<i64>>(), bytes in any::<Vec<u8>>()) {
        let sent = (first, second, bytes::Bytes::from(bytes));
        for parser in PARSERS {
            let (codec, mut into) = (roomy(parser), Vec::new());
            let args = super::super::args::IntoArgs::into_args(&sent).expect("serializes");
            let attachments = codec.event("/", None, "ev", &args, &mut into);
            let came = Args::Values(read(&codec, &into, &attachments).args);
            prop_assert_eq!(came.decode::<(String, Option<i64>, bytes::Bytes)>().expect("what was sent"), sent.clone());
        }
    }

    #[test]
    fn any_text_is_a_packet_or_an_error(texts in proptest::collection::vec(nearly_text(), 1..4), bytes in any::<Vec<u8>>()) {
        let (codec, mut assembler) = (codec(Parser::Default), Assembler::default());
        for text in &texts {
            let _ = assembler.text(&codec, text);
        }
        let _ = assembler.binary(&codec, &bytes);
    }

    #[test]
    fn any_bytes_are_a_packet_or_an_error(message in nearly_msgpack()) {
        let (codec, mut assembler) = (codec(Parser::MsgPack), Assembler::default());
        let _ = assembler.binary(&codec, &message);
    }
}

#[test]
fn handshakes_come_back() {
    let auth: Json = json!({"token": "s", "n": [1, null, 1.5]});
    for parser in PARSERS {
        let (codec, mut assembler) = (codec(parser), Assembler::default());
        let mut check = |write: &dyn Fn(&mut Vec<u8>), expect: Body<'_>| {
            let mut into = Vec::new();
            write(&mut into);
            let packet = match parser {
                Parser::Default => assembler.text(&codec, std::str::from_utf8(&into).expect("text")),
                Parser::MsgPack => assembler.binary(&codec, &into),
            };
            assert_eq!(packet, Ok(Some(Packet { nsp: "/a".into(), body: expect })), "{parser:?}");
        };
        let sid = Id::from_bytes([9; 15]);
        check(&|into| codec.connected("/a", sid, into), Body::Connect(Some(json!({"sid": sid}))));
        check(&|into| codec.connect("/a", None, into), Body::Connect(None));
        check(&|into| codec.connect("/a", Some(&auth), into), Body::Connect(Some(auth.clone())));
        check(&|into| codec.disconnect("/a", into), Body::Disconnect);
        let error = Body::ConnectError(json!({"message": "no", "data": auth}));
        check(&|into| codec.connect_error("/a", "no", Some(&auth), into), error);
        check(
            &|into| codec.connect_error("/a", "no", None, into),
            Body::ConnectError(json!({"message": "no"})),
        );
    }
}

#[test]
fn msgpack_is_not_spoken_in_text() {
    let (codec, mut assembler) = (codec(Parser::MsgPack), Assembler::default());
    assert!(matches!(assembler.text(&codec, "0"), Err(PacketError::Malformed(_))));
}
