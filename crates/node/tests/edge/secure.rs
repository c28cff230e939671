//! What browsers are told: security headers, and which origins may call.

use throng_node::Origins;
use throng_testkit::{Http, WebSocket, upgrade_request};

use crate::{POLLING, WEBSOCKET, ask, get_with, node};

const LISTED: &str = "https://app.example";

#[test]
fn every_answer_carries_the_headers_of_helmet() {
    let node = node(|_| {});
    for path in ["/health", "/api/address", "/nothing", "/api/panic", POLLING] {
        let answer = get_with(node.address(), path, "");
        for (name, value) in [
            ("cross-origin-opener-policy", "same-origin"),
            ("origin-agent-cluster", "?1"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("x-dns-prefetch-control", "off"),
            ("x-download-options", "noopen"),
            ("x-frame-options", "SAMEORIGIN"),
            ("x-permitted-cross-domain-policies", "none"),
            ("x-xss-protection", "0"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}");
        }
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"), "{policy}");
        for name in ["x-powered-by", "server", "strict-transport-security"] {
            assert_eq!(answer.header(name), None, "{path}");
        }
    }
}

#[test]
fn only_the_socket_path_may_be_used_from_other_origins() {
    let node = node(|_| {});
    let embedding =
        |path| get_with(node.address(), path, "").header("cross-origin-resource-policy").map(str::to_owned);
    assert_eq!(embedding("/health").as_deref(), Some("same-origin"));
    assert_eq!(embedding(POLLING).as_deref(), Some("cross-origin"));
    assert_eq!(embedding("/socket.io/socket.io.js").as_deref(), Some("cross-origin"));
    assert_eq!(embedding("/socket.iox").as_deref(), Some("same-origin"));
}

#[test]
fn a_listed_origin_may_call_with_cookies_and_others_may_not() {
    let node = node(|config| config.origins = Origins::Listed(vec![LISTED.into()]));
    for (method, path) in
        [("GET", "/api/address"), ("GET", POLLING), ("OPTIONS", "/api/upload"), ("OPTIONS", POLLING)]
    {
        let preflight = "access-control-request-method: POST\r\naccess-control-request-headers: x-one\r\n";
        let call = |origin: &str| {
            ask(node.address(), method, path, &format!("origin: {origin}\r\n{preflight}"), b"")
        };
        let answer = call(LISTED);
        assert_eq!(answer.header("access-control-allow-origin"), Some(LISTED), "{method} {path}");
        assert_eq!(answer.header("access-control-allow-credentials"), Some("true"), "{method} {path}");
        assert!(answer.status == 200, "{answer:?}");
        let answer = call("https://evil.example");
        assert_eq!(answer.header("access-control-allow-origin"), None, "{method} {path}");
    }
    assert_eq!(get_with(node.address(), POLLING, "origin: https://evil.example\r\n").status, 403);
}

#[test]
fn any_origin_may_call_but_without_cookies() {
    let node = node(|_| {});
    let answer = get_with(node.address(), POLLING, "origin: https://anyone.example\r\n");
    let allowed = answer.header("access-control-allow-origin");
    assert!(matches!(allowed, Some("*" | "https://anyone.example")), "{allowed:?}");
    assert_eq!(answer.header("access-control-allow-credentials"), None);
}

#[test]
fn the_list_also_guards_the_websocket_and_is_replaced_while_the_node_runs() {
    let node = node(|config| config.origins = Origins::Listed(vec![LISTED.into()]));
    let evil = "origin: https://evil.example\r\n";
    let upgrade = || {
        let mut http = Http::connect(node.address());
        http.send(upgrade_request(WEBSOCKET, evil).as_bytes());
        http.response().status
    };
    drop(WebSocket::connect_with(node.address(), WEBSOCKET, &format!("origin: {LISTED}\r\n")));
    assert_eq!(upgrade(), 403);
    node.io().set_origins(Origins::Any);
    assert_eq!(upgrade(), 101);
}
