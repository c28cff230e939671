//! What is JSON, what is not, and how deep it may be, with serde_json as the second opinion.

use proptest::prelude::*;
use serde::de::IgnoredAny;

use super::*;

fn check(text: &str, expect: Result<(), PacketError>) {
    assert_eq!(value(text, 64), expect, "{text}");
}

#[test]
fn what_json_parse_accepts_is_accepted() {
    for text in [
        "0",
        "-0",
        "10",
        "-1.5",
        "1e5",
        "1E-5",
        "0.0e+0",
        "1e999",
        "true",
        "false",
        "null",
        "\"\"",
        "\"é😀\"",
        r#""\"\\\/\b\f\n\r\t\u0041\ud800""#,
        "[]",
        "{}",
        " [ 1 , [ ] , { \"a\" : { } } ]\r\n\t",
        r#"{"a":1,"a":2}"#,
        "\"12345678\"",
        "\"1234567\\n\"",
        "\"\u{7f}\"",
    ] {
        check(text, Ok(()));
    }
}

#[test]
fn what_json_parse_refuses_is_refused() {
    for text in [
        "",
        " ",
        "01",
        "-",
        "+1",
        "1.",
        ".5",
        "1e",
        "1e+",
        "0x1",
        "tru",
        "nulll",
        "NaN",
        "\"",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\n\"",
        "\"\u{0}\"",
        "\"1234567\u{1f}\"",
        "'a'",
        "[",
        "]",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1}",
        "{",
        "{]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{1:1}",
        "[] []",
        "1,2",
        "\u{feff}1",
        "\u{a0}1",
    ] {
        check(text, Err(PacketError::Payload));
    }
}

#[test]
fn nesting_is_limited_by_count_not_by_stack() {
    let nested = |levels| "[".repeat(levels) + &"]".repeat(levels);
    check(&nested(64), Ok(()));
    check(&nested(65), Err(PacketError::TooDeep));
    check(&"[".repeat(1_000_000), Err(PacketError::TooDeep));
    check(&"{\"a\":".repeat(1_000_000), Err(PacketError::TooDeep));
    assert_eq!(value(&nested(DEPTH_CEILING), usize::MAX), Ok(()));
    assert_eq!(value(&nested(DEPTH_CEILING + 1), usize::MAX), Err(PacketError::TooDeep));
    assert_eq!(value("[]", 0), Err(PacketError::TooDeep));
    assert!(serde_json::from_str::<serde_json::Value>(&nested(DEPTH_CEILING)).is_ok());
}

#[test]
fn depth_is_that_of_each_element() {
    assert_eq!(array("[[1],[2]]", 1).map(|parts| parts.rest), Ok("[2]"));
    assert_eq!(array("[[1],[[2]]]", 1), Err(PacketError::TooDeep));
}

#[test]
fn an_array_falls_into_its_parts() {
    fn check(text: &str, all: &str, first: Option<&str>, rest: &str) {
        assert_eq!(array(text, 9), Ok(Elements { all, first, rest }), "{text}");
    }
    check("[]", "", None, "");
    check(" [ ] ", "", None, "");
    check("[1]", "1", Some("1"), "");
    check("[ \"a\" , {} , 2 ] ", "\"a\" , {} , 2", Some("\"a\""), "{} , 2");
    for text in ["", "1", "{}", "[1", "[1,]", "[]]", "[1] 2", "[,]"] {
        assert_eq!(array(text, 9), Err(PacketError::Payload), "{text}");
    }
}

#[test]
fn elements_are_walked_one_by_one() {
    fn check(elements: &str, expect: Result<(&str, &str), PacketError>) {
        assert_eq!(split_first(elements), expect, "{elements}");
    }
    check("", Ok(("", "")));
    check(" 1 ", Ok(("1", "")));
    check("[1,2] , \"a\",3", Ok(("[1,2]", "\"a\",3")));
    check("1 2", Err(PacketError::Payload));
    check(",", Err(PacketError::Payload));
}

proptest! {
    #[test]
    fn agrees_with_serde_json(text in r#"[\[\]{},:"\\0-9eE+\-. truefalsn\u{1}\u{1f}é/bu]{0,24}"#) {
        prop_assert_eq!(value(&text, 64).is_ok(), serde_json::from_str::<IgnoredAny>(&text).is_ok());
    }

    #[test]
    fn strings_agree_with_serde_json(text in r#""[a-zé\\"\u{1}\u{1f}]{0,20}""#) {
        prop_assert_eq!(value(&text, 64).is_ok(), serde_json::from_str::<IgnoredAny>(&text).is_ok());
    }
}
