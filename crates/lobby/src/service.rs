//! The service: does for a lobby what is due, when it is due. The only part with a clock; it decides nothing.

use std::future::Future;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::{Instant, sleep_until};

use crate::lobby::Lobby;
use crate::time::Time;

/// After so many things that were due others may run.
const TURN: usize = 16;

/// When the process first asked for the time, by both clocks.
static START: LazyLock<(Instant, Duration)> = LazyLock::new(|| {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (Instant::now(), since_epoch)
});

/// The time since the UNIX epoch, by a clock that is set once and never put back while the process lives.
pub fn now() -> Time {
    let (instant, since_epoch) = *START;
    Time(since_epoch + Instant::now().saturating_duration_since(instant))
}

/// Advances the lobby whenever something is due, until its last handle is dropped. To be spawned once for each lobby, on
/// a runtime with time.
pub fn run(lobby: &Lobby) -> impl Future<Output = ()> + Send + 'static {
    let (bell, weak) = (lobby.bell(), lobby.downgrade());
    async move {
        while let Some(lobby) = weak.upgrade() {
            for _ in 0..TURN {
                if !lobby.advance_once(now()).await {
                    break;
                }
            }
            let due = lobby.due();
            drop(lobby);
            match due {
                None => bell.notified().await,
                Some(due) if due <= now() => tokio::task::yield_now().await,
                Some(due) => tokio::select! {
                    () = sleep_until(Instant::now() + due.since(now())) => {}
                    () = bell.notified() => {}
                },
            }
        }
    }
}
