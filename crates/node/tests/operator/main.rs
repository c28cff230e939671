//! What an operator sees of a node and may do to it, over real connections.

mod admin;
mod apps;
mod audit;
mod documents;
mod health;
mod metrics;
mod publish;
mod tenants;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use throng_node::identity::identities::Identities;
use throng_node::identity::keys::{Keys, KeysConfig};
use throng_node::identity::mint::{NewToken, mint};
use throng_node::identity::revocation::Revocations;
use throng_node::{
    Ack, App, AppStatistics, Config, EventLimits, GuestPolicy, Role, Socket, Tenancy, TenantSettings,
};
use throng_testkit::{Client, Http, Node, Response};

const SECRET: &str = "a secret that only this test knows";

fn identities() -> Arc<Identities> {
    let config = KeysConfig { secret: Some(SECRET.into()), ..KeysConfig::default() };
    Arc::new(Identities {
        keys: Keys::new(config).expect("a good secret"),
        guests: None,
        revocations: Arc::new(Revocations::new(100, Duration::from_secs(3600))),
        cookie: "token".into(),
    })
}

fn tenancy() -> Tenancy {
    let default = TenantSettings { events: EventLimits::off(), ..TenantSettings::default() };
    let guests = GuestPolicy::default();
    Tenancy { identities: Some(identities()), guests, default: Arc::new(default), ..Tenancy::default() }
}

fn config(shards: usize) -> Config {
    let shards = NonZeroUsize::new(shards).expect("a node has shards");
    Config { shards, tenancy: Arc::new(tenancy()), ..throng_testkit::config() }
}

/// An app with a namespace for users whose sockets join rooms by `join`, and numbers of its own.
fn app() -> App {
    let mut app = App::new();
    app.namespace("/", |nsp| {
        nsp.on("join", |socket: Socket, room: String, ack: Ack| async move {
            socket.join(room);
            ack.send(());
        });
        nsp.describe::<String, ()>("join", "Joins a room.", &[("full", "nobody fits in any more")]);
    });
    app.statistics("chess", |_| AppStatistics {
        rooms_active: 3,
        waiting: [("blitz".to_owned(), 2)].into(),
        waits_recent: [1, 2].map(Duration::from_secs).into_iter().collect(),
        rooms_per_hour: 40,
        ..AppStatistics::default()
    });
    app
}

fn node(shards: usize) -> Node {
    Node::start(config(shards), app())
}

fn token(user: &str, role: Role, tenant: Option<&str>) -> String {
    let token = NewToken {
        sub: user.into(),
        role,
        tenant: tenant.map(Into::into),
        ttl: Duration::from_secs(600),
        jti: Some(format!("token of {user}")),
        issuer: None,
        audience: None,
    };
    mint(&SECRET.into(), token, SystemTime::now()).expect("a good token")
}

fn operator() -> String {
    token("olga", Role::Operator, None)
}

/// A user's client, connected to `/`.
fn client(node: &Node, user: &str) -> Client {
    let mut client = Client::websocket(node.address());
    client.join("/", Some(serde_json::json!({"token": token(user, Role::User, None)})));
    client
}

fn send(node: &Node, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Response {
    let body = body.map(Value::to_string).unwrap_or_default();
    let mut headers = "connection: close\r\nx-request-id: of-this-test\r\n".to_owned();
    if let Some(token) = token {
        headers += &format!("authorization: Bearer {token}\r\n");
    }
    if !body.is_empty() {
        headers += "content-type: application/json\r\n";
    }
    if method == "PUT" {
        headers += &format!("content-length: {}\r\n", body.len());
    }
    let mut http = Http::connect(node.address());
    http.request(method, path, &headers, body.as_bytes());
    http.response()
}

/// Status and JSON of an answer.
fn ask(node: &Node, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> (u16, Value) {
    let response = send(node, method, path, token, body);
    let json = serde_json::from_str(&response.body).unwrap_or_else(|_| panic!("{path} answers {response:?}"));
    (response.status, json)
}

/// The same for an operator, who must be let in.
fn done(node: &Node, method: &str, path: &str, body: Option<&Value>) -> Value {
    let (status, json) = ask(node, method, path, Some(&operator()), body);
    assert!((200..300).contains(&status), "{method} {path}: {status} {json}");
    json
}
