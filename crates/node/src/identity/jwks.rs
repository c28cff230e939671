//! The issuer's published key set: kept until it is too old, fetched again when a token names a key that it lacks.
//! One fetch at a time, and one in 30 s at most, so that forged names cannot hammer the issuer; when a fetch fails the
//! keys stay. Any shard may ask: the fetch runs on the runtime of whoever asked first, the others wait for it.

pub(super) mod fetch;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use tokio::sync::watch;

use super::key::Key;
use fetch::{Document, Source};

/// Least time between two fetches.
const INTERVAL_MIN: Duration = Duration::from_secs(30);

/// A key set and where it comes from.
#[derive(Debug)]
pub(super) struct Jwks {
    source: Source,
    set: ArcSwap<Set>,
    fetches: Mutex<Fetches>,
}

#[derive(Debug, Default)]
struct Set {
    keys: Arc<[Key]>,
    /// When it was fetched, and for how long it may be used; `None` before the first.
    fetched: Option<(SystemTime, Duration)>,
}

#[derive(Debug, Default)]
struct Fetches {
    /// When the last one began.
    begun: Option<SystemTime>,
    /// Closed as soon as the fetch has ended, in whatever way.
    flight: Option<watch::Receiver<()>>,
    /// Whether the last one failed.
    failing: bool,
}

impl Fetches {
    fn flight(&self) -> Option<&watch::Receiver<()>> {
        self.flight.as_ref().filter(|flight| flight.has_changed().is_ok())
    }

    fn is_due(&self, now: SystemTime) -> bool {
        self.begun.is_none_or(|begun| is_over(begun, INTERVAL_MIN, now))
    }
}

impl Jwks {
    pub(super) fn new(source: Source) -> Self {
        Self { source, set: ArcSwap::default(), fetches: Mutex::default() }
    }

    /// The keys that are known; none before the first fetch.
    pub(super) fn keys(&self) -> Arc<[Key]> {
        self.set.load().keys.clone()
    }

    /// Whether the set is older than its publisher says that it may become.
    pub(super) fn is_stale(&self, now: SystemTime) -> bool {
        self.set.load().fetched.is_none_or(|(at, lifetime)| is_over(at, lifetime, now))
    }

    /// Whether waiting for a fetch makes sense: one is under way or may begin.
    pub(super) fn may_fetch(&self, now: SystemTime) -> bool {
        let fetches = self.fetches();
        fetches.flight().is_some() || fetches.is_due(now)
    }

    /// Fetches a set that is too old. Does not wait for a publisher who failed the last time.
    pub(super) async fn freshen(self: &Arc<Self>, now: SystemTime) {
        if !self.is_stale(now) {
            return;
        }
        let failing = self.fetches().failing;
        if let Some(flight) = self.begin(now)
            && !failing
        {
            ended(flight).await;
        }
    }

    /// Fetches the set unless that was tried a moment ago; ends when it is here, or has failed.
    pub(super) async fn fetch(self: &Arc<Self>, now: SystemTime) {
        if let Some(flight) = self.begin(now) {
            ended(flight).await;
        }
    }

    /// Joins the fetch that is under way, or begins one if it is time.
    fn begin(self: &Arc<Self>, now: SystemTime) -> Option<watch::Receiver<()>> {
        let mut fetches = self.fetches();
        if let Some(flight) = fetches.flight() {
            return Some(flight.clone());
        }
        if !fetches.is_due(now) {
            return None;
        }
        fetches.begun = Some(now);
        let (landing, flight) = watch::channel(());
        fetches.flight = Some(flight.clone());
        let jwks = self.clone();
        // A task of its own, so that a client who hangs up cannot cancel what others wait for.
        tokio::spawn(async move {
            let fetched = jwks.source.fetch().await;
            jwks.keep(fetched, now);
            drop(landing);
        });
        Some(flight)
    }

    fn keep(&self, fetched: Result<Document, fetch::FetchError>, now: SystemTime) {
        let failing = fetched.is_err();
        let failed = std::mem::replace(&mut self.fetches().failing, failing);
        let host = self.source.host();
        match fetched {
            Ok(Document { keys, lifetime }) => {
                if failed {
                    tracing::info!(host, "key set fetched again");
                }
                self.set.store(Arc::new(Set { keys: keys.into(), fetched: Some((now, lifetime)) }));
            }
            Err(error) if !failed => tracing::warn!(host, %error, "key set not fetched, keys kept"),
            Err(error) => tracing::debug!(host, %error, "key set still not fetched"),
        }
    }

    fn fetches(&self) -> std::sync::MutexGuard<'_, Fetches> {
        self.fetches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for the end of a fetch: its task holds the sender.
async fn ended(mut flight: watch::Receiver<()>) {
    while flight.changed().await.is_ok() {}
}

/// Whether a time span has passed. A clock that went back so far has been set: better once too often than never again.
fn is_over(from: SystemTime, span: Duration, now: SystemTime) -> bool {
    now.duration_since(from).unwrap_or_else(|back| back.duration()) >= span
}

#[cfg(test)]
mod tests;
