//! What apps tell of themselves: numbers in sum and of each, metrics of their own, routes of their own for operators.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use serde_json::{Value, json};
use throng_node::{
    App, AppStatistics, Config, Distribution, Family, FamilyKind, Role, Series, Tenancy, TenantName,
    TenantSettings,
};
use throng_testkit::{Door, Http, Node};

use super::{app, ask, client, config, node, operator, send, tenancy, token};

/// What two apps say: one does, of which half is of the tenant `acme`, and one that has just begun.
fn two() -> App {
    let mut app = App::new();
    app.statistics("go", |tenant| {
        let part = if tenant.is_some_and(|tenant| **tenant == *"acme") { 1 } else { 2 };
        let mut waits = Distribution::default();
        (0..part).for_each(|_| waits.observe(Duration::from_secs(3)));
        AppStatistics {
            rooms_active: 2 * part,
            waiting: [("default".to_owned(), 3 * part), ("slow".to_owned(), 0)].into(),
            waits_recent: vec![Duration::from_secs(3); part as usize].into_iter().collect(),
            rooms_per_hour: 10 * part,
            rooms_ended: [("time", part), ("left", 0)].into(),
            pairings: part,
            messages: 5 * part,
            waits,
        }
    });
    app.statistics("chess", |_| AppStatistics {
        rooms_active: 1,
        waiting: [("default".to_owned(), 1)].into(),
        waits_recent: std::iter::once(Duration::ZERO).collect(),
        ..AppStatistics::default()
    });
    app
}

/// The answer without what time decides.
fn stats(node: &Node, host: &str) -> Value {
    let mut http = Http::connect(Door::named(node.address(), host));
    http.request("GET", "/api/stats", "", b"");
    let mut stats: Value = serde_json::from_str(&http.response().body).expect("JSON");
    stats["messageRate"] = Value::Null;
    for app in stats["apps"].as_object_mut().expect("apps by name").values_mut() {
        assert!(app["messageRate"].take().is_f64(), "{app}");
    }
    stats
}

#[test]
fn numbers_are_shown_of_each_app_and_in_sum() {
    let node = Node::start(config(1), two());
    let expect = json!({
        "activeRooms": 5, "waitingUsers": 7, "totalConnections": 0, "averageWaitTime": 2.0,
        "roomsPerHour": 20, "messageRate": null,
        "apps": {
            "go": {"activeRooms": 4, "waitingUsers": 6, "waitingByQueue": {"default": 6, "slow": 0},
                "averageWaitTime": 3.0, "roomsPerHour": 20, "messageRate": null},
            "chess": {"activeRooms": 1, "waitingUsers": 1, "waitingByQueue": {"default": 1},
                "averageWaitTime": 0.0, "roomsPerHour": 0, "messageRate": null},
        },
    });
    assert_eq!(stats(&node, "localhost"), expect);
}

#[test]
fn a_host_that_names_a_tenant_gets_that_tenants_numbers() {
    let acme = (TenantName::parse("acme").unwrap(), Arc::new(TenantSettings::default()));
    let tenancy = Tenancy { domain: Some("example.com".into()), tenants: [acme].into(), ..tenancy() };
    let node = Node::start(Config { tenancy: Arc::new(tenancy), ..config(1) }, two());
    let stats = stats(&node, "acme.example.com");
    assert_eq!((&stats["apps"]["go"]["activeRooms"], &stats["activeRooms"]), (&json!(2), &json!(3)));
}

#[test]
fn where_no_app_has_numbers_there_are_those_of_the_hub() {
    let mut silent = App::new();
    silent.namespace("/", |nsp| {
        nsp.on_connect(|socket| async move { socket.join("kitchen") });
    });
    let node = Node::start(config(1), silent);
    let _ada = client(&node, "ada");
    let stats = stats(&node, "localhost");
    assert_eq!((&stats["activeRooms"], &stats["apps"]), (&json!(1), &json!({})));
}

