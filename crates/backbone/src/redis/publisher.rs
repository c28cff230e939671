//! Messages on their way to the store: a bounded queue, and the task that empties it in order. While the store is away what
//! is volatile is dropped and counted; the rest waits, and what does not fit is refused.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use hashbrown::HashMap;
use redis::{Cmd, Pipeline, Value};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::commands::Commands;
use super::keys::{ChannelName, Keys};
use crate::bus::{BusError, Urgency};
use crate::error::StoreError;
use crate::status::Counters;

/// Messages that leave together at most.
const BATCH_MAX: usize = 512;
/// Bytes that leave together, but for the last message.
const BATCH_BYTES_MAX: usize = 1024 * 1024;
/// What a message costs beside its bytes.
const OVERHEAD_BYTES: usize = 128;

/// The way out.
#[derive(Debug)]
pub(crate) struct Publisher {
    queue: Mutex<Queue>,
    arrived: Notify,
    bytes_max: usize,
    commands: Arc<Commands>,
    keys: Arc<Keys>,
    counters: Arc<Counters>,
}

#[derive(Debug, Default)]
struct Queue {
    messages: VecDeque<Message>,
    bytes: usize,
}

#[derive(Debug, Clone)]
struct Message {
    name: ChannelName,
    payload: Bytes,
    urgency: Urgency,
}

impl Message {
    fn cost(&self) -> usize {
        self.name.name.len() + self.payload.len() + OVERHEAD_BYTES
    }

    fn command(&self) -> Cmd {
        let mut command = redis::cmd("SPUBLISH");
        command.arg(&self.name.name).arg(&self.payload[..]);
        command
    }
}

impl Publisher {
    pub(crate) fn new(
        commands: Arc<Commands>,
        keys: Arc<Keys>,
        (bytes_max, counters): (usize, Arc<Counters>),
    ) -> Arc<Self> {
        let (queue, arrived) = (Mutex::default(), Notify::new());
        Arc::new(Self { queue, arrived, bytes_max, commands, keys, counters })
    }

    /// Takes a message, never waits.
    pub(crate) fn publish(&self, name: ChannelName, bytes: &Bytes, urgency: Urgency) -> Result<(), BusError> {
        if urgency == Urgency::Volatile && !self.counters.connected.load(Ordering::Relaxed) {
            Counters::add(&self.counters.volatile_dropped, 1);
            return Ok(());
        }
        let message = Message { name, payload: [b"m", &bytes[..]].concat().into(), urgency };
        let mut queue = self.lock();
        if queue.bytes + message.cost() > self.bytes_max {
            drop(queue);
            return match urgency {
                Urgency::Volatile => {
                    Counters::add(&self.counters.volatile_dropped, 1);
                    Ok(())
                }
                Urgency::Kept => {
                    Counters::add(&self.counters.publishes_refused, 1);
                    Err(BusError::QueueFull)
                }
            };
        }
        queue.bytes += message.cost();
        queue.messages.push_back(message);
        drop(queue);
        self.arrived.notify_one();
        Ok(())
    }

    /// Sends what comes for as long as the store is in use.
    pub(crate) async fn run(self: Arc<Self>) {
        loop {
            let batch = self.take();
            if batch.is_empty() {
                self.arrived.notified().await;
                continue;
            }
            let kept = self.send(batch).await;
            if !kept.is_empty() {
                self.put_back(kept);
                self.commands.reachable().await;
            }
        }
    }

    fn take(&self) -> Vec<Message> {
        let mut queue = self.lock();
        let (mut count, mut bytes) = (0, 0);
        for message in queue.messages.iter().take(BATCH_MAX) {
            count += 1;
            bytes += message.cost();
            if bytes > BATCH_BYTES_MAX {
                break;
            }
        }
        // Their bytes are free only when they have arrived: they may come back.
        queue.messages.drain(..count).collect()
    }

    /// Puts what could not be sent before the rest, without what is volatile.
    fn put_back(&self, messages: Vec<Message>) {
        let mut queue = self.lock();
        for message in messages.into_iter().rev() {
            queue.messages.push_front(message);
        }
        let Queue { messages, bytes } = &mut *queue;
        let before = messages.len();
        messages.retain(|message| {
            let stays = message.urgency == Urgency::Kept;
            if !stays {
                *bytes -= message.cost();
            }
            stays
        });
        Counters::add(&self.counters.volatile_dropped, (before - messages.len()) as u64);
    }

    /// Sends a batch, in order within each partition. Answers with what found the store away.
    async fn send(&self, batch: Vec<Message>) -> Vec<Message> {
        let mut groups: HashMap<u16, Vec<Message>> = HashMap::new();
        for message in batch {
            // A server alone takes all of them at once.
            let group = if self.commands.is_cluster() { message.name.partition } else { 0 };
            groups.entry(group).or_default().push(message);
        }
        let mut sending = JoinSet::new();
        for (partition, messages) in groups {
            let (commands, slot) = (self.commands.clone(), self.keys.slot(partition));
            sending.spawn(async move { send_group(&commands, slot, messages).await });
        }
        let mut kept = Vec::new();
        for sent in sending.join_all().await {
            Counters::add(&self.counters.published, sent.published);
            Counters::add(&self.counters.publishes_failed, sent.failed);
            self.lock().bytes -= sent.cost;
            kept.extend(sent.away);
        }
        kept
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of some messages.
#[derive(Default)]
struct Sent {
    published: u64,
    failed: u64,
    /// Of those that need not be sent any more.
    cost: usize,
    away: Vec<Message>,
}

async fn send_group(commands: &Commands, slot: u16, messages: Vec<Message>) -> Sent {
    let mut pipeline = Pipeline::with_capacity(messages.len());
    for message in &messages {
        pipeline.add_command(message.command());
    }
    let mut sent = Sent::default();
    match commands.query_all(slot, &pipeline).await {
        Ok(answers) => {
            let mut answers = answers.into_iter();
            for message in messages {
                match answers.next() {
                    Some(Value::ServerError(_)) | None => sent.again(commands, message).await,
                    Some(_) => sent.done(&message),
                }
            }
        }
        Err(StoreError::Refused(_)) => {
            for message in messages {
                sent.again(commands, message).await;
            }
        }
        Err(_) => sent.away = messages,
    }
    sent
}

impl Sent {
    fn done(&mut self, message: &Message) {
        self.published += 1;
        self.cost += message.cost();
    }

    /// Sends one by one what was refused among others: the client library then follows it to where its slot has moved.
    async fn again(&mut self, commands: &Commands, message: Message) {
        if !self.away.is_empty() {
            self.away.push(message);
            return;
        }
        match commands.query(&message.command()).await {
            Ok(_) => self.done(&message),
            Err(StoreError::Refused(error)) => {
                tracing::warn!(error, "the store refused a message");
                self.failed += 1;
                self.cost += message.cost();
            }
            Err(_) => self.away.push(message),
        }
    }
}
