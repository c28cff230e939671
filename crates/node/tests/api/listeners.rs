//! Several listeners for one event, and listeners for all events.

use std::sync::{Arc, Mutex};

use throng_node::{Ack, Args, AskError, Socket};
use throng_testkit::Client;

use crate::node;

type Log = Arc<Mutex<Vec<String>>>;

#[test]
fn several_listeners_run_in_order_and_the_first_answer_wins() {
    let log = Log::default();
    let (one, two, three) = (log.clone(), log.clone(), log.clone());
    let node = node(1, move |nsp| {
        nsp.on("event", move |_: Socket, _: Args, ack: Ack| {
            let log = one.clone();
            async move {
                tokio::task::yield_now().await;
                log.lock().unwrap().push("one".into());
                drop(ack);
            }
        });
        nsp.on("event", move |_: Socket, _: Args, ack: Ack| {
            let log = two.clone();
            async move {
                log.lock().unwrap().push("two".into());
                ack.send("two");
            }
        });
        nsp.on("event", move |_: Socket, _: Args, ack: Ack| {
            let log = three.clone();
            async move {
                log.lock().unwrap().push("three".into());
                ack.send("three");
            }
        });
    });
    let (mut client, _) = Client::connect(node.address());
    assert_eq!(client.call("event", ()).decode::<String>().unwrap(), "two");
    client.call("echo", ());
    assert_eq!(*log.lock().unwrap(), ["one", "two", "three"]);
}

#[test]
fn arguments_that_no_listener_can_take_are_answered() {
    let node = node(1, |nsp| {
        nsp.on("number", |_: Socket, number: u32, ack: Ack| async move { ack.send(number) });
    });
    let (mut client, _) = Client::connect(node.address());
    let answer = client.call("number", "seven").decode::<serde_json::Value>().unwrap();
    assert_eq!((&answer["ok"], &answer["error"]["code"]), (&false.into(), &"invalid_arguments".into()));
    assert_eq!(client.call("number", 7).decode::<u32>().unwrap(), 7);
    assert_eq!(node.metrics().get("arguments_refused_total"), 1);
}

#[test]
fn catch_all_listeners_hear_everything_once() {
    let (incoming, outgoing) = (Log::default(), Log::default());
    let (heard, spoken) = (incoming.clone(), outgoing.clone());
    let node = node(1, move |nsp| {
        nsp.on_any(move |_, event, args| heard.lock().unwrap().push(format!("{event} {args:?}")));
        nsp.on_any_outgoing(move |socket, event, _| {
            spoken.lock().unwrap().push(format!("{event} to {}", socket.id()));
        });
        nsp.on("speak", |socket: Socket| async move {
            socket.emit("one", ());
            socket.nsp().emit("all", ());
            socket.broadcast().emit("others", ());
        });
    });
    let (mut client, id) = Client::connect(node.address());
    let (mut other, other_id) = Client::connect(node.address());
    client.emit("unheard-of", 1);
    client.emit("speak", ());
    client.event("all");
    other.event("others");
    let mut spoken = outgoing.lock().unwrap().clone();
    spoken.sort();
    let mut expect = [
        format!("one to {id}"),
        format!("all to {id}"),
        format!("all to {other_id}"),
        format!("others to {other_id}"),
    ];
    expect.sort();
    assert_eq!(spoken, expect);
    assert_eq!(*incoming.lock().unwrap(), [r#"unheard-of Json("1")"#, r#"speak Json("")"#]);
}

#[test]
fn names_that_clients_keep_for_their_own_events_are_not_sent() {
    const RESERVED: [&str; 6] =
        ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];
    let node = node(1, |nsp| {
        nsp.on("pretend", |socket: Socket| async move {
            for name in RESERVED {
                socket.emit(name, 1);
                socket.nsp().emit(name, 1);
                let asked = socket.emit_with_ack::<Args>(name, 1).await;
                assert!(matches!(asked, Err(AskError::Encode(_))), "{name}: {asked:?}");
                let asked = socket.nsp().emit_with_ack::<Args>(name, 1).await;
                assert!(matches!(asked, Err(AskError::Encode(_))), "{name}: {asked:?}");
            }
            socket.emit("last", "");
        });
    });
    let (mut client, _) = Client::connect(node.address());
    client.emit("pretend", ());
    assert_eq!(client.events_before("last"), Vec::<String>::new());
}
