//! A node inside the test's own process, on a port that the system picks.

use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::thread::JoinHandle;
use std::time::Duration;

use throng_backbone::{Heartbeat, Store};
use throng_node::{App, Config, Drain, Drained, Fleet, FleetConfig, Io, Server};
use tokio::sync::oneshot;

use crate::http::Http;
use crate::metrics::Metrics;
use crate::wait::until;

/// The default configuration with one shard, no limits and a drain that loses no time.
pub fn config() -> Config {
    Config {
        shards: NonZeroUsize::MIN,
        connections_max: 20_000,
        drain: Drain { spread: Duration::ZERO, deadline: Duration::from_secs(2) },
        ..Config::unlimited()
    }
}

/// A running node; dropped, it drains.
#[derive(Debug)]
pub struct Node {
    address: SocketAddr,
    io: Io,
    stop: Option<oneshot::Sender<()>>,
    crash: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Option<Drained>>>,
}

impl Node {
    /// Starts a node on 127.0.0.1. Connections are queued by the system until it serves them.
    ///
    /// # Panics
    /// When it cannot bind; its thread, when it cannot start.
    pub fn start(config: Config, app: App) -> Self {
        Self::start_with(config, app, axum::Router::new())
    }

    /// The same with routes beside those of the node.
    ///
    /// # Panics
    /// When it cannot bind; its thread, when it cannot start.
    pub fn start_with(config: Config, app: App, routes: axum::Router) -> Self {
        Self::launch(config, app, routes, None)
    }

    /// The same as a member of a fleet: of the nodes whose backbone is in the same store.
    ///
    /// # Panics
    /// When it cannot bind; its thread, when it cannot start or the store cannot be reached.
    pub fn start_member(config: Config, app: App, store: Store) -> Self {
        Self::start_member_with((config, Heartbeat::default()), app, axum::Router::new(), store)
    }

    /// The same with routes beside those of the node, and another heartbeat.
    ///
    /// # Panics
    /// When it cannot bind; its thread, when it cannot start or the store cannot be reached.
    pub fn start_member_with(
        (config, heartbeat): (Config, Heartbeat),
        app: App,
        routes: axum::Router,
        store: Store,
    ) -> Self {
        Self::launch(config, app, routes, Some((store, heartbeat)))
    }

    fn launch(config: Config, app: App, routes: axum::Router, fleet: Option<(Store, Heartbeat)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on the loopback address");
        let address = listener.local_addr().expect("a bound listener has an address");
        let (io, (stop, stopped)) = (app.io(), oneshot::channel::<()>());
        let (crash, crashed) = oneshot::channel::<()>();
        let serve = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let stopped = async { drop(stopped.await) };
            // A node that nobody holds any more drains.
            let crashed = async {
                if crashed.await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            runtime.expect("a runtime").block_on(async {
                let mut server = Server::new(config, app).routes(routes);
                if let Some(fleet) = fleet {
                    server = server.fleet(enlist(fleet).await);
                }
                tokio::select! {
                    drained = server.run(listener, stopped) => Some(drained.expect("the node starts")),
                    () = crashed => None,
                }
            })
        };
        let thread = std::thread::spawn(serve);
        Self { address, io, stop: Some(stop), crash: Some(crash), thread: Some(thread) }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The handle to its sockets, as code outside of handlers uses it.
    pub fn io(&self) -> &Io {
        &self.io
    }

    /// The counters now.
    pub fn metrics(&self) -> Metrics {
        Metrics::parse(&Http::get(self.address, "/metrics").body)
    }

    /// Waits until the counters say so.
    ///
    /// # Panics
    /// When they do not in time.
    pub fn until(&self, what: &str, holds: impl Fn(&Metrics) -> bool) -> Metrics {
        until(what, || Some(self.metrics()).filter(&holds))
    }

    /// Tells it to stop, and does not wait.
    pub fn begin_stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // A node that has ended by itself is reported by whoever joins it.
            let _ = stop.send(());
        }
    }

    /// Tells it to stop and waits for the end of the drain.
    ///
    /// # Panics
    /// When the node did.
    pub fn stop(mut self) -> Drained {
        self.begin_stop();
        let thread = self.thread.take().expect("a node is stopped once");
        until("the node drains", || thread.is_finished().then_some(()));
        thread.join().expect("the node does not panic").expect("a node that crashed does not drain")
    }

    /// Takes away what it lives on, at once: it says nothing to other nodes any more, nor hears them. Its shards are left behind
    /// as those of a process that hangs, with their clients.
    ///
    /// # Panics
    /// When the node did.
    pub fn crash(mut self) {
        let crash = self.crash.take().expect("a node crashes once");
        // A node that has ended by itself is reported by whoever joins it.
        let _ = crash.send(());
        let thread = self.thread.take().expect("a node is stopped once");
        until("the node crashes", || thread.is_finished().then_some(()));
        thread.join().expect("the node does not panic");
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.begin_stop();
    }
}

async fn enlist((store, heartbeat): (Store, Heartbeat)) -> Fleet {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on the loopback address");
    let address = listener.local_addr().expect("a bound listener has an address");
    let address = address.to_string().into();
    let config = FleetConfig { store, heartbeat, listener, address };
    Fleet::open(config).await.expect("the store can be reached")
}
