//! The store in Redis: one server, a primary behind Sentinel, or a Cluster. Commands and scripts go through the client
//! library; subscriptions through a subscriber of our own, because client libraries lose sharded subscriptions when slots
//! move. This file opens it all and is the bus; its children are one concept each.

mod access;
mod commands;
mod config;
mod documents;
mod histories;
mod interest;
mod keys;
mod leases;
mod link;
mod members;
mod partition;
mod publisher;
mod resp;
mod script;
mod sessions;
mod subscriber;
mod topology;
mod wire;

use std::sync::Arc;
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
use keys::Keys;
use publisher::Publisher;
use subscriber::{Shared, Subscriber};
use wire::Dial;

pub use access::TlsError;
pub use config::{Address, BadKeyPrefix, BadRedisUrl, Credentials, Deployment, KeyPrefix, RedisConfig, Tls};

/// A store in Redis with all that runs beside it; closed when dropped.
#[derive(Debug)]
pub(crate) struct RedisStore {
    config: Arc<RedisConfig>,
    keys: Arc<Keys>,
    commands: Arc<Commands>,
    publisher: Arc<Publisher>,
    subscriber: Arc<Shared>,
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
        let config = Arc::new(config);
        let commands = connect(&config, &dial, &counters).await?;
        let keys = Arc::new(Keys::new(config.prefix.0.clone(), config.partitions.clamp(1, 1024)));
        let publisher = Publisher::new(commands.clone(), keys.clone(), (config.publish_bytes_max, counters));
        let subscriber = Shared::new(config.clone(), (dial, keys.clone()), (commands.clone(), inbox));
        let running = vec![
            tokio::spawn(commands.clone().keep()).abort_handle(),
            tokio::spawn(publisher.clone().run()).abort_handle(),
            tokio::spawn(Subscriber::new(subscriber.clone()).run()).abort_handle(),
        ];
        Ok(Arc::new(Self { config, keys, commands, publisher, subscriber, running }))
    }

    pub(crate) fn publish(&self, channel: &Channel, bytes: &Bytes, urgency: Urgency) -> Result<(), BusError> {
        self.publisher.publish(self.keys.channel(channel), bytes, urgency)
    }

    /// Waits for the confirmation as long as for any answer.
    pub(crate) async fn subscribe(&self, channel: Channel) -> Result<(), BusError> {
        let waiting = self.subscriber.subscribe(channel).map_err(|_| BusError::TooManyChannels)?;
        let Some(waiting) = waiting else { return Ok(()) };
        match timeout(self.config.response_timeout, waiting).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(BusError::Waiting),
        }
    }

    pub(crate) fn release(&self, channel: &Channel) {
        self.subscriber.release(channel);
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
    config: &Arc<RedisConfig>,
    dial: &Dial,
    counters: &Arc<Counters>,
) -> Result<Arc<Commands>, OpenError> {
    let address = first_address(&config.deployment);
    let mut attempts = 1;
    loop {
        let ConnectError { message, lasting } =
            match Commands::connect(config.clone(), dial.clone(), counters.clone()).await {
                Ok(commands) => return Ok(commands),
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
