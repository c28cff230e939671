//! Every operation that names others, from one tenant against the names of another.

use std::time::Duration;

use serde_json::{Value, json};
use throng_backbone::{MemoryStore, Store};
use throng_node::{Ack, Closing, Config, Id, IntoArgs, Namespace, Recovery, Socket};
use throng_testkit::{Client, Door, Http, Node, Polling};

use crate::{app, config, door, node, unbounded};

/// Handlers that do to any name whatever the API can do. Their `room` is what the attacker knows of the victim.
fn weapons(nsp: &mut Namespace) {
    nsp.on("emit", |socket: Socket, room: String| async move {
        socket.to(room.clone()).emit("hit", "to");
        socket.nsp().to(room.clone()).emit("hit", "in");
        socket.nsp().to(room).volatile().emit("hit", "volatile");
    });
    nsp.on("mark", |socket: Socket| async move { socket.emit("marked", ()) });
    nsp.on("broadcast", |socket: Socket| async move {
        socket.broadcast().emit("hit", "broadcast");
        socket.nsp().except("nobody").emit("hit", "except");
    });
    nsp.on("ask", |socket: Socket, room: String, ack: Ack| async move {
        let asked = socket.nsp().to(room).timeout(Duration::from_millis(50));
        let got = asked.emit_with_ack::<Value>("hit", "ask").await;
        ack.send(got.map_or(-1, |got| (got.answers.len() + got.missing) as i64));
    });
    nsp.on("fetch", |socket: Socket, room: Option<String>, ack: Ack| async move {
        let all = socket.nsp();
        let found = match room {
            Some(room) => all.to(room).fetch_sockets().await,
            None => all.fetch_sockets().await,
        };
        ack.send(found.answers.iter().map(|other| other.id.to_string()).collect::<Vec<_>>());
    });
    nsp.on("drag", |socket: Socket, room: String| async move {
        socket.nsp().to(room.clone()).sockets_join("trap");
        socket.nsp().to(room.clone()).sockets_leave("den");
        socket.nsp().to(room).disconnect_sockets(Closing::Session);
        socket.broadcast().disconnect_sockets(Closing::Socket);
    });
}

/// The sockets that a client finds in a room, or everywhere.
fn ids(client: &mut Client, room: impl IntoArgs) -> Vec<String> {
    client.call("fetch", room).decode().expect("a list of identifiers")
}

/// The names of the events that have come to a client.
fn events(client: &mut Client) -> Vec<String> {
    client.emit("mark", ());
    client.events_before("marked")
}

/// How many sockets a client asks in a room.
fn asked(client: &mut Client, room: &str) -> i64 {
    client.call("ask", room).decode().expect("a number")
}

struct Victim {
    client: Client,
    id: Id,
}

impl Victim {
    fn of(door: Door) -> Self {
        Self::over(Client::websocket(door))
    }

    fn over(mut client: Client) -> Self {
        let id = client.join("/", None);
        client.call("join", "den");
        Self { client, id }
    }

    /// Nothing has happened to it: no event came, it is still in its room and nowhere else.
    fn check(&mut self) {
        assert_eq!(events(&mut self.client), Vec::<String>::new());
        let found = ids(&mut self.client, "den");
        assert_eq!(found, [self.id.to_string()]);
        assert_eq!(ids(&mut self.client, "trap"), Vec::<String>::new());
    }
}

fn attack(shards: usize, open: fn(Door) -> Client) {
    let node = node(shards, unbounded(), weapons);
    let mut victim = Victim::over(open(door(&node, "globex")));
    let mut attacker = open(door(&node, "acme"));
    let own = attacker.join("/", None);
    let names =
        ["den".to_owned(), victim.id.to_string(), "globex".into(), "globex:den".into(), "/#den".into()];
    for name in &names {
        attacker.emit("emit", name.as_str());
        assert_eq!(asked(&mut attacker, name), 0, "{name}");
        assert_eq!(ids(&mut attacker, name.as_str()), Vec::<String>::new());
        attacker.emit("drag", name.as_str());
        // Joining a room of the same name makes another room.
        attacker.call("join", name.as_str());
        attacker.emit("emit", name.as_str());
    }
    attacker.emit("broadcast", ());
    assert_eq!(ids(&mut attacker, ()), [own.to_string()]);
    attacker.check();
    victim.check();
}

#[test]
fn no_operation_reaches_another_tenant() {
    attack(1, Client::websocket);
}

#[test]
fn no_operation_reaches_another_tenant_on_other_shards() {
    attack(4, Client::websocket);
}

