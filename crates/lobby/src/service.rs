//! The service: does for a lobby what is due, when it is due. The only part with a clock; it decides nothing.

use std::future::Future;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::{Instant, sleep};

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

/// How often a lobby that is kept looks whether somebody waits in vain to be let in.
const LOOK: Duration = Duration::from_secs(1);

/// Advances the lobby whenever something is due, and [tells](tell) what is written, until its last handle is dropped. To be
/// spawned once for each lobby, on a runtime with time.
pub fn run(lobby: &Lobby) -> impl Future<Output = ()> + Send + 'static {
    let (advance, tell) = (advance(lobby), tell(lobby));
    async move {
        tokio::join!(advance, tell);
    }
}

/// Tells what a lobby that is kept has done, as soon as it is written, until the lobby's last handle is dropped. Of a lobby
/// that nobody keeps there is nothing to tell. A part of [`run`], for those who call [`Lobby::advance`] themselves.
pub fn tell(lobby: &Lobby) -> impl Future<Output = ()> + Send + 'static {
    let (filed, weak) = (lobby.filed(), lobby.downgrade());
    async move {
        let Some(filed) = filed else { return };
        while let Some(lobby) = weak.upgrade() {
            let receipt = lobby.next_receipt();
            drop(lobby);
            let Some(receipt) = receipt else {
                filed.notified().await;
                continue;
            };
            let outcome = receipt.await;
            if let Some(lobby) = weak.upgrade() {
                lobby.written(&outcome);
            }
        }
    }
}

fn advance(lobby: &Lobby) -> impl Future<Output = ()> + Send + 'static {
    let (bell, weak) = (lobby.bell(), lobby.downgrade());
    let most = if lobby.filed().is_some() { LOOK } else { Duration::MAX };
    async move {
        while let Some(lobby) = weak.upgrade() {
            for _ in 0..TURN {
                if !lobby.advance_once(now()).await {
                    break;
                }
            }
            let due = lobby.due();
            drop(lobby);
            let sleeps = due.map_or(most, |due| due.since(now()).min(most));
            match sleeps {
                Duration::ZERO => tokio::task::yield_now().await,
                Duration::MAX => bell.notified().await,
                sleeps => tokio::select! {
                    () = sleep(sleeps) => {}
                    () = bell.notified() => {}
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Notify;

    use super::*;
    use crate::config::{LobbyConfig, QueueConfig};
    use crate::event::Event;
    use crate::lobby::Newcomer;
    use crate::names::{QueueName, Tag};
    use crate::wish::{Tags, Wish};

    fn lobby(paired: &Arc<Notify>) -> Lobby {
        let paired = Arc::clone(paired);
        let queues = [(QueueName::from("default"), QueueConfig::default())].into();
        Lobby::new(LobbyConfig { queues, ..LobbyConfig::default() }, move |event| {
            if let Event::Paired(_) = event {
                paired.notify_one();
            }
        })
    }

    fn tagged(user: &str) -> Newcomer {
        let tags = Tags::new([Tag::from(user)]).unwrap();
        Newcomer::new(user, Wish { tags, ..Wish::new("default") })
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_due_is_done_when_it_is_due() {
        let paired = Arc::new(Notify::new());
        let lobby = lobby(&paired);
        let service = tokio::spawn(run(&lobby));
        // The service sleeps without a deadline; the joins ring for it.
        tokio::task::yield_now().await;
        let began = Instant::now();
        for user in ["ann", "bob"] {
            lobby.join(tagged(user), now()).await.unwrap();
        }
        paired.notified().await;
        let waited = began.elapsed();
        assert!(waited >= Duration::from_secs(5) && waited < Duration::from_secs(6), "{waited:?}");
        drop(lobby);
        service.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn the_service_ends_with_its_lobby() {
        let lobby = lobby(&Arc::default());
        let service = tokio::spawn(run(&lobby));
        tokio::task::yield_now().await;
        lobby.join(tagged("ann"), now()).await.unwrap();
        tokio::task::yield_now().await;
        drop(lobby);
        service.await.unwrap();
    }
}
