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

/// Something from the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// A message.
    Message {
        /// Where it was published.
        channel: Channel,
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
    Channels(Vec<Channel>),
    /// On any.
    All,
}

/// The receiving end of a backbone's bus. There is one.
#[derive(Debug)]
pub struct Deliveries {
    inbox: Arc<Inbox>,
}

impl Deliveries {
    pub(crate) fn new(inbox: Arc<Inbox>) -> Self {
        Self { inbox }
    }

    /// The next delivery, when there is one. May be dropped and called again without losing any. `None` when the backbone
    /// is closed and all was taken.
    pub async fn next(&mut self) -> Option<Delivery> {
        loop {
            let notified = self.inbox.arrived.notified();
            match self.inbox.take() {
                Taken::Delivery(delivery) => return Some(delivery),
                Taken::Closed => return None,
                Taken::Nothing => notified.await,
            }
        }
    }
}

/// The queue between a store and the [`Deliveries`].
#[derive(Debug)]
pub(crate) struct Inbox {
    state: Mutex<State>,
    arrived: Notify,
    max: usize,
    counters: Arc<Counters>,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Delivery>,
    missed: HashSet<Channel>,
    missed_all: bool,
    closed: bool,
}

enum Taken {
    Delivery(Delivery),
    Nothing,
    Closed,
}

impl Inbox {
    pub(crate) fn new(max: usize, counters: Arc<Counters>) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), arrived: Notify::new(), max, counters })
    }

    /// Queues a message, or counts it and reports its channel as missed when the queue is full.
    pub(crate) fn message(&self, channel: Channel, bytes: Bytes, position: Option<Position>) {
        let mut state = self.lock();
        if state.queue.len() < self.max {
            state.queue.push_back(Delivery::Message { channel, bytes, position });
        } else {
            Counters::add(&self.counters.deliveries_dropped, 1);
            state.miss([channel]);
        }
        drop(state);
        self.arrived.notify_one();
    }

    /// Reports that these channels may have missed something.
    pub(crate) fn missed(&self, channels: impl IntoIterator<Item = Channel>) {
        self.lock().miss(channels);
        self.arrived.notify_one();
    }

    /// Lets the receiver end when it has taken what is there.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_one();
    }

    fn take(&self) -> Taken {
        let mut state = self.lock();
        if state.missed_all || !state.missed.is_empty() {
            let missed = state.take_missed();
            Counters::add(&self.counters.resyncs, 1);
            return Taken::Delivery(Delivery::Resynced(missed));
        }
        match state.queue.pop_front() {
            Some(delivery) => Taken::Delivery(delivery),
            None if state.closed => Taken::Closed,
            None => Taken::Nothing,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn miss(&mut self, channels: impl IntoIterator<Item = Channel>) {
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
        let mut channels: Vec<Channel> = channels.into_iter().collect();
        channels.sort_unstable();
        Missed::Channels(channels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inbox(max: usize) -> (Arc<Inbox>, Deliveries) {
        let inbox = Inbox::new(max, Arc::default());
        (inbox.clone(), Deliveries::new(inbox))
    }

    fn room(name: &str) -> Channel {
        Channel::room("t", "/", name)
    }

    #[tokio::test]
    async fn what_does_not_fit_is_reported_and_counted() {
        let (inbox, mut deliveries) = inbox(1);
        for name in ["a", "b", "c", "b"] {
            inbox.message(room(name), Bytes::new(), None);
        }
        let missed = Missed::Channels(vec![room("b"), room("c")]);
        assert_eq!(deliveries.next().await, Some(Delivery::Resynced(missed)));
        let first = Delivery::Message { channel: room("a"), bytes: Bytes::new(), position: None };
        assert_eq!(deliveries.next().await, Some(first));
        assert_eq!(inbox.counters.read().deliveries_dropped, 3);
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
        let (inbox, mut deliveries) = inbox(8);
        inbox.message(room("a"), Bytes::new(), None);
        inbox.close();
        assert!(deliveries.next().await.is_some());
        assert_eq!(deliveries.next().await, None);
    }
}
