//! The subscriber: hears what the node wants to hear, wherever it is published. One task owns the connections, one to each
//! server that serves a wanted partition, and who serves which. It groups subscriptions by slot, follows slots as they move,
//! connects again, and listens for beats of its own, so that a connection that looks healthy and hears nothing is found.
//!
//! A Redis that is no cluster is one server with all slots.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hashbrown::HashMap;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::commands::Commands;
use super::config::{Address, RedisConfig};
use super::interest::{Full, Interest};
use super::keys::Keys;
use super::link::{Beat, Link, News, Order, Payload, Report};
use super::partition::slot_of;
use super::topology::{self, Topology};
use super::wire::{Dial, WireError};
use crate::backbone::random_u64;
use crate::channel::Channel;
use crate::deliveries::Inbox;

/// How often time is looked at.
const TICK: Duration = Duration::from_millis(200);
/// Names in one SSUBSCRIBE.
const NAMES_MAX: usize = 512;
/// Reports that may wait; links wait for room.
const REPORTS_MAX: usize = 4096;
/// How often the topology is asked for while something wanted is not heard.
const URGENT: Duration = Duration::from_secs(1);

/// What the subscriber shares with its links and with those who subscribe.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Arc<RedisConfig>,
    pub(crate) dial: Dial,
    keys: Arc<Keys>,
    commands: Arc<Commands>,
    interest: Mutex<Interest>,
    wake: Notify,
    inbox: Arc<Inbox>,
    /// What its beats are told by.
    number: u64,
}

impl Shared {
    pub(crate) fn new(
        config: Arc<RedisConfig>,
        (dial, keys): (Dial, Arc<Keys>),
        (commands, inbox): (Arc<Commands>, Arc<Inbox>),
    ) -> Arc<Self> {
        let interest = Mutex::new(Interest::new(keys.partitions(), config.channels_max));
        let (wake, number) = (Notify::new(), random_u64());
        Arc::new(Self { config, dial, keys, commands, interest, wake, inbox, number })
    }

    /// Wants a channel. Answers with what to wait for, or nothing if it is heard already.
    pub(crate) fn subscribe(&self, channel: Channel) -> Result<Option<oneshot::Receiver<()>>, Full> {
        let waiting = self.interest().want(&self.keys.channel(&channel), channel)?;
        self.wake.notify_one();
        Ok(waiting)
    }

    pub(crate) fn release(&self, channel: &Channel) {
        self.interest().release(self.keys.channel(channel), Instant::now());
    }

    /// Hands a message to the owner if it is wanted; answers with the number of a beat.
    pub(crate) fn receive(&self, name: &str, payload: &Bytes) -> Option<u64> {
        match Payload::read(payload)? {
            Payload::Message(bytes, position) => {
                let partition = self.keys.partition_of_slot(slot_of(name.as_bytes()))?;
                let channel = self.interest().heard(partition, name)?;
                self.inbox.message(channel, bytes, position);
                None
            }
            Payload::Beat(nonce) => Some(nonce),
        }
    }

    fn interest(&self) -> MutexGuard<'_, Interest> {
        self.interest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task.
#[derive(Debug)]
pub(crate) struct Subscriber {
    shared: Arc<Shared>,
    topology: Topology,
    links: HashMap<Address, Link>,
    /// By partition: which server was asked for it.
    servers: Vec<Server>,
    /// How often connecting failed in a row, and when to try again.
    failed: HashMap<Address, (u32, Instant)>,
    links_opened: u64,
    reports: (mpsc::Sender<Report>, mpsc::Receiver<Report>),
    /// The question for the topology that is under way.
    asking: Option<oneshot::Receiver<Result<Topology, WireError>>>,
    ask_at: Instant,
    beat_at: Instant,
}

/// Who serves a partition, as the subscriber takes it.
#[derive(Debug, Default)]
struct Server {
    address: Option<Address>,
    /// Whether the subscription for beats was asked for, and confirmed.
    beat_asked: bool,
    beat_on: bool,
    /// When a server last said that the slot has moved.
    moved_at: Option<Instant>,
    /// Until when nobody is asked: servers that disagree could send the question back and forth.
    held_until: Option<Instant>,
}

impl Subscriber {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let now = Instant::now();
        let beat_at = now + shared.config.beat_interval;
        Self {
            topology: Topology::default(),
            links: HashMap::new(),
            servers: (0..shared.keys.partitions()).map(|_| Server::default()).collect(),
            failed: HashMap::new(),
            links_opened: 0,
            reports: mpsc::channel(REPORTS_MAX),
            asking: None,
            ask_at: now,
            beat_at,
            shared,
        }
    }

