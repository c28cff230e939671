//! Which arguments a type stands for, in both directions.

use std::collections::BTreeMap;

use bytes::Bytes;
use rmpv::Value;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::*;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Point {
    x: i32,
    y: Option<i32>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Pair(i32, String);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Wrapper(Vec<i32>);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Marker;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Side {
    For,
    Score(u8, u8),
    Named { name: String },
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
struct Wrapped(i64);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Key {
    For,
}

fn becomes(value: impl Serialize, json: &str) {
    assert_eq!(value.into_args().expect("a value that serializes"), Args::Json(json.into()));
}

#[test]
fn a_value_is_one_argument() {
    becomes("a\"b", r#""a\"b""#);
    becomes(5, "5");
    becomes(1.5, "1.5");
    becomes('x', "\"x\"");
    becomes(u64::MAX, "18446744073709551615");
    becomes(Some((1, 2)), "[1,2]");
    becomes(None::<u8>, "null");
    becomes(vec![(1, 2)], "[[1,2]]");
    becomes(&[1, 2][..], "[1,2]");
    becomes(Point { x: 1, y: None }, r#"{"x":1,"y":null}"#);
    becomes(BTreeMap::from([(1, 'a')]), r#"{"1":"a"}"#);
    becomes(Wrapper(vec![1]), "[1]");
    becomes(Side::For, "\"for\"");
    becomes(Side::Score(1, 2), r#"{"score":[1,2]}"#);
    becomes(Side::Named { name: "n".into() }, r#"{"named":{"name":"n"}}"#);
    becomes(json!([1, {"a": []}]), r#"[1,{"a":[]}]"#);
    becomes(format_args!("{}", 1), "\"1\"");
    becomes(f64::NAN, "null");
}

#[test]
fn a_tuple_is_several_arguments() {
    becomes(("a", 1), "\"a\",1");
    becomes((vec![1], [2, 3], (4,)), "[1],[2,3],[4]");
    becomes([1, 2], "1,2");
    becomes((1, ()), "1,null");
    becomes(Box::new(("a",)), "\"a\"");
    becomes(Pair(1, "p".into()), "1,\"p\"");
    becomes([0_u8; 0], "");
}

#[test]
fn a_unit_is_no_argument_but_null_is_one() {
    becomes((), "");
    becomes(Marker, "");
    becomes(json!(null), "null");
    becomes(Value::Nil, "null");
}

#[test]
fn args_pass_through() {
    let args = Args::Values(vec![Value::Ext(0, vec![1])]);
    assert_eq!(args.clone().into_args().expect("no encoding"), args);
    assert_eq!(args.decode::<Args>().expect("no decoding"), args);
    assert_eq!(Args::Json("1".into()).decode::<Args>().expect("no decoding"), Args::Json("1".into()));
}

#[test]
fn bytes_make_values_of_all_arguments() {
    fn check(value: impl Serialize, values: &[Value]) {
        assert_eq!(value.into_args().expect("a value that serializes"), Args::Values(values.to_vec()));
    }
    let (bytes, binary) = (Bytes::from_static(b"\x00\xff"), Value::Binary(vec![0, 255]));
    check(&bytes, std::slice::from_ref(&binary));
    check(vec![&bytes], &[Value::Array(vec![binary.clone()])]);
    check(
        ("a", Point { x: -1, y: Some(2) }, &bytes, Side::For, None::<u8>),
        &[
            "a".into(),
            Value::Map(vec![("x".into(), (-1).into()), ("y".into(), 2.into())]),
            binary.clone(),
            "for".into(),
            Value::Nil,
        ],
    );
    check(BTreeMap::from([("k", &bytes)]), &[Value::Map(vec![("k".into(), binary.clone())])]);
    check(("id", crate::id::Id::from_bytes([0; 15]), &bytes), &["id".into(), "A".repeat(20).into(), binary]);
    check(Value::Ext(5, vec![1, 2]), &[Value::Ext(5, vec![1, 2])]);
}

#[test]
fn what_cannot_be_encoded_says_why() {
    let keys = BTreeMap::from([(vec![1], 1)]).into_args().expect_err("JSON has no such keys");
    assert_eq!(keys.to_string(), "cannot encode the arguments: key must be a string");
    let raw = serde_json::value::RawValue::from_string("[1]".into()).expect("JSON");
    becomes(("a", &raw), "\"a\",[1]");
    let mixed = (&raw, Bytes::from_static(b"x")).into_args().expect_err("no place for raw JSON in values");
    assert_eq!(mixed.to_string(), "cannot encode the arguments: raw JSON cannot travel with binary");
}

/// Decodes from text and from the same values.
fn gives<T: DeserializeOwned + PartialEq + std::fmt::Debug>(json: &str, expect: T) {
    assert_eq!(Args::Json(json.into()).decode::<T>().expect("JSON that fits"), expect, "{json}");
    let values = serde_json::from_str(&format!("[{json}]")).expect("JSON");
    assert_eq!(Args::Values(values).decode::<T>().expect("values that fit"), expect, "{json}");
}

fn fails<T: DeserializeOwned + std::fmt::Debug>(json: &str, text: &str, values: &str) {
    let error = Args::Json(json.into()).decode::<T>().expect_err("JSON that does not fit");
    assert_eq!(error.to_string(), text, "{json}");
    let parsed = serde_json::from_str(&format!("[{json}]")).expect("JSON");
    let error = Args::Values(parsed).decode::<T>().expect_err("values that do not fit");
    assert_eq!(error.to_string(), values, "{json}");
}

#[test]
fn a_type_takes_the_first_argument() {
    gives(r#""a",1"#, "a".to_owned());
    gives("5", 5_u8);
    gives("5", 5.0_f64);
    gives("[1,2],3", vec![1, 2]);
    gives(r#"{"x":1}"#, Point { x: 1, y: None });
    gives(r#"{"x":1,"y":2,"z":[{}]},null"#, Point { x: 1, y: Some(2) });
    gives("[1]", Wrapper(vec![1]));
    gives("\"for\"", Side::For);
    gives(r#"{"score":[1,2]}"#, Side::Score(1, 2));
    gives(r#"{"named":{"name":"n"}}"#, Side::Named { name: "n".into() });
    gives(r#"{"1":"a","20":"b"}"#, BTreeMap::from([(1_u64, 'a'), (20, 'b')]));
    gives(r#"{"-1":true}"#, BTreeMap::from([(Wrapped(-1), true)]));
    gives(r#"{"for":1}"#, BTreeMap::from([(Key::For, 1)]));
    gives(r#"{"a":[null]}"#, json!({"a": [null]}));
    gives("null", json!(null));
    gives("[1,\"a\"]", Value::Array(vec![1.into(), "a".into()]));
    gives("\"AAAAAAAAAAAAAAAAAAAA\"", crate::id::Id::from_bytes([0; 15]));
}

#[test]
fn a_tuple_takes_arguments_by_position() {
    gives(r#""a",[1,2],3"#, ("a".to_owned(), [1, 2], 3));
    gives(r#" "a" , {"x":1} ,null"#, ("a".to_owned(), Point { x: 1, y: None }));
    gives("1,\"p\"", Pair(1, "p".into()));
    gives("1,2,3", [1, 2]);
    gives("[\",\",\"]\"],2", (vec![",".to_owned(), "]".to_owned()], 2));
}

#[test]
fn an_option_may_be_missing() {
    gives("", None::<u8>);
    gives("null", None::<u8>);
    gives("1,2", Some(1));
    gives("1", (1, None::<u8>, None::<String>));
    gives("1,null,\"a\"", (1, None::<u8>, Some("a".to_owned())));
    gives("", (None::<u8>, None::<u8>));
}

#[test]
fn what_is_missing_is_null_to_whoever_takes_any_value() {
    gives("", json!(null));
    gives("", Value::Nil);
    gives("1", (1, json!(null), Value::Nil));
}

#[test]
fn a_unit_takes_nothing() {
    gives("", ());
    gives("1,2", ());
    gives("{}", Marker);
    gives("1,2", (1, 2, ()));
    gives("1", (1, (), Marker, serde::de::IgnoredAny).0);
}

#[test]
fn a_misfit_is_told_in_words() {
    fails::<u8>("", "argument 1 is missing", "argument 1 is missing");
    fails::<(u8, u8)>("1", "argument 2 is missing", "argument 2 is missing");
    fails::<(u8, Option<u8>, u8)>("1", "argument 3 is missing", "argument 3 is missing");
    let wrong = "argument 2: invalid type: string \"b\", expected a number";
    fails::<(u8, f64)>("1,\"b\"", wrong, wrong);
    fails::<Point>(r#"{"y":1}"#, "argument 1: missing field `x`", "argument 1: missing field `x`");
    fails::<Side>(
        "\"up\"",
        "argument 1: unknown variant `up`, expected one of `for`, `score`, `named`",
        "argument 1: unknown variant `up`, expected one of `for`, `score`, `named`",
    );
    fails::<u8>(
        "300",
        "argument 1: invalid value: integer `300`, expected a whole number from 0 to 255",
        "argument 1: invalid value: integer `300`, expected a whole number from 0 to 255",
    );
    let variant = "argument 1: expected the name of a variant, or a map from one to its value";
    fails::<Side>("1", variant, variant);
}

#[test]
fn a_misfit_does_not_tell_what_rust_calls_a_type() {
    for (json, found) in [
        ("true", "invalid type: boolean `true`"),
        ("1.5", "invalid type: floating point `1.5`"),
        ("[1,2]", "invalid type: sequence"),
        (r#"", expected struct X""#, "invalid type: string \", expected struct X\""),
    ] {
        let told = format!("argument 1: {found}, expected an object");
        fails::<Point>(json, &told, &told);
    }
    let told =
        "argument 1: invalid type: string \", expected struct X\", expected a whole number from 0 to 255";
    fails::<u8>(r#"", expected struct X""#, told, told);
}

#[test]
fn a_misfit_says_where_in_the_argument_it_is() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wish {
        #[serde(default)]
        tags: Vec<String>,
        at: Option<Point>,
    }
    for (json, told) in [
        ("{\"tags\":[\"a\",7]}", "argument 1, `tags[1]`: invalid type: integer `7`, expected a string"),
        (
            "{\"at\":{\"x\":\"y\"}}",
            "argument 1, `at.x`: invalid type: string \"y\", expected a whole number from -2147483648 to 2147483647",
        ),
        ("{\"at\":{}}", "argument 1, `at`: missing field `x`"),
        ("{\"side\":1}", "argument 1: unknown field `side`, expected `tags` or `at`"),
    ] {
        fails::<Wish>(json, told, told);
    }
    let told = "argument 2, `at.x`: invalid type: boolean `true`, expected a whole number from -2147483648 to 2147483647";
    fails::<(u8, Wish)>("1,{\"at\":{\"x\":true}}", told, told);
}

#[test]
fn text_that_is_not_json_is_an_error_not_a_panic() {
    for text in [",", "1,", "[", "1 2", "\"", "{\"x\":", " "] {
        let args = Args::Json(text.into());
        assert!(args.decode::<(String, String)>().is_err(), "{text}");
        assert!(args.decode::<Point>().is_err(), "{text}");
    }
}

#[test]
fn binary_arrives_as_bytes() {
    let args =
        Args::Values(vec![Value::Binary(vec![1, 2]), Value::Map(vec![("b".into(), Value::Binary(vec![3]))])]);
    #[derive(Debug, Deserialize)]
    struct Blob {
        b: Bytes,
    }
    let (first, second): (Bytes, Blob) = args.decode().expect("bytes");
    assert_eq!((first.as_ref(), second.b.as_ref()), (&[1, 2][..], &[3][..]));
    assert_eq!(args.decode::<Value>().expect("any value"), Value::Binary(vec![1, 2]));
    let date = Args::Values(vec![Value::Ext(0, vec![0; 8])]);
    assert_eq!(date.decode::<Value>().expect("any value"), Value::Ext(0, vec![0; 8]));
    assert!(date.decode::<Point>().is_err());
    let stray = Value::Map(vec![("x".into(), 1.into()), ("at".into(), Value::Ext(0, vec![0; 8]))]);
    assert_eq!(
        Args::Values(vec![stray]).decode::<Point>().expect("a field to ignore"),
        Point { x: 1, y: None }
    );
}

#[test]
fn bytes_are_no_text() {
    fn refuses<T: DeserializeOwned + std::fmt::Debug>(value: Value, place: &str) {
        let error = Args::Values(vec![value]).decode::<T>().expect_err("bytes are no text");
        assert_eq!(error.to_string(), format!("{place}: invalid type: byte array, expected a string"));
    }
    let bytes = || Value::Binary(b"tea".to_vec());
    refuses::<String>(bytes(), "argument 1");
    refuses::<Option<Box<str>>>(bytes(), "argument 1");
    refuses::<Vec<String>>(Value::Array(vec!["tea".into(), bytes()]), "argument 1, `[1]`");
    let [text_to_bytes, bytes_to_text] = [("topic".into(), bytes()), (bytes(), "topic".into())];
    refuses::<BTreeMap<String, String>>(Value::Map(vec![text_to_bytes]), "argument 1, `topic`");
    refuses::<BTreeMap<String, String>>(Value::Map(vec![bytes_to_text]), "argument 1");
}
