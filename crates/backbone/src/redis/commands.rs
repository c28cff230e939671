//! Commands and scripts, through the client library. Owns the connection and its keeper: when it breaks, a new one is made,
//! with growing waits, for as long as it takes. Until then commands fail; they never wait for it.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{Route, SingleNodeRoutingInfo, SlotAddr};
use redis::{
    AsyncConnectionConfig, Cmd, ErrorKind, Pipeline, RedisError, RedisResult, ServerErrorKind, Value,
};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::access::{certificates, client, connection_info};
use super::config::{Deployment, RedisConfig};
use super::script::Script;
use super::topology::{self, Topology};
use super::wire::Dial;
use crate::backbone::random_u64;
use crate::error::StoreError;
use crate::status::Counters;

/// The way to the store for commands.
#[derive(Debug)]
pub(crate) struct Commands {
    config: Arc<RedisConfig>,
    dial: Dial,
    current: Mutex<Current>,
    /// The generation of the connection that was last found broken.
    broken: watch::Sender<u64>,
    /// The generation of the connection in use.
    made: watch::Sender<u64>,
    counters: Arc<Counters>,
}

#[derive(Clone)]
struct Current {
    generation: u64,
    link: Link,
}

impl std::fmt::Debug for Current {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Current").field("generation", &self.generation).finish()
    }
}

#[derive(Clone)]
enum Link {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

/// Why the first connection could not be made.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct ConnectError {
    pub(crate) message: String,
    /// Trying again will not help: login refused.
    pub(crate) lasting: bool,
}

impl Commands {
    /// Makes the first connection; the caller says how often to try.
    pub(crate) async fn connect(
        config: Arc<RedisConfig>,
        dial: Dial,
        counters: Arc<Counters>,
    ) -> Result<Arc<Self>, ConnectError> {
        let link = connect(&config, &dial).await?;
        counters.connected.store(true, Ordering::Relaxed);
        Ok(Arc::new(Self {
            config,
            dial,
            current: Mutex::new(Current { generation: 1, link }),
            broken: watch::Sender::new(0),
            made: watch::Sender::new(1),
            counters,
        }))
    }

    /// Sends a command and waits for its answer.
    pub(crate) async fn query(&self, command: &Cmd) -> Result<Value, StoreError> {
        let Current { generation, mut link } = self.current();
        self.judge(generation, link.query(command)).await
    }

    /// Runs a script with its keys and arguments.
    pub(crate) async fn run(
        &self,
        script: &Script,
        keys: &[&str],
        arguments: &[&[u8]],
    ) -> Result<Value, StoreError> {
        let command = |by: &str, script: &str| {
            let mut command = redis::cmd(by);
            command.arg(script).arg(keys.len()).arg(keys).arg(arguments);
            command
        };
        let Current { generation, mut link } = self.current();
        let running = async {
            match link.query(&command("EVALSHA", script.sha())).await {
                Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                    link.query(&command("EVAL", script.text)).await
                }
                answer => answer,
            }
        };
        self.judge(generation, running).await
    }

    /// Sends commands on keys of one slot at once. Each has an answer of its own, which may be an error.
    pub(crate) async fn query_all(&self, slot: u16, commands: &Pipeline) -> Result<Vec<Value>, StoreError> {
        let Current { generation, mut link } = self.current();
        self.judge(generation, link.query_all(slot, commands)).await
    }

    /// Whether a cluster is behind this, where commands go by slot.
    pub(crate) fn is_cluster(&self) -> bool {
        matches!(self.config.deployment, Deployment::Cluster(_))
    }

    /// Waits until the store can be reached, as far as is known.
    pub(crate) async fn reachable(&self) {
        let mut made = self.made.subscribe();
        let broken = *self.broken.borrow();
        // Never an error: the sender is in `self`.
        let _ = made.wait_for(|made| *made > broken).await;
    }

    /// Keeps the connection for as long as the store is in use.
    pub(crate) async fn keep(self: Arc<Self>) {
        let mut broken = self.broken.subscribe();
        let mut made_at = Instant::now();
        loop {
            let generation = self.current().generation;
            let noticed = timeout(self.config.ping_interval, broken.wait_for(|found| *found >= generation));
            if noticed.await.is_err() {
                // Nobody found it broken. The answer counts as anybody's does.
                let _ = self.query(&redis::cmd("PING")).await;
                continue;
            }
            // What connects and is of no use all the same is not made anew without a pause.
            if made_at.elapsed() < self.config.backoff.first {
                sleep(self.config.backoff.wait(1, random_u64() as u32)).await;
            }
            let link = self.connect_again().await;
            made_at = Instant::now();
            tracing::info!("the store can be reached again");
            let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
            *current = Current { generation: generation + 1, link };
            drop(current);
            self.counters.connected.store(true, Ordering::Relaxed);
            Counters::add(&self.counters.reconnects, 1);
            self.made.send_replace(generation + 1);
        }
    }

    async fn connect_again(&self) -> Link {
        for failures in 1_u32.. {
            match connect(&self.config, &self.dial).await {
                Ok(link) => return link,
                Err(error) => tracing::warn!(%error, failures, "the store cannot be reached"),
            }
            sleep(self.config.backoff.wait(failures, random_u64() as u32)).await;
        }
        unreachable!("nobody waits that often")
    }

    fn current(&self) -> Current {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for an answer as long as one may take; notes what says that the connection is of no use.
    async fn judge<T>(
        &self,
        generation: u64,
        answer: impl Future<Output = RedisResult<T>>,
    ) -> Result<T, StoreError> {
        let patience = self.config.response_timeout;
        match timeout(patience, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) if is_away(&error) => {
                tracing::debug!(%error, "a command found the store away");
                self.note_broken(generation);
                Err(StoreError::Away)
            }
            Ok(Err(error)) => Err(StoreError::Refused(error.to_string())),
            Err(_) => {
                self.note_broken(generation);
                Err(StoreError::Late(patience))
            }
        }
    }

    fn note_broken(&self, generation: u64) {
        let news = self.broken.send_if_modified(|broken| {
            let news = *broken < generation;
            *broken = generation.max(*broken);
            news
        });
        if news {
            self.counters.connected.store(false, Ordering::Relaxed);
            tracing::warn!("the connection to the store broke");
        }
    }
}