    /// Hears for as long as the store is in use.
    pub(crate) async fn run(mut self) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let shared = self.shared.clone();
            tokio::select! {
                () = shared.wake.notified() => {}
                _ = ticks.tick() => self.tick(Instant::now()),
                topology = answer(&mut self.asking) => self.learn(topology),
                report = self.reports.1.recv() => {
                    if let Some(report) = report {
                        self.hear(report);
                    }
                    while let Ok(report) = self.reports.1.try_recv() {
                        self.hear(report);
                    }
                }
            }
            self.settle(Instant::now());
        }
    }

    /// What is due.
    fn tick(&mut self, now: Instant) {
        self.leave(now);
        if now >= self.ask_at {
            self.ask(now);
        }
        if now >= self.beat_at {
            self.beat_at = now + self.shared.config.beat_interval;
            self.beat(now);
        }
    }

    /// Lets go of what was released long enough ago.
    fn leave(&mut self, now: Instant) {
        let leaving = self.shared.interest().leave(now, self.shared.config.release_after);
        for same in leaving.chunk_by(|one, other| one.partition == other.partition) {
            let Some(address) = &self.servers[usize::from(same[0].partition)].address else { continue };
            let Some(link) = self.links.get(address).filter(|link| link.up) else { continue };
            for names in same.chunks(NAMES_MAX) {
                let names = names.iter().map(|name| name.name.clone()).collect();
                let _ = link.order(Order::Unsubscribe(names));
            }
        }
    }

    /// Asks who serves what, unless that is under way.
    fn ask(&mut self, now: Instant) {
        self.ask_at = now + self.shared.config.topology_interval;
        if self.asking.is_some() {
            return;
        }
        let (sender, receiver) = oneshot::channel();
        let (shared, known) = (self.shared.clone(), self.topology.clone());
        tokio::spawn(async move {
            let dial = Dial { patience: shared.dial.patience.min(2 * URGENT), ..shared.dial.clone() };
            let _ = sender.send(topology::ask(&shared.config, &dial, &known).await);
        });
        self.asking = Some(receiver);
    }

    fn learn(&mut self, topology: Option<Result<Topology, WireError>>) {
        self.asking = None;
        match topology {
            Some(Ok(topology)) => self.topology = topology,
            Some(Err(error)) => tracing::debug!(%error, "nobody says who serves what"),
            None => {}
        }
    }

    fn hear(&mut self, report: Report) {
        let Report { link: id, address, news } = report;
        let Some(link) = self.links.get_mut(&address).filter(|link| link.id == id) else { return };
        match news {
            News::Up => {
                link.up = true;
                tracing::debug!(%address, "the subscriber is connected");
            }
            News::Heard(nonce) => {
                if link.beat.is_some_and(|beat| beat.nonce == nonce) {
                    link.beat = None;
                }
                self.failed.remove(&address);
            }
            News::Sent(nonce) => {
                if let Some(beat) = link.beat.as_mut().filter(|beat| beat.nonce == nonce) {
                    beat.sent = Some(Instant::now());
                }
            }
            News::Confirmed(name) => self.confirmed(&address, &name),
            News::Cancelled(name) => self.cancelled(&address, &name),
            News::Moved(slot, owner) => self.moved(&address, slot, owner),
            News::Down(error) => self.down(&address, &error),
        }
    }

    fn confirmed(&mut self, address: &Address, name: &str) {
        let Some(partition) = self.served_by(address, name) else { return };
        if name == self.shared.keys.beat(partition, self.shared.number) {
            self.servers[usize::from(partition)].beat_on = true;
            return;
        }
        let missed = self.shared.interest().confirm(partition, name);
        self.shared.inbox.missed(missed);
    }

    /// The server ended a subscription. If nobody asked it to, the slot is leaving it.
    fn cancelled(&mut self, address: &Address, name: &str) {
        let Some(partition) = self.served_by(address, name) else { return };
        let beat = name == self.shared.keys.beat(partition, self.shared.number);
        if beat || self.shared.interest().is_active(partition, name) {
            tracing::info!(%address, partition, "a partition leaves its server");
            self.lose(partition);
            self.ask_soon();
        }
    }

    fn moved(&mut self, address: &Address, slot: u16, owner: Address) {
        let Some(partition) = self.shared.keys.partition_of_slot(slot) else { return };
        if self.servers[usize::from(partition)].address.as_ref() == Some(address) {
            tracing::info!(%address, %owner, partition, "a partition has moved");
            self.topology.moved(slot, owner);
            let now = Instant::now();
            let before = self.servers[usize::from(partition)].moved_at;
            self.lose(partition);
            let server = &mut self.servers[usize::from(partition)];
            server.moved_at = Some(now);
            server.held_until = before.filter(|before| now - *before < URGENT).map(|_| now + TICK);
            self.ask_soon();
        }
    }

    /// A connection is over. Everything that it served is to be asked for again.
    fn down(&mut self, address: &Address, error: &WireError) {
        self.links.remove(address);
        let failures = self.failed.get(address).map_or(1, |(failures, _)| failures.saturating_add(1));
        let wait = self.shared.config.backoff.wait(failures, random_u64() as u32);
        self.failed.insert(address.clone(), (failures, Instant::now() + wait));
        tracing::warn!(%address, %error, failures, "the subscriber lost a server");
        for partition in 0..self.shared.keys.partitions() {
            if self.servers[usize::from(partition)].address.as_ref() == Some(address) {
                self.lose(partition);
            }
        }
        self.ask_soon();
    }

    fn lose(&mut self, partition: u16) {
        self.shared.interest().lose(partition);
        let server = &mut self.servers[usize::from(partition)];
        *server = Server { moved_at: server.moved_at, held_until: server.held_until, ..Server::default() };
    }

    fn ask_soon(&mut self) {
        self.ask_at = self.ask_at.min(Instant::now());
    }

    /// The partition of a name, if this server is the one that was asked for it.
    fn served_by(&self, address: &Address, name: &str) -> Option<u16> {
        let partition = self.shared.keys.partition_of_slot(slot_of(name.as_bytes()))?;
        let server = &self.servers[usize::from(partition)];
        (server.address.as_ref() == Some(address)).then_some(partition)
    }

    /// Brings what is asked for in line with what is wanted and who serves it.
    fn settle(&mut self, now: Instant) {
        let mut unheard = false;
        for partition in 0..self.shared.keys.partitions() {
            if self.shared.interest().is_wanted(partition) {
                unheard |= !self.settle_partition(partition, now);
            }
        }
        if unheard {
            self.ask_at = self.ask_at.min(now + URGENT);
        }
        let (links, servers) = (&mut self.links, &self.servers);
        links.retain(|address, _| servers.iter().any(|server| server.address.as_ref() == Some(address)));
        let topology = &self.topology;
        self.failed.retain(|address, _| topology.primaries().contains(address));
    }

    /// Answers with whether somebody is asked for all of it.
    fn settle_partition(&mut self, partition: u16, now: Instant) -> bool {
        let Some(owner) = self.topology.owner(self.shared.keys.slot(partition)).cloned() else {
            return false;
        };
        let server = &self.servers[usize::from(partition)];
        if server.held_until.is_some_and(|until| now < until) {
            return false;
        }
        if server.address.as_ref() != Some(&owner) {
            if server.address.is_some() {
                self.lose(partition);
            }
            self.servers[usize::from(partition)].address = Some(owner.clone());
        }
        if !self.links.contains_key(&owner) {
            if self.failed.get(&owner).is_some_and(|(_, at)| now < *at) {
                return false;
            }
            self.links_opened += 1;
            let link =
                Link::open(self.shared.clone(), owner.clone(), (self.links_opened, self.reports.0.clone()));
            self.links.insert(owner.clone(), link);
        }
        let Some(link) = self.links.get(&owner).filter(|link| link.up) else { return false };
        let server = &mut self.servers[usize::from(partition)];
        let mut names = self.shared.interest().ask(partition);
        if !std::mem::replace(&mut server.beat_asked, true) {
            names.push(self.shared.keys.beat(partition, self.shared.number));
        }
        let asked = names.chunks(NAMES_MAX).all(|names| link.order(Order::Subscribe(names.to_vec())));
        if !asked {
            self.down(&owner, &WireError::Shape("it does not take subscriptions"));
        }
        asked
    }

    /// Sends each connection a beat, to a partition after the other; gives up those that did not hear the last.
    fn beat(&mut self, now: Instant) {
        // One that Redis took a moment ago may still be on its way.
        let patience = self.shared.config.beat_interval / 2;
        let heard_nothing =
            |link: &Link| link.beat.and_then(|beat| beat.sent).is_some_and(|sent| now - sent >= patience);
        let deaf: Vec<Address> = self
            .links
            .iter()
            .filter(|(_, link)| heard_nothing(link))
            .map(|(address, _)| address.clone())
            .collect();
        for address in deaf {
            self.down(&address, &WireError::Shape("it looks healthy and hears nothing"));
        }
        let partitions = self.shared.keys.partitions();
        for (address, link) in &mut self.links {
            if link.beat.is_some_and(|beat| beat.sent.is_some()) {
                continue;
            }
            let mut turn = (0..partitions).map(|step| (link.beats + step) % partitions);
            let next = turn.find(|partition| {
                let server = &self.servers[usize::from(*partition)];
                server.beat_on && server.address.as_ref() == Some(address)
            });
            let Some(partition) = next else { continue };
            link.beats = (partition + 1) % partitions;
            let nonce = random_u64();
            link.beat = Some(Beat { nonce, sent: None });
            let mut command = redis::cmd("SPUBLISH");
            command.arg(self.shared.keys.beat(partition, self.shared.number)).arg(format!("b{nonce:x}"));
            let (commands, reports) = (self.shared.commands.clone(), self.reports.0.clone());
            let report = Report { link: link.id, address: address.clone(), news: News::Sent(nonce) };
            tokio::spawn(async move {
                // A store that is away says nothing about this connection.
                if commands.query(&command).await.is_ok() {
                    let _ = reports.send(report).await;
                }
            });
        }
    }
}

/// The answer to a question, if one is under way.
async fn answer(
    asking: &mut Option<oneshot::Receiver<Result<Topology, WireError>>>,
) -> Option<Result<Topology, WireError>> {
    match asking {
        Some(receiver) => receiver.await.ok(),
        None => std::future::pending().await,
    }
}
