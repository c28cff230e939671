//! Health: what is said of a node that is well, busy, and leaving.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};
use throng_node::{Config, Drain, Role, Status, Tenancy, TenantName, TenantSettings};
use throng_testkit::{Door, Http, Node, until};

use super::{app, ask, client, config, done, node, tenancy, token};

#[test]
fn probes_and_parts_answer_and_are_well() {
    let node = node(2);
    let _here = client(&node, "ada");
    for (path, body) in [("/health", "ok\n"), ("/live", "ok\n"), ("/ready", "ready\n")] {
        let response = Http::get(node.address(), path);
        assert_eq!((response.status, response.body.as_str()), (200, body), "{path}");
    }
    let (_, summary) = ask(&node, "GET", "/api/health", None, None);
    assert_eq!(
        (&summary["status"], &summary["licence"]),
        (&json!("ok"), &json!({"status": "active", "expiresAt": null}))
    );
    assert_eq!(summary["version"], env!("CARGO_PKG_VERSION"));
    assert!(summary["uptime"].as_f64().unwrap() > 0.0);
    let (_, pool) = ask(&node, "GET", "/api/health/db-pool", None, None);
    assert_eq!((&pool["status"], &pool["configured"]), (&json!("not_configured"), &json!(false)));
    let (_, sockets) = ask(&node, "GET", "/api/health/sockets", None, None);
    assert_eq!(
        (&sockets["websocket"], &sockets["polling"], &sockets["sockets"]),
        (&json!(1), &json!(0), &json!(1))
    );
    let (_, all) = ask(&node, "GET", "/api/health/comprehensive", None, None);
    let parts: Vec<_> =
        all["parts"].as_array().unwrap().iter().map(|part| (&part["name"], &part["status"])).collect();
    let well = json!("ok");
    let names = ["shards", "sockets", "system", "chess", "backbone", "database"].map(|name| json!(name));
    assert_eq!(parts.iter().map(|(name, _)| *name).collect::<Vec<_>>(), names.iter().collect::<Vec<_>>());
    assert!(parts[..4].iter().all(|(_, status)| **status == well), "{all}");
    assert_eq!(all["status"], "ok");
}

#[test]
fn the_system_is_looked_at_once_the_node_runs() {
    let node = node(2);
    let system = until("the first look", || {
        let (_, system) = ask(&node, "GET", "/api/health/system", None, None);
        (system["memory"]["processBytes"].as_u64() > Some(0)).then_some(system)
    });
    assert!(
        system["memory"]["machineBytes"].as_u64() > system["memory"]["processBytes"].as_u64(),
        "{system}"
    );
    assert!(system["cpu"]["cores"].as_u64() >= Some(1) && system["load"].as_array().map(Vec::len) == Some(3));
    let shards: Vec<_> = system["shards"].as_array().unwrap().iter().map(|shard| &shard["shard"]).collect();
    assert_eq!(shards, [0, 1]);
    until("the loops have been measured", || {
        let (_, system) = ask(&node, "GET", "/api/health/system", None, None);
        let lags = system["shards"].as_array()?.iter().map(|shard| shard["lagMillis"].as_f64());
        lags.into_iter().all(|lag| lag > Some(0.0)).then_some(())
    });
}

#[test]
fn a_draining_node_lives_and_is_not_ready() {
    let drain = Drain { spread: Duration::from_secs(5), deadline: Duration::from_secs(5) };
    let node = throng_testkit::Node::start(throng_node::Config { drain, ..config(1) }, app());
    let mut clients: Vec<_> = (0..40).map(|number| client(&node, &format!("user {number}"))).collect();
    // A drain takes no connections: what asks has to be there before.
    let mut http = Http::connect(node.address());
    http.request("GET", "/ready", "", b"");
    assert_eq!(http.response().status, 200);
    let mut asks = Http::connect(node.address());
    asks.request("GET", "/health", "", b"");
    assert_eq!(asks.response().status, 200);
    assert_eq!(done(&node, "POST", "/api/admin/drain", None), json!({"ok": true}));
    let body = until("the node drains", || {
        http.request("GET", "/ready", "", b"");
        let response = http.response();
        (response.status == 503).then_some(response.body)
    });
    assert_eq!(body, "draining\n");
    asks.request("GET", "/health", "", b"");
    assert_eq!(asks.response().status, 200);
    asks.request("GET", "/api/health/comprehensive", "", b"");
    let all = asks.response();
    assert_eq!(all.status, 503);
    assert!(all.body.starts_with(r#"{"status":"draining""#), "{}", all.body);
    clients.clear();
    assert_eq!(node.stop().cut, 0);
}

#[test]
fn performance_is_for_operators() {
    let node = node(1);
    let path = "/health/performance";
    assert_eq!(ask(&node, "GET", path, None, None).0, 401);
    assert_eq!(ask(&node, "GET", path, Some(&token("mo", Role::Moderator, None)), None).0, 403);
    let _here = client(&node, "ada");
    let figures = done(&node, "GET", path, None);
    assert_eq!(figures["handshakes"]["count"], 1);
}

#[test]
fn the_licence_is_that_of_the_tenant_at_the_host_closed_or_not() {
    let of = |status, ends: Option<u64>| {
        let expires = ends.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds));
        Arc::new(TenantSettings { status, expires, ..TenantSettings::default() })
    };
    let tenants = [
        ("acme", of(Status::Suspended, None)),
        ("globex", of(Status::Active, Some(1_000_000_000))),
        ("initech", of(Status::Active, Some(4_102_444_800))),
    ];
    let tenants = tenants.map(|(name, settings)| (TenantName::parse(name).unwrap(), settings)).into();
    let tenancy = Tenancy { domain: Some("example.com".into()), tenants, ..tenancy() };
    let node = Node::start(Config { tenancy: Arc::new(tenancy), ..config(1) }, app());
    for (host, status, ends) in [
        ("acme.example.com", "suspended", json!(null)),
        ("globex.example.com", "expired", json!(1_000_000_000_000_u64)),
        ("initech.example.com", "active", json!(4_102_444_800_000_u64)),
        ("nobody.example.com", "active", json!(null)),
        ("example.com", "active", json!(null)),
    ] {
        let response = Http::get(Door::named(node.address(), host), "/api/health");
        let summary: Value = serde_json::from_str(&response.body).unwrap();
        assert_eq!(summary["licence"], json!({"status": status, "expiresAt": ends}), "{host}");
    }
}
