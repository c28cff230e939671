//! The connection for commands to one server. Owns it and its keeper: when it breaks a new one is made, with growing waits,
//! for as long as it takes.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, ErrorKind, Pipeline, RedisResult, Value};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};

use super::access::client;
use super::config::{Address, RedisConfig};
use super::directory::Directory;
use crate::backbone::random_u64;
use crate::status::Counters;

/// What every server needs.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub(crate) config: Arc<RedisConfig>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) counters: Arc<Counters>,
}

/// A server; its connection is closed when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    state: Arc<State>,
    keeper: AbortHandle,
}

#[derive(Debug)]
struct State {
    address: Address,
    line: watch::Sender<Line>,
    /// The generation of the connection that was last found broken.
    broken: watch::Sender<u64>,
}

#[derive(Debug, Clone)]
enum Line {
    /// Nobody knows yet.
    Connecting,
    Up(Connection),
    Away,
}

/// A connection in use.
#[derive(Clone)]
pub(crate) struct Connection {
    pub(crate) generation: u64,
    link: MultiplexedConnection,
}

impl Server {
    /// Starts to connect, or goes on with the connection that is given.
    pub(crate) fn start(
        surroundings: Arc<Surroundings>,
        address: Address,
        link: Option<MultiplexedConnection>,
    ) -> Self {
        let (line, broken) = (watch::Sender::new(Line::Connecting), watch::Sender::new(0));
        if let Some(link) = link {
            line.send_replace(Line::Up(Connection { generation: 1, link }));
        }
        let state = Arc::new(State { address, line, broken });
        let keeper = tokio::spawn(state.clone().keep(surroundings)).abort_handle();
        Self { state, keeper }
    }

    /// The connection; nothing if there is none. Waits only for the first attempt to make one.
    pub(crate) async fn connection(&self) -> Option<Connection> {
        let mut line = self.state.line.subscribe();
        match &*line.wait_for(|line| !matches!(line, Line::Connecting)).await.ok()? {
            Line::Up(connection) => Some(connection.clone()),
            Line::Connecting | Line::Away => None,
        }
    }

    /// Whether there is a connection.
    pub(crate) fn is_up(&self) -> bool {
        matches!(*self.state.line.borrow(), Line::Up(_))
    }

    /// Says that a connection is of no use.
    pub(crate) fn note_broken(&self, connection: &Connection) {
        self.state.note_broken(connection.generation);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl State {
    async fn keep(self: Arc<Self>, surroundings: Arc<Surroundings>) {
        let Surroundings { config, directory, counters } = &*surroundings;
        let mut broken = self.broken.subscribe();
        let (mut failures, mut made_at) = (0_u32, Instant::now());
        loop {
            let up = match &*self.line.borrow() {
                Line::Up(connection) => Some(connection.clone()),
                Line::Connecting | Line::Away => None,
            };
            let Some(connection) = up else {
                match connect(config, &self.address).await {
                    Ok(link) => {
                        let generation = *self.broken.borrow() + 1;
                        (failures, made_at) = (0, Instant::now());
                        if generation > 1 {
                            Counters::add(&counters.reconnects, 1);
                        }
                        tracing::info!(address = %self.address, "a server can be reached");
                        self.line.send_replace(Line::Up(Connection { generation, link }));
                    }
                    Err(error) => {
                        failures = failures.saturating_add(1);
                        tracing::warn!(address = %self.address, %error, failures, "a server cannot be reached");
                        self.line.send_replace(Line::Away);
                        directory.ask_soon();
                        sleep(config.backoff.wait(failures, random_u64() as u32)).await;
                    }
                }
                continue;
            };
            let found = broken.wait_for(|found| *found >= connection.generation);
            if timeout(config.ping_interval, found).await.is_err() {
                if ping(connection.link.clone(), config.response_timeout).await.is_err() {
                    self.note_broken(connection.generation);
                }
                continue;
            }
            self.line.send_replace(Line::Away);
            directory.ask_soon();
            // What connects and is of no use all the same is not made anew without a pause.
            if made_at.elapsed() < config.backoff.first {
                sleep(config.backoff.wait(1, random_u64() as u32)).await;
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
            tracing::warn!(address = %self.address, "the connection to a server broke");
        }
    }
}

impl Connection {
    /// Sends a command, once.
    pub(crate) async fn send(&self, command: &Cmd) -> RedisResult<Value> {
        self.link.clone().send_packed_command(command).await?.extract_error()
    }

    /// Sends a command to a server that is taking a slot over.
    pub(crate) async fn send_asking(&self, command: &Cmd) -> RedisResult<Value> {
        let mut both = Pipeline::with_capacity(2);
        both.cmd("ASKING").add_command(command.clone());
        let answers = self.link.clone().send_packed_commands(&both, 0, 2).await?;
        answers.into_iter().next_back().unwrap_or(Value::Nil).extract_error()
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Connection").field("generation", &self.generation).finish()
    }
}

/// Connects, and sees that the server answers.
pub(crate) async fn connect(config: &RedisConfig, address: &Address) -> RedisResult<MultiplexedConnection> {
    // Each command has a deadline of its own.
    let patience = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(config.connect_timeout))
        .set_response_timeout(None);
    let client = client(config, address)?;
    let connecting = client.get_multiplexed_async_connection_with_config(&patience);
    let link = timeout(config.connect_timeout, connecting)
        .await
        .unwrap_or_else(|_| Err((ErrorKind::Io, "connecting took too long").into()))?;
    ping(link.clone(), config.response_timeout).await?;
    Ok(link)
}

/// Asks a server whether it is there.
async fn ping(mut link: MultiplexedConnection, patience: Duration) -> RedisResult<()> {
    let ping = redis::cmd("PING");
    let answer = timeout(patience, link.send_packed_command(&ping))
        .await
        .unwrap_or_else(|_| Err((ErrorKind::Io, "the server does not answer").into()));
    match answer.and_then(Value::extract_error) {
        Err(error) if error.code().is_some_and(is_pong) => Ok(()),
        answer => answer.map(drop),
    }
}

/// Whether the error that a ping is answered with says that the server is there: one that cannot save refuses pings as it does
/// writes, and goes on with everything else.
pub(crate) fn is_pong(error: &str) -> bool {
    error.starts_with("MISCONF")
}
