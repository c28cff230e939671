//! The msgpack encoding against documents that `socket.io-msgpack-parser` 3.0.2 wrote.

use rmpv::Value;
use serde_json::json;

use super::super::codec::{Codec, Parser};
use super::*;

const MSGPACK: Codec = Codec {
    parser: Parser::MsgPack,
    limits: Limits {
        attachments_max: 64,
        attachment_bytes_max: 4_000_000,
        name_bytes_max: 256,
        depth_max: 64,
    },
};

fn bytes(hex: &str) -> Vec<u8> {
    assert_eq!(hex.len() % 2, 0, "{hex}");
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex")).collect()
}

/// Reads a document of the npm package and expects it back byte for byte.
fn golden(hex: &str, nsp: &str, body: Body<'_>, args: &[Value]) {
    check(hex, nsp, body, args);
    let message = bytes(hex);
    let (packet, args) = decode(&message, &Limits::default()).expect("checked above");
    let (mut into, args) = (Vec::new(), Args::Values(args));
    match packet.body {
        Body::Connect(auth) => MSGPACK.connect(nsp, auth.as_ref(), &mut into),
        Body::Disconnect => MSGPACK.disconnect(nsp, &mut into),
        Body::Event { ack, name, .. } => assert!(MSGPACK.event(nsp, ack, &name, &args, &mut into).is_empty()),
        Body::Ack { ack, .. } => assert!(MSGPACK.ack(nsp, ack, &args, &mut into).is_empty()),
        Body::ConnectError(error) => {
            let message = error["message"].as_str().expect("a message");
            MSGPACK.connect_error(nsp, message, error.get("data"), &mut into);
        }
    }
    assert_eq!(into, message, "{hex}");
}

/// Reads a document that is not written the same way.
fn check(hex: &str, nsp: &str, body: Body<'_>, args: &[Value]) {
    let expect = (Packet { nsp: nsp.into(), body }, args.to_vec());
    assert_eq!(decode(&bytes(hex), &Limits::default()), Ok(expect), "{hex}");
}

fn refused(hex: &str, expect: PacketError) {
    assert_eq!(decode(&bytes(hex), &Limits::default()), Err(expect), "{hex}");
}

fn event(ack: Option<u64>, name: &str) -> Body<'_> {
    Body::Event { ack, name: name.into(), args: ArgsRef::Values(&[]) }
}

#[test]
fn connects() {
    golden("82a47479706500a36e7370a12f", "/", Body::Connect(None), &[]);
    let auth = Some(json!({"token": "s"}));
    golden(
        "83a47479706500a46461746181a5746f6b656ea173a36e7370a62f61646d696e",
        "/admin",
        Body::Connect(auth),
        &[],
    );
    check("83a47479706500a464617461d40000a36e7370a12f", "/", Body::Connect(None), &[]);
    let mut into = Vec::new();
    MSGPACK.connected("/", crate::id::Id::from_bytes([0; 15]), &mut into);
    let connected =
        "83a47479706500a46461746181a3736964b44141414141414141414141414141414141414141a36e7370a12f";
    assert_eq!(into, bytes(connected));
}

#[test]
fn disconnects() {
    golden("82a47479706501a36e7370a62f61646d696e", "/admin", Body::Disconnect, &[]);
    check("83a47479706501a464617461d40000a36e7370a12f", "/", Body::Disconnect, &[]);
}

#[test]
fn connect_errors() {
    golden(
        "83a47479706504a46461746182a76d657373616765a26e6fa46461746181a4636f6465a6455f41555448a36e7370a12f",
        "/",
        Body::ConnectError(json!({"message": "no", "data": {"code": "E_AUTH"}})),
        &[],
    );
    check(
        "83a47479706504a46461746182a76d657373616765a26e6fa464617461d40000a36e7370a12f",
        "/",
        Body::ConnectError(json!({"message": "no", "data": null})),
        &[],
    );
    check("83a47479706504a464617461a26e6fa36e7370a12f", "/", Body::ConnectError(json!("no")), &[]);
}

#[test]
fn events() {
    golden("83a47479706502a46461746191a26576a36e7370a12f", "/", event(None, "ev"), &[]);
    let map = Value::Map(vec![("a".into(), Value::Array(vec![2.into()]))]);
    golden(
        "84a47479706502a46461746199a2657601d0dfcb3ff8000000000000c3c0a2c3a99081a1619102a36e7370a12fa26964cd012c",
        "/",
        event(Some(300), "ev"),
        &[1.into(), (-33).into(), 1.5.into(), true.into(), Value::Nil, "é".into(), Value::Array(vec![]), map],
    );
    golden(
        "83a47479706502a46461746194a26576cf0000000100000000d3ffffffff7fffffffcf001fffffffffffffa36e7370a12f",
        "/",
        event(None, "ev"),
        &[4_294_967_296_u64.into(), (-2_147_483_649_i64).into(), 9_007_199_254_740_991_u64.into()],
    );
    check("83a47479706502a4646174619105a36e7370a12f", "/", event(None, "5"), &[]);
}

#[test]
fn binary_stays_in_its_place() {
    golden(
        "84a47479706503a46461746192a26f6bc4026869a36e7370a62f61646d696ea2696401",
        "/admin",
        Body::Ack { ack: 1, args: ArgsRef::Values(&[]) },
        &["ok".into(), Value::Binary(b"hi".to_vec())],
    );
    // As a client's `emit` encodes it: with options, and the number undefined.
    check(
        "85a47479706502a46461746193a26576c402010281a162c400a76f7074696f6e7381a8636f6d7072657373c3a36e7370a12fa26964d40000",
        "/",
        event(None, "ev"),
        &[Value::Binary(vec![1, 2]), Value::Map(vec![("b".into(), Value::Binary(vec![]))])],
    );
}

