//! How a node leaves.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use throng_node::{Config, Drain, Drained, End, Socket};
use throng_testkit::{Client, Http, Polling, WAIT, config, until};

use crate::{crowd, elsewhere, node_with};

fn draining(spread: Duration, deadline: Duration) -> Config {
    Config { drain: Drain { spread, deadline }, ..config() }
}

#[test]
fn sessions_are_closed_over_the_spread_and_told_why() {
    let spread = Duration::from_millis(400);
    let node = node_with(draining(spread, Duration::from_secs(10)), |nsp| {
        nsp.on_disconnecting(|socket: Socket, end| async move {
            assert_eq!((end, end.reason()), (End::ServerShutdown, "server shutting down"));
            // A broadcast in the middle of the drain reaches who is left, and harms nobody.
            socket.broadcast().emit("leaving", ());
        });
    });
    let mut clients: Vec<_> = (0..100).map(|_| Client::connect(node.address()).0).collect();
    let mut polling = Polling::open(node.address());
    polling.poll();
    let begun = Instant::now();
    let stopping = std::thread::spawn(move || node.stop());
    let mut ends = Vec::new();
    for client in &mut clients {
        assert_eq!(client.raw().close_code(), Some(1001));
        ends.push(begun.elapsed());
        client.raw().hang_up();
    }
    assert_eq!(polling.answer().body, "1");
    assert_eq!(stopping.join().unwrap(), Drained { cut: 0 });
    let took = ends.iter().max().copied().unwrap_or_default();
    assert!(took >= spread / 2, "all were closed within {took:?} of {spread:?}");
}

#[test]
fn a_draining_node_is_not_ready_and_takes_nobody() {
    let mut node = node_with(draining(Duration::from_secs(60), Duration::from_secs(3)), |_| {});
    // Enough sessions that the slope takes longer than the test.
    let _kept: Vec<_> = (0..300).map(|_| Client::connect(node.address())).collect();
    let mut http = Http::connect(node.address());
    let mut ask = |path: &str, headers: &str| {
        http.request("GET", path, headers, b"");
        http.response()
    };
    assert_eq!(ask("/ready", "").status, 200);
    node.begin_stop();
    until("the node drains", || Some(ask("/ready", "")).filter(|answer| answer.status == 503));
    assert_eq!(ask("/health", "").status, 200);
    for path in ["/socket.io/?EIO=4&transport=polling", "/socket.io/?EIO=4&transport=websocket"] {
        let upgrade = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
            sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        let headers = if path.ends_with("websocket") { upgrade } else { "" };
        let refused = ask(path, headers);
        assert_eq!((refused.status, refused.header("retry-after")), (503, Some("5")), "{path}");
    }
    let refused = std::net::TcpStream::connect(node.address());
    assert!(refused.is_err(), "a draining node does not accept");
}

#[test]
fn what_one_socket_says_at_the_drain_reaches_those_that_drain_with_it() {
    let shards = NonZeroUsize::new(4).unwrap();
    let draining = Config { shards, ..draining(Duration::ZERO, Duration::from_secs(10)) };
    let said = Arc::new(Mutex::new(false));
    let node = node_with(draining, |nsp| {
        nsp.on_disconnecting(move |socket: Socket, _| {
            // Whoever finds it said may close at once: the others' word for it must be on its way by then.
            let mut said = said.lock().unwrap();
            if !std::mem::replace(&mut *said, true) {
                socket.nsp().emit("closing", ());
            }
            std::future::ready(())
        });
    });
    let mut clients = crowd(&node, 4);
    let stopping = std::thread::spawn(move || node.stop());
    for (client, _) in &mut clients {
        client.event("closing");
        client.wait_closed();
    }
    drop(clients);
    assert_eq!(stopping.join().unwrap(), Drained { cut: 0 });
}

#[test]
fn what_is_left_at_the_deadline_is_cut_and_counted() {
    let node = node_with(draining(Duration::from_secs(600), Duration::from_millis(300)), |_| {});
    let clients: Vec<_> = (0..200).map(|_| Client::connect(node.address())).collect();
    let begun = Instant::now();
    let Drained { cut } = node.stop();
    // 200 sessions at 10 ms each take two seconds; the deadline comes first.
    assert!((100..200).contains(&cut), "{cut} were cut");
    assert!(begun.elapsed() < Duration::from_secs(2), "took {:?}", begun.elapsed());
    drop(clients);
}

#[test]
fn a_handler_that_never_finishes_does_not_hold_up_the_drain() {
    let node = node_with(draining(Duration::ZERO, Duration::from_secs(5)), |nsp| {
        nsp.on("hang", |_: Socket| std::future::pending());
        nsp.on_disconnect(|_: Socket, _| std::future::pending());
    });
    let (mut client, _) = Client::connect(node.address());
    client.emit("hang", ());
    let stopping = std::thread::spawn(move || node.stop());
    client.wait_closed();
    drop(client);
    assert_eq!(stopping.join().unwrap(), Drained { cut: 0 });
}

#[test]
fn a_node_that_has_stopped_reaches_nobody_and_harms_nobody() {
    let node = node_with(draining(Duration::ZERO, Duration::from_secs(5)), |_| {});
    let io = node.io().clone();
    let (client, _) = Client::connect(node.address());
    drop(client);
    node.stop();
    io.of("/").emit("late", ());
    assert_eq!(elsewhere(io.of("/").fetch_sockets()).answers.len(), 0);
}

#[test]
fn a_handler_that_hangs_keeps_nobody_from_leaving() {
    let (begun, begins) = std::sync::mpsc::channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = Arc::new(Mutex::new(released));
    let node = node_with(draining(Duration::ZERO, Duration::from_millis(100)), move |nsp| {
        let (begun, released) = (begun.clone(), released.clone());
        nsp.on("hang", move |_: Socket, (): ()| {
            begun.send(()).unwrap();
            // It holds its shard up as a lock does that nobody gives back.
            let _ = released.lock().unwrap().recv();
            std::future::ready(())
        });
    });
    let (mut client, _) = Client::connect(node.address());
    client.emit("hang", ());
    begins.recv_timeout(WAIT).unwrap();
    assert_eq!(node.stop(), Drained { cut: 0 }, "its shard has said nothing of its sessions");
    drop(release);
}
