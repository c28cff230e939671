//! Commands and scripts: each goes to the server that has its key, and to another when a server says that it is elsewhere.
//! Nothing is sent twice unless a server said that it did not do it: a step that may have been done is never repeated here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hashbrown::HashMap;
use redis::{Cmd, ErrorKind, RedisError, ServerErrorKind, Value};
use tokio::time::{Instant, sleep, timeout_at};

use super::config::{Address, RedisConfig};
use super::directory::Directory;
use super::keys::Keys;
use super::script::Script;
use super::server::{self, Server, Surroundings};
use super::topology::redirected;
use super::wire::WireError;
use crate::error::StoreError;
use crate::status::Counters;

/// The wait before a server that is busy moving something is asked again.
const PAUSE: Duration = Duration::from_millis(20);

/// Redirections that are followed at once.
const HOPS: u32 = 3;

/// What servers answer that take no writes until something has changed: memory or replicas are missing, the disk is full, or
/// another script takes too long.
const UNWILLING: [&str; 4] = ["OOM", "NOREPLICAS", "MISCONF", "BUSY"];

/// The way to the store for commands.
#[derive(Debug)]
pub(crate) struct Commands {
    surroundings: Arc<Surroundings>,
    keys: Arc<Keys>,
    servers: Mutex<HashMap<Address, Arc<Server>>>,
}

/// Why the first connections could not be made.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct ConnectError {
    pub(crate) message: String,
    /// Trying again will not help: the login is refused, or has not the rights.
    pub(crate) lasting: bool,
}

/// What the error of one attempt means.
#[derive(Debug)]
enum Verdict {
    /// Another server has it.
    Moved(Address),
    /// Another server has it for this once.
    Ask(Address),
    /// The server is moving it.
    Busy,
    /// The connection or the server is of no use now.
    Broken,
    /// The servers are of two minds about who serves what.
    Undecided,
    /// The server takes no writes for now.
    Unwilling,
    Refused,
}

impl Commands {
    /// Connects to every primary.
    pub(crate) async fn open(
        (config, keys): (Arc<RedisConfig>, Arc<Keys>),
        directory: Arc<Directory>,
        counters: Arc<Counters>,
    ) -> Result<Arc<Self>, ConnectError> {
        let mut links = Vec::new();
        for address in directory.primaries() {
            let link = server::connect(&config, &address).await?;
            links.push((address, link));
        }
        let surroundings = Arc::new(Surroundings { config, directory, counters });
        let start = |(address, link): (Address, _)| {
            let server = Server::start(surroundings.clone(), address.clone(), Some(link));
            (address, Arc::new(server))
        };
        let servers = Mutex::new(links.into_iter().map(start).collect());
        Ok(Arc::new(Self { surroundings, keys, servers }))
    }

    /// Sends a command about a key and waits for its answer.
    pub(crate) async fn query(&self, key: &str, command: &Cmd) -> Result<Value, StoreError> {
        self.follow(key, command).await.map_err(|(error, _)| error)
    }

