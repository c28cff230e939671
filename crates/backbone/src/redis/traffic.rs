//! What the connections of the bus share: what is wanted, what waits to leave, and where arrivals go.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use super::commands::Commands;
use super::config::RedisConfig;
use super::interest::{Full, Interest, LinkId};
use super::keys::Keys;
use super::outbox::Outbox;
use super::payload::Payload;
use super::wire::Dial;
use crate::backbone::random_u64;
use crate::bus::{BusError, Urgency};
use crate::channel::Channel;
use crate::deliveries::{Arrival, Inbox};
use crate::status::Counters;

/// What is shared.
#[derive(Debug)]
pub(crate) struct Traffic {
    pub(crate) config: Arc<RedisConfig>,
    pub(crate) dial: Dial,
    pub(crate) keys: Arc<Keys>,
    pub(crate) commands: Arc<Commands>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) outbox: Outbox,
    pub(crate) inbox: Arc<Inbox>,
    /// What this node's messages and beats are told by.
    pub(crate) number: u64,
    /// Woken when something is newly wanted.
    pub(crate) wanted: Notify,
    /// Whether each primary has its connection of the bus.
    pub(crate) connected: AtomicBool,
    interest: Mutex<Interest>,
}

impl Traffic {
    pub(crate) fn new(
        (config, dial, keys): (Arc<RedisConfig>, Dial, Arc<Keys>),
        commands: Arc<Commands>,
        (inbox, counters): (Arc<Inbox>, Arc<Counters>),
    ) -> Arc<Self> {
        let interest = Mutex::new(Interest::new(keys.partitions(), config.channels_max));
        let outbox = Outbox::new(keys.partitions(), config.publish_bytes_max, counters.clone());
        let (number, wanted) = (random_u64(), Notify::new());
        let connected = AtomicBool::new(false);
        Arc::new(Self {
            config,
            dial,
            keys,
            commands,
            counters,
            outbox,
            inbox,
            number,
            wanted,
            connected,
            interest,
        })
    }

    /// Takes a message, never waits.
    pub(crate) fn publish(&self, channel: Channel, bytes: Bytes, urgency: Urgency) -> Result<(), BusError> {
        self.outbox.publish((self.keys.partition_of_channel(&channel), channel), bytes, urgency)
    }

    /// Wants a channel. Answers with what to wait for, or nothing if it is heard already.
    pub(crate) fn subscribe(&self, channel: Channel) -> Result<Option<oneshot::Receiver<()>>, Full> {
        let name = (self.keys.partition_of_channel(&channel), self.keys.channel(&channel));
        let waiting = self.interest().want(name, channel)?;
        if waiting.is_some() {
            self.wanted.notify_one();
        }
        Ok(waiting)
    }

    pub(crate) fn release(&self, channel: &Channel) {
        let (partition, name) = (self.keys.partition_of_channel(channel), self.keys.channel(channel));
        self.interest().release(partition, &name, Instant::now());
    }

    /// Begins to read what arrived on a connection, into an empty vector.
    pub(crate) fn hearing<'a>(&'a self, link: LinkId, arrivals: &'a mut Vec<Arrival>) -> Hearing<'a> {
        Hearing { traffic: self, interest: self.interest(), link, arrivals }
    }

    pub(crate) fn interest(&self) -> MutexGuard<'_, Interest> {
        self.interest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Messages that are being read from one connection, to be handed over together.
pub(crate) struct Hearing<'a> {
    traffic: &'a Traffic,
    interest: MutexGuard<'a, Interest>,
    link: LinkId,
    arrivals: &'a mut Vec<Arrival>,
}

impl Hearing<'_> {
    /// Takes a payload; answers with the number of a beat.
    pub(crate) fn hear(&mut self, name: &[u8], payload: &[u8]) -> Option<u64> {
        match Payload::read(payload, self.traffic.number)? {
            Payload::Messages { messages, .. } => {
                let Some(channel) = self.channel(name).cloned() else {
                    self.count_unwanted(messages.count());
                    return None;
                };
                let arrival = |bytes| Arrival { channel: channel.clone(), bytes, position: None };
                self.arrivals.extend(messages.map(arrival));
                None
            }
            Payload::Appended(position, bytes) => {
                let Some(channel) = self.channel(name).cloned() else {
                    self.count_unwanted(1);
                    return None;
                };
                let bytes = Bytes::copy_from_slice(bytes);
                self.arrivals.push(Arrival { channel, bytes, position: Some(position) });
                None
            }
            Payload::Beat(nonce) => Some(nonce),
        }
    }

    fn count_unwanted(&self, count: usize) {
        Counters::add(&self.traffic.counters.deliveries_unwanted, count as u64);
    }

    fn channel(&self, name: &[u8]) -> Option<&Arc<Channel>> {
        let partition = self.traffic.keys.partition_of(name)?;
        self.interest.heard(self.link, partition, std::str::from_utf8(name).ok()?)
    }
}

impl Drop for Hearing<'_> {
    /// Hands over what was read.
    fn drop(&mut self) {
        if !self.arrivals.is_empty() {
            self.traffic.inbox.deliver(self.arrivals.drain(..));
        }
    }
}
