//! Arguments as handlers take them, from text that need not be JSON. Besides not panicking: a type reads the same from
//! the text as from the values that the text describes.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use throng_protocol::socket::args::Args;
use throng_protocol::socket::codec::{Codec, Parser};

#[derive(Debug, PartialEq, Deserialize)]
struct Message {
    a: u8,
    b: Option<String>,
    c: Option<Box<Message>>,
    d: Option<BTreeMap<i8, Side>>,
}

#[derive(Debug, PartialEq, Deserialize)]
enum Side {
    A,
    B(u8),
    C(u8, u8),
    D { a: u8 },
}

fuzz_target!(|text: &str| {
    let json = Args::Json(text.into());
    let codec = Codec { parser: Parser::MsgPack, ..Codec::default() };
    codec.event("/", None, "", &json, &mut Vec::new());
    let values = match serde_json::from_str(&format!("[{text}]")) {
        Ok(values) => Args::Values(values),
        Err(_) => Args::none(),
    };
    let is_json = matches!(values, Args::Values(_));
    check::<Message>(&json, &values, is_json);
    check::<Side>(&json, &values, is_json);
    check::<(Side, Option<Message>)>(&json, &values, is_json);
    check::<[Option<serde_json::Value>; 3]>(&json, &values, is_json);
});

fn check<T: DeserializeOwned + PartialEq + std::fmt::Debug>(json: &Args, values: &Args, is_json: bool) {
    let (from_json, from_values) = (json.decode::<T>(), values.decode::<T>());
    if is_json {
        assert_eq!(from_json.ok(), from_values.ok());
    }
}
