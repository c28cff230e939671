//! The admin routes: lists that are bounded and paged over shards, ends, and changes at run time.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use throng_node::{End, Role};
use throng_testkit::{Node, Received};

use super::{app, ask, client, config, done, node, operator, token};

#[test]
fn nobody_comes_in_without_the_role() {
    let node = node(1);
    let routes = [
        ("GET", "/api/admin/sockets"),
        ("GET", "/api/admin/sockets/AAAAAAAAAAAAAAAAAAAA"),
        ("DELETE", "/api/admin/sockets/AAAAAAAAAAAAAAAAAAAA"),
        ("GET", "/api/admin/rooms"),
        ("DELETE", "/api/admin/rooms?namespace=/&room=x"),
        ("GET", "/api/admin/users"),
        ("DELETE", "/api/admin/users/ada"),
        ("POST", "/api/admin/revocations"),
        ("GET", "/api/admin/members"),
        ("GET", "/api/admin/limits"),
        ("PUT", "/api/admin/limits"),
        ("GET", "/api/admin/log"),
        ("PUT", "/api/admin/log"),
        ("POST", "/api/admin/drain"),
    ];
    for (method, path) in routes {
        assert_eq!(ask(&node, method, path, None, None).0, 401, "{method} {path}");
        let moderator = token("mo", Role::Moderator, None);
        assert_eq!(ask(&node, method, path, Some(&moderator), None).0, 403, "{method} {path}");
    }
}

#[test]
fn a_node_without_others_is_the_only_member() {
    let config = throng_node::Config { region: "fra".to_owned(), ..config(1) };
    let node = Node::start(config, app());
    let _here = client(&node, "ada");
    let members = done(&node, "GET", "/api/admin/members", None);
    let [member] = members["members"].as_array().unwrap().as_slice() else { panic!("{members}") };
    assert_eq!((&member["this"], &member["address"]), (&json!(true), &Value::Null));
    assert_eq!((&member["version"], &member["draining"]), (&json!(env!("CARGO_PKG_VERSION")), &json!(false)));
    assert_eq!(member["region"], "fra");
    assert!(member["load"]["connections"].as_u64() >= Some(1), "{member}");
    let of_tenant = token("tina", Role::Operator, Some("acme"));
    assert_eq!(ask(&node, "GET", "/api/admin/members", Some(&of_tenant), None).0, 403);
}

/// All pages of a list, so many entries each.
fn pages(node: &Node, path: &str, list: &str, limit: usize) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let page = done(node, "GET", &format!("{path}?limit={limit}{after}"), None);
        let items = page[list].as_array().expect("a list");
        assert!(items.len() <= limit && page["partial"] == false, "{page}");
        all.extend(items.iter().cloned());
        let Some(next) = page["next"].as_str() else { return all };
        let escaped: String = next.bytes().map(|byte| format!("%{byte:02x}")).collect();
        after = format!("&after={escaped}");
    }
}

