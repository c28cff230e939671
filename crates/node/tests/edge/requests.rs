//! How requests are named, and what becomes of those that fail.

use throng_testkit::Response;

use crate::{PARENT, ask, get_with, node};

fn id(response: &Response) -> &str {
    response.header("x-request-id").expect("every answer names its request")
}

#[test]
fn a_request_keeps_its_name_or_is_given_one() {
    let node = node(|_| {});
    let named = get_with(node.address(), "/api/names", "x-request-id: theirs-1\r\n");
    assert_eq!(id(&named), "theirs-1");
    assert!(named.body.starts_with("theirs-1 "));
    for bad in [
        "x-request-id: two words\r\n".to_owned(),
        format!("x-request-id: {}\r\n", "x".repeat(65)),
        String::new(),
    ] {
        let answer = get_with(node.address(), "/api/names", &bad);
        assert_eq!(id(&answer).len(), 36, "{answer:?}");
        assert!(answer.body.starts_with(id(&answer)));
    }
}

#[test]
fn every_answer_names_its_request() {
    let node = node(|_| {});
    for path in ["/health", "/nothing", "/socket.io/?EIO=3", crate::POLLING, "/api/panic"] {
        assert!(!id(&get_with(node.address(), path, "")).is_empty());
    }
}

#[test]
fn a_method_that_a_path_does_not_take_is_refused_with_those_that_it_does() {
    let node = node(|_| {});
    for path in ["/health", "/api/names"] {
        let refused = ask(node.address(), "DELETE", path, "", b"");
        assert_eq!((refused.status, refused.header("allow")), (405, Some("GET,HEAD")), "{path}");
        assert!(refused.body.contains(r#""code":"method_not_allowed""#), "{path}: {refused:?}");
    }
}

#[test]
fn a_trace_is_continued_or_begun() {
    let node = node(|_| {});
    let names = |headers: &str| get_with(node.address(), "/api/names", headers).body;
    let continued = names(&format!("traceparent: {PARENT}\r\n"));
    assert!(
        continued.contains(" 00-4bf92f3577b34da6a3ce929d0e0e4736-") && continued.ends_with("-01"),
        "{continued}"
    );
    assert!(!continued.contains("00f067aa0ba902b7"), "the span is one of its own");
    let begun = names("traceparent: nonsense\r\n");
    assert!(begun.contains(" 00-") && begun.ends_with("-00"), "{begun}");
}

#[test]
fn a_route_that_panics_answers_and_the_connection_lives_on() {
    let node = node(|_| {});
    let mut http = throng_testkit::Http::connect(node.address());
    http.request("GET", "/api/panic", "", b"");
    let failed = http.response();
    assert_eq!(failed.status, 500);
    assert!(
        failed.body.contains(r#""code":"internal""#) && !failed.body.contains("a route of a test"),
        "{failed:?}"
    );
    http.request("GET", "/health", "", b"");
    assert_eq!(http.response().status, 200);
}
