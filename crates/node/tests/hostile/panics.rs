//! Handlers that panic, in every place where the node calls them: that socket ends, or that client is refused, and the
//! node goes on. A panic that takes a shard along ends the node, so that whoever watches over it starts it again.

use std::net::TcpListener;
use std::num::NonZeroUsize;
use std::thread::JoinHandle;
use std::time::Duration;

use throng_node::{App, Config, Drained, End, Namespace, Refusal, RunError, Server, Socket};
use throng_testkit::{Client, Received, WebSocket};

use crate::Stage;

/// A client of a node with this handler emits `boom` and ends.
fn check(define: impl FnOnce(&mut Namespace)) {
    let mut stage = Stage::with(|_| {}, define);
    let (mut doomed, id) = Client::connect(stage.node.address());
    doomed.emit("boom", 0);
    assert_eq!(
        doomed.wait_in("/", "the end", |packet| *packet == Received::Disconnected),
        Received::Disconnected
    );
    assert_eq!(stage.next_end(), (id, End::HandlerPanic));
    stage.innocent.check();
    let metrics = stage.node.metrics();
    assert_eq!(metrics.sockets_disconnected(End::HandlerPanic), 1);
    assert_eq!(metrics.sessions_open(), 2, "the session and its other sockets stay");
    // And the same session may come back.
    doomed.join("/", None);
    doomed.check();
}

#[test]
fn a_panic_in_a_handler_ends_its_socket() {
    check(|nsp| {
        nsp.on("boom", |_: Socket, divisor: u32| async move { assert_ne!(divisor, 0) });
    });
}

#[test]
fn a_panic_after_a_wait_ends_its_socket() {
    check(|nsp| {
        nsp.on("boom", |_: Socket| async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            panic!("after a wait");
        });
    });
}

#[test]
fn a_panic_before_the_first_wait_ends_its_socket() {
    check(|nsp| {
        nsp.on("boom", |_: Socket, divisor: u32| {
            let _ = 10 / divisor;
            async {}
        });
    });
}

#[test]
fn a_panic_behind_a_slow_handler_ends_its_socket() {
    check(|nsp| {
        nsp.on("boom", |_: Socket, divisor: u32| {
            let _ = 10 / divisor;
            async {}
        });
        nsp.on_connect(|_: Socket| tokio::time::sleep(Duration::from_millis(50)));
    });
}

#[test]
fn a_panic_in_a_catch_all_listener_ends_its_socket() {
    check(|nsp| {
        nsp.on_any(|_, event, _| assert_ne!(event, "boom"));
    });
}

#[test]
fn a_panic_in_an_outgoing_catch_all_listener_ends_its_socket() {
    check(|nsp| {
        nsp.on("boom", |socket: Socket| async move { socket.emit("bang", ()) });
        nsp.on_any_outgoing(|_, event, _| assert_ne!(event, "bang"));
    });
}

#[test]
fn a_panic_in_a_disconnect_listener_changes_nothing() {
    let mut stage = Stage::with(
        |_| {},
        |nsp| {
            nsp.on_disconnecting(|_: Socket, _| -> std::future::Ready<()> { panic!("disconnecting") });
            nsp.on_disconnect(|_: Socket, _| async { panic!("disconnect") });
        },
    );
    let (mut leaving, id) = Client::connect(stage.node.address());
    leaving.leave("/");
    assert_eq!(stage.next_end(), (id, End::ClientDisconnect));
    leaving.raw().hang_up();
    stage.node.until("the session ends", |metrics| metrics.sessions_ended(End::TransportClose) == 1);
    stage.innocent.check();
}

#[test]
fn a_panic_in_a_connect_listener_ends_its_socket() {
    let mut stage = Stage::with(
        |_| {},
        |nsp| {
            nsp.on_connect(|socket: Socket| {
                assert_ne!(socket.auth()["boom"], true);
                async {}
            });
        },
    );
    let mut doomed = Client::websocket(stage.node.address());
    let id = doomed.join("/", Some(serde_json::json!({"boom": true})));
    assert_eq!(stage.next_end(), (id, End::HandlerPanic));
    stage.innocent.check();
}

#[test]
fn a_panic_in_a_middleware_refuses_its_client() {
    let mut stage = Stage::with(
        |_| {},
        |nsp| {
            nsp.middleware(|socket: Socket| {
                assert_ne!(socket.auth()["boom"], true);
                async { Ok::<(), Refusal>(()) }
            });
        },
    );
    let mut doomed = Client::websocket(stage.node.address());
    doomed.ask_to_join("/", Some(serde_json::json!({"boom": true})));
    let answer = doomed.wait_in("/", "a refusal", |packet| matches!(packet, Received::Refused(_)));
    assert_eq!(answer, Received::Refused(serde_json::json!({"message": "internal error"})));
    doomed.join("/", None);
    stage.innocent.check();
}

/// Runs a node until it ends by itself.
fn run(config: Config, app: App, listener: TcpListener) -> JoinHandle<Result<Drained, RunError>> {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(Server::new(config, app).run(listener, std::future::pending()))
    })
}

#[test]
fn a_node_does_not_start_with_a_path_that_is_none() {
    for path in ["/io/:x", "/{*x}"] {
        let config = Config { path: path.into(), ..throng_testkit::config() };
        let ended = run(config, App::new(), TcpListener::bind("127.0.0.1:0").unwrap()).join().unwrap();
        assert!(matches!(ended, Err(RunError::Start(_))), "{path}: {ended:?}");
    }
}

#[test]
fn a_node_ends_with_a_shard() {
    let config = Config { shards: NonZeroUsize::new(2).expect("not zero"), ..throng_testkit::config() };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let running = run(config, App::engine(|_| panic!("a reply")), listener);
    let mut client = WebSocket::connect(address, "/socket.io/?EIO=4&transport=websocket");
    client.send_text("4boom");
    let ended = running.join().unwrap();
    assert!(matches!(ended, Err(RunError::ShardEnded(_))), "{ended:?}");
}
