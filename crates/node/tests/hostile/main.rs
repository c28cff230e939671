//! What must not break a node: clients that break rules, stall, flood or vanish, and handlers that fail. Each ends in
//! its named reason and its counter, and an innocent client of the same node notices nothing.

mod backlog;
mod bodies;
mod capacity;
mod early;
mod endings;
mod frames;
mod half_open;
mod hang_ups;
mod heartbeats;
mod panics;
mod polls;
mod readers;
mod upgrades;

use std::sync::mpsc;
use std::time::Duration;

use throng_node::{Ack, App, Args, Config, End, Id, Namespace, Socket};
use throng_testkit::{Client, Node, WAIT};

/// The smallest wait that still tells a difference on a busy machine.
const SHORT: Duration = Duration::from_millis(250);

/// A node with an innocent client on it, and a record of how sockets ended.
struct Stage {
    node: Node,
    innocent: Client,
    ends: mpsc::Receiver<(Id, End)>,
}

impl Stage {
    /// `change` turns the defaults into what the test needs.
    fn new(change: impl FnOnce(&mut Config)) -> Self {
        Self::with(change, |_| {})
    }

    /// `define` adds to `/`, which echoes.
    fn with(change: impl FnOnce(&mut Config), define: impl FnOnce(&mut Namespace)) -> Self {
        let mut config = throng_testkit::config();
        change(&mut config);
        let (ended, ends) = mpsc::channel();
        let mut app = App::new();
        app.namespace("/", |nsp| {
            nsp.on("echo", |_: Socket, args: Args, ack: Ack| async move { ack.send(args) });
            nsp.on_disconnect(move |socket: Socket, end| {
                // A test that does not look at ends has dropped the receiver.
                let _ = ended.send((socket.id(), end));
                async {}
            });
            define(nsp);
        });
        let node = Node::start(config, app);
        let (mut innocent, _) = Client::connect(node.address());
        innocent.check();
        Self { node, innocent, ends }
    }

    /// Waits for the next socket to end.
    fn next_end(&self) -> (Id, End) {
        self.ends.recv_timeout(WAIT).expect("a socket ends")
    }

    /// The next socket to end is this one, for this reason, and its session is counted under it.
    fn expect_end(&mut self, id: Id, end: End) {
        assert_eq!(self.next_end(), (id, end));
        self.expect_count(end);
    }

    /// One session has ended, for this reason.
    fn expect_count(&mut self, end: End) {
        let metrics = self.node.until(end.code(), |metrics| metrics.sessions_ended(end) == 1);
        let all: u64 = End::ALL.iter().map(|end| metrics.sessions_ended(*end)).sum();
        assert_eq!(all, 1, "nothing else has ended: {metrics:?}");
        self.innocent.check();
    }

    /// Something was given up because its client took too long, for this reason.
    fn expect_timeout(&mut self, reason: &str) {
        let name = format!("timeouts_total{{reason=\"{reason}\"}}");
        self.node.until(reason, |metrics| metrics.get(&name) >= 1);
        self.innocent.check();
    }

    /// So many requests to the Engine.IO path were refused, for this reason.
    fn expect_refused(&mut self, reason: &str, count: u64) {
        let name = format!("handshake_failures_total{{reason=\"{reason}\"}}");
        assert_eq!(self.node.metrics().get(&name), count, "{reason}");
        self.innocent.check();
    }

    /// No session has ended. The innocent one is answered in the turn that takes in whatever was sent before, or in a later
    /// one, and the counters are read after that.
    fn expect_none_ended(&mut self) {
        self.innocent.check();
        let metrics = self.node.metrics();
        let ended: Vec<_> = End::ALL.iter().filter(|end| metrics.sessions_ended(**end) > 0).collect();
        assert!(ended.is_empty(), "{ended:?}");
    }
}
