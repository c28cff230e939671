//! Events of one socket are handled in the order sent, however long each takes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use throng_node::{Ack, Args, Closing, End, Socket};
use throng_testkit::Client;

use crate::node;

#[test]
fn a_thousand_events_are_handled_in_order() {
    let handled = Arc::new(Mutex::new(Vec::new()));
    let seen = handled.clone();
    let node = node(1, move |nsp| {
        nsp.on("number", move |_: Socket, number: u32| {
            let seen = seen.clone();
            async move {
                match number % 7 {
                    0 => tokio::time::sleep(Duration::from_micros(u64::from(number % 300))).await,
                    1 => tokio::task::yield_now().await,
                    2 => {
                        tokio::task::yield_now().await;
                        tokio::task::yield_now().await;
                    }
                    _ => {}
                }
                seen.lock().unwrap().push(number);
            }
        });
        // Another event, another listener: the order is one for the socket.
        nsp.on("done", |_: Socket, (): (), ack: Ack| async move { ack.send(()) });
    });
    let (mut client, _) = Client::connect(node.address());
    for number in 0..1000_u32 {
        client.emit("number", number);
    }
    client.call("done", ());
    assert_eq!(*handled.lock().unwrap(), (0..1000).collect::<Vec<_>>());
}

#[test]
fn events_wait_for_the_connect_listener() {
    let node = node(1, |nsp| {
        nsp.on_connect(|socket: Socket| async move {
            tokio::time::sleep(Duration::from_millis(30)).await;
            socket.set_data("ready");
        });
        nsp.on("data", |socket: Socket, (): (), ack: Ack| async move { ack.send(socket.data::<String>()) });
    });
    let (mut client, _) = Client::connect(node.address());
    assert_eq!(client.call("data", ()).decode::<Option<String>>().unwrap().as_deref(), Some("ready"));
}

#[test]
fn a_question_keeps_its_place_whenever_its_answer_is_awaited() {
    let node = node(1, |nsp| {
        nsp.on("ask", |socket: Socket| async move {
            let one = socket.emit_with_ack::<u32>("one", ());
            let many = socket.nsp().emit_with_ack::<u32>("many", ());
            socket.emit("after", ());
            drop((one.await, many.await));
        });
    });
    let (mut client, _) = Client::connect(node.address());
    client.emit("ask", ());
    assert_eq!(client.events_before("after"), ["one", "many"]);
}

#[test]
fn what_a_handler_emits_arrives_in_order_from_any_thread() {
    let node = node(2, |nsp| {
        nsp.on("count", |socket: Socket| async move {
            let elsewhere = std::thread::spawn(move || (0..500_u32).for_each(|n| socket.emit("n", n)));
            while !elsewhere.is_finished() {
                tokio::task::yield_now().await;
            }
        });
    });
    let (mut client, _) = Client::connect(node.address());
    client.emit("count", ());
    let numbers: Vec<u32> = (0..500).map(|_| client.event("n").decode().unwrap()).collect();
    assert_eq!(numbers, (0..500).collect::<Vec<_>>());
}

#[test]
fn acknowledgements_carry_the_number_of_their_event() {
    let node = node(1, |nsp| {
        nsp.on("slow", |_: Socket, args: Args, ack: Ack| async move {
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(20)).await;
                ack.send(args);
            });
        });
    });
    let (mut client, _) = Client::connect(node.address());
    let slow = client.emit_asking("slow", "late");
    let quick = client.emit_asking("echo", "early");
    assert_eq!(client.answer_to(quick).decode::<String>().unwrap(), "early");
    assert_eq!(client.answer_to(slow).decode::<String>().unwrap(), "late");
}

/// Does something on a thread that is no shard's, and waits for it without giving the shard a turn.
fn elsewhere(work: impl FnOnce() + Send + 'static) {
    std::thread::spawn(work).join().expect("the work ends");
}

#[test]
fn what_another_thread_did_before_comes_first() {
    let node = node(1, |nsp| {
        nsp.on("speak", |socket: Socket| async move {
            let other = socket.clone();
            elsewhere(move || {
                other.emit("n", 0);
                other.nsp().emit("n", 1);
                other.join("room");
            });
            socket.nsp().to("room").emit("n", 2);
            let other = socket.clone();
            elsewhere(move || {
                other.emit("n", 3);
                other.leave("room");
            });
            socket.emit("n", 4);
            socket.nsp().to("room").emit("n", 5);
            socket.emit("n", 6);
        });
    });
    let (mut client, _) = Client::connect(node.address());
    client.emit("speak", ());
    let numbers: Vec<u32> = (0..6).map(|_| client.event("n").decode().unwrap()).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4, 6]);
}

#[test]
fn no_listener_runs_within_an_operation() {
    let busy = Arc::new(Mutex::new(()));
    let (speaking, ending, hearing) = (busy.clone(), busy.clone(), busy);
    let heard = Arc::new(Mutex::new(Vec::new()));
    let (ended, spoken) = (heard.clone(), heard.clone());
    let node = node(1, move |nsp| {
        nsp.on("speak", move |socket: Socket| {
            let speaking = speaking.clone();
            async move {
                let _guard = speaking.lock().unwrap();
                let other = socket.clone();
                elsewhere(move || {
                    other.emit("early", ());
                    other.disconnect(Closing::Socket);
                });
                socket.emit("late", ());
            }
        });
        nsp.on_any_outgoing(move |_, event, _| {
            let _guard = hearing.try_lock().expect("whoever speaks has finished");
            spoken.lock().unwrap().push(event.to_owned());
        });
        nsp.on_disconnect(move |_, end| {
            let _guard = ending.try_lock().expect("whoever speaks has finished");
            ended.lock().unwrap().push(end.code().to_owned());
            async {}
        });
    });
    let (mut client, _) = Client::connect(node.address());
    client.emit("speak", ());
    client.event("early");
    client.event("late");
    node.until("the socket ends", |metrics| metrics.sockets_disconnected(End::ServerDisconnect) == 1);
    assert_eq!(*heard.lock().unwrap(), ["early", "server_disconnect", "late"]);
}
