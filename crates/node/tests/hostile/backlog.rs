//! Events that come faster than they are handled.

use std::sync::Arc;
use std::time::Duration;

use throng_node::{App, Closing, End, Namespace, Socket};
use throng_testkit::{Client, Node, Opcode, Polling, Received, WebSocket};
use tokio::sync::Notify;

use crate::Stage;

/// `hold` waits until the test lets go; `slow` is handled in a moment.
fn held(nsp: &mut Namespace) -> Arc<Notify> {
    let release = Arc::new(Notify::new());
    let waiting = release.clone();
    nsp.on("hold", move |socket: Socket| {
        let waiting = waiting.clone();
        async move {
            socket.emit("held", ());
            waiting.notified().await;
        }
    });
    release
}

fn stage(define: impl FnOnce(&mut Namespace)) -> (Stage, Arc<Notify>) {
    let mut release = None;
    let stage = Stage::with(
        |config| config.backlog_bytes_max = 10_000,
        |nsp| {
            release = Some(held(nsp));
            define(nsp);
        },
    );
    (stage, release.expect("the namespace was defined"))
}

/// Sends events until the node takes no more; gives how many it was sent.
fn flood(client: &mut Client) -> usize {
    client.emit("hold", ());
    client.event("held");
    let stream = client.raw().stream().try_clone().expect("a connected stream");
    stream.set_write_timeout(Some(Duration::from_millis(500))).expect("a timeout above zero");
    let events =
        WebSocket::frame(Opcode::Text, format!("42[\"n\",\"{}\"]", "x".repeat(1000)).as_bytes()).repeat(100);
    (0..1000).take_while(|_| client.raw().send_raw(&events)).count() * 100
}

#[test]
fn a_flood_behind_a_handler_is_not_read() {
    let (mut stage, _release) = stage(|_| {});
    let (mut flooding, _) = Client::connect(stage.node.address());
    assert!(flood(&mut flooding) < 100_000, "100 MB were read");
    let received = stage.node.metrics().get("received_bytes_total");
    assert!(received < 1_000_000, "{received} bytes were taken for a backlog of 10 kB");
    stage.expect_none_ended();
}

#[test]
fn reading_goes_on_when_the_handler_has_finished() {
    let (mut stage, release) = stage(|nsp| {
        nsp.on("slow", |_: Socket, (): ()| tokio::time::sleep(Duration::from_micros(1)));
    });
    let (mut client, _) = Client::connect(stage.node.address());
    client.emit("hold", ());
    client.event("held");
    for _ in 0..200 {
        client.emit("slow", "x".repeat(1000));
    }
    let last = client.emit_asking("echo", 1);
    release.notify_one();
    client.answer_to(last);
    stage.expect_none_ended();
}

#[test]
fn a_backlog_ends_with_its_socket_not_with_the_session() {
    let (mut stage, _release) = stage(|_| {});
    let (mut client, id) = Client::connect(stage.node.address());
    client.emit("hold", ());
    client.event("held");
    // Enough to stop the reading, and short enough to be sent whole.
    for _ in 0..100 {
        client.emit("n", "x".repeat(1000));
    }
    stage.node.until("the flood arrived", |metrics| metrics.get("packets_received_total") > 10);
    stage.node.io().of("/").to(&*id.to_string()).disconnect_sockets(Closing::Socket);
    client.wait_in("/", "the end of the socket", |packet| *packet == Received::Disconnected);
    client.raw().hang_up();
    // The session is read again, so that its end is seen.
    stage.node.until("the session ends", |metrics| metrics.sessions_open() == 1);
    stage.innocent.check();
}

#[test]
fn a_client_that_vanishes_behind_its_backlog_is_noticed() {
    let mut release = None;
    let beat = Duration::from_millis(300);
    let stage = Stage::with(
        |config| {
            config.backlog_bytes_max = 10_000;
            (config.ping_interval, config.ping_timeout) = (beat, beat);
        },
        |nsp| release = Some(held(nsp)),
    );
    let (mut vanishing, _) = Client::connect(stage.node.address());
    flood(&mut vanishing);
    drop(vanishing);
    stage.node.until("the session ends", |metrics| metrics.sessions_ended(End::TransportClose) == 1);
    drop(release);
}

