//! Ends that cause ends: listeners that disconnect others, or the same socket once more, while it is ending.

use throng_node::{App, Closing, End, Socket};
use throng_testkit::{Client, Node, Received};

use crate::Stage;

const CROWD: usize = 600;

fn crowd(closing: Closing) -> (Node, Vec<Client>) {
    let mut app = App::new();
    app.namespace("/", |nsp| {
        nsp.on_connect(|socket: Socket| async move { socket.join("crowd") });
        nsp.on_disconnecting(move |socket: Socket, _| async move {
            socket.to("crowd").disconnect_sockets(closing);
        });
    });
    let node = Node::start(throng_testkit::config(), app);
    let clients = (0..CROWD).map(|_| Client::connect(node.address()).0).collect();
    (node, clients)
}

#[test]
fn listeners_that_disconnect_everyone_do_not_nest() {
    let (node, mut clients) = crowd(Closing::Session);
    clients[0].leave("/");
    node.until("everyone else ends", |metrics| metrics.sessions_open() == 1);
    let metrics = node.metrics();
    assert_eq!(metrics.sockets_disconnected(End::ServerDisconnect), CROWD as u64 - 1);
    assert_eq!(metrics.sessions_ended(End::ForcedClose), CROWD as u64 - 1);
    assert_eq!(metrics.get("rooms"), 0);
}

#[test]
fn the_same_with_sockets_whose_sessions_stay() {
    let (node, mut clients) = crowd(Closing::Socket);
    clients[0].leave("/");
    for client in &mut clients[1..] {
        client.wait_in("/", "the end", |packet| *packet == Received::Disconnected);
    }
    let metrics = node.until("all are counted", |metrics| metrics.sockets_open() == 0);
    assert_eq!(metrics.sockets_disconnected(End::ServerDisconnect), CROWD as u64 - 1);
    assert_eq!(metrics.sessions_open(), CROWD as u64);
}

#[test]
fn a_handler_may_close_its_own_session_in_the_middle_of_a_batch() {
    let mut stage = Stage::with(
        |_| {},
        |nsp| {
            nsp.on("quit", |socket: Socket| async move { socket.disconnect(Closing::Session) });
        },
    );
    let (mut client, id) = Client::connect(stage.node.address());
    let text = |packet: &[u8]| throng_testkit::WebSocket::frame(throng_testkit::Opcode::Text, packet);
    let batch = [text(b"420[\"echo\"]"), text(b"42[\"quit\"]"), text(b"421[\"echo\"]").repeat(5000)].concat();
    client.raw().send_raw(&batch);
    client.answer_to(0);
    client.wait_closed();
    assert_eq!(stage.next_end(), (id, End::ServerDisconnect));
    stage.expect_count(End::ForcedClose);
}

#[test]
fn a_listener_may_disconnect_the_socket_that_is_ending() {
    let mut stage = Stage::with(
        |_| {},
        |nsp| {
            nsp.on_disconnecting(|socket: Socket, _| async move {
                socket.disconnect(Closing::Session);
                socket.disconnect(Closing::Socket);
                socket.join("too late");
            });
            nsp.on_disconnect(|socket: Socket, _| async move {
                socket.disconnect(Closing::Session);
                socket.join("much too late");
                socket.emit("late", ());
            });
        },
    );
    let (client, id) = Client::connect(stage.node.address());
    drop(client);
    assert_eq!(stage.next_end(), (id, End::TransportClose));
    let metrics = stage.node.until("the session ends", |metrics| metrics.sessions_open() == 1);
    assert_eq!(metrics.get("rooms"), 0);
    assert_eq!(metrics.sockets_open(), 1);
    stage.innocent.check();
}

#[test]
fn a_disconnected_socket_can_be_used_without_effect() {
    let mut stage = Stage::with(
        |_| {},
        |nsp| {
            nsp.on_disconnect(|socket: Socket, _| async move {
                tokio::task::yield_now().await;
                socket.emit("gone", ());
                socket.join("gone");
                socket.set_data(1);
                let asked = socket.emit_with_ack::<u32>("gone", ()).await;
                socket
                    .broadcast()
                    .emit("seen", (asked.is_err(), socket.is_connected(), socket.rooms().len()));
            });
        },
    );
    let (client, _) = Client::connect(stage.node.address());
    drop(client);
    let seen = stage.innocent.event("seen").decode::<(bool, bool, usize)>().unwrap();
    assert_eq!(seen, (true, false, 1));
    stage.innocent.check();
}
