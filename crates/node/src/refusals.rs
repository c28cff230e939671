//! What the node itself refuses events with, whatever the app: each code once, with its meaning and its answer. What an app
//! refuses is the app's business.

use std::fmt::Display;
use std::time::Duration;

use serde_json::{Value, json};

/// The code of arguments that the listener cannot take.
pub(crate) const INVALID_ARGUMENTS: &str = "invalid_arguments";
/// The code of what came too fast.
pub(crate) const RATE_LIMITED: &str = "rate_limited";

/// All of them, with their meanings.
pub(crate) const ALL: [(&str, &str); 2] = [
    (
        INVALID_ARGUMENTS,
        "a field is missing, unknown or of another type; the message names it or says what was expected",
    ),
    (RATE_LIMITED, "too many events; again after `retryAfterMs`"),
];

/// The answer to arguments that the listener cannot take.
pub(crate) fn invalid_arguments(error: &impl Display) -> Value {
    json!({"ok": false, "error": {"code": INVALID_ARGUMENTS, "message": error.to_string()}})
}

/// The answer to an event that came too early.
pub(crate) fn rate_limited(wait: Duration) -> Value {
    let message = "Too many events; come again later.";
    json!({"ok": false, "error": {"code": RATE_LIMITED, "message": message, "retryAfterMs": millis(wait)}})
}

/// Rounded up: who waits that long has waited long enough.
pub(crate) fn millis(wait: Duration) -> u64 {
    u64::try_from(wait.as_micros().div_ceil(1000)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_rounds_the_wait_up() {
        assert_eq!(rate_limited(Duration::from_micros(1_001))["error"]["retryAfterMs"], 2);
    }
}
