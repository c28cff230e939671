//! Times as events carry them.

use std::time::Duration;

use throng_lobby::Time;

/// In milliseconds since the epoch.
pub(crate) fn millis(time: Time) -> u64 {
    whole_millis(time.0)
}

/// A duration in milliseconds.
pub(crate) fn whole_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
