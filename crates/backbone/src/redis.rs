//! The store in Redis: one server, a primary behind Sentinel, or a Cluster. Commands and scripts go through the client
//! library's connections; the bus has connections of its own, because client libraries lose sharded subscriptions when slots
//! move. This file opens it all; its children are one concept each.

mod access;
mod beats;
mod commands;
mod config;
mod conversation;
mod directory;
mod documents;
mod histories;
mod interest;
mod keys;
mod leases;
mod link;
mod links;
mod members;
mod outbox;
mod partition;
mod payload;
mod resp;
mod script;
mod server;
mod sessions;
mod tickets;
mod topology;
mod traffic;
mod trial;
mod wire;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use redis::{FromRedisValue, Value};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use crate::backbone::{OpenError, random_u64};
use crate::bus::{BusError, Urgency};
use crate::channel::Channel;
use crate::deliveries::Inbox;
use crate::error::StoreError;
use crate::status::Counters;
use access::Access;
use commands::{Commands, ConnectError};
use directory::Directory;
use keys::Keys;
use links::Links;
use traffic::Traffic;
use wire::Dial;

pub use access::TlsError;
pub use config::{Address, BadKeyPrefix, BadRedisUrl, Credentials, Deployment, KeyPrefix, RedisConfig, Tls};

/// A store in Redis with all that runs beside it; closed when dropped.
#[derive(Debug)]
pub(crate) struct RedisStore {
    config: Arc<RedisConfig>,
    keys: Arc<Keys>,
    commands: Arc<Commands>,
    traffic: Arc<Traffic>,
    running: Vec<AbortHandle>,
}

impl RedisStore {
    /// Connects, trying as often as the configuration says.
    pub(crate) async fn open(
        config: RedisConfig,
        inbox: Arc<Inbox>,
        counters: Arc<Counters>,
    ) -> Result<Arc<Self>, OpenError> {
        let access = Access::new(&config.tls)?;
        let dial = Dial { access, credentials: config.credentials.clone(), patience: config.connect_timeout };
        let keys = Arc::new(Keys::new(config.prefix.0.clone(), config.partitions()));
        let config = Arc::new(config);
        let (directory, commands) = connect((&config, &keys), &dial, &counters).await?;
        let traffic = Traffic::new((config.clone(), dial, keys.clone()), commands.clone(), (inbox, counters));
        let running = vec![
            tokio::spawn(directory.clone().keep()).abort_handle(),
            tokio::spawn(commands.clone().keep()).abort_handle(),
            tokio::spawn(Links::new(traffic.clone(), directory).run()).abort_handle(),
        ];
        Ok(Arc::new(Self { config, keys, commands, traffic, running }))
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.commands.is_connected() && self.traffic.connected.load(Ordering::Relaxed)
    }

    pub(crate) fn publish(&self, channel: Channel, bytes: Bytes, urgency: Urgency) -> Result<(), BusError> {
        self.traffic.publish(channel, bytes, urgency)
    }

    /// Waits for the confirmation as long as for any answer.
    pub(crate) async fn subscribe(&self, channel: Channel) -> Result<(), BusError> {
        let waiting = self.traffic.subscribe(channel).map_err(|_| BusError::TooManyChannels)?;
        let Some(waiting) = waiting else { return Ok(()) };
        match timeout(self.config.response_timeout, waiting).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(BusError::Waiting),
        }
    }

    pub(crate) fn release(&self, channel: &Channel) {
        self.traffic.release(channel);
    }
}

impl Drop for RedisStore {
    fn drop(&mut self) {
        for task in &self.running {
            task.abort();
        }
    }
}

async fn connect(
    (config, keys): (&Arc<RedisConfig>, &Arc<Keys>),
    dial: &Dial,
    counters: &Arc<Counters>,
) -> Result<(Arc<Directory>, Arc<Commands>), OpenError> {
    let address = first_address(&config.deployment);
    let attempt = async || {
        let directory = Directory::open(config.clone(), dial.clone()).await?;
        let config = (config.clone(), keys.clone());
        let commands = Commands::open(config, directory.clone(), counters.clone()).await?;
        trial::pass(dial, keys, &directory).await?;
        Ok((directory, commands))
    };
    let mut attempts = 1;
    loop {
        let ConnectError { message, lasting } = match attempt().await {
            Ok(connected) => return Ok(connected),
            Err(error) => error,
        };
        if lasting {
            return Err(OpenError::Login { address, error: message });
        }
        if attempts >= config.open_attempts_max {
            return Err(OpenError::Unreachable { address, attempts, error: message });
        }
        tracing::warn!(%address, attempts, error = message, "the store cannot be reached");
        sleep(config.backoff.wait(attempts, random_u64() as u32)).await;
        attempts += 1;
    }
}

fn first_address(deployment: &Deployment) -> String {
    let first = match deployment {
        Deployment::Single(address) => Some(address),
        Deployment::Sentinel { sentinels: list, .. } | Deployment::Cluster(list) => list.first(),
    };
    first.map_or_else(|| "no address".to_owned(), ToString::to_string)
}

/// Reads an answer as what a script or command gives.
fn read<T: FromRedisValue>(answer: Value) -> Result<T, StoreError> {
    redis::from_redis_value(answer).map_err(|_| StoreError::Unreadable("an answer of another shape"))
}

/// A time as Redis takes it: at least 1 ms, since 0 would be for ever or an error.
fn millis(time: Duration) -> String {
    time.as_millis().clamp(1, i64::MAX as u128 / 2).to_string()
}
