//! An operator of one tenant sees and ends nothing of another.

use std::sync::Arc;

use serde_json::{Value, json};
use throng_node::{Config, Role, Tenancy, TenantName, TenantSettings};
use throng_testkit::{Client, Node};

use super::{app, ask, config, done, send, tenancy, token};

fn node() -> Node {
    let name = |name| TenantName::parse(name).expect("a good name");
    let tenants = ["acme", "other"].map(|tenant| (name(tenant), Arc::new(TenantSettings::default())));
    let tenancy = Tenancy { tenants: tenants.into(), ..tenancy() };
    Node::start(Config { tenancy: Arc::new(tenancy), ..config(2) }, app())
}

fn client(node: &Node, tenant: &str) -> (Client, String) {
    let mut client = Client::websocket(node.address());
    let id = client.join("/", Some(json!({"token": token("ada", Role::User, Some(tenant))})));
    client.call("join", format!("room of {tenant}"));
    (client, id.to_string())
}

#[test]
fn nothing_of_another_tenant_is_within_reach() {
    let node = node();
    let ((_acme, own), (mut theirs, other)) = (client(&node, "acme"), client(&node, "other"));
    let operator = token("olga", Role::Operator, Some("acme"));
    let ask = |method: &str, path: &str, body: Option<Value>| {
        ask(&node, method, path, Some(&operator), body.as_ref())
    };
    for (list, field, expect) in
        [("sockets", "id", own.as_str()), ("rooms", "room", "room of acme"), ("users", "tenant", "acme")]
    {
        for query in ["", "?tenant=acme"] {
            let (_, page) = ask("GET", &format!("/api/admin/{list}{query}"), None);
            let items = page[list].as_array().unwrap();
            assert_eq!((items.len(), items[0][field].as_str()), (1, Some(expect)), "{page}");
        }
        let (_, page) = ask("GET", &format!("/api/admin/{list}?tenant=other"), None);
        assert_eq!(page[list], json!([]), "{list}");
    }
    let refused = [
        ("GET", format!("/api/admin/sockets/{other}"), None, 404),
        ("DELETE", format!("/api/admin/sockets/{other}"), None, 404),
        ("DELETE", "/api/admin/rooms?tenant=other&namespace=/&room=room%20of%20other".into(), None, 404),
        ("DELETE", "/api/admin/users/ada?tenant=other".into(), None, 404),
        ("POST", "/api/admin/revocations".into(), Some(json!({"tenant": "other", "user": "ada"})), 404),
        (
            "PUT",
            "/api/admin/limits".into(),
            Some(json!({"class": "events", "tenant": "acme", "rate": null})),
            403,
        ),
        ("GET", "/api/admin/log".into(), None, 403),
        ("PUT", "/api/admin/log".into(), Some(json!({"filter": "trace"})), 403),
        ("POST", "/api/admin/drain".into(), None, 403),
        ("GET", "/health/performance".into(), None, 403),
    ];
    for (method, path, body, status) in refused {
        let (got, answer) = ask(method, &path, body);
        assert_eq!(got, status, "{method} {path}: {answer}");
    }
    let (_, limits) = ask("GET", "/api/admin/limits", None);
    assert_eq!(limits["limits"].as_array().unwrap().len(), 1);
    theirs.call("join", "still here");
    let all = done(&node, "GET", "/api/admin/sockets", None);
    assert_eq!(all["sockets"].as_array().unwrap().len(), 2, "the node's own operator sees both");
}

#[test]
fn operators_of_no_tenant_are_revoked_without_naming_one() {
    let node = node();
    let status = |token: &str| send(&node, "GET", "/api/admin/log", Some(token), None).status;
    for (user, body) in [("nina", json!({"user": "nina"})), ("paul", json!({"jti": "token of paul"}))] {
        let gone = token(user, Role::Operator, None);
        assert_eq!(status(&gone), 409, "{user} is let in");
        let of_acme = token("olga", Role::Operator, Some("acme"));
        assert_eq!(ask(&node, "POST", "/api/admin/revocations", Some(&of_acme), Some(&body)).0, 403);
        done(&node, "POST", "/api/admin/revocations", Some(&body));
        assert_eq!(status(&gone), 401, "{user}");
        let namesake = token(user, Role::Operator, Some("acme"));
        assert_eq!(send(&node, "GET", "/api/admin/sockets", Some(&namesake), None).status, 200);
    }
}
