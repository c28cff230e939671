//! Clients that lose their connection and go on, on any node, with all that they have missed or with nothing.

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use serde_json::{Value, json};
use throng_backbone::{PAYLOAD_BYTES_MAX, Store};
use throng_node::{Ack, Id, Recovery, Socket};
use throng_testkit::{Client, Memory, until};

use crate::Fleet;

fn start() -> Fleet {
    Fleet::recovering(Recovery::default())
}

fn whoami(client: &mut Client) -> Value {
    client.call("whoami", ()).decode().expect("an object")
}

/// What a client hears next; the position behind it is not part of it.
fn heard(client: &mut Client) -> Value {
    client.event("heard").decode().expect("a value")
}

/// Cuts a client's connection and waits until its node has noticed; gives what the client remembers.
fn lose(fleet: &Fleet, at: usize, client: Client) -> Memory {
    let open = fleet.nodes[at].metrics().sockets_open();
    let memory = client.memory().clone();
    drop(client);
    fleet.nodes[at].until("the loss is noticed", |metrics| metrics.sockets_open() == open - 1);
    memory
}

fn resume(fleet: &Fleet, at: usize, memory: &Memory) -> (Client, Id) {
    Client::resume(fleet.nodes[at].address(), memory)
}

#[test]
fn one_that_comes_back_anywhere_has_missed_nothing() {
    for back_at in 0..3 {
        let fleet = start();
        let ((mut a, a_id), (mut b, _)) = (fleet.client(0), fleet.client(1));
        a.call("join", "r");
        a.call("join", "s");
        a.call("remember", json!({"name": "Ada"}));
        b.emit("to", ("r", 1));
        assert_eq!(heard(&mut a), 1);
        let memory = lose(&fleet, 0, a);
        for (room, number) in [("r", 2), ("s", 3), ("nobody's", 4), ("r", 5)] {
            b.emit("to", (room, number));
        }
        b.emit("all", 6);
        b.emit("to", (a_id.to_string(), 7));
        b.emit("in", (["r", "s"], 8));
        b.emit("except", ("r", 9));
        assert_eq!(heard(&mut b), 6);
        let (mut a, id) = resume(&fleet, back_at, &memory);
        assert_eq!(id, a_id, "node {back_at}");
        // What went to the socket alone took a way of its own.
        let (alone, rooms): (Vec<_>, Vec<_>) = (0..6).map(|_| heard(&mut a)).partition(|number| *number == 7);
        assert_eq!((alone.len(), rooms), (1, [2, 3, 5, 6, 8].map(Value::from).to_vec()), "node {back_at}");
        let mut rooms = [id.to_string(), "r".to_owned(), "s".to_owned()];
        rooms.sort();
        let expect = json!({"id": id, "recovered": true, "rooms": rooms, "data": {"name": "Ada"}});
        assert_eq!(whoami(&mut a), expect);
        b.emit("to", ("s", 10));
        b.emit("to", (id.to_string(), 11));
        // Rooms and sockets are told on ways of their own.
        let both = [heard(&mut a), heard(&mut a)];
        assert!([10, 11].iter().all(|number| both.contains(&json!(number))), "node {back_at}: {both:?}");
    }
}

#[test]
fn one_that_has_heard_nothing_yet_recovers() {
    let fleet = start();
    let ((mut a, a_id), (mut b, _)) = (fleet.client(0), fleet.client(1));
    a.call("join", "r");
    let memory = lose(&fleet, 0, a);
    assert_eq!(memory.offset, None);
    b.emit("to", ("r", 1));
    let (mut a, id) = resume(&fleet, 2, &memory);
    assert_eq!((id, heard(&mut a)), (a_id, json!(1)));
}

#[test]
fn one_recovers_again_and_again() {
    let fleet = start();
    let ((mut a, a_id), (mut b, _)) = (fleet.client(0), fleet.client(1));
    a.call("join", "r");
    let mut memory = lose(&fleet, 0, a);
    for round in 0..6 {
        b.emit("to", ("r", 2 * round));
        b.emit("to", (a_id.to_string(), 2 * round + 1));
        let at = round % 3;
        let (mut a, id) = resume(&fleet, at, &memory);
        assert_eq!(id, a_id, "round {round}");
        assert_eq!([heard(&mut a), heard(&mut a)], [2 * round, 2 * round + 1], "round {round}");
        a.emit("me", "mine");
        assert_eq!(heard(&mut a), "mine");
        memory = lose(&fleet, at, a);
    }
}

#[test]
fn a_room_that_was_left_stays_left() {
    let fleet = start();
    let ((mut a, _), (mut b, _)) = (fleet.client(0), fleet.client(1));
    for room in ["r", "s", "t"] {
        a.call("join", room);
    }
    b.emit("to", ("s", 1));
    assert_eq!(heard(&mut a), 1);
    a.call("leave", "r");
    let memory = lose(&fleet, 0, a);
    for (room, number) in [("r", 2), ("s", 3), ("t", 4)] {
        b.emit("to", (room, number));
    }
    let (mut a, _) = resume(&fleet, 0, &memory);
    assert_eq!([heard(&mut a), heard(&mut a)], [3, 4]);
    b.emit("to", ("r", 5));
    b.emit("to", ("t", 6));
    assert_eq!(heard(&mut a), 6);
}