impl Link {
    async fn query(&mut self, command: &Cmd) -> RedisResult<Value> {
        match self {
            Self::One(link) => command.query_async(link).await,
            Self::Cluster(link) => command.query_async(link).await,
        }
    }

    async fn query_all(&mut self, slot: u16, commands: &Pipeline) -> RedisResult<Vec<Value>> {
        let count = commands.len();
        match self {
            Self::One(link) => link.req_packed_commands(commands, 0, count).await,
            Self::Cluster(link) => {
                let route = SingleNodeRoutingInfo::SpecificNode(Route::new(slot, SlotAddr::Master));
                link.route_pipeline(commands.clone(), 0, count, route).await
            }
        }
    }
}

/// Whether an error says that the connection is of no use now: lost, or to a server that is loading, demoted or cut off.
fn is_away(error: &RedisError) -> bool {
    error.is_io_error()
        || error.is_unrecoverable_error()
        || error.is_cluster_error()
        || matches!(
            error.kind(),
            ErrorKind::ClusterConnectionNotFound
                | ErrorKind::Server(
                    ServerErrorKind::BusyLoading | ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown
                )
        )
}

async fn connect(config: &RedisConfig, dial: &Dial) -> Result<Link, ConnectError> {
    let known = topology::ask(config, dial, &Topology::default()).await.map_err(|error| {
        let message = error.to_string();
        ConnectError { lasting: is_lasting(&message), message }
    })?;
    let connecting = async {
        match &config.deployment {
            Deployment::Single(_) | Deployment::Sentinel { .. } => {
                let primary = known.owner(0).ok_or((ErrorKind::Io, "no primary is known"))?;
                let patience = AsyncConnectionConfig::new()
                    .set_connection_timeout(Some(config.connect_timeout))
                    .set_response_timeout(Some(config.response_timeout));
                let client = client(config, primary)?;
                Ok(Link::One(client.get_multiplexed_async_connection_with_config(&patience).await?))
            }
            Deployment::Cluster(_) => {
                Ok(Link::Cluster(cluster(config, &known)?.get_async_connection().await?))
            }
        }
    };
    let connected: RedisResult<Link> = timeout(config.connect_timeout, connecting)
        .await
        .unwrap_or_else(|_| Err((ErrorKind::Io, "connecting took too long").into()));
    let mut link = connected.map_err(ConnectError::from)?;
    timeout(config.response_timeout, link.query(&redis::cmd("PING")))
        .await
        .unwrap_or_else(|_| Err((ErrorKind::Io, "the server does not answer").into()))?;
    Ok(link)
}

fn cluster(config: &RedisConfig, known: &Topology) -> RedisResult<ClusterClient> {
    let seeds: RedisResult<Vec<_>> =
        known.primaries().iter().map(|server| connection_info(config, server)).collect();
    let mut builder: ClusterClientBuilder = ClusterClient::builder(seeds?)
        .connection_timeout(config.connect_timeout.min(Duration::from_secs(2)))
        .response_timeout(config.response_timeout);
    if let Some((mode, certificates)) = certificates(&config.tls) {
        builder = builder.tls(mode).certs(certificates);
    }
    builder.build()
}

impl From<RedisError> for ConnectError {
    fn from(error: RedisError) -> Self {
        let message = error.to_string();
        Self { lasting: error.kind() == ErrorKind::AuthenticationFailed || is_lasting(&message), message }
    }
}

/// Whether the words of a server say that trying again will not help.
fn is_lasting(message: &str) -> bool {
    ["WRONGPASS", "NOAUTH", "NOPERM"].iter().any(|code| message.contains(code))
}
