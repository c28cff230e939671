//! What is asked of a session on another node.

use std::net::TcpListener;
use std::time::Duration;

use throng_backbone::{Backbone, Config, Heartbeat, MemoryStore, Store};
use throng_node::App;
use throng_testkit::{Http, Node};

/// A node that is only said to be there: its name, and a session of it.
const SILENT: (&str, &str) = ("000000", "AAAAAAAAAAAAAAAAAAAA");

#[test]
fn what_is_asked_of_a_node_that_hangs_is_answered_in_time() {
    let store = Store::Memory(MemoryStore::default());
    // The system takes its connections; nobody answers on them.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (name, session) = SILENT;
    let config = Config {
        address: listener.local_addr().unwrap().to_string().into(),
        heartbeat: Heartbeat { dead_after: Duration::from_secs(3600), ..Heartbeat::default() },
        ..Config::new(name, store.clone())
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _silent = runtime.block_on(Backbone::open(config)).unwrap();

    let short = Duration::from_millis(200);
    let config =
        throng_node::Config { ping_interval: short, ping_timeout: short, ..throng_testkit::config() };
    let node = Node::start_member(config, App::new(), store);
    let [mut post, mut poll, mut upgrade] = [(); 3].map(|()| Http::connect(node.address()));
    let path = |transport| format!("/socket.io/?EIO=4&transport={transport}&sid={session}");
    let websocket = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                     sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    post.request("POST", &path("polling"), "", b"40");
    upgrade.request("GET", &path("websocket"), websocket, b"");
    poll.request("GET", &path("polling"), "", b"");
    for asked in [&mut poll, &mut post, &mut upgrade] {
        let answer = asked.response();
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")), "{answer:?}");
    }
}