#[test]
fn undefined_dates_and_array_buffers_are_told_apart() {
    check(
        "83a47479706502a46461746196a26576d40000d7000000018bcfe56800c702000908c7010000c708000000000000000000a36e7370a12f",
        "/",
        event(None, "ev"),
        &[
            Value::Nil,
            Value::Ext(0, bytes("0000018bcfe56800")),
            Value::Binary(vec![9, 8]),
            Value::Binary(vec![0]),
            Value::Binary(vec![0; 8]),
        ],
    );
    golden(
        "83a47479706502a46461746192a26576d7000000018bcfe56800a36e7370a12f",
        "/",
        event(None, "ev"),
        &[Value::Ext(0, bytes("0000018bcfe56800"))],
    );
}

#[test]
fn what_the_npm_package_refuses_is_refused() {
    refused("83a47479706505a36e7370a12fa46461746191a161", PacketError::Malformed("unknown type"));
    refused("82a36e7370a12fa46461746191a161", PacketError::Malformed("unknown type"));
    refused("83a47479706502a36e737005a46461746191a161", PacketError::Malformed("no namespace"));
    refused("82a47479706502a46461746191a161", PacketError::Malformed("no namespace"));
    refused(
        "84a47479706502a36e7370a12fa46461746191a161a26964c0",
        PacketError::Malformed("no acknowledgement number"),
    );
    for data in ["a464617461c0", "a46461746190", "a46461746101"] {
        refused(&format!("83a47479706500a36e7370a12f{data}"), PacketError::Payload);
        refused(&format!("83a47479706501a36e7370a12f{data}"), PacketError::Payload);
        refused(&format!("83a47479706504a36e7370a12f{data}"), PacketError::Payload);
    }
    for data in ["a46461746180", "a464617461a178", "a46461746190", "a46461746191c0"] {
        refused(&format!("83a47479706502a36e7370a12f{data}"), PacketError::Payload);
    }
    refused("82a47479706502a36e7370a12f", PacketError::Payload);
    refused("82a47479706501a36e7370a12f00", PacketError::Malformed("trailing bytes"));
    refused(
        "83a47479706503a36e7370a12fa46461746190",
        PacketError::Malformed("acknowledgement without a number"),
    );
}

#[test]
fn names_are_checked_as_in_the_default_encoding() {
    refused("83a47479706502a36e7370a12fa46461746191a7636f6e6e656374", PacketError::ReservedName);
    let long = "61".repeat(257);
    refused(&format!("83a47479706502a36e7370a12fa46461746191da0101{long}"), PacketError::NameTooLong);
    refused(&format!("82a47479706501a36e7370da0101{long}"), PacketError::NameTooLong);
    check("82a47479706501a36e7370a62f613f623d63", "/a?b=c", Body::Disconnect, &[]);
}

#[test]
fn keys_come_in_any_order_and_unknown_ones_are_passed_over() {
    check(
        "86a3666f6f81a16293c001c0a2696407a46461746191a26576a36e7370a22f61059181c0c0a47479706502",
        "/a",
        event(Some(7), "ev"),
        &[],
    );
}

#[test]
fn announced_lengths_are_not_believed() {
    for lie in
        ["ddffffffff", "dfffffffff", "dbffffffff", "c6ffffffff", "c9ffffffff00", "df80000001c0", "c1", ""]
    {
        refused(&format!("83a47479706502a36e7370a12fa464617461{lie}"), PacketError::Payload);
    }
    refused("", PacketError::Payload);
    refused("dfffffffff", PacketError::Payload);
}

#[test]
fn deep_arguments_are_refused_without_recursion() {
    let deep = |levels: usize| format!("83a47479706502a36e7370a12fa46461746192a161{}c0", "91".repeat(levels));
    assert!(decode(&bytes(&deep(64)), &Limits::default()).is_ok());
    refused(&deep(65), PacketError::TooDeep);
    refused(&deep(500_000), PacketError::TooDeep);
    refused(
        &format!("83a47479706500a36e7370a12fa464617461{}c0", "81c0".repeat(500_000)),
        PacketError::TooDeep,
    );
}

#[test]
fn json_arguments_are_written_like_values() {
    fn check(json: &str) {
        let values = serde_json::from_str::<Vec<Value>>(&format!("[{json}]")).expect("JSON");
        let (mut from_json, mut from_values) = (Vec::new(), Vec::new());
        MSGPACK.event("/", None, "ev", &Args::Json(json.into()), &mut from_json);
        MSGPACK.event("/", None, "ev", &Args::Values(values), &mut from_values);
        assert_eq!(from_json, from_values, "{json}");
    }
    check("");
    check(r#"1,-1,1.5,"a\n\u00e9",null,true,false,[],{}"#);
    check("18446744073709551615,-9223372036854775808,128,-129,1e300");
    let long = vec!["[1,{\"a\":[2]}]"; 70_000].join(",");
    check(&vec!["7"; 15].join(","));
    check(&vec!["7"; 16].join(","));
    check(&format!("[{long}],[{}]", vec!["0"; 16].join(",")));
    let entries: Vec<String> = (0..300).map(|key| format!("\"{key}\":[{key}]")).collect();
    check(&format!("{{{}}}", entries.join(",")));
}

#[test]
fn json_that_no_rust_value_holds_becomes_nil() {
    let mut into = Vec::new();
    MSGPACK.ack("/", 1, &Args::Json(r#"["\ud800"],1e999,3"#.into()), &mut into);
    let (_, args) = decode(&into, &Limits::default()).expect("our own packet");
    assert_eq!(args, [Value::Nil, Value::Nil, 3.into()]);
}
