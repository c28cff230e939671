//! How a backbone is doing: connected or not, and what was dropped or missed.

use std::sync::atomic::{AtomicU64, Ordering};

/// A reading of a backbone's state. The counters start at zero when it is opened and only grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Status {
    /// Whether all of the store can be reached. A node goes on without it, degraded.
    pub connected: bool,
    /// Messages handed to the store.
    pub published: u64,
    /// Volatile messages that were dropped because the store was away or the queue full.
    pub volatile_dropped: u64,
    /// Messages refused with [`BusError::QueueFull`](crate::BusError::QueueFull).
    pub publishes_refused: u64,
    /// Messages that the store would not take; the log says why.
    pub publishes_failed: u64,
    /// Messages that arrived and found their owner's queue full.
    pub deliveries_dropped: u64,
    /// Messages of channels that nobody here wants any more, while they are being let go of.
    pub deliveries_unwanted: u64,
    /// Reports of missed messages that the owner took.
    pub resyncs: u64,
    /// Times that a connection to the store was made anew after the first.
    pub reconnects: u64,
}

/// The counters behind a [`Status`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) published: AtomicU64,
    pub(crate) volatile_dropped: AtomicU64,
    pub(crate) publishes_refused: AtomicU64,
    pub(crate) publishes_failed: AtomicU64,
    pub(crate) deliveries_dropped: AtomicU64,
    pub(crate) deliveries_unwanted: AtomicU64,
    pub(crate) resyncs: AtomicU64,
    pub(crate) reconnects: AtomicU64,
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64, count: u64) {
        counter.fetch_add(count, Ordering::Relaxed);
    }

    /// The counters; whether the store can be reached is for the store to say.
    pub(crate) fn read(&self) -> Status {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Status {
            connected: false,
            published: count(&self.published),
            volatile_dropped: count(&self.volatile_dropped),
            publishes_refused: count(&self.publishes_refused),
            publishes_failed: count(&self.publishes_failed),
            deliveries_dropped: count(&self.deliveries_dropped),
            deliveries_unwanted: count(&self.deliveries_unwanted),
            resyncs: count(&self.resyncs),
            reconnects: count(&self.reconnects),
        }
    }
}
