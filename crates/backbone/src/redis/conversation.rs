//! What is said on one connection of the bus: messages leave and arrive, channels are subscribed to. It hands arrivals to the
//! owner and reports what concerns the other connections.
//!
//! Messages leave in batches, one at a time, each written at once; what is published meanwhile is the next. Every order is
//! followed by a ping, whose answer says that the order is over: answers come in the order of what was asked, except for what
//! the server pushes.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Buf;
use tokio::io::{AsyncWriteExt, WriteHalf};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::access::Stream;
use super::beats::{Beats, Due};
use super::config::Address;
use super::interest::LinkId;
use super::link::{News, Order, Report};
use super::outbox::{Lane, Parcel};
use super::payload;
use super::resp::{self, Frame};
use super::server::is_pong;
use super::topology::moved;
use super::traffic::Traffic;
use super::wire::{Wire, WireError};
use crate::backbone::random_u64;
use crate::deliveries::Arrival;

/// Names in one command.
const NAMES_MAX: usize = 512;
/// A buffer that grew beyond this is let go when it is empty.
const LARGE_BYTES: usize = 1024 * 1024;

/// The task.
pub(crate) struct Conversation {
    traffic: Arc<Traffic>,
    address: Address,
    id: LinkId,
    lane: Arc<Lane>,
    reports: mpsc::Sender<Report>,
    beats: Beats,
    /// Empty but while messages are read: it keeps its memory.
    arrivals: Vec<Arrival>,
    /// What is to be reported.
    news: Vec<News>,
    /// What is to be written.
    out: Vec<u8>,
    /// What is to be answered, in this order.
    expected: VecDeque<Expected>,
    /// Messages of the present batch that the server did not take.
    returned: Vec<Parcel>,
    /// Parcels of the present batch that are not answered.
    flying: usize,
    /// When something was last read or written.
    progress: Instant,
}

/// What is to be answered.
#[derive(Debug)]
enum Expected {
    /// With a number.
    Publication(Parcel),
    /// With an error or nothing, and then as a ping. It is about this partition.
    Order(u16),
    Ping,
}

impl Conversation {
    pub(crate) fn new(
        traffic: Arc<Traffic>,
        (id, address, reports): (LinkId, Address, mpsc::Sender<Report>),
        lane: Arc<Lane>,
    ) -> Self {
        let now = Instant::now();
        Self {
            beats: Beats::new(traffic.config.beat_interval, now),
            traffic,
            address,
            id,
            lane,
            reports,
            arrivals: Vec::new(),
            news: Vec::new(),
            out: Vec::new(),
            expected: VecDeque::new(),
            returned: Vec::new(),
            flying: 0,
            progress: now,
        }
    }

    /// Connects, and goes on until the connection is of no use.
    pub(crate) async fn run(mut self, orders: mpsc::Receiver<Order>) {
        if let Err(error) = self.serve(orders).await {
            self.give_back();
            self.news.push(News::Down(error));
            self.report().await;
        }
    }

