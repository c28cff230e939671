//! The default encoding, packet by packet, as `socket.io-parser` 4.2 speaks it.

use bytes::Bytes;
use rmpv::Value;
use serde_json::json;

use super::super::args::Args;
use super::super::codec::{Assembler, Codec};
use super::super::packet::{Limits, PacketError};
use super::*;

fn check(text: &str, nsp: &str, body: Body<'_>) {
    match decode(text, &Limits::default()) {
        Ok(Decoded::Packet(packet)) => assert_eq!(packet, Packet { nsp: nsp.into(), body }, "{text}"),
        Ok(Decoded::Waiting(waiting)) => panic!("{text} waits for attachments: {waiting:?}"),
        Err(error) => panic!("{text}: {error}"),
    }
}

fn refused(text: &str, expect: PacketError) {
    match decode(text, &Limits::default()) {
        Err(error) => assert_eq!(error, expect, "{text}"),
        Ok(Decoded::Packet(packet)) => panic!("{text} was read as {packet:?}"),
        Ok(Decoded::Waiting(waiting)) => panic!("{text} was read as {waiting:?}"),
    }
}

fn event<'a>(ack: Option<u64>, name: &'a str, args: &'a str) -> Body<'a> {
    Body::Event { ack, name: name.into(), args: ArgsRef::Json(args) }
}

