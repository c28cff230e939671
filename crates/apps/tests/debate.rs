//! The debate app as its clients see it, over a real node.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use throng_apps::debate::{self, Config, NAMESPACE};
use throng_node::{App, Role, Tenancy};
use throng_testkit::tokens::{SECRET, auth, identities};
use throng_testkit::{Client, Http, Node};

fn node(config: Config) -> Node {
    let mut app = App::new();
    debate::install(&mut app, config);
    let tenancy = Tenancy { identities: Some(identities(SECRET)), ..Tenancy::unlimited() };
    Node::start(throng_node::Config { tenancy: Arc::new(tenancy), ..throng_testkit::config() }, app)
}

fn client(node: &Node, user: Option<&str>) -> Client {
    let mut client = Client::websocket(node.address()).at_home_in(NAMESPACE);
    client.join(NAMESPACE, user.map(|user| auth(user, Role::User)));
    client
}

fn call(client: &mut Client, event: &str, payload: Value) -> Value {
    client.call(event, payload).decode().expect("one JSON value")
}

fn event(client: &mut Client, name: &str) -> Value {
    client.event(name).decode().expect("one JSON value")
}

fn join(client: &mut Client, topic: &str, side: &str) -> Value {
    call(client, "queue:join", json!({"topic": topic, "side": side}))
}

/// Two people in a debate, for and against.
fn pair(node: &Node) -> (Client, Client) {
    let (mut one, mut two) = (client(node, Some("one")), client(node, Some("two")));
    assert_eq!(join(&mut one, "tea", "for"), json!({"ok": true, "waiting": 0}));
    assert_eq!(join(&mut two, "tea", "against"), json!({"ok": true, "waiting": 1}));
    (one, two)
}

#[track_caller]
fn check_refused(answer: &Value, code: &str) {
    assert_eq!((&answer["ok"], &answer["error"]["code"]), (&json!(false), &json!(code)), "{answer}");
    assert!(answer["error"]["message"].as_str().is_some_and(|message| !message.is_empty()), "{answer}");
}

#[test]
fn two_of_opposite_sides_are_paired_and_talk() {
    let node = node(Config::default());
    let (mut one, mut two) = pair(&node);
    let (mine, theirs) = (event(&mut one, "room:joined"), event(&mut two, "room:joined"));
    assert_eq!((&mine["side"], &theirs["side"]), (&json!("for"), &json!("against")));
    assert_eq!(mine["topic"], "tea");
    assert_eq!((&mine["room"], &mine["endsAt"]), (&theirs["room"], &theirs["endsAt"]));

    assert_eq!(call(&mut one, "room:message", json!({"text": "  hello "})), json!({"ok": true}));
    let (said, heard) = (event(&mut one, "room:message"), event(&mut two, "room:message"));
    assert_eq!((&said["text"], &said["from"]), (&json!("hello"), &json!("you")));
    assert_eq!((&heard["text"], &heard["from"]), (&json!("hello"), &json!("partner")));

    assert_eq!(call(&mut two, "room:leave", Value::Null), json!({"ok": true}));
    assert_eq!(event(&mut one, "room:ended"), json!({"reason": "left"}));
    assert_eq!(event(&mut two, "room:ended"), json!({"reason": "left"}));
    check_refused(&call(&mut one, "room:message", json!({"text": "still there?"})), "no_room");
}

#[test]
fn bad_requests_are_named() {
    let node = node(Config::default());
    let mut one = client(&node, None);
    check_refused(&join(&mut one, " ", "for"), "invalid_topic");
    check_refused(&join(&mut one, &"x".repeat(121), "for"), "invalid_topic");
    check_refused(&join(&mut one, "tea", "sideways"), "invalid_arguments");
    check_refused(&call(&mut one, "queue:join", json!({"topic": "tea"})), "invalid_arguments");
    let unknown = call(&mut one, "queue:join", json!({"topic": "tea", "side": "any", "party": 2}));
    check_refused(&unknown, "invalid_arguments");
    assert!(
        unknown["error"]["message"].as_str().is_some_and(|message| message.contains("party")),
        "{unknown}"
    );
    check_refused(&call(&mut one, "queue:leave", Value::Null), "not_waiting");
    check_refused(&call(&mut one, "room:leave", Value::Null), "no_room");

    let (mut two, _three) = pair(&node);
    check_refused(&join(&mut two, "coffee", "any"), "in_room");
    for text in ["", "  ", "\u{7}\u{202e}", &"x".repeat(501)] {
        check_refused(&call(&mut two, "room:message", json!({"text": text})), "invalid_text");
    }
    assert_eq!(call(&mut two, "room:message", json!({"text": "x".repeat(500)})), json!({"ok": true}));
    event(&mut two, "room:message");
    assert_eq!(call(&mut two, "room:message", json!({"text": " be\u{7}ll\u{202e} "})), json!({"ok": true}));
    assert_eq!(event(&mut two, "room:message")["text"], "bell");
}

