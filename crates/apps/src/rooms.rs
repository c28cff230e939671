//! What debate and roulette have in common: people who are here, who wait in a [lobby](throng_lobby), and who are paired
//! into rooms that end well.
//!
//! A [`hall`] owns all of it for one tenant; everything else in here is a part of a hall. What the two apps do
//! differently is one closed type, [`setting::Theme`]. The apps themselves only decode requests.

pub(crate) mod absences;
pub(crate) mod acquaintances;
pub(crate) mod backlog;
pub(crate) mod board;
pub(crate) mod clock;
pub(crate) mod contact;
pub(crate) mod door;
pub(crate) mod ending;
pub(crate) mod events;
pub(crate) mod figures;
pub(crate) mod guest;
pub(crate) mod hall;
pub(crate) mod halls;
pub(crate) mod history;
pub(crate) mod keeper;
pub(crate) mod letter;
pub(crate) mod pace;
pub(crate) mod people;
pub(crate) mod records;
pub(crate) mod refusal;
pub(crate) mod requests;
pub(crate) mod roll;
pub(crate) mod room;
pub(crate) mod roster;
pub(crate) mod schedule;
pub(crate) mod setting;
pub(crate) mod tenure;
pub(crate) mod text;
pub(crate) mod wish;
pub(crate) mod written;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use throng_lobby::{LobbyConfig, Policy, QueueConfig, QueueName};

use crate::analytics::Analytics;
use crate::experiments::Experiments;
use room::Times;
use wish::DEFAULT_QUEUE;

/// How rooms and queues of an app go.
#[derive(Debug, Clone)]
pub struct Config {
    /// The queues by their names. One named `default` is added where it is missing; it is that of whoever names none.
    pub queues: BTreeMap<String, Queue>,
    /// How long someone who vanished is waited for, in a room and in a queue. Default 30 s.
    pub grace: Duration,
    /// How long before its end a room is warned; zero for never. Default 1 minute.
    pub warning: Duration,
    /// How long after a pairing whoever is still connected counts as being there. Default 5 s.
    pub confirm_timeout: Duration,
    /// In a fleet: how long after its last sign of life another node takes over from the one that keeps rooms and queues.
    /// Default 6 s.
    pub takeover: Duration,
    /// Flags that are on for some. Default none.
    pub experiments: Experiments,
    /// Who is told of what happens. Default nobody.
    pub analytics: Analytics,
}

/// How a queue goes.
#[derive(Debug, Clone)]
pub struct Queue {
    /// How long its rooms last. Default 10 minutes.
    pub duration: Duration,
    /// People of one tenant who may wait in it at the same time. Default 10,000.
    pub waiting_max: usize,
    /// How it pairs.
    pub policy: Arc<Policy>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            queues: BTreeMap::new(),
            grace: Duration::from_secs(30),
            warning: Duration::from_secs(60),
            confirm_timeout: Duration::from_secs(5),
            takeover: Duration::from_secs(6),
            experiments: Experiments::default(),
            analytics: Analytics::default(),
        }
    }
}

impl Default for Queue {
    fn default() -> Self {
        Self { duration: Duration::from_secs(600), waiting_max: 10_000, policy: Arc::default() }
    }
}

impl Config {
    /// The same with a queue `default`.
    pub(crate) fn complete(mut self) -> Self {
        self.queues.entry(DEFAULT_QUEUE.to_owned()).or_default();
        self
    }

    /// What the lobby is told. It waits longer for confirmations than the rooms do, which always bring them in time or end: its
    /// own deadline is for what a crash left.
    fn lobby(&self) -> LobbyConfig {
        let queue = |(name, queue): (&String, &Queue)| {
            let config = QueueConfig { policy: queue.policy.clone(), waiting_max: queue.waiting_max };
            (QueueName::from(name.as_str()), config)
        };
        LobbyConfig {
            queues: self.queues.iter().map(queue).collect::<HashMap<_, _>>(),
            lease: self.grace,
            confirm_timeout: self.confirm_timeout * 3 + Duration::from_secs(1),
        }
    }

    /// How long things take in a queue's rooms.
    fn times(&self, queue: &QueueName) -> Times {
        let duration =
            self.queues.get(queue.as_str()).map_or(Queue::default().duration, |queue| queue.duration);
        // A member's node confirms for them in the end, and may take as long again to be heard.
        let Self { grace, warning, confirm_timeout, .. } = *self;
        Times { duration, warning, grace, confirm_timeout: confirm_timeout * 2 }
    }
}