#[test]
fn connects_carry_an_object_or_nothing() {
    check("0", "/", Body::Connect(None));
    check("0/admin", "/admin", Body::Connect(None));
    check("0/admin,", "/admin", Body::Connect(None));
    check(r#"0{"sid":"x"}"#, "/", Body::Connect(Some(json!({"sid": "x"}))));
    check(r#"0/admin,{"token":1}"#, "/admin", Body::Connect(Some(json!({"token": 1}))));
    for text in ["0[]", "0null", "0\"a\"", "0{", "0/a,false", "0 "] {
        refused(text, PacketError::Payload);
    }
}

#[test]
fn a_namespace_ends_at_its_comma() {
    check("0/admin?token=1&x=/?", "/admin?token=1&x=/?", Body::Connect(None));
    check("0/?a=1,{}", "/?a=1", Body::Connect(Some(json!({}))));
    check(r#"2/a/b,["e"]"#, "/a/b", event(None, "e", ""));
    check("1/ünï", "/ünï", Body::Disconnect);
    refused(r#"2/admin["e"]"#, PacketError::Payload);
    let long = "n".repeat(255);
    check(&format!("1/{long},"), &format!("/{long}"), Body::Disconnect);
    refused(&format!("1/{long}n,"), PacketError::NameTooLong);
}

#[test]
fn disconnects_carry_nothing() {
    check("1", "/", Body::Disconnect);
    check("1/admin,", "/admin", Body::Disconnect);
    refused("1{}", PacketError::Payload);
    refused("17", PacketError::Malformed("number without an event"));
}

#[test]
fn events_are_borrowed_as_they_came() {
    check(r#"2["a"]"#, "/", event(None, "a", ""));
    check(r#"2/admin,456["a",1,{"b":[null]}]"#, "/admin", event(Some(456), "a", r#"1,{"b":[null]}"#));
    check("20[\"\"]", "/", event(Some(0), "", ""));
    check(r#"2 [ "a" , 1 ] "#, "/", event(None, "a", "1"));
    check(
        r#"2["a",{"_placeholder":true,"num":0}]"#,
        "/",
        event(None, "a", r#"{"_placeholder":true,"num":0}"#),
    );
    check(r#"218446744073709551615["a"]"#, "/", event(Some(u64::MAX), "a", ""));
    refused(r#"218446744073709551616["a"]"#, PacketError::Malformed("number too large"));
    for text in [
        "2",
        "2[]",
        "2{}",
        "2[null]",
        "2[{}]",
        "2[true]",
        "2[[\"a\"]]",
        "2[\"a\",]",
        "2[\"a\"]]",
        "2-1[\"a\"]",
    ] {
        refused(text, PacketError::Payload);
    }
}

#[test]
fn names_are_decoded_and_checked() {
    check(r#"2["\u00e9\n"]"#, "/", event(None, "é\n", ""));
    check("2[5,1]", "/", event(None, "5", "1"));
    check("2[-5.50]", "/", event(None, "-5.5", ""));
    check("2[5.0]", "/", event(None, "5", ""));
    check("2[-0]", "/", event(None, "0", ""));
    check("2[1e999]", "/", event(None, "inf", ""));
    refused(r#"2["\ud800"]"#, PacketError::Payload);
    for name in ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"] {
        refused(&format!("2[\"{name}\"]"), PacketError::ReservedName);
    }
    refused(r#"2["\u0063onnect"]"#, PacketError::ReservedName);
    check(r#"2["Connect"]"#, "/", event(None, "Connect", ""));
    refused(&format!("2[\"{}\"]", "n".repeat(257)), PacketError::NameTooLong);
}

#[test]
fn acknowledgements_carry_a_number_and_an_array() {
    check("312[]", "/", Body::Ack { ack: 12, args: ArgsRef::Json("") });
    check("3/admin,0[1,\"a\"]", "/admin", Body::Ack { ack: 0, args: ArgsRef::Json("1,\"a\"") });
    refused("3[]", PacketError::Malformed("acknowledgement without a number"));
    refused("312", PacketError::Payload);
    refused("312{}", PacketError::Payload);
}

#[test]
fn connect_errors_carry_an_object_or_a_string() {
    check(r#"4{"message":"no"}"#, "/", Body::ConnectError(json!({"message": "no"})));
    check(r#"4/admin,"no""#, "/admin", Body::ConnectError(json!("no")));
    refused("4[]", PacketError::Payload);
    refused("4", PacketError::Payload);
}

#[test]
fn unknown_types_are_refused() {
    for text in ["", "7", "a", "-1", " 0", "é", "[\"a\"]"] {
        refused(text, PacketError::Malformed("unknown type"));
    }
}

#[test]
fn attachment_counts_are_digits_and_a_dash() {
    check(r#"50-["a",1]"#, "/", event(None, "a", "1"));
    check("60-/x,7[]", "/x", Body::Ack { ack: 7, args: ArgsRef::Json("") });
    for text in
        ["5", "5[\"a\"]", "5-[\"a\"]", "51[\"a\"]", "5 1-[\"a\"]", "51.0-[\"a\"]", "5-1-[\"a\"]", "6/a,"]
    {
        refused(text, PacketError::Malformed("no attachment count"));
    }
    refused("565-[\"a\"]", PacketError::TooManyAttachments);
    refused("51000-[\"a\"]", PacketError::TooManyAttachments);
    refused("518446744073709551615-[\"a\"]", PacketError::TooManyAttachments);
}

#[test]
fn deep_arguments_are_refused_wherever_they_are() {
    let deep = "[".repeat(100_000);
    for head in ["2[\"a\",", "31[", "51-[\"a\",", "0", "4"] {
        refused(&format!("{head}{deep}"), PacketError::TooDeep);
    }
}

/// Feeds a text and its attachments; the arguments of the packet they make.
fn assemble(text: &str, attachments: &[&[u8]], limits: Limits) -> Result<Vec<Value>, PacketError> {
    let (codec, mut assembler) = (Codec { limits, ..Codec::default() }, Assembler::default());
    if assembler.text(&codec, text)?.is_some() {
        panic!("{text} did not wait");
    }
    let (last, rest) = attachments.split_last().expect("attachments to feed");
    for attachment in rest {
        assert!(
            assembler.binary(&codec, attachment)?.is_none(),
            "{text} did not wait for the last attachment"
        );
    }
    match assembler.binary(&codec, last)?.expect("a complete packet").body {
        Body::Event { args: ArgsRef::Values(args), .. } | Body::Ack { args: ArgsRef::Values(args), .. } => {
            Ok(args.to_vec())
        }
        other => panic!("{other:?}"),
    }
}

const ONE: &str = r#"51-["a",{"_placeholder":true,"num":0}]"#;

#[test]
fn attachments_take_the_place_of_their_placeholders() {
    let binary = |bytes: &[u8]| Value::Binary(bytes.to_vec());
    let limits = Limits::default();
    assert_eq!(assemble(ONE, &[b"xyz"], limits), Ok(vec![binary(b"xyz")]));
    let nested = r#"52-/n,3["a",{"num":1,"_placeholder":true},[{"k":{"_placeholder":true,"num":0}}]]"#;
    let inner = Value::Array(vec![Value::Map(vec![("k".into(), binary(b"0"))])]);
    assert_eq!(assemble(nested, &[b"0", b"1"], limits), Ok(vec![binary(b"1"), inner]));
    let twice = r#"61-1[{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]"#;
    assert_eq!(assemble(twice, &[b"x"], limits), Ok(vec![binary(b"x"), binary(b"x")]));
    let unused = r#"51-["a",{"_placeholder":false,"num":0}]"#;
    let plain = Value::Map(vec![("_placeholder".into(), false.into()), ("num".into(), 0.into())]);
    assert_eq!(assemble(unused, &[b"x"], limits), Ok(vec![plain]));
}

#[test]
fn a_placeholder_without_an_attachment_is_an_error() {
    for num in ["1", "-1", "0.5", "\"0\"", "null"] {
        let text = ONE.replace(":0}", &format!(":{num}}}"));
        assert_eq!(assemble(&text, &[b""], Limits::default()), Err(PacketError::Attachments), "{text}");
    }
}

#[test]
fn attachments_are_bounded_together_and_in_copies() {
    let limits = Limits { attachment_bytes_max: 4, ..Limits::default() };
    let two = r#"52-["a",{"_placeholder":true,"num":0}]"#;
    assert!(assemble(two, &[b"12", b"34"], limits).is_ok());
    assert_eq!(assemble(two, &[b"12", b"345"], limits), Err(PacketError::AttachmentsTooLarge));
    let copies = r#"61-1[{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]"#;
    assert!(assemble(copies, &[b"12"], limits).is_ok());
    assert_eq!(assemble(copies, &[b"123"], limits), Err(PacketError::AttachmentsTooLarge));
}

#[test]
fn text_and_attachments_come_in_turn() {
    let (codec, mut assembler) = (Codec::default(), Assembler::default());
    assert_eq!(assembler.binary(&codec, b"x"), Err(PacketError::Attachments));
    assert_eq!(assembler.text(&codec, ONE), Ok(None));
    assert_eq!(assembler.text(&codec, "2[\"b\"]"), Err(PacketError::Attachments));
    assert!(assembler.binary(&codec, b"x").expect("the attachment that was due").is_some());
    assert_eq!(assembler.binary(&codec, b"x"), Err(PacketError::Attachments));
    assert!(assembler.text(&codec, "2[\"b\"]").expect("a packet of its own").is_some());
}

#[test]
fn an_idle_assembler_is_one_pointer_and_owns_nothing() {
    assert_eq!(size_of::<Assembler>(), 8);
    let (codec, mut assembler) = (Codec::default(), Assembler::default());
    assert_eq!(assembler.text(&codec, ONE), Ok(None));
    assembler.release();
    assert!(assembler.binary(&codec, b"x").expect("a release keeps what waits").is_some());
    assembler.release();
    assert_eq!(format!("{assembler:?}"), format!("{:?}", Assembler::default()));
}

fn written(write: impl FnOnce(&Codec, &mut Vec<u8>) -> Attachments) -> (String, Attachments) {
    let mut into = Vec::new();
    let attachments = write(&Codec::default(), &mut into);
    (String::from_utf8(into).expect("text"), attachments)
}

fn written_alone(write: impl FnOnce(&Codec, &mut Vec<u8>)) -> String {
    let mut into = Vec::new();
    write(&Codec::default(), &mut into);
    String::from_utf8(into).expect("text")
}

#[test]
fn packets_are_written_as_node_writes_them() {
    let sid = crate::id::Id::from_bytes([0; 15]);
    assert_eq!(
        written_alone(|codec, into| codec.connected("/", sid, into)),
        r#"0{"sid":"AAAAAAAAAAAAAAAAAAAA"}"#
    );
    assert_eq!(written_alone(|codec, into| codec.connect("/admin", None, into)), "0/admin,");
    assert_eq!(
        written_alone(|codec, into| codec.connect("/admin", Some(&json!({"token": "s"})), into)),
        r#"0/admin,{"token":"s"}"#
    );
    assert_eq!(written_alone(|codec, into| codec.disconnect("/admin", into)), "1/admin,");
    assert_eq!(
        written_alone(|codec, into| codec.connect_error("/", "n\"o", None, into)),
        r#"4{"message":"n\"o"}"#
    );
    assert_eq!(
        written_alone(|codec, into| codec.connect_error("/a", "no", Some(&json!({"code": "E_AUTH"})), into)),
        r#"4/a,{"message":"no","data":{"code":"E_AUTH"}}"#
    );
    let json = Args::Json(r#"1,"b""#.into());
    let event = written(|codec, into| codec.event("/", Some(300), "e\"v", &json, into));
    assert_eq!(event, (r#"2300["e\"v",1,"b"]"#.to_owned(), vec![]));
    let none = written(|codec, into| codec.event("/a", None, "ev", &Args::none(), into));
    assert_eq!(none, (r#"2/a,["ev"]"#.to_owned(), vec![]));
    let ack = written(|codec, into| codec.ack("/", u64::MAX, &json, into));
    assert_eq!(ack, (r#"318446744073709551615[1,"b"]"#.to_owned(), vec![]));
    assert_eq!(written(|codec, into| codec.ack("/a", 0, &Args::none(), into)).0, "3/a,0[]");
    assert_eq!(written(|codec, into| codec.ack("/a", 0, &Args::Values(vec![]), into)).0, "3/a,0[]");
}

#[test]
fn binary_leaves_placeholders_in_document_order() {
    let inner = Value::Map(vec![("b".into(), Value::Binary(vec![])), ("c".into(), 1.into())]);
    let args = Args::Values(vec![Value::Binary(b"\x01\x02".to_vec()), Value::Array(vec![inner])]);
    let event = written(|codec, into| codec.event("/", None, "ev", &args, into));
    let text = r#"52-["ev",{"_placeholder":true,"num":0},[{"b":{"_placeholder":true,"num":1},"c":1}]]"#;
    assert_eq!(event, (text.to_owned(), vec![Bytes::from_static(b"\x01\x02"), Bytes::new()]));
    let args = Args::Values(vec!["ok".into(), Value::Binary(b"hi".to_vec())]);
    let ack = written(|codec, into| codec.ack("/admin", 1, &args, into));
    let text = r#"61-/admin,1["ok",{"_placeholder":true,"num":0}]"#;
    assert_eq!(ack, (text.to_owned(), vec![Bytes::from_static(b"hi")]));
}

#[test]
fn what_json_cannot_say_gets_its_nearest_form() {
    fn check(value: Value, json: &str) {
        let args = Args::Values(vec![value]);
        assert_eq!(written(|codec, into| codec.ack("/", 1, &args, into)).0, json);
    }
    check(Value::F64(f64::NAN), "31[null]");
    check(Value::F32(f32::NEG_INFINITY), "31[null]");
    check(Value::F32(0.1), "31[0.1]");
    check(Value::from(u64::MAX), "31[18446744073709551615]");
    check(Value::from(i64::MIN), "31[-9223372036854775808]");
    check(Value::Ext(-1, vec![0; 4]), r#"61-1[[-1,{"_placeholder":true,"num":0}]]"#);
    check(Value::Map(vec![(5.into(), 1.into()), (Value::Nil, 2.into())]), r#"31[{"5":1,"nil":2}]"#);
    check(Value::Map(vec![(Value::Array(vec!["\"".into()]), 1.into())]), r#"31[{"[\"\\\"\"]":1}]"#);
    let mut latin = &b"\xa2\xe9a"[..];
    check(rmpv::decode::read_value(&mut latin).expect("a string, though not UTF-8"), "31[\"\u{fffd}a\"]");
}

#[test]
fn a_plain_event_owns_nothing() {
    let text = r#"2/chat,7["message",{"text":"hello \"you\""}]"#;
    match decode(text, &Limits::default()) {
        Ok(Decoded::Packet(Packet {
            nsp: Cow::Borrowed(_),
            body: Body::Event { name: Cow::Borrowed(_), .. },
        })) => {}
        Ok(Decoded::Packet(packet)) => panic!("{packet:?}"),
        _ => panic!("no packet"),
    }
}
