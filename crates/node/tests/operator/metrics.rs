//! The pages for Prometheus: who may read them, and that their numbers follow what happens.

use std::sync::Arc;

use serde_json::json;
use throng_node::{Config, EdgeConfig, Limits, MetricsAccess, Rate, Role, Tenancy};
use throng_testkit::{Client, Http, Node};

use super::{app, client, config, node, operator, send, token};

#[test]
fn numbers_follow_what_happens() {
    let node = node(2);
    let mut ada = client(&node, "ada");
    ada.call("join", "kitchen");
    let polling = Client::polling(node.address());
    let metrics =
        node.until("both are counted", |metrics| metrics.get("sessions{transport=\"polling\"}") == 1);
    assert_eq!(metrics.get("sessions{transport=\"websocket\"}"), 1);
    assert_eq!(metrics.get("connections{transport=\"websocket\"}"), 1);
    assert_eq!((metrics.get("sockets"), metrics.get("rooms")), (1, 1));
    assert_eq!(metrics.get("events_received_total"), 1);
    assert_eq!(metrics.get("handshake_duration_seconds_count"), 2);
    assert!(metrics.get("sent_bytes_total") > 0 && metrics.get("received_bytes_total") > 0);
    let page = Http::get(node.address(), "/metrics").body;
    for line in ["waiter_connected_clients 2", "waiter_total_rooms 1", "waiter_total_sockets 1"] {
        assert!(page.lines().any(|known| known == line), "no {line}:\n{page}");
    }
    drop((ada, polling));
    node.until("the WebSocket is gone", |metrics| metrics.get("connections{transport=\"websocket\"}") == 0);
}

#[test]
fn refusals_are_counted_by_reason() {
    let node = node(1);
    assert_eq!(Http::get(node.address(), "/socket.io/?EIO=4&transport=pigeon").status, 400);
    let mut client = Client::websocket(node.address());
    client.ask_to_join("/", Some(json!({"token": "junk"})));
    client.wait_in("/", "a refusal", |_| true);
    assert_eq!(send(&node, "GET", "/api/admin/log", Some("a.b.c"), None).status, 401);
    let metrics = node.metrics();
    assert_eq!(metrics.get("handshake_failures_total{reason=\"transport_unknown\"}"), 1);
    assert_eq!(metrics.get("tokens_refused_total{code=\"token_malformed\"}"), 2);
}

#[test]
fn tenants_have_a_page_of_their_own() {
    let node = node(1);
    let _ada = client(&node, "ada");
    let page = Http::get(node.address(), "/tenant-metrics").body;
    assert!(page.contains("throng_tenant_sockets{tenant=\"default\"} 1\n"), "{page}");
    assert!(!Http::get(node.address(), "/metrics").body.contains("tenant=\""));
}

#[test]
fn a_token_guards_the_pages_and_operators_may_read_them() {
    let metrics = MetricsAccess::Token("for prometheus only".into());
    let node = Node::start(Config { metrics, ..config(1) }, app());
    for path in ["/metrics", "/tenant-metrics"] {
        let status = |token: Option<&str>| send(&node, "GET", path, token, None).status;
        assert_eq!(status(None), 401);
        assert_eq!(status(Some("for prometheus onl")), 401);
        assert_eq!(status(Some(&token("mo", Role::Moderator, None))), 403);
        assert_eq!(status(Some("for prometheus only")), 200);
        assert_eq!(status(Some(&operator())), 200);
    }
}

#[test]
fn who_tries_many_tokens_is_told_to_wait_and_who_has_a_good_one_is_not() {
    let limits = Limits { authentication: Rate::per_minute(1, 2), ..Limits::off() };
    let metrics = MetricsAccess::Token("for prometheus only".into());
    let asked = Config { metrics, limits, ..config(1) };
    let nobody = Config { tenancy: Arc::new(Tenancy::unlimited()), ..asked.clone() };
    let paths = ["/metrics", "/health/performance", "/api/admin/log"];
    for (config, paths) in [(asked, &paths[..]), (nobody, &paths[..1])] {
        for path in paths {
            let node = Node::start(config.clone(), app());
            for status in [401, 401, 429, 429] {
                assert_eq!(send(&node, "GET", path, None, None).status, 401, "{path}");
                assert_eq!(send(&node, "GET", "/metrics", Some("for prometheus only"), None).status, 200);
                let refused = send(&node, "GET", path, Some("for prometheus onl"), None);
                assert_eq!(refused.status, status, "{path}");
                let policy = (status == 429).then_some("\"auth\";q=2;w=120");
                assert_eq!(refused.header("ratelimit-policy"), policy, "{path}");
                assert_eq!(refused.header("retry-after").is_some(), status == 429, "{path}");
            }
        }
    }
}

#[test]
fn loopback_clients_may_read_where_only_they_may() {
    let trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    let edge = EdgeConfig { trusted_proxies, ..EdgeConfig::default() };
    let node = Node::start(Config { metrics: MetricsAccess::Loopback, edge, ..config(1) }, app());
    assert_eq!(Http::get(node.address(), "/metrics").status, 200);
    for headers in [
        "x-forwarded-for: 203.0.113.9\r\n",
        "x-forwarded-for: 203.0.113.9\r\nforwarded: for=198.51.100.7\r\n",
        "x-forwarded-for: 127.0.0.1\r\n",
        "forwarded: for=_hidden\r\n",
    ] {
        let mut http = Http::connect(node.address());
        http.request("GET", "/metrics", &format!("connection: close\r\n{headers}"), b"");
        assert_eq!(http.response().status, 401, "{headers}");
    }
}
