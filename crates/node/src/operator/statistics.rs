//! The numbers that only an app knows: its rooms, who waits, and how long.

use std::sync::Arc;
use std::time::Duration;

use crate::tenants::TenantName;

/// What an app says of itself for `/api/stats`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct AppStatistics {
    /// Rooms, calls or matches that are on.
    pub rooms_active: u64,
    /// Users who wait to be paired.
    pub users_waiting: u64,
    /// How long those who were paired last have waited, on average.
    pub wait_average: Duration,
    /// Rooms begun in the last hour.
    pub rooms_per_hour: u64,
}

/// How to ask the app.
#[derive(Clone)]
pub(crate) struct Statistics(pub(crate) Arc<Read>);

/// The numbers of one tenant, or of all.
type Read = dyn Fn(Option<&TenantName>) -> AppStatistics + Send + Sync;

impl Statistics {
    /// Asks; an app that panics has no numbers.
    pub(crate) fn read(&self, tenant: Option<&TenantName>) -> Option<AppStatistics> {
        let asked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| (self.0)(tenant)));
        asked.inspect_err(|_| tracing::error!("the app's statistics panicked")).ok()
    }
}

impl std::fmt::Debug for Statistics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Statistics").finish_non_exhaustive()
    }
}
