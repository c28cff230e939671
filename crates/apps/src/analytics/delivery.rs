//! The way of events to a webhook: gathered into batches, each sent until it is taken, refused for good, or given up.
//!
//! One task owns the queue's end and the batch in hand. A batch is sent again under the same name when it is not known to
//! have been taken, so that it may arrive twice and its receiver can tell. What waits meanwhile is bounded by the queue.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::counts::{Counts, Outcome};
use super::pseudonym::hex;
use super::webhook::Webhook;

/// How batches are made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Batches {
    /// Events of one batch.
    pub(super) count_max: NonZeroUsize,
    /// How long the first of them waits for others.
    pub(super) interval: Duration,
}

/// How often and when a batch is sent again, and how long the end may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Attempts for one batch. With the times below that is about three minutes.
    pub(super) attempts_max: u32,
    /// The longest pause after the first attempt; it doubles with each.
    pub(super) pause_first: Duration,
    /// The longest pause.
    pub(super) pause_max: Duration,
    /// How long a node that leaves still sends.
    pub(super) flush: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempts_max: 10,
            pause_first: Duration::from_millis(500),
            pause_max: Duration::from_secs(60),
            flush: Duration::from_secs(5),
        }
    }
}

/// Sends what is recorded, for as long as it runs.
#[derive(Debug)]
pub struct Delivery {
    queue: mpsc::Receiver<Box<str>>,
    webhook: Webhook,
    batches: Batches,
    pub(super) patience: Patience,
    counts: Arc<Counts>,
    /// Taken out of the queue and not yet settled.
    batch: Vec<Box<str>>,
}

/// The batch as it is sent.
#[derive(Debug)]
struct Sealed {
    name: String,
    body: Bytes,
}

/// Whether the node leaves.
type Leaving = watch::Receiver<bool>;

/// Waits until the node leaves.
async fn left(leaving: &mut Leaving) {
    // Whoever could still say so is gone only when the node is.
    let _ = leaving.wait_for(|leaving| *leaving).await;
}

impl Delivery {
    pub(super) fn new(
        queue: mpsc::Receiver<Box<str>>,
        webhook: Webhook,
        batches: Batches,
        counts: Arc<Counts>,
    ) -> Self {
        Self { queue, webhook, batches, patience: Patience::default(), counts, batch: Vec::new() }
    }

    /// Sends until the shutdown completes; then sends the rest, for five seconds at most. Gives how many events were lost
    /// by that.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) -> usize {
        let (leave, leaving) = watch::channel(false);
        let flush = self.patience.flush;
        let all_sent = {
            let mut work = std::pin::pin!(self.work(leaving));
            tokio::select! {
                () = &mut work => true,
                () = shutdown => {
                    leave.send_replace(true);
                    timeout(flush, work).await.is_ok()
                }
            }
        };
        if all_sent {
            return 0;
        }
        let lost = self.batch.len() + self.queue.len();
        self.counts.add(Outcome::Shutdown, lost);
        lost
    }

    /// Sends batches until nobody records any more, or the node leaves and all is sent.
    async fn work(&mut self, mut leaving: Leaving) {
        while self.gather(&mut leaving).await {
            self.settle(&mut leaving).await;
        }
    }

    /// Fills the batch: until it is full, its first event has waited long enough, or the node leaves. Whether there is
    /// anything in it.
    async fn gather(&mut self, leaving: &mut Leaving) -> bool {
        let count_max = self.batches.count_max.get();
        let mut until = None;
        while self.batch.len() < count_max {
            let room = count_max - self.batch.len();
            tokio::select! {
                biased;
                // Nothing more comes once the queue is closed and empty.
                count = self.queue.recv_many(&mut self.batch, room) => if count == 0 { break },
                () = left(leaving) => self.queue.close(),
                () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => break,
            }
            until = until.or_else(|| Some(Instant::now() + self.batches.interval));
        }
        !self.batch.is_empty()
    }

    /// Sends the batch until it is settled, one way or the other.
    async fn settle(&mut self, leaving: &mut Leaving) {
        let sealed = Sealed::of(&self.batch);
        let (host, events) = (self.webhook.host(), self.batch.len());
        let mut attempts = 0;
        let outcome = loop {
            let error = match self.webhook.send(&sealed.name, sealed.body.clone()).await {
                Ok(()) => break Outcome::Delivered,
                Err(error) => error,
            };
            attempts += 1;
            self.counts.attempt_failed();
            if !error.is_passing() {
                tracing::warn!(%error, host, events, "analytics webhook refuses events");
                break Outcome::Rejected;
            }
            if attempts >= self.patience.attempts_max {
                tracing::warn!(%error, host, events, attempts, "analytics events given up");
                break Outcome::GaveUp;
            }
            tracing::debug!(%error, host, attempts, "analytics webhook not reached");
            self.rest(attempts, leaving).await;
        };
        self.counts.add(outcome, events);
        self.batch.clear();
    }

    /// The pause after so many failed attempts. A node that begins to leave cuts it short.
    async fn rest(&self, attempts: u32, leaving: &mut Leaving) {
        let leaves_already = *leaving.borrow();
        tokio::select! {
            () = sleep(pause(&self.patience, attempts, roll())) => {}
            () = left(leaving), if !leaves_already => {}
        }
    }
}

impl Sealed {
    fn of(events: &[Box<str>]) -> Self {
        let mut name = [0; 16];
        // Without randomness batches have the same name, which is no reason to lose them.
        let _ = getrandom::fill(&mut name);
        let name = hex(&name);
        let body = format!("{{\"delivery\":\"{name}\",\"events\":[{}]}}", events.join(","));
        Self { name, body: body.into() }
    }
}

/// How long to wait after so many failed attempts: anything up to a bound that doubles, so that nodes which failed
/// together do not come back together. `roll` is from 0 to 1.
fn pause(patience: &Patience, attempts: u32, roll: f64) -> Duration {
    let doubled = patience.pause_first.saturating_mul(1 << attempts.saturating_sub(1).min(20));
    doubled.min(patience.pause_max).mul_f64(roll)
}

/// Anything from 0 to 1; 1 without randomness.
fn roll() -> f64 {
    getrandom::u32().map_or(1.0, |number| f64::from(number) / f64::from(u32::MAX))
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound_and_are_spread() {
        let pause = |attempts, roll| pause(&Patience::default(), attempts, roll).as_millis();
        assert_eq!(
            [1, 2, 3, 7, 8, 9, 4_000].map(|attempts| pause(attempts, 1.0)),
            [500, 1_000, 2_000, 32_000, 60_000, 60_000, 60_000]
        );
        assert_eq!([0.0, 0.5].map(|roll| pause(1, roll)), [0, 250]);
        assert!((0..1_000).all(|_| (0.0..=1.0).contains(&roll())));
    }
}