#[test]
fn who_has_missed_too_much_starts_afresh() {
    let fleet = Fleet::recovering(Recovery { messages_max: 10, ..Recovery::default() });
    let ((mut a, a_id), (mut b, _)) = (fleet.client(0), fleet.client(1));
    a.call("join", "r");
    b.call("join", "r");
    let memory = lose(&fleet, 0, a);
    for number in 0..11 {
        b.emit("in", (["r"], number));
        assert_eq!(heard(&mut b), number);
    }
    let (mut a, id) = resume(&fleet, 0, &memory);
    assert_ne!(id, a_id);
    assert_eq!(whoami(&mut a), json!({"id": id, "recovered": false, "rooms": [id], "data": null}));
}

#[test]
fn who_was_away_too_long_or_left_on_purpose_starts_afresh() {
    let fleet = Fleet::recovering(Recovery { window: Duration::from_millis(300), ..Recovery::default() });
    let (a, a_id) = fleet.client(0);
    let memory = lose(&fleet, 0, a);
    until("the session is forgotten", || {
        let (_, id) = resume(&fleet, 1, &memory);
        (id != a_id).then_some(())
    });

    let fleet = start();
    let (mut a, a_id) = fleet.client(0);
    let memory = a.memory().clone();
    a.leave("/");
    fleet.nodes[0].until("it has left", |metrics| metrics.sockets_open() == 0);
    until("the session is forgotten", || {
        let (_, id) = resume(&fleet, 1, &memory);
        (id != a_id).then_some(())
    });
}

#[test]
fn made_up_claims_are_fresh_starts() {
    let fleet = start();
    let (a, a_id) = fleet.client(0);
    let memory = lose(&fleet, 0, a);
    let claim =
        |pid: &str, offset: &str| Memory { pid: Some(pid.to_owned()), offset: Some(offset.to_owned()) };
    let pid = memory.pid.as_deref().unwrap();
    for claim in [
        claim("AAAAAAAAAAAAAAAAAAAA", "x"),
        claim("", ""),
        claim(pid, "!"),
        claim(pid, &format!("{}__8", &pid[..4])),
    ] {
        let (mut client, id) = resume(&fleet, 0, &claim);
        assert_ne!(id, a_id, "{claim:?}");
        assert_eq!(whoami(&mut client)["recovered"], false);
    }
    assert_eq!(resume(&fleet, 0, &memory).1, a_id, "none of them took it");
}

#[test]
fn of_two_that_claim_a_session_the_later_has_it() {
    let fleet = start();
    let ((mut a, a_id), (mut b, _)) = (fleet.client(0), fleet.client(1));
    a.call("join", "r");
    let memory = a.memory().clone();
    for at in [0, 2, 1] {
        // The one before has not noticed anything yet.
        let (mut next, id) = resume(&fleet, at, &memory);
        assert_eq!(id, a_id);
        a.wait_closed();
        b.emit("to", ("r", 1));
        assert_eq!(heard(&mut next), 1);
        a = next;
        if at == 0 {
            b.emit("to", ("r", 2));
            assert_eq!(heard(&mut a), 2);
        }
    }
}

#[test]
fn a_stream_of_messages_is_recovered_without_gap_or_repetition() {
    const MESSAGES: u64 = 3000;
    let fleet = Fleet::recovering(Recovery { messages_max: 10_000, ..Recovery::default() });
    let ((mut a, a_id), (mut b, _)) = (fleet.client(0), fleet.client(1));
    a.call("join", "r");
    let sending = std::thread::spawn(move || {
        for number in 0..MESSAGES {
            b.emit("to", ("r", number));
            if number % 20 == 0 {
                whoami(&mut b);
            }
        }
    });
    let (mut next, mut losses) = (0, 0);
    while next < MESSAGES {
        assert_eq!(heard(&mut a), next, "after {losses} losses");
        next += 1;
        let memory = a.memory().clone();
        // A message that came before its place in the history was known says `!` instead.
        if next / 150 > losses && memory.offset.as_deref() != Some("!") {
            losses += 1;
            drop(a);
            let (client, id) = resume(&fleet, losses as usize % 3, &memory);
            assert_eq!(id, a_id);
            a = client;
        }
    }
    sending.join().unwrap();
    assert!(losses >= 19, "{losses}");
}