    async fn serve(&mut self, mut orders: mpsc::Receiver<Order>) -> Result<(), WireError> {
        let Wire { mut reader, mut writer, .. } = self.traffic.dial.dial(&self.address).await?;
        self.news.push(News::Up);
        let mut ticks = interval(self.tick_interval());
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut written, mut flushed) = (0, true);
        loop {
            self.report().await;
            let sent = written == self.out.len();
            if sent {
                written = 0;
                self.out.clear();
                self.out.shrink_to(LARGE_BYTES);
            }
            tokio::select! {
                // What is to be sent is bounded by what was answered; arrivals are not. Ticks come last: silence is silence
                // only when all that has arrived was read.
                biased;
                count = send(&mut writer, &self.out[written..]), if !(sent && flushed) => {
                    let count = count?;
                    written += count;
                    flushed = count == 0;
                    self.progress = Instant::now();
                }
                () = self.lane.arrived.notified(), if sent && self.flying == 0 => self.take_batch(),
                order = orders.recv(), if sent => match order {
                    Some(order) => self.take_order(order),
                    None => return Ok(()),
                },
                filled = reader.fill() => {
                    filled?;
                    self.progress = Instant::now();
                    let read = self.read(&reader.buffer)?;
                    reader.buffer.advance(read);
                }
                _ = ticks.tick() => self.tick()?,
            }
        }
    }

    /// Reads what is there whole, and says how much that was.
    fn read(&mut self, bytes: &[u8]) -> Result<usize, WireError> {
        let mut at = 0;
        loop {
            at += self.hear(&bytes[at..]);
            let Some((frame, length)) = resp::first(&bytes[at..])? else { return Ok(at) };
            at += length;
            self.answered(frame)?;
        }
    }

    /// Hands over the messages that come next.
    fn hear(&mut self, bytes: &[u8]) -> usize {
        let Some(mut message) = resp::message(bytes) else { return 0 };
        let mut hearing = self.traffic.hearing(self.id, &mut self.arrivals);
        let mut at = 0;
        loop {
            at += message.end;
            if let Some(nonce) = hearing.hear(message.channel, message.payload)
                && self.beats.heard(nonce)
            {
                self.news.push(News::Hears);
            }
            match resp::message(&bytes[at..]) {
                Some(next) => message = next,
                None => return at,
            }
        }
    }

    fn answered(&mut self, frame: Frame) -> Result<(), WireError> {
        match frame {
            Frame::Push(push) => self.pushed(&push),
            Frame::Error(error) => self.refused(&String::from_utf8_lossy(&error))?,
            Frame::Integer(_) => match self.expected.pop_front() {
                Some(Expected::Publication(parcel)) => {
                    self.traffic.outbox.done(&parcel, &self.traffic.counters.published);
                    self.landed();
                }
                _ => return Err(WireError::Shape("a number that nobody asked for")),
            },
            Frame::Text(_) => match self.expected.pop_front() {
                Some(Expected::Order(_) | Expected::Ping) => {}
                _ => return Err(WireError::Shape("a text that nobody asked for")),
            },
            Frame::Null | Frame::List(_) => return Err(WireError::Shape("an answer that nobody asked for")),
        }
        Ok(())
    }

    fn pushed(&mut self, push: &[Frame]) {
        let [kind, name, _] = push else { return };
        let (Some(kind), Some(name)) = (kind.text(), name.text()) else { return };
        let Ok(name) = std::str::from_utf8(name) else { return };
        let Some(partition) = self.traffic.keys.partition_of(name.as_bytes()) else { return };
        let is_beat = name == self.traffic.keys.beat(partition, self.traffic.number);
        match &kind[..] {
            b"ssubscribe" if is_beat => self.beats.add(partition, name.to_owned()),
            b"ssubscribe" => {
                let missed = self.traffic.interest().confirm(self.id, partition, name);
                if let Some(channel) = missed {
                    self.traffic.inbox.missed([channel]);
                }
            }
            // If nobody asked the server to, the slot is leaving it.
            b"sunsubscribe" if is_beat || self.traffic.interest().is_active(self.id, partition, name) => {
                tracing::info!(address = %self.address, partition, "a partition leaves its server");
                self.lose(partition, News::Lost(partition));
            }
            _ => {}
        }
    }

    /// A server did not do what comes next.
    fn refused(&mut self, error: &str) -> Result<(), WireError> {
        if matches!(self.expected.front(), Some(Expected::Order(_) | Expected::Ping)) && is_pong(error) {
            self.expected.pop_front();
            return Ok(());
        }
        let about = match self.expected.front() {
            Some(Expected::Publication(parcel)) => parcel.partition,
            Some(Expected::Order(partition)) => *partition,
            Some(Expected::Ping) | None => return Err(WireError::Refused(error.to_owned())),
        };
        let passes = ["MOVED", "CLUSTERDOWN", "TRYAGAIN", "LOADING", "MASTERDOWN", "READONLY"]
            .contains(&error.split(' ').next().unwrap_or_default());
        if passes {
            tracing::info!(address = %self.address, partition = about, error, "a partition is not served here");
            let owner = moved(error, &self.address).map(|(_, owner)| owner);
            self.lose(about, owner.map_or(News::Lost(about), |owner| News::Moved(about, owner)));
        }
        match self.expected.pop_front() {
            Some(Expected::Publication(parcel)) => {
                if passes {
                    self.returned.push(parcel);
                } else {
                    tracing::warn!(error, "the store refused messages");
                    self.traffic.outbox.done(&parcel, &self.traffic.counters.publishes_failed);
                }
                self.landed();
                Ok(())
            }
            // The ping after it is still to be answered.
            Some(order) if passes => {
                self.expected.push_front(order);
                Ok(())
            }
            _ => Err(WireError::Refused(error.to_owned())),
        }
    }

    /// One of the batch was answered; with the last of them the next may leave.
    fn landed(&mut self) {
        self.flying -= 1;
        if self.flying == 0 {
            self.traffic.outbox.put_back(std::mem::take(&mut self.returned));
            self.take_batch();
        }
    }

    fn take_batch(&mut self) {
        for parcel in self.traffic.outbox.take(&self.lane) {
            let messages = parcel.messages.iter().map(|message| &message.bytes);
            let name = self.traffic.keys.channel(&parcel.channel);
            payload::publish(&name, self.traffic.number, messages, &mut self.out);
            self.expect(Expected::Publication(parcel));
            self.flying += 1;
        }
    }

    fn take_order(&mut self, order: Order) {
        match order {
            Order::Serve(partition) => {
                let beat = self.traffic.keys.beat(partition, self.traffic.number);
                self.command("SSUBSCRIBE", partition, &[beat.into()]);
            }
            Order::Leave(partition) => self.beats.remove(partition),
            Order::Subscribe(partition, names) => self.command("SSUBSCRIBE", partition, &names),
            Order::Unsubscribe(partition, names) => self.command("SUNSUBSCRIBE", partition, &names),
        }
    }

    fn command(&mut self, command: &str, partition: u16, names: &[Arc<str>]) {
        for names in names.chunks(NAMES_MAX) {
            let words: Vec<&str> = [command].into_iter().chain(names.iter().map(|name| &**name)).collect();
            resp::command(&words, &mut self.out);
            resp::command(&["PING"], &mut self.out);
            self.expect(Expected::Order(partition));
        }
    }

    fn expect(&mut self, expected: Expected) {
        if self.expected.is_empty() {
            self.progress = Instant::now();
        }
        self.expected.push_back(expected);
    }

    /// What is due.
    fn tick(&mut self) -> Result<(), WireError> {
        let (now, config) = (Instant::now(), &self.traffic.config);
        if !self.expected.is_empty() && now - self.progress >= config.response_timeout {
            return Err(WireError::Late(config.response_timeout));
        }
        if self.expected.is_empty() && now - self.progress >= config.ping_interval {
            resp::command(&["PING"], &mut self.out);
            self.expect(Expected::Ping);
        }
        match self.beats.due(now, random_u64()) {
            Due::Nothing => Ok(()),
            Due::Deaf => Err(WireError::Shape("it looks healthy and hears nothing")),
            Due::Publish { channel, nonce, taken } => {
                let commands = self.traffic.commands.clone();
                tokio::spawn(async move {
                    let mut command = redis::cmd("SPUBLISH");
                    command.arg(&channel).arg(format!("b{nonce:x}"));
                    if commands.query(&channel, &command).await.is_ok() {
                        let _ = taken.send(());
                    }
                });
                Ok(())
            }
        }
    }

    fn tick_interval(&self) -> Duration {
        let config = &self.traffic.config;
        let shortest = config.ping_interval.min(config.response_timeout).min(config.beat_interval);
        (shortest / 4).clamp(Duration::from_millis(10), Duration::from_secs(1))
    }

    /// The server does not serve a partition: somebody else is to be found.
    fn lose(&mut self, partition: u16, news: News) {
        self.beats.remove(partition);
        self.traffic.outbox.close(partition, &self.lane);
        self.traffic.interest().lose(partition, self.id);
        self.news.push(news);
    }

    /// Gives back the messages that were not answered.
    fn give_back(&mut self) {
        let mut parcels = std::mem::take(&mut self.returned);
        parcels.extend(self.expected.drain(..).filter_map(|expected| match expected {
            Expected::Publication(parcel) => Some(parcel),
            Expected::Order(_) | Expected::Ping => None,
        }));
        self.traffic.outbox.put_back(parcels);
    }

    async fn report(&mut self) {
        for news in self.news.drain(..) {
            let report = Report { link: self.id, address: self.address.clone(), news };
            // Nobody listens when the store is closed, and this task with it.
            let _ = self.reports.send(report).await;
        }
    }
}

/// Writes what can be written at once and says how much that was; with nothing left, sees that it leaves. May be dropped and
/// called again.
async fn send(writer: &mut WriteHalf<Box<dyn Stream>>, bytes: &[u8]) -> io::Result<usize> {
    if bytes.is_empty() {
        writer.flush().await?;
        return Ok(0);
    }
    match writer.write(bytes).await? {
        0 => Err(io::ErrorKind::WriteZero.into()),
        count => Ok(count),
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        self.give_back();
    }
}
