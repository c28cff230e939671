//! Nodes of one fleet, which clients cannot tell from one node: rooms, questions, server-side events. The backbone is in
//! memory here; that every store behaves alike is for the backbone's own tests to show.

mod asks;
mod forward;
mod members;
mod missed;
mod publish;
mod recovery;
mod rooms;

use std::num::NonZeroUsize;
use std::time::Duration;

use serde_json::{Value, json};
use throng_backbone::{MemoryStore, Store};
use throng_node::{Ack, App, Args, Broadcast, Closing, Id, Namespace, Recovery, ServerKeys, Socket};
use throng_testkit::{Client, Node};

/// What programs publish with.
const KEY: &str = "the key of a server";

/// Three nodes, the last one of two shards.
struct Fleet {
    nodes: Vec<Node>,
    store: Store,
}

impl Fleet {
    fn start() -> Self {
        Self::with(|_, _| {})
    }

    /// `define` adds to `/`, which knows the operations that the tests are about.
    fn with(define: impl Fn(usize, &mut Namespace)) -> Self {
        Self::of(None, define)
    }

    /// One whose clients may recover.
    fn recovering(recovery: Recovery) -> Self {
        Self::of(Some(recovery), |_, _| {})
    }

    fn of(recovery: Option<Recovery>, define: impl Fn(usize, &mut Namespace)) -> Self {
        let store = Store::Memory(MemoryStore::default());
        let start = |at: usize| {
            let mut config = throng_testkit::config();
            config.shards = NonZeroUsize::new(if at == 2 { 2 } else { 1 }).expect("not zero");
            config.recovery = recovery;
            config.server_keys = ServerKeys::from_iter([KEY.into()]);
            let mut app = App::new();
            app.namespace("/", |nsp| {
                operations(nsp);
                define(at, nsp);
            });
            Node::start_member(config, app, store.clone())
        };
        let nodes: Vec<_> = (0..3).map(start).collect();
        for node in &nodes {
            node.until("all members are known", |metrics| metrics.get("members") == 3);
        }
        Self { nodes, store }
    }

    /// A client of a node.
    fn client(&self, at: usize) -> (Client, Id) {
        Client::connect(self.nodes[at].address())
    }

    /// A client of each node.
    fn clients(&self) -> [(Client, Id); 3] {
        [0, 1, 2].map(|at| self.client(at))
    }
}

fn operations(nsp: &mut Namespace) {
    nsp.on("join", |socket: Socket, room: String, ack: Ack| async move {
        socket.join(room);
        ack.send("joined");
    });
    nsp.on("leave", |socket: Socket, room: String, ack: Ack| async move {
        socket.leave(room);
        ack.send("left");
    });
    nsp.on("to", |socket: Socket, (room, text): (String, Value)| async move {
        socket.to(room).emit("heard", text);
    });
    nsp.on("in", |socket: Socket, (rooms, text): (Vec<String>, Value)| async move {
        rooms.into_iter().fold(socket.nsp(), |all, room| all.to(room)).emit("heard", text);
    });
    nsp.on("except", |socket: Socket, (room, text): (String, Value)| async move {
        socket.except(room).emit("heard", text);
    });
    nsp.on("all", |socket: Socket, text: Args| async move { socket.nsp().emit("heard", text) });
    nsp.on("local", |socket: Socket, text: Value| async move { socket.nsp().local().emit("heard", text) });
    nsp.on("ask", |socket: Socket, (room, ms): (Option<String>, u64), ack: Ack| async move {
        let all = room.into_iter().fold(socket.nsp(), |all, room| all.to(room));
        let all = all.timeout(Duration::from_millis(ms));
        let answers = all.emit_with_ack::<Value>("question", "?").await.expect("JSON is sent");
        let mut said: Vec<String> = answers.answers.iter().map(ToString::to_string).collect();
        said.sort();
        ack.send(json!({"said": said, "missing": answers.missing, "silent": answers.silent}));
    });
    nsp.on("fetch", |socket: Socket, room: String, ack: Ack| async move {
        let found = socket.nsp().to(room).fetch_sockets().await;
        let mut ids: Vec<_> = found.answers.iter().map(|socket| socket.id.to_string()).collect();
        ids.sort();
        ack.send(ids);
    });
    nsp.on("gather", |socket: Socket, (room, target): (String, String)| async move {
        socket.nsp().to(room).sockets_join(target);
    });
    nsp.on("scatter", |socket: Socket, (room, target): (String, String)| async move {
        socket.nsp().to(room).sockets_leave(target);
    });
    nsp.on("kick", |socket: Socket, room: String| async move {
        socket.nsp().to(room).disconnect_sockets(Closing::Socket);
    });
    nsp.on_server_side("sse", |all: Broadcast, args: Args| async move { all.local().emit("told", args) });
    nsp.on("whoami", |socket: Socket, (): (), ack: Ack| async move {
        let mut rooms: Vec<_> = socket.rooms().iter().map(ToString::to_string).collect();
        rooms.sort();
        let data = socket.data::<Value>();
        ack.send(json!({"id": socket.id(), "recovered": socket.recovered(), "rooms": rooms, "data": data}));
    });
    nsp.on("remember", |socket: Socket, data: Value, ack: Ack| async move {
        socket.set_data(data);
        ack.send("remembered");
    });
    nsp.on("me", |socket: Socket, text: Value| async move { socket.emit("heard", text) });
    nsp.on("drop", |socket: Socket| async move { socket.drop_transport() });
    nsp.on("tell", |socket: Socket, args: Args| async move { socket.nsp().server_side_emit("sse", args) });
}
