//! Events that other programs publish: who may, whom they reach, and what is refused.

use std::sync::Arc;

use serde_json::{Value, json};
use throng_node::{Ack, App, Config, Role, ServerKeys, Socket, Tenancy, TenantName, TenantSettings};
use throng_testkit::{Client, Http, Node, Response};

use super::{config, tenancy, token};

const KEY: &str = "the key of a server";

/// `/` leaves publishing to staff, `/open` to users, `/closed` is for moderators.
fn app() -> App {
    let mut app = App::new();
    app.namespace("/", |nsp| {
        nsp.on("join", |socket: Socket, room: String, ack: Ack| async move {
            socket.join(room);
            ack.send(());
        });
    });
    app.namespace("/open", |nsp| {
        nsp.publishable_by(Role::User);
    });
    app.namespace("/closed", |nsp| {
        nsp.open_to(Role::Moderator);
    });
    app
}

fn with_key(config: Config) -> Config {
    Config { server_keys: ServerKeys::from_iter([KEY.into()]), ..config }
}

fn node() -> Node {
    Node::start(with_key(config(2)), app())
}

/// A node for the tenants `acme` and `other`.
fn node_of_tenants() -> Node {
    let name = |name| TenantName::parse(name).expect("a good name");
    let tenants = ["acme", "other"].map(|tenant| (name(tenant), Arc::new(TenantSettings::default())));
    let tenancy = Tenancy { tenants: tenants.into(), ..tenancy() };
    Node::start(with_key(Config { tenancy: Arc::new(tenancy), ..config(2) }), app())
}

fn client(node: &Node, tenant: Option<&str>) -> Client {
    let mut client = Client::websocket(node.address());
    client.join("/", Some(json!({"token": token("ada", Role::User, tenant)})));
    client
}

fn send(node: &Node, bearer: &str, more: &str, body: &str) -> Response {
    let mut http = Http::connect(node.address());
    let authorization =
        if bearer.is_empty() { String::new() } else { format!("authorization: Bearer {bearer}\r\n") };
    let headers = format!("connection: close\r\ncontent-type: application/json\r\n{authorization}{more}");
    http.request("POST", "/api/publish", &headers, body.as_bytes());
    http.response()
}

/// Status, and the code of a refusal or how many messages were sent.
fn publish(node: &Node, bearer: &str, body: &Value) -> (u16, String) {
    outcome(&send(node, bearer, "", &body.to_string()))
}

fn outcome(response: &Response) -> (u16, String) {
    let body: Value = serde_json::from_str(&response.body).unwrap_or_else(|_| panic!("{response:?}"));
    let said = body["error"]["code"].as_str().map_or_else(|| body["messages"].to_string(), ToOwned::to_owned);
    (response.status, said)
}

fn event(namespace: &str) -> Value {
    json!({"namespace": namespace, "event": "news", "arguments": [1]})
}

#[test]
fn the_namespace_says_whose_users_may_publish() {
    let node = node();
    let of = |role| token("ada", role, None);
    let refused = |status: u16, code: &str| (status, code.to_owned());
    let sent = (202, "1".to_owned());
    for (bearer, namespace, expect) in [
        (String::new(), "/open", refused(401, "token_missing")),
        ("no token".into(), "/open", refused(401, "token_malformed")),
        (of(Role::User), "/", refused(403, "forbidden")),
        (of(Role::Staff), "/", sent.clone()),
        (of(Role::User), "/open", sent.clone()),
        (of(Role::Staff), "/closed", refused(403, "forbidden")),
        (of(Role::Moderator), "/closed", sent.clone()),
        (KEY.into(), "/", sent.clone()),
        (KEY.into(), "/closed", sent),
        (KEY[1..].into(), "/", refused(401, "token_malformed")),
        (KEY.into(), "/nowhere", refused(404, "unknown_namespace")),
    ] {
        assert_eq!(publish(&node, &bearer, &event(namespace)), expect, "{bearer} {namespace}");
    }
    let refused = send(&node, "", "", &event("/").to_string());
    assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
    // A browser sends a cookie for whoever asks it to.
    let cookie = format!("cookie: token={}\r\n", of(Role::Staff));
    assert_eq!(outcome(&send(&node, "", &cookie, &event("/").to_string())).0, 401);
}

#[test]
fn a_message_reaches_its_rooms_once_and_not_those_it_excludes() {
    let node = node();
    let [mut both, mut one, mut out] = [(); 3].map(|()| client(&node, None));
    for (client, rooms) in [(&mut both, &["a", "b"][..]), (&mut one, &["b"]), (&mut out, &["b", "c"])] {
        for room in rooms {
            client.call("join", *room);
        }
    }
    let arguments = json!(["text", {"deep": [1, null]}, 1.5]);
    let some = json!({"namespace": "/", "rooms": ["a", "b"], "except": ["c"], "event": "some", "arguments": arguments});
    let all = json!({"namespace": "/", "event": "all"});
    assert_eq!(publish(&node, KEY, &json!([some, all])), (202, "2".into()));
    for client in [&mut both, &mut one] {
        let heard: (String, Value, f64) = client.event("some").decode().unwrap();
        assert_eq!(heard, ("text".into(), json!({"deep": [1, null]}), 1.5));
        assert_eq!(client.events_before("all"), Vec::<String>::new());
    }
    assert_eq!(out.events_before("all"), Vec::<String>::new());
}