#[test]
fn no_operation_of_a_session_that_polls_reaches_another_tenant() {
    attack(1, Client::polling);
    attack(4, Client::polling);
}

#[test]
fn what_one_tenant_has_missed_is_not_recovered_by_another() {
    let store = Store::Memory(MemoryStore::default());
    let config = Config { recovery: Some(Recovery::default()), ..config(1, unbounded()) };
    let nodes = [(); 2].map(|()| Node::start_member(config.clone(), app(weapons), store.clone()));
    let Victim { mut client, id } = Victim::of(door(&nodes[0], "globex"));
    let (mut friend, _) = Client::connect(door(&nodes[0], "globex"));
    friend.emit("emit", "den");
    for _ in 0..3 {
        client.event("hit");
    }
    let memory = client.memory().clone();
    drop(client);
    nodes[0].until("the loss is noticed", |metrics| metrics.sockets_open() == 1);
    friend.emit("emit", "den");
    for node in &nodes {
        let (mut thief, new) = Client::resume(door(node, "acme"), &memory);
        assert_ne!(new, id);
        assert_eq!(ids(&mut thief, "den"), Vec::<String>::new());
        assert_eq!(events(&mut thief), Vec::<String>::new());
    }
    let (mut client, back) = Client::resume(door(&nodes[1], "globex"), &memory);
    assert_eq!(back, id);
    assert_eq!(events(&mut client), ["hit", "hit"]);
}

#[test]
fn the_handle_for_code_outside_handlers_reaches_one_tenant() {
    let node = node(2, unbounded(), |_| {});
    let (mut acme, _) = Client::connect(door(&node, "acme"));
    let (mut globex, _) = Client::connect(door(&node, "globex"));
    let name = |name| throng_node::TenantName::parse(name).unwrap();
    node.io().tenant(&name("acme")).of("/").emit("news", "for acme");
    node.io().tenant(&name("globex")).of("/").emit("news", "for globex");
    // Neither is the tenant that an unnamed handle reaches, and the last one does not exist.
    node.io().of("/").emit("news", "for nobody");
    node.io().tenant(&name("initech")).of("/").emit("news", "for nobody");
    assert_eq!(acme.event("news").decode::<String>().unwrap(), "for acme");
    assert_eq!(globex.event("news").decode::<String>().unwrap(), "for globex");
    acme.check();
    globex.check();
}

#[test]
fn a_session_is_unknown_under_the_host_of_another_tenant() {
    let node = node(2, unbounded(), |_| {});
    let mut polling = Polling::open(door(&node, "globex"));
    let mut thief = Http::connect(door(&node, "acme"));
    let unknown = json!({"code": 1, "message": "Session ID unknown"}).to_string();
    for (method, body) in [("GET", ""), ("POST", "40")] {
        thief.request(method, &polling.path(), "", body.as_bytes());
        let refused = thief.response();
        assert_eq!((refused.status, refused.body.as_str()), (400, unknown.as_str()), "{method}");
    }
    thief.request(
        "GET",
        &polling.upgrade_path(),
        "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        b"",
    );
    assert_eq!(thief.response().body, unknown);
    assert_eq!(polling.post("40").body, "ok");
}

#[test]
fn hosts_that_name_no_tenant_are_refused_and_probes_are_not() {
    let node = node(1, unbounded(), |_| {});
    for host in ["test", "initech.example.test", "example.test", "a.acme.example.test"] {
        let door = Door::named(node.address(), host);
        let refused = Http::get(door.clone(), "/socket.io/?EIO=4&transport=polling");
        let error: Value = serde_json::from_str(&refused.body).unwrap();
        assert_eq!((refused.status, &error["error"]["code"]), (404, &json!("tenant_unknown")), "{host}");
        assert_eq!(Http::get(door, "/ready").status, 200);
    }
}

/// The attacker's own events, so that a test that hears nothing does not pass for lack of noise.
#[test]
fn the_same_operations_reach_the_own_tenant() {
    let node = node(1, unbounded(), weapons);
    let mut victim = Victim::of(door(&node, "acme"));
    let (mut neighbour, _) = Client::connect(door(&node, "acme"));
    assert_eq!(asked(&mut neighbour, "den"), 1);
    neighbour.emit("emit", "den");
    victim.client.event("hit");
    assert_eq!(ids(&mut neighbour, "den"), [victim.id.to_string()]);
    neighbour.emit("drag", victim.id.to_string());
    victim.client.wait_closed();
}
