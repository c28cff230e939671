//! The way of events to a webhook: gathered into batches, each sent until it is taken, refused for good, or given up.
//!
//! One task owns the queue's end and the batch in hand. A batch is sent at least once and perhaps twice, always under the
//! same name; what it was waits for nobody: the queue behind it is bounded and drops what comes last.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout, timeout_at};

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
    /// Taken out of the queue and not yet settled. It lies here so that an attempt can be broken off.
    batch: Vec<Box<str>>,
    /// The batch as it is sent, once it is complete.
    sealed: Option<Sealed>,
}

#[derive(Debug)]
struct Sealed {
    name: String,
    body: Bytes,
    attempts: u32,
}

impl Delivery {
    pub(super) fn new(
        queue: mpsc::Receiver<Box<str>>,
        webhook: Webhook,
        batches: Batches,
        counts: Arc<Counts>,
    ) -> Self {
        let patience = Patience::default();
        Self { queue, webhook, batches, patience, counts, batch: Vec::new(), sealed: None }
    }

    /// Sends until the shutdown completes; then sends the rest, for five seconds at most. Gives how many events were lost
    /// by that.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) -> usize {
        tokio::select! {
            () = shutdown => {}
            () = self.work() => {}
        }
        self.queue.close();
        if timeout(self.patience.flush, self.flush()).await.is_ok() {
            return 0;
        }
        let lost = self.batch.len() + self.queue.len();
        self.counts.add(Outcome::Shutdown, lost);
        lost
    }

    /// Sends batches until nobody can record any more. May be broken off at any time: nothing is lost by that.
    async fn work(&mut self) {
        while self.gather().await {
            self.settle().await;
        }
    }

    /// Sends what there is.
    async fn flush(&mut self) {
        self.batches.interval = Duration::ZERO;
        self.work().await;
    }

    /// Fills the batch: until it is full, or its first event has waited long enough. Whether there is anything in it.
    async fn gather(&mut self) -> bool {
        let count_max = self.batches.count_max.get();
        if self.sealed.is_some() {
            return true;
        }
        if self.batch.is_empty() && self.queue.recv_many(&mut self.batch, count_max).await == 0 {
            return false;
        }
        let until = Instant::now() + self.batches.interval;
        while self.batch.len() < count_max {
            let more = self.queue.recv_many(&mut self.batch, count_max - self.batch.len());
            if !matches!(timeout_at(until, more).await, Ok(count) if count > 0) {
                break;
            }
        }
        true
    }

    /// Sends the batch until it is settled, one way or the other.
    async fn settle(&mut self) {
        let outcome = loop {
            let sealed = self.sealed.get_or_insert_with(|| Sealed::of(&self.batch));
            let error = match self.webhook.send(&sealed.name, sealed.body.clone()).await {
                Ok(()) => break Outcome::Delivered,
                Err(error) => error,
            };
            sealed.attempts += 1;
            let attempts = sealed.attempts;
            self.counts.attempt_failed();
            let (host, events) = (self.webhook.host(), self.batch.len());
            if !error.is_passing() {
                tracing::warn!(%error, host, events, "analytics webhook refuses events");
                break Outcome::Rejected;
            }
            if attempts >= self.patience.attempts_max {
                tracing::warn!(%error, host, events, attempts, "analytics events given up");
                break Outcome::GaveUp;
            }
            tracing::debug!(%error, host, attempts, "analytics webhook not reached");
            sleep(pause(&self.patience, attempts, roll())).await;
        };
        self.counts.add(outcome, self.batch.len());
        self.batch.clear();
        self.sealed = None;
    }
}

impl Sealed {
    fn of(events: &[Box<str>]) -> Self {
        let mut name = [0; 16];
        // Without randomness batches have the same name, which is no reason to lose them.
        let _ = getrandom::fill(&mut name);
        let name = hex(&name);
        let body = format!("{{\"delivery\":\"{name}\",\"events\":[{}]}}", events.join(","));
        Self { name, body: body.into(), attempts: 0 }
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
