//! How much a client address may do.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use throng_node::{Config, Limits, Origins, Rate};
use throng_testkit::{Client, Http, Polling, Received, Response, upgrade_request};

use crate::{POLLING, WEBSOCKET, ask, get_with, net, node};

/// So slow that nothing is earned again within a test.
fn few(burst: u32) -> Option<Rate> {
    Rate::per_minute(1, burst)
}

fn limited(config: &mut Config) {
    config.limits = Limits { api: few(3), authentication: few(2), handshakes: few(4), ..Limits::off() };
    config.edge.trusted_proxies = vec![net("127.0.0.1/32")];
}

fn upgrade(address: SocketAddr) -> Response {
    let mut http = Http::connect(address);
    http.send(upgrade_request(WEBSOCKET, "").as_bytes());
    http.response()
}

#[track_caller]
fn check_refused(response: &Response, policy: Option<&str>) {
    assert_eq!(response.status, 429, "{response:?}");
    assert!(response.body.contains(r#""code":"rate_limited""#) && response.body.contains(r#""ok":false"#));
    let retry: u64 = response.header("retry-after").expect("a time to come back").parse().expect("seconds");
    assert!((1..=60).contains(&retry), "{retry}");
    assert_eq!(response.header("ratelimit-policy"), policy);
}

#[test]
fn the_api_says_what_is_left_and_then_refuses() {
    let node = node(limited);
    let ask = || get_with(node.address(), "/api/address", "");
    for left in [2, 1, 0] {
        let answer = ask();
        assert_eq!((answer.status, answer.header("ratelimit-policy")), (200, Some("\"api\";q=3;w=180")));
        let now = answer.header("ratelimit").expect("where the client stands");
        assert!(now.starts_with(&format!("\"api\";r={left};t=")), "{now}");
    }
    check_refused(&ask(), Some("\"api\";q=3;w=180"));
    assert!(ask().header("ratelimit").expect("where the client stands").starts_with("\"api\";r=0;t="));
}

#[test]
fn another_address_and_another_class_have_their_own() {
    let node = node(limited);
    let from =
        |client: &str| get_with(node.address(), "/api/address", &format!("x-forwarded-for: {client}\r\n"));
    for _ in 0..3 {
        assert_eq!(from("2001:db8:0:1::1").status, 200);
    }
    check_refused(&from("2001:db8:0:1:ffff::2"), Some("\"api\";q=3;w=180"));
    assert_eq!(from("2001:db8:0:2::1").status, 200);
    let guest =
        || ask(node.address(), "POST", "/api/auth/guest", "x-forwarded-for: 2001:db8:0:1::1\r\n", b"");
    for _ in 0..2 {
        assert_eq!(guest().header("ratelimit-policy"), Some("\"auth\";q=2;w=120"));
    }
    check_refused(&guest(), Some("\"auth\";q=2;w=120"));
}

#[test]
fn unknown_routes_of_the_api_are_counted_too() {
    let node = node(limited);
    for _ in 0..3 {
        assert_eq!(get_with(node.address(), "/api/nothing", "").status, 404);
    }
    check_refused(&get_with(node.address(), "/api/nothing", ""), Some("\"api\";q=3;w=180"));
}

#[test]
fn probes_and_pages_are_not_limited() {
    let node = node(limited);
    for path in ["/health", "/ready", "/metrics", "/api/health/system", "/nothing"] {
        for _ in 0..6 {
            let answer = get_with(node.address(), path, "");
            assert!(answer.status != 429 && answer.header("ratelimit").is_none(), "{path}: {answer:?}");
        }
    }
}

#[test]
fn new_sessions_are_counted_over_both_transports_and_their_traffic_is_not() {
    let node = node(limited);
    let mut polling = Polling::open(node.address());
    let (mut client, _) = Client::connect(node.address());
    for _ in 0..2 {
        assert_eq!(get_with(node.address(), POLLING, "").status, 200);
    }
    let policy = Some("\"handshakes\";q=4;w=240");
    check_refused(&get_with(node.address(), POLLING, ""), policy);
    check_refused(&upgrade(node.address()), policy);
    polling.post("40");
    assert!(polling.packets().starts_with("40"));
    for _ in 0..20 {
        assert_eq!(polling.post("42[\"nothing\"]").body, "ok");
    }
    client.check();
    assert_eq!(get_with(node.address(), "/api/address", "").status, 200);
}

/// The first of many joins, each followed by leaving, that is refused.
fn refused_join(node: &throng_testkit::Node) -> Option<Value> {
    let mut client = Client::websocket(node.address());
    (0..1_000).find_map(|_| {
        client.ask_to_join("/", None);
        match client.wait_in("/", "an answer", |_| true) {
            Received::Refused(error) => Some(error),
            joined => {
                assert!(matches!(joined, Received::Connected(_)), "{joined:?}");
                client.wait_in("/", "the greeting", |_| true);
                client.leave("/");
                None
            }
        }
    })
}

#[test]
fn a_session_joins_and_leaves_only_so_often_where_its_events_are_limited() {
    let node = node(|config| config.tenancy = Arc::default());
    let error = refused_join(&node).expect("a limit");
    assert_eq!(error["data"]["code"], "rate_limited");
    assert!(error["data"]["retryAfterMs"].as_u64().is_some_and(|wait| (1..=100).contains(&wait)), "{error}");
    let unlimited = crate::node(|_| {});
    assert_eq!(refused_join(&unlimited), None);
}

#[test]
fn an_address_that_is_held_off_opens_no_session() {
    let node = node(|config| config.edge.trusted_proxies = vec![net("127.0.0.1/32")]);
    let (mut open, _) = Client::connect(node.address());
    node.io().hold_off(IpAddr::V4(Ipv4Addr::LOCALHOST), Duration::from_secs(60));
    check_refused(&get_with(node.address(), POLLING, ""), None);
    check_refused(&upgrade(node.address()), None);
    assert_eq!(get_with(node.address(), POLLING, "x-forwarded-for: 198.51.100.1\r\n").status, 200);
    assert_eq!(get_with(node.address(), "/api/address", "").status, 200);
    open.check();
    assert_eq!(node.metrics().get("rate_limited_total{class=\"handshakes\"}"), 2);
}

#[test]
fn an_address_that_is_held_off_is_told_how_it_stands() {
    let node = node(limited);
    assert_eq!(get_with(node.address(), POLLING, "").status, 200);
    node.io().hold_off(IpAddr::V4(Ipv4Addr::LOCALHOST), Duration::from_secs(60));
    let refused = get_with(node.address(), POLLING, "");
    check_refused(&refused, Some("\"handshakes\";q=4;w=240"));
    let now = refused.header("ratelimit").expect("where the client stands");
    assert!(now.starts_with("\"handshakes\";r=0;t="), "{now}");
}

#[test]
fn a_hold_off_passes() {
    let node = node(|_| {});
    node.io().hold_off(IpAddr::V4(Ipv4Addr::LOCALHOST), crate::SHORT);
    throng_testkit::until("the address may come back", || {
        (get_with(node.address(), POLLING, "").status == 200).then_some(())
    });
}

#[test]
fn limits_are_replaced_while_the_node_runs() {
    let node = node(limited);
    let get = || get_with(node.address(), "/api/address", "");
    while get().status != 429 {}
    node.io().set_limits(Limits::off());
    let free = get();
    assert_eq!((free.status, free.header("ratelimit")), (200, None));
    let tight = Limits { api: few(1), ..Limits::off() };
    node.io().set_limits(tight.clone());
    assert_eq!(node.io().limits(), Some(tight));
    assert_eq!(get().status, 429);
}

#[test]
fn a_refusal_can_be_read_by_pages_of_a_listed_origin() {
    let origin = "https://app.example";
    let node = node(|config| {
        limited(config);
        config.origins = Origins::Listed(vec![origin.into()]);
    });
    let get = || get_with(node.address(), "/api/address", &format!("origin: {origin}\r\n"));
    let refused = throng_testkit::until("the limit", || Some(get()).filter(|answer| answer.status == 429));
    assert_eq!(refused.header("access-control-allow-origin"), Some(origin));
    let exposed = refused.header("access-control-expose-headers").expect("what scripts may read");
    assert!(exposed.contains("retry-after") && exposed.contains("ratelimit"), "{exposed}");
}