#[test]
fn sockets_of_all_shards_are_listed_in_pages() {
    let node = node(4);
    let _clients: Vec<_> = (0..7).map(|number| client(&node, &format!("user {number}"))).collect();
    let sockets = pages(&node, "/api/admin/sockets", "sockets", 3);
    let ids: Vec<_> = sockets.iter().map(|socket| socket["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 7);
    let mut users: Vec<_> = sockets.iter().map(|socket| socket["user"].as_str().unwrap()).collect();
    users.sort_unstable();
    assert_eq!(users, (0..7).map(|number| format!("user {number}")).collect::<Vec<_>>());
    let one = done(&node, "GET", "/api/admin/sockets?user=user%203", None);
    assert_eq!(one["sockets"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&one["sockets"][0]["user"], &one["sockets"][0]["transport"]),
        (&json!("user 3"), &json!("websocket"))
    );
    let none = done(&node, "GET", "/api/admin/sockets?address=192.0.2.1", None);
    assert_eq!(none, json!({"sockets": [], "next": null, "partial": false}));
}

#[test]
fn a_room_over_several_shards_is_one_room() {
    let node = node(4);
    let mut clients: Vec<_> = (0..8).map(|number| client(&node, &format!("user {number}"))).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.call("join", "all of them");
        client.call("join", format!("room {}", number % 2));
    }
    let rooms = pages(&node, "/api/admin/rooms", "rooms", 2);
    let sizes: Vec<_> = rooms
        .iter()
        .map(|room| (room["room"].as_str().unwrap(), room["memberCount"].as_u64().unwrap()))
        .collect();
    assert_eq!(sizes, [("all of them", 8), ("room 0", 4), ("room 1", 4)]);
    let members = done(&node, "GET", "/api/admin/sockets?namespace=/&room=room%201", None);
    assert_eq!(members["sockets"].as_array().unwrap().len(), 4);
    done(&node, "DELETE", "/api/admin/rooms?namespace=/&room=all%20of%20them", None);
    node.until("the room is gone", |metrics| metrics.get("rooms") <= 2 * 4);
    let left = pages(&node, "/api/admin/rooms", "rooms", 100);
    assert_eq!(left.len(), 2, "{left:?}");
    assert_eq!(
        ask(&node, "DELETE", "/api/admin/rooms?namespace=/&room=x&tenant=other", Some(&operator()), None).0,
        404
    );
}

#[test]
fn a_socket_is_looked_at_and_ended() {
    let node = node(2);
    let mut ada = client(&node, "ada");
    ada.call("join", "kitchen");
    let found = done(&node, "GET", "/api/admin/sockets?user=ada", None);
    let id = found["sockets"][0]["id"].as_str().unwrap();
    let path = format!("/api/admin/sockets/{id}");
    let detail = done(&node, "GET", &path, None);
    assert_eq!(detail["rooms"], json!([id, "kitchen"]));
    done(&node, "DELETE", &path, None);
    assert_eq!(ada.wait_in("/", "the end", |_| true), Received::Disconnected);
    assert_eq!(ask(&node, "GET", &path, Some(&operator()), None).0, 404);
    assert_eq!(ask(&node, "DELETE", "/api/admin/sockets/no-such", Some(&operator()), None).0, 404);
}

#[test]
fn users_are_listed_ended_and_their_tokens_revoked() {
    let node = node(4);
    let mut clients: Vec<_> = ["ada", "ada", "ben", "cem"].map(|user| client(&node, user)).into();
    let users = pages(&node, "/api/admin/users", "users", 2);
    let counts: Vec<_> = users
        .iter()
        .map(|user| (user["user"].as_str().unwrap(), user["socketCount"].as_u64().unwrap()))
        .collect();
    assert_eq!(counts, [("ada", 2), ("ben", 1), ("cem", 1)]);
    let ended = done(&node, "DELETE", "/api/admin/users/ada", None);
    assert_eq!(ended, json!({"ok": true, "ended": 2, "partial": false}));
    node.until("ada is gone", |metrics| metrics.sessions_ended(End::ForcedClose) == 2);
    done(&node, "POST", "/api/admin/revocations", Some(&json!({"user": "ben"})));
    done(&node, "POST", "/api/admin/revocations", Some(&json!({"jti": "token of cem"})));
    node.until("the tokens are no longer good", |metrics| {
        metrics.sockets_disconnected(End::TokenRevoked) == 2
    });
    assert_eq!(pages(&node, "/api/admin/users", "users", 2), Vec::<Value>::new());
    for body in [json!({}), json!({"user": "a", "jti": "b"})] {
        assert_eq!(
            ask(&node, "POST", "/api/admin/revocations", Some(&operator()), Some(&body)).0,
            422,
            "{body}"
        );
    }
    clients.clear();
}

#[test]
fn a_limit_is_changed_while_sockets_are_there() {
    let node = node(1);
    let mut ada = client(&node, "ada");
    (0..50).for_each(|_| drop(ada.call("join", "kitchen")));
    let limit = json!({"class": "events", "rate": {"perSecond": 0.01, "burst": 1}});
    done(&node, "PUT", "/api/admin/limits", Some(&limit));
    let limits = done(&node, "GET", "/api/admin/limits", None);
    assert_eq!(limits["limits"][3], json!({"class": "events", "tenant": "default", "rate": limit["rate"]}));
    ada.call("join", "kitchen");
    let refused: Value = ada.call("join", "kitchen").decode().unwrap();
    assert_eq!(refused["error"]["code"], "rate_limited");
    for (rate, status) in
        [(json!({"perSecond": 0.0, "burst": 1}), 422), (json!({"perSecond": 1, "burst": 0}), 422)]
    {
        let limit = json!({"class": "events", "rate": rate});
        assert_eq!(
            ask(&node, "PUT", "/api/admin/limits", Some(&operator()), Some(&limit)).0,
            status,
            "{limit}"
        );
    }
}

#[test]
fn the_limits_of_the_edge_are_changed_too() {
    let node = node(1);
    let limit =
        |class: &str, tenant: Value, rate: Value| json!({"class": class, "tenant": tenant, "rate": rate});
    let slow = json!({"perSecond": 0.01, "burst": 2});
    done(&node, "PUT", "/api/admin/limits", Some(&limit("api", Value::Null, slow.clone())));
    let codes = [0, 1, 2].map(|_| ask(&node, "GET", "/api/stats", None, None).0);
    assert_eq!(codes, [200, 200, 429]);
    let metrics =
        node.until("the refusal is counted", |metrics| metrics.get("rate_limited_total{class=\"api\"}") > 0);
    assert_eq!(metrics.get("rate_limited_total{class=\"handshakes\"}"), 0);
    let other = super::node(1);
    let foreign = limit("handshakes", json!("default"), slow);
    assert_eq!(ask(&other, "PUT", "/api/admin/limits", Some(&operator()), Some(&foreign)).0, 422);
}

#[test]
fn log_levels_are_the_embedders() {
    let without = node(1);
    assert_eq!(ask(&without, "GET", "/api/admin/log", Some(&operator()), None).0, 409);
    let filter = Arc::new(Mutex::new("info".to_owned()));
    let (read, write) = (filter.clone(), filter);
    let mut app = app();
    app.log_levels(
        move || read.lock().unwrap().clone(),
        move |filter| {
            if filter.contains('!') {
                return Err("not a filter".into());
            }
            filter.clone_into(&mut write.lock().unwrap());
            Ok(())
        },
    );
    let node = Node::start(config(1), app);
    done(&node, "PUT", "/api/admin/log", Some(&json!({"filter": "info,throng_node=debug"})));
    assert_eq!(done(&node, "GET", "/api/admin/log", None), json!({"filter": "info,throng_node=debug"}));
    let bad = json!({"filter": "!"});
    assert_eq!(ask(&node, "PUT", "/api/admin/log", Some(&operator()), Some(&bad)).0, 422);
}

#[test]
fn malformed_requests_are_refused_in_the_one_shape() {
    let node = node(1);
    for path in ["?limit=0", "?limit=1001", "?limit=x", "?after=x", "?nonsense=1", "?address=localhost"] {
        let (status, body) = ask(&node, "GET", &format!("/api/admin/sockets{path}"), Some(&operator()), None);
        assert_eq!((status, &body["ok"]), (400, &json!(false)), "{path}: {body}");
    }
    let (status, body) =
        ask(&node, "PUT", "/api/admin/limits", Some(&operator()), Some(&json!({"class": "x"})));
    assert_eq!((status, &body["error"]["code"]), (422, &json!("malformed_body")), "{body}");
}

#[test]
fn a_drain_ends_the_node() {
    let node = node(2);
    let mut ada = client(&node, "ada");
    assert_eq!(ask(&node, "POST", "/api/admin/drain", Some(&operator()), None), (202, json!({"ok": true})));
    ada.wait_in("/", "the end", |_| true);
    assert_eq!(node.stop().cut, 0);
}