#[test]
fn a_batch_is_sent_in_order_or_not_at_all() {
    let node = node();
    let mut here = client(&node, None);
    let number = |number: usize| json!({"namespace": "/", "event": "number", "arguments": [number]});
    let mut batch: Vec<Value> = (0..100).map(number).collect();
    batch[99]["event"] = "disconnect".into();
    let refused = send(&node, KEY, "", &json!(batch).to_string());
    assert_eq!(outcome(&refused), (422, "invalid_event".into()));
    assert!(refused.body.contains("Message 99: reserved event name"), "{}", refused.body);
    batch[99] = number(99);
    assert_eq!(publish(&node, KEY, &json!(batch)), (202, "100".into()));
    let heard: Vec<usize> = (0..100).map(|_| here.event("number").decode().unwrap()).collect();
    assert_eq!(heard, (0..100).collect::<Vec<_>>());
    batch.push(number(100));
    assert_eq!(publish(&node, KEY, &json!(batch)), (422, "malformed_body".into()));
    assert_eq!(publish(&node, KEY, &json!([])), (422, "malformed_body".into()));
    assert_eq!(node.metrics().get("messages_published_total"), 100);
}

#[test]
fn what_no_client_could_take_is_refused() {
    let node = node();
    let with = |field: &str, value: Value| {
        let mut event = event("/");
        event[field] = value;
        event.to_string()
    };
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let rooms: Vec<String> = (0..101).map(|number| number.to_string()).collect();
    for (body, expect) in [
        (with("event", "connect".into()), (422, "invalid_event")),
        (with("event", "x".repeat(257).into()), (422, "invalid_event")),
        (with("arguments", serde_json::from_str(&deep).unwrap()), (422, "invalid_event")),
        (with("rooms", json!(rooms)), (422, "malformed_body")),
        (with("except", json!(rooms)), (422, "malformed_body")),
        (with("room", "x".into()), (422, "malformed_body")),
        (with("arguments", json!({})), (422, "malformed_body")),
        (with("tenant", "acme".into()), (404, "tenant_unknown")),
        ("{\"namespace\":".into(), (400, "malformed_body")),
        ("1".into(), (422, "malformed_body")),
    ] {
        let outcome = outcome(&send(&node, KEY, "", &body));
        assert_eq!((outcome.0, outcome.1.as_str()), expect, "{body}");
    }
}

#[test]
fn a_tenants_staff_reach_nobody_elses_sockets() {
    let node = node_of_tenants();
    let (mut own, mut others) = (client(&node, Some("acme")), client(&node, Some("other")));
    let (staff, stranger) = (token("sam", Role::Staff, Some("acme")), token("sam", Role::Staff, None));
    let named = |tenant: &str, event: &str| json!({"tenant": tenant, "namespace": "/", "event": event});
    assert_eq!(publish(&node, &staff, &json!({"namespace": "/", "event": "first"})), (202, "1".into()));
    assert_eq!(publish(&node, &staff, &named("acme", "second")), (202, "1".into()));
    assert_eq!(publish(&node, &staff, &named("other", "third")).0, 404);
    assert_eq!(publish(&node, &stranger, &named("acme", "third")).0, 403);
    assert_eq!(publish(&node, KEY, &event("/")).0, 404, "there is no tenant of the name `default`");
    let both = json!([named("acme", "last"), named("other", "last")]);
    assert_eq!(publish(&node, KEY, &both), (202, "2".into()));
    assert_eq!(own.events_before("last"), ["first", "second"]);
    assert_eq!(others.events_before("last"), Vec::<String>::new());
}

#[test]
fn a_request_with_a_key_is_sent_once() {
    let node = node();
    let mut here = client(&node, None);
    let with = |bearer: &str, key: &str, body: Value| {
        send(&node, bearer, &format!("idempotency-key: {key}\r\n"), &body.to_string())
    };
    let first = with(KEY, "k1", event("/"));
    let again = with(KEY, "k1", event("/"));
    assert_eq!((first.status, &first.body), (202, &again.body));
    assert_eq!(
        (first.header("idempotency-replayed"), again.header("idempotency-replayed")),
        (None, Some("true"))
    );
    assert_eq!(outcome(&with(KEY, "k1", event("/open"))), (422, "idempotency_key_reused".into()));
    assert_eq!(outcome(&with(KEY, &"k".repeat(256), event("/"))), (400, "malformed_idempotency_key".into()));
    // What was refused may be put right under the same key; another publisher's key is another key.
    assert_eq!(outcome(&with(KEY, "k2", event("/nowhere"))).0, 404);
    assert_eq!(outcome(&with(KEY, "k2", event("/"))), (202, "1".into()));
    assert_eq!(outcome(&with(&token("sam", Role::Staff, None), "k1", event("/"))), (202, "1".into()));
    assert_eq!(publish(&node, KEY, &json!({"namespace": "/", "event": "end"})), (202, "1".into()));
    assert_eq!(here.events_before("end"), ["news"; 3]);
}