#[test]
fn an_app_that_panics_has_no_numbers_and_is_degraded() {
    let mut app = two();
    app.statistics("chess", |_| panic!("on purpose"));
    let node = Node::start(config(1), app);
    let stats = stats(&node, "localhost");
    assert_eq!((&stats["activeRooms"], stats["apps"].get("chess")), (&json!(4), None));
    let (_, health) = ask(&node, "GET", "/api/health/comprehensive", None, None);
    let parts = health["parts"].as_array().unwrap();
    let status = |name: &str| parts.iter().find(|part| part["name"] == name).map(|part| &part["status"]);
    assert_eq!((status("go"), status("chess")), (Some(&json!("ok")), Some(&json!("degraded"))));
    assert!(node.metrics().get("app_rooms{app=\"go\"}") == 4);
}

#[test]
fn the_numbers_are_metrics_too() {
    let node = Node::start(config(1), two());
    let metrics = node.metrics();
    for (name, expect) in [
        ("app_rooms{app=\"go\"}", 4),
        ("app_rooms{app=\"chess\"}", 1),
        ("app_users_waiting{app=\"go\",queue=\"default\"}", 6),
        ("app_users_waiting{app=\"go\",queue=\"slow\"}", 0),
        ("app_rooms_ended_total{app=\"go\",reason=\"time\"}", 2),
        ("app_rooms_ended_total{app=\"go\",reason=\"left\"}", 0),
        ("app_pairings_total{app=\"go\"}", 2),
        ("app_messages_total{app=\"go\"}", 10),
        ("app_wait_seconds_bucket{app=\"go\",le=\"2\"}", 0),
        ("app_wait_seconds_bucket{app=\"go\",le=\"5\"}", 2),
        ("app_wait_seconds_count{app=\"go\"}", 2),
        ("app_wait_seconds_sum{app=\"go\"}", 6),
    ] {
        assert_eq!(metrics.get(name), expect, "{name}");
    }
}

#[test]
fn an_app_may_have_metrics_of_its_own() {
    let mut app = two();
    let series = |color: &str, value| Series { labels: vec![("color", color.to_owned())], value };
    app.metrics(move || {
        let (name, help) = ("throng_games_won_total", "Games won.");
        let series = vec![series("black", 2.0), series("white", 3.0)];
        vec![Family { name, help, kind: FamilyKind::Counter, series }]
    });
    app.metrics(|| panic!("on purpose"));
    let node = Node::start(config(1), app);
    let page = Http::get(node.address(), "/metrics").body;
    for line in ["# TYPE throng_games_won_total counter", "throng_games_won_total{color=\"white\"} 3"] {
        assert!(page.lines().any(|known| known == line), "no {line}:\n{page}");
    }
}

#[test]
fn an_apps_routes_for_operators_are_for_operators_of_the_node() {
    let mut app = app();
    app.operator_routes(Router::new().route("/api/admin/games", get(|| async { "42" })));
    let node = Node::start(config(1), app);
    let status = |token: Option<&str>| send(&node, "GET", "/api/admin/games", token, None).status;
    assert_eq!(status(None), 401);
    assert_eq!(status(Some("junk")), 401);
    assert_eq!(status(Some(&token("mo", Role::Moderator, None))), 403);
    let answer = send(&node, "GET", "/api/admin/games", Some(&operator()), None);
    assert_eq!((answer.status, answer.body.as_str()), (200, "42"));
    assert_eq!(Http::get(node.address(), "/api/admin/nothing").status, 404);
}

#[test]
fn an_operator_of_one_tenant_has_no_part_in_what_all_do() {
    let name = |name| TenantName::parse(name).unwrap();
    let tenants = ["acme", "other"].map(|tenant| (name(tenant), Arc::new(TenantSettings::default())));
    let tenancy = Tenancy { tenants: tenants.into(), ..tenancy() };
    let mut app = app();
    app.operator_routes(Router::new().route("/api/admin/games", get(|| async { "42" })));
    let node = Node::start(Config { tenancy: Arc::new(tenancy), ..config(1) }, app);
    let of_acme = token("olga", Role::Operator, Some("acme"));
    assert_eq!(send(&node, "GET", "/api/admin/games", Some(&of_acme), None).status, 403);
    let _ = node.stop();
}

#[test]
fn a_node_without_such_routes_knows_none() {
    assert_eq!(Http::get(node(1).address(), "/api/admin/games").status, 404);
}
