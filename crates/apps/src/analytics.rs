//! What happens in the apps, told to whoever counts it: a log, or a webhook of the operator's. Telling never waits and
//! never fails; what the sink does not take in time is dropped and counted. Users are pseudonyms, and nothing that they
//! write is told.

mod counts;
mod delivery;
mod event;
mod pseudonym;
#[cfg(test)]
mod tests;
mod webhook;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use secrecy::SecretString;
use serde::Serialize;
use throng_node::Family;
use tokio::sync::mpsc;

use counts::{Counts, Outcome};
use pseudonym::Pseudonyms;

pub use delivery::Delivery;
pub use event::{About, Event};
pub use webhook::{Webhook, WebhookError};

/// Where events go. A cheap handle: clones share a sink. The default one goes nowhere.
#[derive(Debug, Clone, Default)]
pub struct Analytics(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    to: To,
    pseudonyms: Pseudonyms,
    counts: Arc<Counts>,
}

#[derive(Debug)]
enum To {
    Log,
    /// A bounded queue, emptied by a [`Delivery`].
    Webhook(mpsc::Sender<Box<str>>),
}

/// How events are told.
#[derive(Debug)]
pub struct Config {
    /// To whom.
    pub sink: Sink,
    /// What pseudonyms are made with: whoever has it can find the users again, whoever has not cannot.
    pub pseudonym_key: SecretString,
    /// Events of one delivery. Default 100.
    pub batch_max: NonZeroUsize,
    /// How long the first event of a delivery waits for others. Default 5 s.
    pub interval: Duration,
    /// Events that may wait for the webhook; what comes then is dropped. Default 10,000, which take up to 5 MB.
    pub queue_max: NonZeroUsize,
}

/// To whom events are told.
#[derive(Debug)]
pub enum Sink {
    /// Nobody.
    None,
    /// The log: a line for each event at `info`, under the target `analytics`.
    Log,
    /// A webhook: signed batches over HTTP.
    Webhook(Box<Webhook>),
}

impl Config {
    /// The defaults for a sink.
    pub fn new(sink: Sink, pseudonym_key: SecretString) -> Self {
        Self {
            sink,
            pseudonym_key,
            batch_max: NonZeroUsize::new(100).unwrap_or(NonZeroUsize::MIN),
            interval: Duration::from_secs(5),
            queue_max: NonZeroUsize::new(10_000).unwrap_or(NonZeroUsize::MIN),
        }
    }
}

/// An event as it is told.
#[derive(Serialize)]
struct Told<'a> {
    /// In milliseconds since the epoch.
    at: u64,
    app: &'a str,
    tenant: &'a str,
    queue: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    room: Option<&'a str>,
    users: Vec<String>,
    #[serde(flatten)]
    event: Event,
}

impl Analytics {
    /// A handle, and what has to run for events to leave when they go to a webhook.
    pub fn new(config: Config) -> (Self, Option<Delivery>) {
        let counts = Arc::new(Counts::default());
        let (to, delivery) = match config.sink {
            Sink::None => return (Self(None), None),
            Sink::Log => (To::Log, None),
            Sink::Webhook(webhook) => {
                let (sender, queue) = mpsc::channel(config.queue_max.get());
                let batches = delivery::Batches { count_max: config.batch_max, interval: config.interval };
                (To::Webhook(sender), Some(Delivery::new(queue, *webhook, batches, counts.clone())))
            }
        };
        let pseudonyms = Pseudonyms::new(&config.pseudonym_key);
        (Self(Some(Arc::new(Inner { to, pseudonyms, counts }))), delivery)
    }

    /// A handle whose events a test hears.
    #[cfg(test)]
    pub(crate) fn heard() -> (Self, mpsc::Receiver<Box<str>>) {
        let (sender, heard) = mpsc::channel(100);
        let pseudonyms = Pseudonyms::new(&"key".to_owned().into());
        (Self(Some(Arc::new(Inner { to: To::Webhook(sender), pseudonyms, counts: Arc::default() }))), heard)
    }

    /// Tells of an event. Never waits; may be called from any thread, also under a lock.
    pub fn record(&self, about: About<'_>, event: Event) {
        let Some(inner) = &self.0 else { return };
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let told = Told {
            at: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
            app: about.app,
            tenant: about.tenant,
            queue: about.queue,
            room: about.room,
            users: about.users.iter().map(|user| inner.pseudonyms.of(about.tenant, user)).collect(),
            event,
        };
        let told = match serde_json::to_string(&told) {
            Ok(told) => told,
            Err(error) => return tracing::error!(%error, "analytics event not written"),
        };
        match &inner.to {
            To::Log => {
                tracing::info!(target: "analytics", event = told, "analytics");
                inner.counts.add(Outcome::Delivered, 1);
            }
            To::Webhook(queue) => {
                if queue.try_send(told.into()).is_err() {
                    inner.counts.add(Outcome::QueueFull, 1);
                }
            }
        }
    }

    /// What became of the events, for `/metrics`. Nothing when they go nowhere.
    pub fn metrics(&self) -> Vec<Family> {
        let Some(inner) = &self.0 else { return Vec::new() };
        let waiting = match &inner.to {
            To::Log => 0,
            To::Webhook(queue) => queue.max_capacity() - queue.capacity(),
        };
        inner.counts.families(waiting)
    }
}