#[test]
fn one_that_goes_on_elsewhere_is_found_and_asked_there_by_every_node() {
    let fleet = start();
    let (a, id) = fleet.client(0);
    let own = id.to_string();
    let memory = lose(&fleet, 0, a);
    let (mut a, _) = resume(&fleet, 1, &memory);
    for at in [2, 0, 1] {
        let (mut asker, _) = fleet.client(at);
        until("it is found", || {
            (asker.call("fetch", own.clone()).decode::<Value>().unwrap() == json!([id])).then_some(())
        });
        asker.emit("gather", (own.clone(), format!("room {at}")));
        let found: Value = asker.call("fetch", format!("room {at}")).decode().unwrap();
        assert_eq!(found, json!([id]), "node {at}");
        let number = asker.emit_asking("ask", (Some(own.clone()), 60_000));
        let (_, asked) = a.asked("question");
        a.acknowledge(asked.expect("an answer is wanted"), "here");
        let answer: Value = asker.answer_to(number).decode().unwrap();
        assert_eq!(answer, json!({"said": [r#""here""#], "missing": 0, "silent": []}), "node {at}");
    }
    let mut rooms = [own, "room 0".to_owned(), "room 1".to_owned(), "room 2".to_owned()];
    rooms.sort();
    assert_eq!(whoami(&mut a)["rooms"], json!(rooms));
}

#[test]
fn what_the_store_never_takes_is_no_gap_that_nobody_sees() {
    let fleet = Fleet::of(Some(Recovery::default()), |_, nsp| {
        nsp.on("shout", |socket: Socket, room: String| async move {
            socket.to(room).emit("heard", "x".repeat(PAYLOAD_BYTES_MAX));
        });
    });
    let [(mut a, a_id), (mut b, _), (mut c, c_id)] = fleet.clients();
    for client in [&mut a, &mut c] {
        client.call("join", "r");
    }
    let away = lose(&fleet, 2, c);
    b.emit("shout", "r");
    b.emit("to", ("r", 1));
    assert_eq!(heard(&mut a), 1);
    assert_eq!(fleet.nodes[1].metrics().get("backbone_unrecorded_total"), 1);
    let was_there = lose(&fleet, 0, a);
    for (memory, before) in [(away, c_id), (was_there, a_id)] {
        let (mut client, id) = resume(&fleet, 2, &memory);
        assert_ne!(id, before);
        assert_eq!(whoami(&mut client)["recovered"], false);
    }
}

#[test]
fn what_finds_no_place_on_its_way_is_no_gap_that_nobody_sees() {
    const ON_ITS_WAY_MAX: u32 = 1 << 16;
    let gate = Arc::new(Mutex::new(()));
    let (say, held) = mpsc::channel();
    let fleet = Fleet::of(Some(Recovery::default()), |_, nsp| {
        let (gate, say) = (gate.clone(), say.clone());
        // It runs where messages are on their way into histories, and nothing else does meanwhile.
        nsp.on_server_side("hold", move |_, (): ()| {
            say.send(()).expect("the test listens");
            drop(gate.lock());
            async {}
        });
        nsp.on("flood", |socket: Socket, (): (), ack: Ack| async move {
            (0..ON_ITS_WAY_MAX).for_each(|number| socket.to("nobody's").emit("heard", number));
            socket.to("r").emit("heard", "lost");
            ack.send("flooded");
        });
    });
    let ((mut a, a_id), (mut b, _)) = (fleet.client(1), fleet.client(1));
    a.call("join", "r");
    let memory = lose(&fleet, 1, a);
    let shut = gate.lock().expect("nobody panics with it");
    fleet.nodes[0].io().of("/").server_side_emit("hold", ());
    (0..2).for_each(|_| held.recv().expect("the other nodes are held"));
    b.call("flood", ());
    drop(shut);
    let (mut a, id) = resume(&fleet, 1, &memory);
    assert_ne!(id, a_id);
    assert_eq!(whoami(&mut a)["recovered"], false);
    assert_ne!(fleet.nodes[1].metrics().get("backbone_unrecorded_total"), 0);
}

#[test]
fn what_is_said_while_nobody_knows_what_came_of_the_last_stays_behind_it() {
    const MESSAGES: u64 = 300;
    let fleet = start();
    let Store::Memory(store) = &fleet.store else { panic!("it is in memory") };
    let ((mut a, a_id), (mut b, _)) = (fleet.client(0), fleet.client(1));
    a.call("join", "r");
    b.call("join", "r");
    store.hang_append();
    for number in 0..MESSAGES {
        b.emit("in", (["r"], number));
    }
    for number in 0..MESSAGES {
        assert_eq!(heard(&mut b), number, "beside the speaker nobody waits");
    }
    store.break_append();
    for number in 0..MESSAGES {
        assert_eq!(heard(&mut a), number);
    }
    let memory = lose(&fleet, 0, a);
    b.emit("in", (["r"], MESSAGES));
    let (mut a, id) = resume(&fleet, 2, &memory);
    assert_eq!((id, heard(&mut a), heard(&mut b)), (a_id, json!(MESSAGES), json!(MESSAGES)));
}
