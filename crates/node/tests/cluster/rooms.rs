//! Broadcasts reach the members of rooms wherever they are, each once.

use bytes::Bytes;
use serde_json::json;
use throng_node::{Args, Namespace};
use throng_testkit::Client;

use crate::Fleet;

fn heard(client: &mut Client) -> String {
    client.event("heard").decode::<String>().expect("a text")
}

#[test]
fn a_client_that_reads_that_it_has_joined_misses_nothing() {
    let fleet = Fleet::start();
    let [(mut a, _), (mut b, _), (mut c, _)] = fleet.clients();
    for round in 0..50 {
        let room = format!("room {round}");
        for client in [&mut b, &mut c] {
            assert_eq!(client.call("join", &room).decode::<String>().unwrap(), "joined");
        }
        a.emit("to", (&room, "hello"));
        assert_eq!([heard(&mut b), heard(&mut c)], ["hello"; 2]);
    }
}

#[test]
fn a_socket_in_several_rooms_hears_once() {
    let fleet = Fleet::start();
    let [(mut a, _), (mut b, _), (mut c, _)] = fleet.clients();
    for room in ["x", "y"] {
        b.call("join", room);
        c.call("join", room);
    }
    a.emit("in", (["x", "y", "nobody's"], "once"));
    a.emit("in", (["x"], "then"));
    for client in [&mut b, &mut c] {
        assert_eq!([heard(client), heard(client)], ["once", "then"]);
    }
}

#[test]
fn members_of_an_excluded_room_hear_nothing_and_neither_does_the_sender() {
    let fleet = Fleet::start();
    let [(mut a, _), (mut b, _), (mut c, _)] = fleet.clients();
    b.call("join", "deaf");
    a.emit("except", ("deaf", "not you"));
    a.emit("all", "all");
    assert_eq!(heard(&mut c), "not you");
    for client in [&mut a, &mut b, &mut c] {
        assert_eq!(heard(client), "all");
    }
}

#[test]
fn a_local_broadcast_stays_on_its_node() {
    let fleet = Fleet::start();
    let ([(mut a, _), (mut b, _), _], (mut neighbour, _)) = (fleet.clients(), fleet.client(0));
    a.emit("local", "here");
    a.emit("all", "everywhere");
    for client in [&mut a, &mut neighbour] {
        assert_eq!([heard(client), heard(client)], ["here", "everywhere"]);
    }
    assert_eq!(heard(&mut b), "everywhere");
}

#[test]
fn a_socket_is_reached_by_its_identifier_on_any_node_and_nobody_else_hears() {
    let fleet = Fleet::start();
    let [(mut a, _), (mut b, b_id), (mut c, c_id)] = fleet.clients();
    a.emit("to", (b_id.to_string(), "for b"));
    a.emit("to", (c_id.to_string(), "for c"));
    a.emit("all", "all");
    assert_eq!([heard(&mut b), heard(&mut b)], ["for b", "all"]);
    assert_eq!([heard(&mut c), heard(&mut c)], ["for c", "all"]);
    assert_eq!(heard(&mut a), "all");
}

#[test]
fn a_node_receives_nothing_for_rooms_without_a_member_on_it() {
    let fleet = Fleet::start();
    let [(mut a, _), (mut b, _), _] = fleet.clients();
    b.call("join", "theirs");
    for _ in 0..100 {
        a.emit("to", ("theirs", "x"));
    }
    (0..100).for_each(|_| drop(heard(&mut b)));
    let received = |at: usize| {
        let metrics = fleet.nodes[at].metrics();
        (metrics.get("backbone_messages_received_total"), metrics.get("backbone_messages_foreign_total"))
    };
    assert!(received(1).0 >= 100);
    // Two other nodes said hello, at the most.
    assert!(received(2).0 <= 2, "{:?}", received(2));
    assert_eq!([received(0).1, received(1).1, received(2).1], [0; 3]);
}

#[test]
fn a_room_without_members_is_let_go() {
    let fleet = Fleet::start();
    let [(mut a, _), (mut b, _), _] = fleet.clients();
    b.call("join", "r");
    a.emit("to", ("r", "one"));
    assert_eq!(heard(&mut b), "one");
    b.call("leave", "r");
    a.emit("to", ("r", "two"));
    a.emit("all", "three");
    assert_eq!(heard(&mut b), "three");
    b.call("join", "r");
    a.emit("to", ("r", "four"));
    assert_eq!(heard(&mut b), "four");
}

#[test]
fn sockets_of_other_nodes_are_moved_and_removed() {
    let fleet = Fleet::start();
    let [(mut a, _), (mut b, b_id), (mut c, c_id)] = fleet.clients();
    b.call("join", "from");
    c.call("join", "from");
    a.emit("gather", ("from", "into"));
    let mut both = [b_id.to_string(), c_id.to_string()];
    both.sort();
    throng_testkit::until("both have been moved", || {
        (a.call("fetch", "into").decode::<Vec<String>>().unwrap() == both).then_some(())
    });
    a.emit("scatter", (b_id.to_string(), "into"));
    throng_testkit::until("one has been moved back", || {
        (a.call("fetch", "into").decode::<Vec<String>>().unwrap() == [c_id.to_string()]).then_some(())
    });
    a.emit("kick", "into");
    c.wait_in("/", "the end", |received| *received == throng_testkit::Received::Disconnected);
    a.emit("all", "still here");
    assert_eq!(heard(&mut b), "still here");
}

#[test]
fn sockets_that_were_made_to_join_hear_what_is_sent_right_after() {
    let fleet = Fleet::start();
    let [(mut a, _), (mut b, b_id), (mut c, c_id)] = fleet.clients();
    for client in [&mut b, &mut c] {
        client.call("join", "from");
    }
    let mut both = [b_id.to_string(), c_id.to_string()];
    both.sort();
    for round in 0..30 {
        let target = format!("target {round}");
        a.emit("gather", ("from", &target));
        a.emit("to", (&target, round));
        assert_eq!(a.call("fetch", &target).decode::<Vec<String>>().unwrap(), both);
        for client in [&mut b, &mut c] {
            assert_eq!(client.event("heard").decode::<u32>().unwrap(), round);
        }
    }
}

#[test]
fn binary_arrives_as_it_was_sent() {
    let fleet = Fleet::start();
    let [(mut a, _), (mut b, _), _] = fleet.clients();
    let blob = Bytes::from(vec![7; 70_000]);
    a.emit("all", (json!({"n": 1}), &blob, Bytes::from_static(b"x")));
    let (object, first, second) = b.event("heard").decode::<(serde_json::Value, Bytes, Bytes)>().unwrap();
    assert_eq!((object, first, second), (json!({"n": 1}), blob, Bytes::from_static(b"x")));
}

#[test]
fn what_is_sent_is_overheard_on_the_node_of_the_receiver() {
    let fleet = Fleet::with(|_, nsp: &mut Namespace| {
        nsp.on_any_outgoing(|socket, event, args: &Args| {
            if event == "heard" {
                socket.emit("overheard", args.clone());
            }
        });
    });
    let [(mut a, _), (mut b, _), _] = fleet.clients();
    a.emit("all", "psst");
    assert_eq!(b.event("overheard").decode::<String>().unwrap(), "psst");
}