#[test]
fn a_second_wish_replaces_the_first_and_leaving_the_queue_ends_it() {
    let node = node(Config::default());
    let (mut one, mut two) = (client(&node, None), client(&node, None));
    join(&mut one, "tea", "for");
    join(&mut one, "coffee", "for");
    assert_eq!(join(&mut two, "tea", "against"), json!({"ok": true, "waiting": 0}));
    assert_eq!(call(&mut two, "queue:leave", Value::Null), json!({"ok": true}));
    assert_eq!(join(&mut one, "tea", "for"), json!({"ok": true, "waiting": 0}));
}

#[test]
fn whoever_comes_back_in_time_finds_the_debate_again() {
    let node = node(Config::default());
    let (mut one, two) = pair(&node);
    let room = event(&mut one, "room:joined")["room"].clone();
    call(&mut one, "room:message", json!({"text": "before"}));
    drop(two);
    one.event("partner:away");
    call(&mut one, "room:message", json!({"text": "meanwhile"}));

    let mut two = client(&node, Some("two"));
    let again = event(&mut two, "room:joined");
    assert_eq!((&again["room"], &again["resumed"]), (&room, &json!(true)));
    let texts: Vec<_> =
        again["history"].as_array().expect("a list").iter().map(|said| &said["text"]).collect();
    assert_eq!(texts, ["before", "meanwhile"]);
    one.event("partner:back");
}

#[test]
fn whoever_stays_away_leaves_the_other_free() {
    let node = node(Config { grace: Duration::from_millis(20), ..Config::default() });
    let (mut one, two) = pair(&node);
    drop(two);
    assert_eq!(event(&mut one, "room:ended"), json!({"reason": "partner_gone"}));
    assert_eq!(join(&mut one, "tea", "any"), json!({"ok": true, "waiting": 0}));
}

#[test]
fn the_clock_ends_a_debate() {
    let node = node(Config { duration: Duration::from_millis(20), ..Config::default() });
    let (mut one, mut two) = pair(&node);
    assert_eq!(event(&mut one, "room:ended"), json!({"reason": "time"}));
    assert_eq!(event(&mut two, "room:ended"), json!({"reason": "time"}));
}

#[test]
fn the_queue_is_bounded_and_the_newest_connection_of_a_key_counts() {
    let node = node(Config { waiting_max: 1, ..Config::default() });
    let (mut one, mut two) = (client(&node, Some("same")), client(&node, None));
    join(&mut one, "tea", "for");
    check_refused(&join(&mut two, "coffee", "for"), "queue_full");
    let mut newer = client(&node, Some("same"));
    one.wait_in(NAMESPACE, "the older connection's end", |packet| {
        *packet == throng_testkit::Received::Disconnected
    });
    assert_eq!(join(&mut newer, "tea", "for"), json!({"ok": true, "waiting": 0}));
}

#[test]
fn a_node_that_leaves_says_so() {
    let mut node = node(Config::default());
    let (mut one, mut two) = pair(&node);
    one.event("room:joined");
    node.begin_stop();
    assert_eq!(event(&mut one, "room:ended"), json!({"reason": "drain"}));
    assert_eq!(event(&mut two, "room:ended"), json!({"reason": "drain"}));
}

#[test]
fn operators_see_how_busy_it_is() {
    let node = node(Config::default());
    let stats =
        || serde_json::from_str::<Value>(&Http::get(node.address(), "/api/stats").body).expect("JSON");
    let (_one, _two) = pair(&node);
    let mut three = client(&node, Some("three"));
    join(&mut three, "coffee", "any");
    let stats = stats();
    assert_eq!(
        (&stats["activeRooms"], &stats["waitingUsers"], &stats["roomsPerHour"]),
        (&json!(1), &json!(1), &json!(1))
    );
    assert!(stats["averageWaitTime"].as_f64() > Some(0.0), "{stats}");
}
