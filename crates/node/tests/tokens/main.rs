//! Who may join, proven by tokens: over real connections, with tokens that a server's own secret signs.

mod lifetime;
mod tenants;

use std::sync::Arc;

use serde_json::{Value, json};
use throng_node::{
    Ack, App, Config, EventLimits, GuestPolicy, Limits, Rate, Role, Socket, Tenancy, TenantSettings,
};
use throng_testkit::tokens::{SECRET, auth as token, identities, new_token, signed};
use throng_testkit::{Client, Http, Node, Received};

fn tenancy() -> Tenancy {
    let default = TenantSettings { events: EventLimits::off(), ..TenantSettings::default() };
    Tenancy { identities: Some(identities(SECRET)), default: Arc::new(default), ..Tenancy::default() }
}

/// A node with a namespace for users, `/`, one for guests, one for staff; `whoami` answers user and role.
fn node(tenancy: Tenancy) -> Node {
    node_with(Limits::off(), tenancy)
}

fn node_with(limits: Limits, tenancy: Tenancy) -> Node {
    node_of(Config { limits, tenancy: Arc::new(tenancy), ..throng_testkit::config() })
}

fn node_of(config: Config) -> Node {
    let mut app = App::new();
    for (name, role) in [("/", None), ("/lobby", Some(Role::Guest)), ("/kitchen", Some(Role::Staff))] {
        app.namespace(name, |nsp| {
            role.map(|role| nsp.open_to(role));
            nsp.on("whoami", |socket: Socket, (): (), ack: Ack| async move {
                let who = socket.identity().map(|who| json!({"user": who.user, "role": who.role}));
                ack.send(who);
            });
            nsp.on("report", |socket: Socket, (): (), ack: Ack| async move {
                ack.send(
                    socket
                        .require(Role::Moderator)
                        .map_or_else(|problem| problem.body(), |_| json!({"ok": true})),
                );
            });
        });
    }
    Node::start(config, app)
}

/// The code of the refusal that asking to join a namespace brings.
fn refused(node: &Node, nsp: &str, auth: Option<Value>) -> Value {
    let mut client = Client::websocket(node.address());
    refused_on(&mut client, nsp, auth)
}

fn refused_on(client: &mut Client, nsp: &str, auth: Option<Value>) -> Value {
    client.ask_to_join(nsp, auth);
    match client.wait_in(nsp, "an answer", |_| true) {
        Received::Refused(error) => error["data"]["code"].clone(),
        other => panic!("joining {nsp}: {other:?}"),
    }
}

/// A client that has joined a namespace, which is its home.
fn joined(node: &Node, nsp: &str, auth: Option<Value>) -> Client {
    let mut client = Client::websocket(node.address()).at_home_in(nsp);
    client.join(nsp, auth);
    client
}

fn whoami(client: &mut Client) -> Value {
    client.call("whoami", ()).decode().expect("one argument")
}

#[test]
fn a_user_joins_what_the_role_allows() {
    let node = node(tenancy());
    let ada = || Some(token("ada", Role::User));
    assert_eq!(whoami(&mut joined(&node, "/", ada())), json!({"user": "ada", "role": "user"}));
    assert_eq!(whoami(&mut joined(&node, "/lobby", ada())), json!({"user": "ada", "role": "user"}));
    assert_eq!(refused(&node, "/kitchen", ada()), "forbidden");
    joined(&node, "/kitchen", Some(token("cook", Role::Staff)));
    joined(&node, "/kitchen", Some(token("boss", Role::Admin)));
}

#[test]
fn without_a_token_only_what_is_open_to_guests_is_joined() {
    let node = node(tenancy());
    assert_eq!(refused(&node, "/", None), "token_missing");
    assert_eq!(refused(&node, "/kitchen", Some(json!({"token": ""}))), "token_missing");
    let who = whoami(&mut joined(&node, "/lobby", None));
    assert!(who["user"].as_str().is_some_and(|user| user.starts_with("guest:")), "{who}");
    assert_eq!(who["role"], "guest");
}

#[test]
fn a_policy_opens_or_closes_the_rest_to_guests() {
    let everywhere = node(Tenancy { guests: GuestPolicy::Everywhere, ..tenancy() });
    joined(&everywhere, "/", None);
    assert_eq!(refused(&everywhere, "/kitchen", None), "token_missing");
    let never = node(Tenancy { guests: GuestPolicy::Never, ..tenancy() });
    assert_eq!(refused(&never, "/lobby", None), "token_missing");
    joined(&never, "/lobby", Some(token("ada", Role::User)));
}

#[test]
fn a_bad_token_is_refused_even_where_none_is_needed() {
    let node = node(tenancy());
    let stranger = signed("a secret that the node does not know", new_token("eve", Role::Admin));
    for (auth, code) in [
        (stranger, "token_signature"),
        (json!({"token": "no token"}), "token_malformed"),
        (json!({"token": 7}), "token_malformed"),
    ] {
        assert_eq!(refused(&node, "/lobby", Some(auth.clone())), code, "{auth}");
    }
}

