//! What is known of sockets: their data, their rooms, why they ended.

use std::collections::BTreeSet;
use std::sync::mpsc;

use serde_json::json;
use throng_node::{Ack, Closing, End, Socket};
use throng_testkit::{Client, Polling, Received, WAIT};

use crate::{crowd, elsewhere, node, rooms};

#[test]
fn sockets_are_described_from_anywhere() {
    for shards in [1, 4] {
        let node = node(shards, |nsp| {
            rooms(nsp);
            nsp.on("name", |socket: Socket, name: String, ack: Ack| async move {
                socket.set_data(json!({ "name": name }));
                ack.send(());
            });
            nsp.on("count", |socket: Socket, room: String, ack: Ack| async move {
                ack.send(socket.nsp().to(room).fetch_sockets().await.answers.len());
            });
        });
        let mut clients = crowd(&node, shards);
        for (index, (client, _)) in clients[..12].iter_mut().enumerate() {
            client.call("name", format!("client {index}"));
            client.call("join", "named");
        }
        assert_eq!(clients[30].0.call("count", "named").decode::<usize>().unwrap(), 12);
        let found = elsewhere(node.io().of("/").to("named").fetch_sockets()).answers;
        let ids: BTreeSet<_> = found.iter().map(|socket| socket.id).collect();
        assert_eq!(ids, clients[..12].iter().map(|(_, id)| *id).collect());
        for socket in found {
            let index = clients.iter().position(|(_, id)| *id == socket.id).unwrap();
            assert_eq!(socket.data::<serde_json::Value>().unwrap()["name"], format!("client {index}"));
            let rooms: Vec<_> = socket.rooms.iter().map(|room| room.to_string()).collect();
            assert_eq!(rooms, [socket.id.to_string(), "named".into()]);
        }
        assert_eq!(elsewhere(node.io().of("/").fetch_sockets()).answers.len(), crate::SPREAD);
        assert_eq!(elsewhere(node.io().of("/elsewhere").fetch_sockets()).answers.len(), 0);
    }
}

/// What a client does ends its socket for this reason.
fn check(act: impl FnOnce(&throng_testkit::Node, Client), end: End, reason: &str) {
    let (ended, ends) = mpsc::channel();
    let node = node(1, move |nsp| {
        nsp.on("kick", |socket: Socket, session: bool| async move {
            socket.disconnect(if session { Closing::Session } else { Closing::Socket });
        });
        nsp.on("drop", |socket: Socket| async move { socket.drop_transport() });
        nsp.on_disconnect(move |_: Socket, end| {
            ended.send(end).expect("the test waits");
            async {}
        });
    });
    let (client, _) = Client::connect(node.address());
    act(&node, client);
    let seen = ends.recv_timeout(WAIT).expect("a socket ends");
    assert_eq!((seen, seen.reason()), (end, reason));
}

#[test]
fn reasons_are_those_that_node_gives() {
    check(|_, mut client| client.leave("/"), End::ClientDisconnect, "client namespace disconnect");
    check(|_, mut client| client.emit("kick", false), End::ServerDisconnect, "server namespace disconnect");
    check(|_, mut client| client.emit("kick", true), End::ServerDisconnect, "server namespace disconnect");
    check(|_, mut client| client.emit("drop", ()), End::ForcedClose, "forced close");
    check(|_, mut client| client.raw().hang_up(), End::TransportClose, "transport close");
    check(|_, mut client| assert!(client.raw().send_text("1")), End::TransportClose, "transport close");
    check(|_, mut client| assert!(client.raw().send_text("x")), End::ParseError, "parse error");
}

#[test]
fn a_close_frame_is_answered() {
    let node = node(1, |_| {});
    let (mut client, _) = Client::connect(node.address());
    let close = throng_testkit::WebSocket::frame(throng_testkit::Opcode::Close, &4321_u16.to_be_bytes());
    client.raw().send_raw(&close);
    assert_eq!(client.raw().close_code(), Some(4321));
    assert_eq!(client.raw().outcome(), throng_testkit::Outcome::Closed);
}

#[test]
fn rooms_are_still_there_when_a_socket_is_about_to_leave() {
    let node = node(1, |nsp| {
        rooms(nsp);
        nsp.on_disconnecting(|socket: Socket, _| async move {
            socket.to("watchers").emit("leaving", socket.rooms().len());
        });
        nsp.on_disconnect(|socket: Socket, _| async move {
            socket.to("watchers").emit("left", socket.rooms().len());
        });
    });
    let (mut watcher, _) = Client::connect(node.address());
    watcher.call("join", "watchers");
    let (mut leaving, _) = Client::connect(node.address());
    leaving.call("join", "watchers");
    leaving.call("join", "other");
    drop(leaving);
    assert_eq!(watcher.event("leaving").decode::<usize>().unwrap(), 3);
    assert_eq!(watcher.event("left").decode::<usize>().unwrap(), 1);
}

#[test]
fn what_is_said_to_a_socket_that_is_about_to_leave_comes_before_its_end() {
    let node = node(1, |nsp| {
        nsp.on("leave", |socket: Socket| async move { socket.disconnect(Closing::Socket) });
        nsp.on("close", |socket: Socket| async move { socket.disconnect(Closing::Session) });
        nsp.on_disconnecting(|socket: Socket, _| async move {
            socket.emit("last words", ());
            // Once more does nothing more.
            socket.disconnect(Closing::Socket);
        });
    });
    for way in ["leave", "close"] {
        let (mut client, _) = Client::connect(node.address());
        client.emit(way, ());
        let is_word =
            |packet: &Received| matches!(packet, Received::Event { name, .. } if name == "last words");
        let is_end = |packet: &Received| *packet == Received::Disconnected;
        let first = client.wait_in("/", "the last words", |packet| is_word(packet) || is_end(packet));
        assert!(is_word(&first), "{way}: {first:?} came first");
        client.wait_in("/", "the end", is_end);
    }
    node.until("both are gone", |metrics| metrics.sockets_open() == 0);
}

#[test]
fn a_handshake_is_kept_and_the_transport_is_told() {
    let node = node(1, |nsp| {
        nsp.on("about", |socket: Socket, (): (), ack: Ack| async move {
            ack.send((
                socket.transport().name(),
                socket.handshake().query(),
                socket.handshake().header("host"),
            ));
        });
    });
    let (mut client, _) = Client::connect(node.address());
    let about = client.call("about", ()).decode::<(String, serde_json::Value, String)>().unwrap();
    assert_eq!(about, ("websocket".into(), json!({"EIO": "4", "transport": "websocket"}), "test".into()));
    let mut polling = Polling::open(node.address());
    polling.post("40\u{1e}420[\"about\"]");
    let mut packets = polling.packets();
    while !packets.contains("430[") {
        packets = polling.packets();
    }
    assert!(packets.contains("\"polling\""), "{packets}");
}
