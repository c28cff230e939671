//! The documents: complete, true to the routes, and readable without a script.

use serde_json::Value;
use throng_testkit::Http;

use super::{ask, node};

#[test]
fn every_route_is_described_and_every_get_is_there() {
    let node = node(1);
    let (_, document) = ask(&node, "GET", "/api/openapi.json", None, None);
    assert!(document["openapi"].as_str().unwrap().starts_with("3."));
    let paths = document["paths"].as_object().unwrap();
    for path in [
        "/health",
        "/live",
        "/ready",
        "/api/health",
        "/api/health/db-pool",
        "/api/health/sockets",
        "/api/health/system",
        "/api/health/comprehensive",
        "/health/performance",
        "/api/stats",
        "/metrics",
        "/tenant-metrics",
        "/api/admin/sockets",
        "/api/admin/sockets/{id}",
        "/api/admin/rooms",
        "/api/admin/users",
        "/api/admin/users/{user}",
        "/api/admin/revocations",
        "/api/admin/limits",
        "/api/admin/log",
        "/api/admin/drain",
        "/api/openapi.json",
        "/api/asyncapi.json",
        "/api/docs",
        "/api/docs/style.css",
        "/socket.io/",
    ] {
        assert!(paths.contains_key(path), "{path} is not described");
    }
    let operations = paths.values().flat_map(|item| item.as_object().unwrap().values());
    let mut ids: Vec<_> = operations.filter_map(|operation| operation["operationId"].as_str()).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "operations share an identifier: {ids:?}");
    let plain = paths.iter().filter(|(path, item)| !path.contains('{') && item.get("get").is_some());
    for (path, _) in plain {
        let status = Http::get(node.address(), path).status;
        assert!(matches!(status, 200 | 400 | 401), "{path}: {status}");
    }
}

#[test]
fn references_lead_somewhere() {
    let node = node(1);
    for path in ["/api/openapi.json", "/api/asyncapi.json"] {
        let (_, document) = ask(&node, "GET", path, None, None);
        let mut count = 0;
        visit(&document, &mut |reference| {
            count += 1;
            let pointer = reference.strip_prefix('#').expect("references stay inside");
            assert!(document.pointer(pointer).is_some(), "{path}: {reference} leads nowhere");
        });
        assert!(count > 0, "{path} refers to nothing");
    }
}

fn visit(value: &Value, each: &mut impl FnMut(&str)) {
    match value {
        Value::Object(fields) => {
            if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                each(reference);
            }
            fields.values().for_each(|field| visit(field, each));
        }
        Value::Array(items) => items.iter().for_each(|item| visit(item, each)),
        _ => {}
    }
}

#[test]
fn the_page_shows_routes_and_events_and_runs_nothing() {
    let node = node(1);
    let page = Http::get(node.address(), "/api/docs");
    assert!(
        page.header("content-security-policy").unwrap().starts_with("default-src 'none'; style-src 'self'")
    );
    assert!(
        page.body.contains("/api/health/comprehensive") && page.body.contains("<code>join</code>"),
        "{}",
        page.body
    );
    for forbidden in ["<script", "style=\"", "http://", "https://"] {
        assert!(!page.body.contains(forbidden), "the page contains {forbidden}");
    }
    let style = Http::get(node.address(), "/api/docs/style.css");
    assert_eq!(style.header("content-type"), Some("text/css; charset=utf-8"));
}
