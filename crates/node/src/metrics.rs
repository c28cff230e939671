//! The counters of a node: one set for each shard, written by that shard alone, added up when someone looks.
//!
//! Counting costs the writer a plain store. What reads them is in [`page`]; the few numbers that any thread may raise
//! use [`Counter::shared_add`].

mod apps;
pub(crate) mod family;
mod fleet;
pub(crate) mod histogram;
pub(crate) mod lag;
pub(crate) mod page;
mod process;
pub(crate) mod turns;

use std::sync::atomic::{AtomicU64, Ordering};

use throng_protocol::end::End;
use throng_protocol::engine::handshake::RequestError;

use crate::identity::token::TokenError;
use crate::limits::Class;
use histogram::Histogram;
use lag::Lag;
use turns::Turns;

/// A number that one thread writes and any may read; cheaper than a read-modify-write.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// Adds, on the thread that owns the counter.
    pub(crate) fn add(&self, count: u64) {
        self.0.store(self.0.load(Ordering::Relaxed) + count, Ordering::Relaxed);
    }

    /// Takes back, on the thread that owns the counter: for what is held now rather than counted.
    pub(crate) fn subtract(&self, count: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).saturating_sub(count), Ordering::Relaxed);
    }

    /// Adds, from any thread. A counter is used with this or with [`Counter::add`], not both.
    pub(crate) fn shared_add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// Sets a gauge.
    pub(crate) fn set(&self, value: usize) {
        self.0.store(value as u64, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a client took too long for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overdue {
    /// The head of a request, or what comes before it.
    Head,
    Body,
    /// The next request of a connection that is kept alive.
    Idle,
    Upgrade,
    /// Reading an answer.
    Answer,
}

impl Overdue {
    pub(crate) const ALL: [Self; 5] = [Self::Head, Self::Body, Self::Idle, Self::Upgrade, Self::Answer];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Body => "body",
            Self::Idle => "idle",
            Self::Upgrade => "upgrade",
            Self::Answer => "answer",
        }
    }
}

/// The counters of a shard.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) connections_accepted: Counter,
    pub(crate) connections_refused: Counter,
    overdue: [Counter; Overdue::ALL.len()],
    pub(crate) sessions_opened: Counter,
    pub(crate) sessions_ended: [Counter; End::ALL.len()],
    /// Sessions open now, by the position of their transport.
    pub(crate) sessions: [Counter; 2],
    pub(crate) upgrades: Counter,
    /// From the request to the open session.
    pub(crate) handshakes: Histogram<9>,
    /// Engine.IO requests refused, by [`RequestError::code`].
    pub(crate) requests_refused: [Counter; RequestError::ALL.len()],
    /// Tokens refused, by the position of the reason.
    tokens_refused: [Counter; TokenError::ALL.len()],
    pub(crate) sockets_connected: Counter,
    pub(crate) sockets_refused: Counter,
    pub(crate) sockets_disconnected: [Counter; End::ALL.len()],
    pub(crate) packets_received: Counter,
    pub(crate) packets_sent: Counter,
    pub(crate) bytes_received: Counter,
    pub(crate) bytes_sent: Counter,
    /// What WebSocket clients have not taken yet, as of the last turn.
    pub(crate) send_queue_bytes: Counter,
    pub(crate) volatile_dropped: Counter,
    pub(crate) arguments_refused: Counter,
    pub(crate) errands_dropped: Counter,
    pub(crate) rooms_refused: Counter,
    pub(crate) messages_published: Counter,
    pub(crate) events_limited: Counter,
    /// Requests refused because they came too fast, by class.
    pub(crate) requests_limited: [Counter; Class::ALL.len()],
    pub(crate) rooms: Counter,
    pub(crate) lag: Lag,
    pub(crate) turns: Turns,
}

impl Metrics {
    /// Counts what was given up because its client took too long.
    pub(crate) fn overdue(&self, what: Overdue) {
        self.overdue[what as usize].add(1);
    }

    /// Counts a refusal, if it is one of a token.
    pub(crate) fn refused(&self, code: &str) {
        if let Some(reason) = TokenError::of_code(code) {
            self.tokens_refused[reason as usize].add(1);
        }
    }
}
