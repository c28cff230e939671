//! Tokens of connected sockets: they run out, are renewed, are revoked.

use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use throng_node::identity::mint::NewToken;
use throng_node::{App, Config, End, Role, Socket, Tenancy};
use throng_testkit::tokens::{SECRET, auth as token, new_token, signed};
use throng_testkit::{Client, Node, Received};

use crate::{joined, node, node_of, refused, tenancy, whoami};

fn lasting(user: &str, seconds: u64) -> Value {
    signed(SECRET, NewToken { ttl: Duration::from_secs(seconds), ..new_token(user, Role::User) })
}

/// The client hears why, and that it is out.
fn hears_the_end(client: &mut Client, nsp: &str, code: &str) {
    let told: Value = client.event("socket:ended").decode().expect("one argument");
    assert_eq!(told["code"], code, "{told}");
    client.wait_in(nsp, "the end", |packet| *packet == Received::Disconnected);
}

fn refresh(client: &mut Client, auth: Value) -> Value {
    client.call("token:refresh", auth).decode().expect("one argument")
}

fn ended(node: &Node, end: End) {
    node.until("the end is counted", |metrics| metrics.sockets_disconnected(end) == 1);
}

#[test]
fn a_token_that_runs_out_ends_the_socket() {
    let node = node(tenancy());
    let mut client = joined(&node, "/", Some(lasting("ada", 3)));
    hears_the_end(&mut client, "/", "token_expired");
    ended(&node, End::TokenExpired);
    // The session is still there for another try.
    client.join("/", Some(lasting("ada", 60)));
}

#[test]
fn a_token_that_outlives_the_first_heartbeats_still_runs_out() {
    let config = Config { tenancy: Arc::new(tenancy()), ..throng_testkit::config() };
    let (ping_interval, ping_timeout) = (Duration::from_millis(50), Duration::from_secs(3));
    let node = node_of(Config { ping_interval, ping_timeout, ..config });
    let mut client = joined(&node, "/", Some(lasting("ada", 5)));
    hears_the_end(&mut client, "/", "token_expired");
    ended(&node, End::TokenExpired);
}

#[test]
fn a_newer_token_keeps_the_socket() {
    let node = node(tenancy());
    let mut client = joined(&node, "/", Some(lasting("ada", 3)));
    let mut other = joined(&node, "/", Some(lasting("ben", 3)));
    let answer = refresh(&mut client, lasting("ada", 60));
    assert_eq!(answer["ok"], true, "{answer}");
    hears_the_end(&mut other, "/", "token_expired");
    // Its own first token ran out in the same second; once more for the entry that was behind the other's.
    whoami(&mut client);
    assert_eq!(whoami(&mut client)["user"], "ada");
}

#[test]
fn only_a_newer_token_of_the_same_user_renews() {
    let node = node(tenancy());
    let mut client = joined(&node, "/", Some(lasting("ada", 300)));
    for (auth, code) in [
        (lasting("eve", 600), "token_user"),
        (lasting("ada", 60), "token_older"),
        (json!({"token": "x"}), "token_malformed"),
        (json!({"token": ""}), "token_missing"),
        (json!({}), "invalid_arguments"),
        (json!({"token": "x", "more": 1}), "invalid_arguments"),
    ] {
        assert_eq!(refresh(&mut client, auth.clone())["error"]["code"], code, "{auth}");
    }
    assert_eq!(whoami(&mut client)["user"], "ada");
}

#[test]
fn a_token_that_may_no_longer_join_does_not_renew() {
    let node = node(tenancy());
    let mut cook = joined(&node, "/kitchen", Some(token("cook", Role::Staff)));
    let of = |role| signed(SECRET, NewToken { ttl: Duration::from_secs(900), ..new_token("cook", role) });
    assert_eq!(refresh(&mut cook, of(Role::User))["error"]["code"], "forbidden");
    assert_eq!(whoami(&mut cook)["role"], "staff");
    assert_eq!(refresh(&mut cook, of(Role::Moderator))["ok"], true);
    assert_eq!(whoami(&mut cook)["role"], "moderator");
}

#[test]
fn what_is_revoked_ends_and_does_not_come_back() {
    let tenancy = tenancy();
    let revocations = tenancy.identities.as_ref().unwrap().revocations.clone();
    let node = node(tenancy.clone());
    let mut ada = joined(&node, "/", Some(token("ada", Role::User)));
    let mut ben = joined(&node, "/", Some(token("ben", Role::User)));
    revocations.revoke_user("ada", Some("default"), SystemTime::now());
    node.io().set_tenancy(Arc::new(tenancy));
    hears_the_end(&mut ada, "/", "token_revoked");
    ended(&node, End::TokenRevoked);
    assert_eq!(refused(&node, "/", Some(token("ada", Role::User))), "token_revoked");
    assert_eq!(whoami(&mut ben)["user"], "ben");
}

#[test]
fn a_revocation_reaches_a_shard_whose_inbox_is_full() {
    let tenancy = tenancy();
    let revocations = tenancy.identities.as_ref().unwrap().revocations.clone();
    let (entered, inside) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let mut app = App::new();
    app.namespace("/", |nsp| {
        nsp.on("block", move |_: Socket, (): ()| {
            // The whole shard stands still, as with a handler that computes.
            entered.send(()).unwrap();
            released.lock().unwrap().recv().unwrap();
            async {}
        });
    });
    let config = Config { tenancy: Arc::new(tenancy.clone()), ..throng_testkit::config() };
    let node = Node::start(config, app);
    let mut ada = joined(&node, "/", Some(token("ada", Role::User)));
    ada.emit("block", ());
    inside.recv().unwrap();
    let nobody = node.io().of("/").to("nobody");
    for _ in 0..70_000 {
        nobody.emit("nothing", ());
    }
    revocations.revoke_user("ada", Some("default"), SystemTime::now());
    node.io().set_tenancy(Arc::new(tenancy));
    release.send(()).unwrap();
    hears_the_end(&mut ada, "/", "token_revoked");
    assert!(node.metrics().get("errands_dropped_total") > 0, "the inbox was full");
}

#[test]
fn a_node_that_stops_asking_keeps_who_is_there() {
    let node = node(tenancy());
    let mut ada = joined(&node, "/", Some(token("ada", Role::User)));
    node.io().set_tenancy(Arc::new(Tenancy { identities: None, ..tenancy() }));
    assert_eq!(whoami(&mut ada)["user"], "ada");
}
