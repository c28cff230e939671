//! The numbers that only an app knows: its rooms, who waits, and how long. The node asks for them when someone looks, at
//! `/api/stats` or `/metrics`, and adds up those of several apps; it keeps none.

mod distribution;

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::tenants::TenantName;

pub use distribution::Distribution;

/// What an app says of itself. Labels are from finite sets: queues as the configuration names them, reasons as the app
/// defines them, never a user, a topic or a room.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AppStatistics {
    /// Rooms, calls or matches that are on.
    pub rooms_active: u64,
    /// Users who wait to be paired, by queue. Every queue stands here, also one in which nobody waits.
    pub waiting: BTreeMap<String, u64>,
    /// How long those who were paired last have waited.
    pub waits_recent: Waits,
    /// Rooms begun in the last hour.
    pub rooms_per_hour: u64,
    /// Rooms that have ended since the app began, by reason. Every reason stands here, also one that never came.
    pub rooms_ended: BTreeMap<&'static str, u64>,
    /// Pairings since the app began, also those of which no room came.
    pub pairings: u64,
    /// Messages said in rooms since the app began.
    pub messages: u64,
    /// How long all those who were paired have waited, since the app began.
    pub waits: Distribution,
}

impl AppStatistics {
    /// Users who wait to be paired, in all queues.
    pub fn users_waiting(&self) -> u64 {
        self.waiting.values().sum()
    }
}

/// The sum: of the halls of an app, or of several apps.
impl AddAssign for AppStatistics {
    fn add_assign(&mut self, other: Self) {
        self.rooms_active += other.rooms_active;
        add_each(&mut self.waiting, other.waiting);
        self.waits_recent.sum += other.waits_recent.sum;
        self.waits_recent.count += other.waits_recent.count;
        self.rooms_per_hour += other.rooms_per_hour;
        add_each(&mut self.rooms_ended, other.rooms_ended);
        self.pairings += other.pairings;
        self.messages += other.messages;
        self.waits += &other.waits;
    }
}

fn add_each<K: Ord>(sums: &mut BTreeMap<K, u64>, counts: BTreeMap<K, u64>) {
    for (key, count) in counts {
        *sums.entry(key).or_default() += count;
    }
}

/// Some waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waits {
    /// All of them together.
    pub sum: Duration,
    /// How many they are.
    pub count: u32,
}

impl Waits {
    /// Their average; zero when there are none.
    pub fn average(self) -> Duration {
        self.sum / self.count.max(1)
    }
}

impl FromIterator<Duration> for Waits {
    fn from_iter<I: IntoIterator<Item = Duration>>(waits: I) -> Self {
        waits.into_iter().fold(Self::default(), |Self { sum, count }, wait| Self {
            sum: sum + wait,
            count: count.saturating_add(1),
        })
    }
}

/// How to ask an app.
#[derive(Clone)]
pub(crate) struct Statistics {
    /// How the app is called, in answers and as a label.
    pub(crate) app: &'static str,
    pub(crate) ask: Arc<Ask>,
    /// Those of the whole fleet, where the app says them.
    pub(crate) of_fleet: Option<Arc<Ask>>,
}

/// The numbers of one tenant, or of all.
type Ask = dyn Fn(Option<&TenantName>) -> AppStatistics + Send + Sync;

impl Statistics {
    /// Asks for what this node counts; an app that panics has no numbers.
    pub(crate) fn read(&self, tenant: Option<&TenantName>) -> Option<AppStatistics> {
        self.of(&*self.ask, tenant)
    }

    /// Asks for what is true of the whole fleet.
    pub(crate) fn read_of_fleet(&self, tenant: Option<&TenantName>) -> Option<AppStatistics> {
        self.of(self.of_fleet.as_deref().unwrap_or(&*self.ask), tenant)
    }

    fn of(&self, ask: &Ask, tenant: Option<&TenantName>) -> Option<AppStatistics> {
        let asked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| ask(tenant)));
        asked.inspect_err(|_| tracing::error!(app = self.app, "the app's statistics panicked")).ok()
    }
}

impl std::fmt::Debug for Statistics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Statistics").field("app", &self.app).finish_non_exhaustive()
    }
}