#[test]
fn another_namespace_of_the_session_does_not_reopen_the_flood() {
    let mut config = throng_testkit::config();
    config.backlog_bytes_max = 10_000;
    let (mut app, mut release) = (App::new(), None);
    app.namespace("/", |nsp| release = Some(held(nsp)));
    app.namespace("/quick", |nsp| {
        nsp.on("quick", |_: Socket| tokio::task::yield_now());
    });
    let node = Node::start(config, app);
    let mut client = Client::websocket(node.address());
    client.join("/", None);
    client.join("/quick", None);
    client.emit("hold", ());
    client.event("held");
    client.raw().stream().set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    let big = WebSocket::frame(Opcode::Text, format!("42[\"n\",\"{}\"]", "x".repeat(5000)).as_bytes());
    let quick = WebSocket::frame(Opcode::Text, b"42/quick,[\"quick\"]");
    let pair = [big, quick].concat().repeat(100);
    let sent = (0..200).take_while(|_| client.raw().send_raw(&pair)).count();
    let received = node.metrics().get("received_bytes_total");
    assert!(sent < 200 && received < 2_000_000, "{received} bytes were taken for a backlog of 10 kB");
    drop(release);
}

#[test]
fn an_unanswered_question_is_forgotten_wherever_its_receiver_went() {
    let (mut stage, _release) = stage(|nsp| {
        nsp.on("join", |socket: Socket| async move { socket.join("room") });
        nsp.on("leave", |socket: Socket| async move { socket.leave("room") });
        nsp.on("ask", |socket: Socket| async move {
            let question = socket.to("room").timeout(Duration::from_millis(200));
            let got = question.emit_with_ack::<u32>("question", ()).await;
            // And one whose asker gives up before the time is over.
            let all = socket.broadcast();
            let given_up =
                tokio::time::timeout(Duration::from_millis(50), all.emit_with_ack::<u32>("question", ()));
            let given_up = given_up.await.is_err();
            socket.emit("asked", (got.is_ok_and(|got| got.missing == 1), given_up));
        });
    });
    let (mut client, _) = Client::connect(stage.node.address());
    client.emit("join", ());
    client.check();
    stage.innocent.emit("ask", ());
    client.asked("question");
    client.emit("leave", ());
    client.check();
    assert_eq!(stage.innocent.event("asked").decode::<(bool, bool)>().unwrap(), (true, true));
    // While an answer is awaited a flood is read, and ends the session; with none it is not read.
    flood(&mut client);
    stage.expect_none_ended();
}

#[test]
fn an_answer_gets_through_a_flood_and_a_flood_behind_it_ends() {
    let (mut stage, release) = stage(|nsp| {
        nsp.on("ask", |socket: Socket| async move {
            let answer = socket.timeout(Duration::from_secs(5)).emit_with_ack::<u32>("question", ()).await;
            socket.broadcast().emit("answer", answer.ok());
        });
    });
    let (mut client, id) = Client::connect(stage.node.address());
    client.emit("ask", ());
    let (_, number) = client.asked("question");
    for _ in 0..15 {
        client.emit("n", "x".repeat(1000));
    }
    client.acknowledge(number.unwrap(), 7);
    assert_eq!(stage.innocent.event("answer").decode::<u32>().unwrap(), 7);

    client.emit("ask", ());
    client.asked("question");
    for _ in 0..200 {
        client.emit("n", "x".repeat(1000));
    }
    stage.expect_end(id, End::EventBacklog);
    drop(release);
}

#[test]
fn a_question_is_answered_by_a_session_that_was_no_longer_read() {
    let (mut stage, release) = stage(|nsp| {
        let gate = Arc::new(Notify::new());
        let open = gate.clone();
        nsp.on("late", move |socket: Socket| {
            let gate = gate.clone();
            async move {
                socket.emit("held", ());
                gate.notified().await;
                let answer =
                    socket.timeout(Duration::from_secs(5)).emit_with_ack::<u32>("question", ()).await;
                socket.broadcast().emit("answer", answer.ok());
            }
        });
        nsp.on("open", move |_: Socket| {
            open.notify_one();
            async {}
        });
    });
    let (mut client, _) = Client::connect(stage.node.address());
    client.emit("late", ());
    client.event("held");
    for _ in 0..25 {
        client.emit("n", "x".repeat(1000));
    }
    stage.node.until("the backlog is full", |metrics| metrics.get("received_bytes_total") > 10_000);
    stage.innocent.emit("open", ());
    let (_, number) = client.asked("question");
    client.acknowledge(number.unwrap(), 7);
    assert_eq!(stage.innocent.event("answer").decode::<Option<u32>>().unwrap(), Some(7));
    drop(release);
}

#[test]
fn a_polling_client_that_floods_ends() {
    let (mut stage, _release) = stage(|_| {});
    let mut polling = Polling::open(stage.node.address());
    polling.post("40");
    polling.packets();
    polling.post("42[\"hold\"]");
    polling.packets();
    let event = format!("42[\"n\",\"{}\"]", "x".repeat(1000));
    polling.post(&vec![event; 200].join("\u{1e}"));
    let (_, end) = stage.next_end();
    assert_eq!(end, End::EventBacklog);
    stage.expect_count(End::EventBacklog);
}