#[test]
fn who_tries_many_tokens_is_held_off() {
    let limits = Limits { authentication: Rate::per_minute(5, 5), ..Limits::off() };
    let node = node_with(limits, tenancy());
    let forged = || Some(signed("a secret that the node does not know", new_token("eve", Role::Admin)));
    let mut client = Client::websocket(node.address());
    for _ in 0..5 {
        assert_eq!(refused_on(&mut client, "/lobby", forged()), "token_signature");
    }
    // One that has merely run out is no attempt.
    assert_eq!(refused_on(&mut client, "/", None), "token_missing");
    client.join("/lobby", Some(token("ada", Role::User)));
    assert_eq!(refused_on(&mut client, "/kitchen", forged()), "token_signature");
    client.wait_closed();
    assert_eq!(Http::get(node.address(), "/socket.io/?EIO=4&transport=polling").status, 429);
    assert_eq!(node.metrics().get("rate_limited_total{class=\"auth\"}"), 1);
}

#[test]
fn guests_who_come_back_to_another_secret_are_not_held_off() {
    let earlier =
        node(Tenancy { identities: Some(identities("the secret of an earlier start, gone")), ..tenancy() });
    let given: Value = joined(&earlier, "/lobby", None).call("token:guest", ()).decode().expect("an answer");
    let limits = Limits { authentication: Rate::per_minute(5, 5), ..Limits::off() };
    let node = node_with(limits, tenancy());
    for _ in 0..20 {
        assert_eq!(refused(&node, "/lobby", Some(json!({"token": given["token"]}))), "token_guest_unknown");
    }
    joined(&node, "/lobby", None);
}

#[test]
fn who_renews_with_many_made_up_tokens_is_held_off() {
    let limits = Limits { authentication: Rate::per_minute(1, 2), ..Limits::off() };
    let node = node_with(limits, tenancy());
    let mut client = joined(&node, "/lobby", Some(token("ada", Role::User)));
    let mut refresh = |auth| client.call("token:refresh", auth).decode::<Value>().expect("an answer");
    let forged = || signed("a secret that the node does not know", new_token("ada", Role::User));
    for _ in 0..3 {
        // Neither a good one nor one that is merely another's counts.
        assert_eq!(refresh(token("ada", Role::User))["ok"], true);
        assert_eq!(refresh(token("eve", Role::User))["error"]["code"], "token_user");
    }
    for _ in 0..3 {
        assert_eq!(refresh(forged())["error"]["code"], "token_signature");
    }
    let told: Value = client.event("socket:ended").decode().expect("one argument");
    assert_eq!(told["code"], "rate_limited");
    client.wait_closed();
    assert_eq!(Http::get(node.address(), "/socket.io/?EIO=4&transport=polling").status, 429);
    assert_eq!(node.metrics().get("rate_limited_total{class=\"auth\"}"), 1);
}

#[test]
fn events_ask_for_roles_as_routes_do() {
    let node = node(tenancy());
    let ask = |role| -> Value {
        joined(&node, "/lobby", Some(token("ada", role))).call("report", ()).decode().expect("an answer")
    };
    assert_eq!(ask(Role::Staff)["error"]["code"], "forbidden");
    assert_eq!(ask(Role::Moderator), json!({"ok": true}));
}

#[test]
fn a_guest_keeps_its_name_with_the_token_that_it_asks_for() {
    let node = node(tenancy());
    let mut guest = joined(&node, "/lobby", None);
    let who = whoami(&mut guest);
    let given: Value = guest.call("token:guest", ()).decode().unwrap();
    assert_eq!((&given["ok"], &given["user"]), (&json!(true), &who["user"]));
    assert!(given["expiresAt"].as_u64().is_some_and(|at| at > 1_700_000_000_000), "{given}");
    let again = Some(json!({"token": given["token"]}));
    assert_eq!(whoami(&mut joined(&node, "/lobby", again.clone())), who);
    // It opens no other door.
    assert_eq!(refused(&node, "/", again), "forbidden");
    for role in [Role::Guest, Role::User] {
        let mut user = joined(&node, "/lobby", Some(token("ada", role)));
        assert_eq!(user.call("token:guest", ()).decode::<Value>().unwrap()["error"]["code"], "not_a_guest");
    }
}

#[test]
fn a_node_that_asks_nobody_ignores_tokens() {
    let node = node(Tenancy { identities: None, ..tenancy() });
    for auth in [None, Some(json!({"token": "secret"})), Some(token("ada", Role::User))] {
        assert_eq!(whoami(&mut joined(&node, "/kitchen", auth)), Value::Null);
    }
}
