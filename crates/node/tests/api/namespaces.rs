//! Namespaces: fixed, dynamic, guarded by middleware.

use std::time::Duration;

use serde_json::json;
use throng_node::{Ack, App, Closing, Config, End, Refusal, Socket};
use throng_testkit::{Client, Node, Polling, Received, config};

use crate::{elsewhere, node};

fn refused(client: &mut Client, nsp: &str) -> serde_json::Value {
    match client.wait_in(nsp, "a refusal", |packet| !matches!(packet, Received::Event { .. })) {
        Received::Refused(error) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_middleware_may_wait_and_refuse_with_data() {
    let node = node(1, |nsp| {
        nsp.middleware(|socket: Socket| async move {
            tokio::time::sleep(Duration::from_millis(10)).await;
            if socket.auth()["token"] == "secret" {
                return Ok(());
            }
            Err(Refusal::new("not authorized").with_data(json!({"code": "E_AUTH"})))
        });
        nsp.middleware(|socket: Socket| async move {
            socket.set_data("second");
            Ok(())
        });
        nsp.on("data", |socket: Socket, (): (), ack: Ack| async move { ack.send(socket.data::<String>()) });
    });
    let mut client = Client::websocket(node.address());
    client.ask_to_join("/", Some(json!({"token": "wrong"})));
    let expect = json!({"message": "not authorized", "data": {"code": "E_AUTH"}});
    assert_eq!(refused(&mut client, "/"), expect);
    client.join("/", Some(json!({"token": "secret"})));
    assert_eq!(client.call("data", ()).decode::<String>().unwrap(), "second");
    let metrics = node.metrics();
    assert_eq!((metrics.get("sockets_refused_total"), metrics.sockets_open()), (1, 1));
}

#[test]
fn who_is_not_yet_let_in_hears_nothing() {
    let node = node(1, |nsp| {
        nsp.middleware(|socket: Socket| async move {
            socket.join("secrets");
            if socket.auth()["wait"] == true {
                tokio::time::sleep(Duration::from_millis(100)).await;
                return Err(Refusal::new("no"));
            }
            Ok(())
        });
        nsp.on("tell", |socket: Socket| async move {
            socket.nsp().to("secrets").emit("secret", ());
            assert_eq!(socket.nsp().to("secrets").fetch_sockets().await.answers.len(), 1);
            socket.nsp().to("secrets").disconnect_sockets(Closing::Socket);
        });
    });
    let mut waiting = Client::websocket(node.address());
    waiting.ask_to_join("/", Some(json!({"wait": true})));
    let (mut member, _) = Client::connect(node.address());
    member.emit("tell", ());
    member.event("secret");
    member.wait_in("/", "the end", |packet| *packet == Received::Disconnected);
    let first = waiting.wait_in("/", "any packet", |_| true);
    assert_eq!(first, Received::Refused(json!({"message": "no"})));
    let metrics = node.metrics();
    assert_eq!((metrics.get("rooms"), metrics.sockets_open()), (0, 0));
    assert_eq!(metrics.sockets_disconnected(End::ServerDisconnect), 1);
}

#[test]
fn rooms_of_the_middleware_are_joined_when_let_in() {
    let node = node(1, |nsp| {
        nsp.middleware(|socket: Socket| async move {
            socket.join("kept");
            socket.join("left");
            socket.join("kept");
            socket.leave("left");
            Ok(())
        });
        nsp.on_connect(|socket: Socket| async move {
            socket.nsp().to("kept").emit("welcome", socket.rooms().len());
        });
    });
    let (mut client, _) = Client::connect(node.address());
    assert_eq!(client.event("welcome").decode::<usize>().unwrap(), 2);
    assert_eq!(node.metrics().get("rooms"), 1);
    drop(client);
    node.until("the room is gone", |metrics| metrics.get("rooms") == 0);
}

#[test]
fn a_client_that_leaves_while_it_is_judged_leaves_nothing_behind() {
    let node = node(1, |nsp| {
        nsp.middleware(|socket: Socket| async move {
            socket.join("room");
            tokio::time::sleep(Duration::from_millis(50)).await;
            Ok(())
        });
    });
    let mut leaving = Client::websocket(node.address());
    leaving.ask_to_join("/", None);
    leaving.raw().hang_up();
    node.until("the session ends", |metrics| metrics.sessions_ended(End::TransportClose) == 1);
    let (mut later, _) = Client::connect(node.address());
    later.check();
    let metrics = node.metrics();
    assert_eq!((metrics.sockets_open(), metrics.get("rooms")), (1, 1));
}

#[test]
fn whoever_asks_twice_before_the_answer_is_answered_once() {
    let node = node(1, |nsp| {
        nsp.middleware(|socket: Socket| async move {
            if socket.auth()["wait"] == true {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            Ok(())
        });
        nsp.on("here", |_: Socket, (): (), ack: Ack| async move { ack.send(()) });
    });
    for ask in ["40{}", r#"40{"wait":true}"#] {
        let mut client = Polling::open(node.address());
        assert_eq!(client.post(&format!("{ask}\u{1e}{ask}")).status, 200);
        let mut answers = client.packets();
        assert_eq!(client.post("427[\"here\"]").status, 200);
        answers += &client.packets();
        assert!(answers.starts_with("40{") && answers.ends_with("437[]"), "{answers}");
        assert_eq!(answers.matches("40{").count(), 1, "{answers}");
    }
    assert_eq!(node.metrics().get("sockets_connected_total"), 2);
}

#[test]
fn a_namespace_too_many_is_refused_and_the_others_stay() {
    let mut app = App::new();
    app.dynamic_namespace(
        |_| true,
        |nsp| {
            nsp.on("here", |_: Socket, (): (), ack: Ack| async move { ack.send(()) });
        },
    );
    let node = Node::start(Config { namespaces_max: 2, ..config() }, app);
    let mut client = Client::websocket(node.address());
    client.join("/", None);
    client.join("/two", None);
    client.ask_to_join("/three", None);
    assert_eq!(refused(&mut client, "/three"), json!({"message": "Too many namespaces"}));
    client.call("here", ());
    client.leave("/two");
    client.join("/three", None);
}

#[test]
fn dynamic_namespaces_are_apart_from_each_other() {
    let mut app = App::new();
    app.namespace("/dyn-0", |nsp| {
        nsp.on_connect(|socket: Socket| async move { socket.emit("fixed", ()) });
    });
    app.dynamic_namespace(
        |name| name.starts_with("/dyn-"),
        |nsp| {
            nsp.on("all", |socket: Socket| async move { socket.nsp().emit("all", socket.namespace()) });
        },
    );
    let node = Node::start(config(), app);
    let mut client = Client::websocket(node.address());
    client.join("/dyn-0", None);
    client.wait_in("/dyn-0", "fixed names come first", |packet| matches!(packet, Received::Event { .. }));
    client.join("/dyn-1", None);
    let mut other = Client::websocket(node.address());
    other.join("/dyn-2", None);
    client.ask_to_join("/static", None);
    assert_eq!(refused(&mut client, "/static"), json!({"message": "Invalid namespace"}));
    client.emit_in("/dyn-1", "all", ());
    client.wait_in("/dyn-1", "the event", |packet| matches!(packet, Received::Event { .. }));
    other.emit_in("/dyn-2", "all", ());
    match other.wait_in("/dyn-2", "its own event", |packet| matches!(packet, Received::Event { .. })) {
        Received::Event { args, .. } => assert_eq!(args.decode::<String>().unwrap(), "/dyn-2"),
        other => panic!("{other:?}"),
    }
    elsewhere(async { node.io().of("/dyn-1").disconnect_sockets(Closing::Session) });
    client.wait_closed();
}
