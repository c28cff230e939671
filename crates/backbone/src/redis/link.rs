//! One connection of the subscriber to one server. Hands messages to the owner; reports everything else.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::config::Address;
use super::resp::Frame;
use super::subscriber::Shared;
use super::topology::moved;
use super::wire::{Reader, WireError, Writer};
use crate::histories::Position;

/// Orders that may wait: enough for every channel there may be, in pieces.
const ORDERS_MAX: usize = 8192;

/// A connection, closed when dropped.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) id: u64,
    pub(crate) up: bool,
    /// The beat that was sent last, until it is heard.
    pub(crate) beat: Option<Beat>,
    /// The partition whose beat is next.
    pub(crate) beats: u16,
    orders: mpsc::Sender<Order>,
    task: AbortHandle,
}

/// A beat on its way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Beat {
    pub(crate) nonce: u64,
    /// When the store said that it took it.
    pub(crate) sent: Option<Instant>,
}

/// What a link is told to do. The names are of one slot.
#[derive(Debug)]
pub(crate) enum Order {
    Subscribe(Vec<String>),
    Unsubscribe(Vec<String>),
}

/// What a link says.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) link: u64,
    pub(crate) address: Address,
    pub(crate) news: News,
}

#[derive(Debug)]
pub(crate) enum News {
    /// It is connected.
    Up,
    /// A subscription is on.
    Confirmed(String),
    /// A subscription is off.
    Cancelled(String),
    /// The server serves a slot no more; somebody else does.
    Moved(u16, Address),
    /// A beat was heard.
    Heard(u64),
    /// The store took a beat.
    Sent(u64),
    /// It is over.
    Down(WireError),
}

impl Link {
    /// Starts to connect.
    pub(crate) fn open(
        shared: Arc<Shared>,
        address: Address,
        (id, reports): (u64, mpsc::Sender<Report>),
    ) -> Self {
        let (orders, receiver) = mpsc::channel(ORDERS_MAX);
        let session = LinkSession { shared, address, id, reports };
        let task = tokio::spawn(session.run(receiver)).abort_handle();
        Self { id, up: false, beat: None, beats: 0, orders, task }
    }

    /// Gives an order; `false` if too many wait, which no server that listens lets happen.
    pub(crate) fn order(&self, order: Order) -> bool {
        self.orders.try_send(order).is_ok()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct LinkSession {
    shared: Arc<Shared>,
    address: Address,
    id: u64,
    reports: mpsc::Sender<Report>,
}

impl LinkSession {
    async fn run(self, orders: mpsc::Receiver<Order>) {
        if let Err(error) = self.serve(orders).await {
            self.report(News::Down(error)).await;
        }
    }

    async fn serve(&self, mut orders: mpsc::Receiver<Order>) -> Result<(), WireError> {
        let wire = self.shared.dial.dial(&self.address).await?;
        let (mut reader, mut writer): (Reader, Writer) = (wire.reader, wire.writer);
        self.report(News::Up).await;
        let patience = self.shared.config.response_timeout;
        let mut pings = interval(self.shared.config.ping_interval);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = true;
        loop {
            let sending = tokio::select! {
                frame = reader.next() => {
                    heard = true;
                    self.read(frame?).await?;
                    continue;
                }
                order = orders.recv() => match order {
                    Some(Order::Subscribe(names)) => command("SSUBSCRIBE", names),
                    Some(Order::Unsubscribe(names)) => command("SUNSUBSCRIBE", names),
                    None => return Ok(()),
                },
                _ = pings.tick() => {
                    if !std::mem::replace(&mut heard, false) {
                        return Err(WireError::Late(self.shared.config.ping_interval));
                    }
                    command("PING", Vec::new())
                }
            };
            let sent = timeout(patience, writer.send(&sending)).await;
            sent.map_err(|_| WireError::Late(patience))??;
        }
    }

    async fn read(&self, frame: Frame) -> Result<(), WireError> {
        match frame {
            Frame::Push(push) => self.pushed(&push).await,
            Frame::Error(error) => {
                let error = String::from_utf8_lossy(&error).into_owned();
                match moved(&error, &self.address) {
                    Some((slot, owner)) => self.report(News::Moved(slot, owner)).await,
                    // A command failed, and nobody knows what it was about: all is asked for again.
                    None => return Err(WireError::Refused(error)),
                }
            }
            // Answers to pings.
            _ => {}
        }
        Ok(())
    }

    async fn pushed(&self, push: &[Frame]) {
        let [kind, name, value] = push else { return };
        let (Some(kind), Some(name)) = (kind.text(), name.text()) else { return };
        let Ok(name) = std::str::from_utf8(name) else { return };
        match &kind[..] {
            b"smessage" => {
                let Some(payload) = value.text() else { return };
                if let Some(nonce) = self.shared.receive(name, payload) {
                    self.report(News::Heard(nonce)).await;
                }
            }
            b"ssubscribe" => self.report(News::Confirmed(name.to_owned())).await,
            b"sunsubscribe" => self.report(News::Cancelled(name.to_owned())).await,
            _ => {}
        }
    }

    async fn report(&self, news: News) {
        let report = Report { link: self.id, address: self.address.clone(), news };
        // Nobody listens when the subscriber is gone, and this task with it.
        let _ = self.reports.send(report).await;
    }
}

fn command(name: &str, arguments: Vec<String>) -> Vec<String> {
    let mut command = vec![name.to_owned()];
    command.extend(arguments);
    command
}

/// What a payload on the bus says: `m` and the message; `p`, the position and the message; `b` and the number of a beat.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Payload {
    Message(Bytes, Option<Position>),
    Beat(u64),
}

impl Payload {
    /// Reads a payload. Nothing if it was not written by this version.
    pub(crate) fn read(payload: &Bytes) -> Option<Self> {
        match payload.first()? {
            b'm' => Some(Self::Message(payload.slice(1..), None)),
            b'p' => {
                let head = &payload[..payload.len().min(48)];
                let mut colons = (1..head.len()).filter(|at| head[*at] == b':');
                let (first, second) = (colons.next()?, colons.next()?);
                let number = |bytes: &[u8]| std::str::from_utf8(bytes).ok()?.parse().ok();
                let (epoch, offset) = (number(&head[1..first])?, number(&head[first + 1..second])?);
                Some(Self::Message(payload.slice(second + 1..), Some(Position { epoch, offset })))
            }
            b'b' => u64::from_str_radix(std::str::from_utf8(&payload[1..]).ok()?, 16).ok().map(Self::Beat),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_read_and_strange_ones_left() {
        let read = |payload: &'static [u8]| Payload::read(&Bytes::from_static(payload));
        let position = Position { epoch: 1_700_000_000_000_000, offset: 12 };
        assert_eq!(read(b"m"), Some(Payload::Message(Bytes::new(), None)));
        assert_eq!(
            read(b"p1700000000000000:12::x:"),
            Some(Payload::Message(Bytes::from_static(b":x:"), Some(position)))
        );
        assert_eq!(read(b"b00ff"), Some(Payload::Beat(255)));
        for strange in [b"".as_slice(), b"x", b"p", b"p1:", b"p1:x:y", b"p:1:", b"b", b"bxyz", b"\xff"] {
            assert_eq!(Payload::read(&Bytes::copy_from_slice(strange)), None);
        }
    }
}
