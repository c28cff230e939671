//! Both transports in one room, and a session that moves between them.

use bytes::Bytes;
use throng_node::{Args, End, Socket};
use throng_testkit::{Client, Polling, WebSocket};

use crate::{node, rooms};

#[test]
fn a_room_may_mix_transports() {
    let node = node(1, |nsp| {
        rooms(nsp);
        nsp.on("say", |socket: Socket, args: Args| async move { socket.nsp().to("room").emit("said", args) });
    });
    let (mut websocket, _) = Client::connect(node.address());
    let mut polling = Client::polling(node.address());
    polling.join("/", None);
    for client in [&mut websocket, &mut polling] {
        client.call("join", "room");
    }
    polling.emit("say", "from polling");
    websocket.emit("say", "from websocket");
    for client in [&mut websocket, &mut polling] {
        let mut said =
            [client.event("said"), client.event("said")].map(|args| args.decode::<String>().unwrap());
        said.sort();
        assert_eq!(said, ["from polling", "from websocket"]);
    }
}

#[test]
fn binary_reaches_both_transports() {
    let node = node(1, |_| {});
    let (websocket, _) = Client::connect(node.address());
    let mut polling = Client::polling(node.address());
    polling.join("/", None);
    let (mut all, bytes) = ([websocket, polling], Bytes::from_static(&[0, 1, 0x1e, 254, 255]));
    node.io().of("/").emit("bytes", ("first", bytes.clone(), bytes.clone()));
    for client in &mut all {
        let got = client.event("bytes").decode::<(String, Bytes, Bytes)>().unwrap();
        assert_eq!(got, ("first".into(), bytes.clone(), bytes.clone()));
        let back = client.call("echo", (bytes.clone(), "text", bytes.clone()));
        assert_eq!(
            back.decode::<(Bytes, String, Bytes)>().unwrap(),
            (bytes.clone(), "text".into(), bytes.clone())
        );
    }
}

#[test]
fn nothing_is_lost_or_doubled_when_a_session_moves() {
    let node = node(1, |_| {});
    let mut polling = Polling::open(node.address());
    polling.post("40");
    assert!(polling.packets().contains("40{"));
    let mut moved = WebSocket::connect(node.address(), &polling.upgrade_path());
    node.io().of("/").emit("n", 1);
    moved.send_text("2probe");
    assert_eq!(moved.next_frame().text(), "3probe");
    node.io().of("/").emit("n", 2);
    let first = polling.packets();
    assert_eq!(first, "42[\"n\",1]\u{1e}42[\"n\",2]");
    node.io().of("/").emit("n", 3);
    moved.send_text("5");
    node.io().of("/").emit("n", 4);
    let rest: Vec<String> = (0..2).map(|_| moved.next_frame().text()).collect();
    assert_eq!(rest, ["42[\"n\",3]", "42[\"n\",4]"]);
    let metrics = node.metrics();
    assert_eq!((metrics.get("upgrades_total"), metrics.sessions_ended(End::TransportClose)), (1, 0));
}

#[test]
fn a_waiting_poll_is_released_for_the_move() {
    let node = node(1, |_| {});
    let mut polling = Polling::open(node.address());
    polling.post("40");
    assert!(polling.packets().contains("40{"));
    polling.poll();
    let mut moved = WebSocket::connect(node.address(), &polling.upgrade_path());
    moved.send_text("2probe");
    assert_eq!(moved.next_frame().text(), "3probe");
    assert_eq!(polling.answer().body, "6");
    moved.send_text("5");
    moved.send_text("420[\"echo\",1]");
    assert_eq!(moved.next_frame().text(), "430[1]");
}

#[test]
fn a_session_may_be_polled_on_any_shard() {
    let node = node(4, |_| {});
    let mut sessions: Vec<_> = (0..20).map(|_| Client::polling(node.address())).collect();
    for client in &mut sessions {
        client.join("/", None);
        client.check();
    }
    let mut websockets: Vec<_> = (0..20).map(|_| Client::connect(node.address()).0).collect();
    node.io().of("/").emit("all", ());
    for client in sessions.iter_mut().chain(&mut websockets) {
        client.event("all");
    }
}