    /// Runs a script with its keys, which are of one slot, and arguments.
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
        match self.follow(keys[0], &command("EVALSHA", script.sha())).await {
            Err((_, Some(ErrorKind::Server(ServerErrorKind::NoScript)))) => {
                self.query(keys[0], &command("EVAL", script.text)).await
            }
            answer => answer.map_err(|(error, _)| error),
        }
    }

    /// Whether every primary can be reached, as far as is known.
    pub(crate) fn is_connected(&self) -> bool {
        let (primaries, servers) = (self.surroundings.directory.primaries(), self.servers());
        !primaries.is_empty()
            && primaries.iter().all(|address| servers.get(address).is_some_and(|server| server.is_up()))
    }

    /// Keeps a connection to every primary for as long as the store is in use.
    pub(crate) async fn keep(self: Arc<Self>) {
        let mut topology = self.surroundings.directory.watch();
        while topology.changed().await.is_ok() {
            let primaries = topology.borrow_and_update().primaries();
            self.servers().retain(|address, _| primaries.contains(address));
            for address in &primaries {
                self.server(address);
            }
        }
    }

    /// Sends a command to where its key is. With the error comes what kind it was, if a server named it.
    async fn follow(&self, key: &str, command: &Cmd) -> Result<Value, (StoreError, Option<ErrorKind>)> {
        let Surroundings { config, directory, .. } = &*self.surroundings;
        let deadline = Instant::now() + config.response_timeout;
        let late = (StoreError::Late(config.response_timeout), None);
        let Some(partition) = self.keys.partition_of(key.as_bytes()) else {
            return Err((StoreError::Refused(format!("{key} lies nowhere")), None));
        };
        let mut asked_to: Option<Address> = None;
        for hop in 0.. {
            // Servers that disagree could send it back and forth.
            if hop >= HOPS {
                timeout_at(deadline, sleep(PAUSE)).await.map_err(|_| late.clone())?;
            }
            let asking = asked_to.is_some();
            let Some(address) = asked_to.take().or_else(|| directory.owner(partition)) else {
                directory.ask_soon();
                return Err((StoreError::Away, None));
            };
            let server = self.server(&address);
            let connection = timeout_at(deadline, server.connection()).await.map_err(|_| late.clone())?;
            let Some(connection) = connection else { return Err((StoreError::Away, None)) };
            let sending = async {
                match asking {
                    true => connection.send_asking(command).await,
                    false => connection.send(command).await,
                }
            };
            let error = match timeout_at(deadline, sending).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => error,
                Err(_) => {
                    server.note_broken(&connection);
                    return Err(late);
                }
            };
            match Verdict::of(&error, &address) {
                Verdict::Moved(owner) => directory.moved(partition, owner),
                Verdict::Ask(server) => asked_to = Some(server),
                Verdict::Busy => timeout_at(deadline, sleep(PAUSE)).await.map_err(|_| late.clone())?,
                Verdict::Broken => {
                    tracing::debug!(%error, %address, "a command found the store away");
                    server.note_broken(&connection);
                    return Err((StoreError::Away, None));
                }
                Verdict::Undecided => {
                    directory.ask_soon();
                    return Err((StoreError::Away, None));
                }
                Verdict::Unwilling => {
                    return Err((StoreError::Unwilling(error.to_string()), Some(error.kind())));
                }
                Verdict::Refused => {
                    return Err((StoreError::Refused(error.to_string()), Some(error.kind())));
                }
            }
        }
        Err(late)
    }

    /// The server of that address, from now on if it is new.
    fn server(&self, address: &Address) -> Arc<Server> {
        let mut servers = self.servers();
        let start = || Arc::new(Server::start(self.surroundings.clone(), address.clone(), None));
        servers.entry_ref(address).or_insert_with(start).clone()
    }

    fn servers(&self) -> MutexGuard<'_, HashMap<Address, Arc<Server>>> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Verdict {
    fn of(error: &RedisError, said_by: &Address) -> Self {
        let redirect = || redirected(error.redirect_node()?.0, said_by);
        match error.kind() {
            ErrorKind::Server(ServerErrorKind::Moved) => redirect().map_or(Self::Refused, Self::Moved),
            ErrorKind::Server(ServerErrorKind::Ask) => redirect().map_or(Self::Refused, Self::Ask),
            ErrorKind::Server(ServerErrorKind::TryAgain) => Self::Busy,
            ErrorKind::Server(ServerErrorKind::ClusterDown) => Self::Undecided,
            ErrorKind::Server(
                ServerErrorKind::BusyLoading | ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown,
            ) => Self::Broken,
            _ if error.is_io_error() || error.is_unrecoverable_error() => Self::Broken,
            _ if error.code().is_some_and(|code| UNWILLING.contains(&code)) => Self::Unwilling,
            _ => Self::Refused,
        }
    }
}

impl From<RedisError> for ConnectError {
    fn from(error: RedisError) -> Self {
        let message = error.to_string();
        Self { lasting: error.kind() == ErrorKind::AuthenticationFailed || is_lasting(&message), message }
    }
}

impl From<WireError> for ConnectError {
    fn from(error: WireError) -> Self {
        let message = error.to_string();
        Self { lasting: is_lasting(&message), message }
    }
}

/// What a server says when trying again will not help. A Redis before 7.2 has no code for a right that is missing in a script.
const LASTING: [&str; 4] = ["WRONGPASS", "NOAUTH", "NOPERM", "The user executing the script can't"];

fn is_lasting(message: &str) -> bool {
    LASTING.iter().any(|words| message.contains(words))
}
