//! The public API as an app uses it, over one shard and over four: what reaches whom, in what order, and how it ends.

mod asks;
mod data;
mod deflate;
mod drain;
mod fairness;
mod listeners;
mod msgpack;
mod namespaces;
mod order;
mod rooms;
mod transports;

use std::num::NonZeroUsize;

use throng_node::{Ack, App, Args, Config, Id, Namespace, Socket};
use throng_testkit::{Client, Node};

/// A node of one namespace, `/`, which echoes.
fn node(shards: usize, define: impl FnOnce(&mut Namespace)) -> Node {
    let config =
        Config { shards: NonZeroUsize::new(shards).expect("a node has shards"), ..throng_testkit::config() };
    node_with(config, define)
}

fn node_with(config: Config, define: impl FnOnce(&mut Namespace)) -> Node {
    let mut app = App::new();
    app.namespace("/", |nsp| {
        nsp.on("echo", |_: Socket, args: Args, ack: Ack| async move { ack.send(args) });
        define(nsp);
    });
    Node::start(config, app)
}

/// Lets clients join rooms by `join`, which acknowledges.
fn rooms(nsp: &mut Namespace) {
    nsp.on("join", |socket: Socket, room: String, ack: Ack| async move {
        socket.join(room);
        ack.send(());
    });
    nsp.on("leave", |socket: Socket, room: String, ack: Ack| async move {
        socket.leave(room);
        ack.send(());
    });
}

/// So many clients that every one of four shards has some.
const SPREAD: usize = 40;

/// Connects clients; with several shards, to all of them.
fn crowd(node: &Node, shards: usize) -> Vec<(Client, Id)> {
    let clients: Vec<_> = (0..SPREAD).map(|_| Client::connect(node.address())).collect();
    for shard in 0..shards {
        let there = clients.iter().filter(|(_, id)| usize::from(id.as_bytes()[3]) == shard).count();
        assert!(there >= 2, "shard {shard} has {there} of {SPREAD} sockets");
    }
    clients
}

/// Runs something on a runtime of the test's own, away from every shard.
fn elsewhere<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(work)
}
