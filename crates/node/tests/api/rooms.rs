//! Who is reached by what, with all sockets on one shard and spread over four, from a handler and from elsewhere.

use throng_node::{Broadcast, Closing, End, Id, Namespace, Socket};
use throng_testkit::{Client, Node, Received};

use crate::{crowd, node};

/// Runs a check over one shard and over four. Clients 0 to 9 are in `low`, 5 to 14 in `mid`.
fn over_shards(define: impl Fn(&mut Namespace), check: impl Fn(&Node, &mut [(Client, Id)])) {
    for shards in [1, 4] {
        let node = node(shards, |nsp| {
            crate::rooms(nsp);
            define(nsp);
        });
        let mut clients = crowd(&node, shards);
        for (index, (client, _)) in clients.iter_mut().enumerate() {
            if index < 10 {
                client.call("join", "low");
            }
            if (5..15).contains(&index) {
                client.call("join", "mid");
            }
        }
        check(&node, &mut clients);
    }
}

/// Who heard `word`, each once. Every client is then told `end`, so that none is waited for in vain.
fn hearers(node: &Node, clients: &mut [(Client, Id)]) -> Vec<usize> {
    node.io().of("/").emit("end", ());
    let mut heard = Vec::new();
    for (index, (client, _)) in clients.iter_mut().enumerate() {
        match client.events_before("end").as_slice() {
            [] => {}
            [word] if word == "word" => heard.push(index),
            other => panic!("client {index} heard {other:?}"),
        }
    }
    heard
}

fn all_but(excluded: impl Fn(usize) -> bool) -> Vec<usize> {
    (0..crate::SPREAD).filter(|index| !excluded(*index)).collect()
}

/// A word from elsewhere reaches these.
fn check(say: impl Fn(Broadcast) -> Broadcast, expect: &[usize]) {
    over_shards(
        |_| {},
        |node, clients| {
            say(node.io().of("/")).emit("word", ());
            assert_eq!(hearers(node, clients), expect);
        },
    );
}

#[test]
fn a_room_is_reached() {
    check(|all| all.to("low"), &(0..10).collect::<Vec<_>>());
}

#[test]
fn several_rooms_are_reached_once() {
    check(|all| all.to("low").to("mid").to("low"), &(0..15).collect::<Vec<_>>());
}

#[test]
fn members_of_excepted_rooms_are_not() {
    check(|all| all.to("low").except("mid"), &(0..5).collect::<Vec<_>>());
    check(|all| all.except("low").except("mid"), &all_but(|index| index < 15));
}

#[test]
fn the_whole_namespace_is_reached_and_a_missing_room_is_nobody() {
    check(|all| all, &all_but(|_| false));
    check(|all| all.to("nowhere"), &[]);
    check(|all| all.local().volatile(), &all_but(|_| false));
}

/// A word from client 7's handler reaches these.
fn check_from_handler(say: impl Fn(&Socket) + Clone + Send + Sync + 'static, expect: &[usize]) {
    let define = |nsp: &mut Namespace| {
        let say = say.clone();
        nsp.on("say", move |socket: Socket| {
            say(&socket);
            async {}
        });
    };
    over_shards(define, |node, clients| {
        clients[7].0.emit("say", ());
        clients[7].0.check();
        assert_eq!(hearers(node, clients), expect);
    });
}

#[test]
fn a_handler_reaches_others() {
    check_from_handler(|socket| socket.to("low").emit("word", ()), &[0, 1, 2, 3, 4, 5, 6, 8, 9]);
    check_from_handler(|socket| socket.nsp().to("low").emit("word", ()), &(0..10).collect::<Vec<_>>());
    check_from_handler(|socket| socket.broadcast().emit("word", ()), &all_but(|index| index == 7));
    check_from_handler(
        |socket| socket.except("mid").emit("word", ()),
        &all_but(|index| (5..15).contains(&index)),
    );
    check_from_handler(|socket| socket.emit("word", ()), &[7]);
}

#[test]
fn a_socket_is_a_room_of_its_own() {
    over_shards(
        |_| {},
        |node, clients| {
            let own = clients[20].1.to_string();
            node.io().of("/").to(&*own).to(&*clients[3].1.to_string()).emit("word", ());
            assert_eq!(hearers(node, clients), [3, 20]);
            node.io().of("/").except(&*own).emit("word", ());
            assert_eq!(hearers(node, clients), all_but(|index| index == 20));
        },
    );
}

#[test]
fn who_leaves_is_reached_no_more() {
    over_shards(
        |_| {},
        |node, clients| {
            clients[3].0.call("leave", "low");
            clients[4].0.call("leave", "low");
            clients[4].0.call("join", "low");
            node.io().of("/").to("low").emit("word", ());
            assert_eq!(hearers(node, clients), [0, 1, 2, 4, 5, 6, 7, 8, 9]);
        },
    );
}

#[test]
fn selections_join_and_leave() {
    over_shards(
        |_| {},
        |node, clients| {
            node.io().of("/").to("low").sockets_join("new");
            node.io().of("/").to("mid").sockets_leave("new");
            node.io().of("/").to("new").emit("word", ());
            assert_eq!(hearers(node, clients), (0..5).collect::<Vec<_>>());
            node.io().of("/").sockets_leave("new");
            node.io().of("/").to("new").emit("word", ());
            assert_eq!(hearers(node, clients), [] as [usize; 0]);
            let shards = if clients.iter().all(|(_, id)| id.as_bytes()[3] == 0) { 1 } else { 4 };
            node.until("the room is gone", |metrics| metrics.get("rooms") <= 2 * shards);
        },
    );
}

#[test]
fn selections_disconnect() {
    over_shards(
        |_| {},
        |node, clients| {
            node.io().of("/").to("low").except("mid").disconnect_sockets(Closing::Socket);
            for (client, _) in &mut clients[..5] {
                client.wait_in("/", "the end", |packet| *packet == Received::Disconnected);
            }
            node.io().of("/").to("mid").disconnect_sockets(Closing::Session);
            for (client, _) in &mut clients[5..15] {
                client.wait_closed();
            }
            for (client, _) in &mut clients[15..] {
                client.check();
            }
            let metrics = node.until("all are counted", |metrics| metrics.sockets_open() == 25);
            assert_eq!(metrics.sockets_disconnected(End::ServerDisconnect), 15);
            assert_eq!(metrics.sessions_ended(End::ForcedClose), 10);
            assert_eq!(metrics.get("rooms"), 0);
        },
    );
}
