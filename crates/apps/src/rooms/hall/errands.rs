//! What is done once the hall's lock is released: the lobby is told what it has to be told, and the clock that it has
//! something to do.

use std::sync::MutexGuard;

use throng_lobby::{Confirmed, User, service};

use super::{Hall, State};
use crate::rooms::people::{Dissolution, Errand, Presence, Standing};

impl Hall {
    /// Releases the lock; then the lobby is told what it has to be told, and the clock that it has something to do.
    pub(super) fn finish(&self, mut state: MutexGuard<'_, State>) {
        let errands = self.release(&mut state);
        drop(state);
        if let Some(hall) = self.me.upgrade().filter(|_| !errands.is_empty()) {
            tokio::spawn(async move { hall.run_errands(errands).await });
        }
    }

    /// What is to be done once the lock is released.
    pub(super) fn release(&self, state: &mut State) -> Vec<Errand> {
        if state.next_alarm() < state.alarm {
            self.bell.notify_one();
        }
        std::mem::take(&mut state.errands)
    }

    pub(super) async fn run_errands(&self, errands: Vec<Errand>) {
        for errand in errands {
            self.run_errand(errand).await;
        }
    }

    async fn run_errand(&self, errand: Errand) {
        match errand {
            Errand::Dissolve(pairing) => self.dissolve(&pairing).await,
            Errand::Settle(user) => self.settle(&user).await,
            // Whoever is not let in has been paired in the meantime, or the hall is closing.
            Errand::Rejoin(user) => drop(self.rejoin(&user).await),
        }
    }

    /// Tells the lobby what became of a pairing.
    pub(super) async fn dissolve(&self, pairing: &Dissolution) {
        match pairing {
            Dissolution::Confirmed(pairing, users) => {
                let mut confirmed = Confirmed::Unknown;
                for user in users {
                    confirmed = self.lobby.confirm(*pairing, user).await;
                }
                self.take_from_lobby(*pairing, confirmed);
            }
            Dissolution::DroppedOut { pairing, gone, left } => {
                if !self.lobby.drop_out(*pairing, gone, service::now()).await {
                    // Told before, or the lobby knows nothing of it: then it may not know that the other waits.
                    let mut state = self.state();
                    state.errands.push(Errand::Settle(left.clone()));
                    self.finish(state);
                }
            }
        }
    }

    /// Tells the lobby whether somebody waits and is connected, again until what was told is still so: whoever tells last
    /// tells the truth, also when one thread sees a wish or a connection end while another sees the next one begin.
    pub(super) async fn settle(&self, user: &User) {
        loop {
            let (told, now) = (self.standing(user), service::now());
            let known = match told {
                Standing::Waits => self.lobby.back(user, now).await,
                Standing::Away => self.lobby.away(user, now).await,
                Standing::Elsewhere => self.lobby.leave(user).await,
            };
            if self.standing(user) != told {
                continue;
            }
            match (told, known) {
                // Not there, and in no pairing either, or this does nothing.
                (Standing::Waits, false) => drop(self.rejoin(user).await),
                (Standing::Away, false) => self.let_go(user),
                _ => {}
            }
            return;
        }
    }

    /// Forgets that somebody waits, of whom the lobby knows nothing and who is not connected.
    fn let_go(&self, user: &User) {
        let mut state = self.state();
        let presence = state.people.get_mut(user).filter(|presence| presence.standing() == Standing::Away);
        if let Some(waiting) = presence.and_then(|presence| presence.waiting.take()) {
            self.count_leaving(&mut state, user, &waiting);
        }
        state.forget_if_gone(user);
        self.finish(state);
    }

    fn standing(&self, user: &User) -> Standing {
        self.state().people.get(user).map_or(Standing::Elsewhere, Presence::standing)
    }
}
