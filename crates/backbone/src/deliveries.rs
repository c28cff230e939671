//! What arrives from the bus, on its way to the owner: a bounded queue that never loses silently. What does not fit is
//! counted, and its channel is reported as missed.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use hashbrown::HashSet;
use tokio::sync::Notify;

use crate::channel::Channel;
use crate::histories::Position;
use crate::status::Counters;

/// Channels named one by one in a report; beyond, it says all.
const MISSED_MAX: usize = 4096;
/// What a message counts for beside its bytes.
const OVERHEAD_BYTES: usize = 128;

/// Something from the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// A message.
    Message {
        /// Where it was published.
        channel: Arc<Channel>,
        /// What was published.
        bytes: Bytes,
        /// Its place in the room's history, if it was appended there.
        position: Option<Position>,
    },
    /// Messages may have been missed until now; from now on they arrive. It may overtake messages that were queued before
    /// it: who reads a history after it will meet these again, and knows them by their position.
    Resynced(Missed),
}

/// On which channels something may be missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missed {
    /// On these, of those that the owner is subscribed to.
    Channels(Vec<Arc<Channel>>),
    /// On any.
    All,
}

/// The receiving end of a backbone's bus. There is one.
#[derive(Debug)]
pub struct Deliveries {
    inbox: Arc<Inbox>,
    /// Those that were there when the inbox was last looked into.
    taken: VecDeque<Delivery>,
}

impl Deliveries {
    pub(crate) fn new(inbox: Arc<Inbox>) -> Self {
        Self { inbox, taken: VecDeque::new() }
    }

    /// The next delivery, when there is one. May be dropped and called again without losing any. `None` when the backbone
    /// is closed and all was taken.
    pub async fn next(&mut self) -> Option<Delivery> {
        loop {
            if let Some(delivery) = self.taken.pop_front() {
                return Some(delivery);
            }
            let arrived = self.inbox.arrived.notified();
            match self.inbox.take(&mut self.taken) {
                Taken::Some => {}
                Taken::Closed => return None,
                Taken::Nothing => arrived.await,
            }
        }
    }
}

/// The queue between a store and the [`Deliveries`].
#[derive(Debug)]
pub(crate) struct Inbox {
    state: Mutex<State>,
    arrived: Notify,
    bytes_max: usize,
    counters: Arc<Counters>,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Delivery>,
    bytes: usize,
    missed: HashSet<Arc<Channel>>,
    missed_all: bool,
    closed: bool,
}

enum Taken {
    Some,
    Nothing,
    Closed,
}

/// A message on its way to the owner.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) channel: Arc<Channel>,
    pub(crate) bytes: Bytes,
    pub(crate) position: Option<Position>,
}

impl Inbox {
    pub(crate) fn new(bytes_max: usize, counters: Arc<Counters>) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), arrived: Notify::new(), bytes_max, counters })
    }

    /// Queues messages; counts those that do not fit, and reports their channels as missed.
    pub(crate) fn deliver(&self, arrivals: impl IntoIterator<Item = Arrival>) {
        let mut state = self.lock();
        let mut dropped = 0;
        for Arrival { channel, bytes, position } in arrivals {
            let cost = bytes.len() + OVERHEAD_BYTES;
            // One that is larger than all that may wait must pass all the same.
            if state.queue.is_empty() || state.bytes + cost <= self.bytes_max {
                state.bytes += cost;
                state.queue.push_back(Delivery::Message { channel, bytes, position });
            } else {
                dropped += 1;
                state.miss([channel]);
            }
        }
        drop(state);
        if dropped > 0 {
            Counters::add(&self.counters.deliveries_dropped, dropped);
        }
        self.arrived.notify_one();
    }

    /// Reports that these channels may have missed something.
    pub(crate) fn missed(&self, channels: impl IntoIterator<Item = Arc<Channel>>) {
        self.lock().miss(channels);
        self.arrived.notify_one();
    }

    /// Lets the receiver end when it has taken what is there.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_one();
    }

    /// Takes all that is there.
    fn take(&self, into: &mut VecDeque<Delivery>) -> Taken {
        let mut state = self.lock();
        if state.missed_all || !state.missed.is_empty() {
            into.push_back(Delivery::Resynced(state.take_missed()));
            Counters::add(&self.counters.resyncs, 1);
            return Taken::Some;
        }
        if state.queue.is_empty() {
            return if state.closed { Taken::Closed } else { Taken::Nothing };
        }
        state.bytes = 0;
        std::mem::swap(&mut state.queue, into);
        Taken::Some
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn miss(&mut self, channels: impl IntoIterator<Item = Arc<Channel>>) {
        for channel in channels {
            if self.missed_all || self.missed.len() >= MISSED_MAX {
                self.missed_all = true;
                self.missed.clear();
                return;
            }
            self.missed.insert(channel);
        }
    }

    fn take_missed(&mut self) -> Missed {
        let channels = std::mem::take(&mut self.missed);
        if std::mem::take(&mut self.missed_all) {
            return Missed::All;
        }
        let mut channels: Vec<Arc<Channel>> = channels.into_iter().collect();
        channels.sort_unstable();
        Missed::Channels(channels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inbox(bytes_max: usize) -> (Arc<Inbox>, Deliveries) {
        let inbox = Inbox::new(bytes_max, Arc::default());
        (inbox.clone(), Deliveries::new(inbox))
    }

    fn room(name: &str) -> Arc<Channel> {
        Arc::new(Channel::room("t", "/", name))
    }

    fn arrival(name: &str, bytes: &'static [u8]) -> Arrival {
        Arrival { channel: room(name), bytes: Bytes::from_static(bytes), position: None }
    }

    fn message(name: &str, bytes: &'static [u8]) -> Option<Delivery> {
        let Arrival { channel, bytes, position } = arrival(name, bytes);
        Some(Delivery::Message { channel, bytes, position })
    }

    #[tokio::test]
    async fn what_does_not_fit_is_reported_and_counted() {
        let (inbox, mut deliveries) = inbox(OVERHEAD_BYTES + 1);
        inbox.deliver(["a", "b", "c", "b"].map(|name| arrival(name, b"x")));
        let missed = Missed::Channels(vec![room("b"), room("c")]);
        assert_eq!(deliveries.next().await, Some(Delivery::Resynced(missed)));
        assert_eq!(deliveries.next().await, message("a", b"x"));
        assert_eq!(inbox.counters.read().deliveries_dropped, 3);
        inbox.deliver([arrival("d", b"larger")]);
        assert_eq!(deliveries.next().await, message("d", b"larger"), "one alone always fits");
    }

    #[tokio::test]
    async fn too_many_names_become_all() {
        let (inbox, mut deliveries) = inbox(1);
        inbox.missed((0..=MISSED_MAX).map(|n| room(&n.to_string())));
        assert_eq!(deliveries.next().await, Some(Delivery::Resynced(Missed::All)));
        inbox.missed([room("a")]);
        assert_eq!(
            deliveries.next().await,
            Some(Delivery::Resynced(Missed::Channels(vec![room("a")]))),
            "a report that was taken does not colour the next"
        );
    }

    #[tokio::test]
    async fn a_closed_inbox_is_emptied_first() {
        let (inbox, mut deliveries) = inbox(1000);
        inbox.deliver([arrival("a", b"1"), arrival("a", b"2")]);
        inbox.close();
        assert_eq!(deliveries.next().await, message("a", b"1"));
        assert_eq!(deliveries.next().await, message("a", b"2"));
        assert_eq!(deliveries.next().await, None);
    }
}
