//! Waiting for a condition that only asking again can tell.

use std::time::{Duration, Instant};

/// How long anything is waited for: far longer than it takes on a busy machine, far shorter than a run.
pub const WAIT: Duration = Duration::from_secs(20);

/// Asks until there is an answer.
///
/// # Panics
/// When there is none within [`WAIT`].
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + WAIT;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "{what}: not within {WAIT:?}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}
