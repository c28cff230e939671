//! Who waits and who was paired, in memory. Each method is one atomic step: whom a ticket should get is found in one, by the
//! pure decider, and claimed in another, which may find that the world has moved on and says so.

mod index;
mod journal;
mod keys;
mod lines;
mod outbox;
mod queue;
mod seats;
mod state;
mod timers;
mod waits;

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use throng_backbone::{Committed, Receipt, Register, TicketsError};
use tokio::sync::Notify;

use crate::config::LobbyConfig;
use crate::decide::Rank;
use crate::event::{Event, Place};
use crate::lobby::{JoinError, Newcomer, Restored};
use crate::names::{QueueName, User};
use crate::pairing::{Confirmed, PairingId};
use crate::statistics::Statistics;
use crate::ticket::{Handle, Ticket, TicketId};
use crate::time::Time;

use outbox::Wait;
use state::State;

/// The tickets and the pairings of a lobby.
pub(crate) struct Store {
    state: Mutex<State>,
    pace: Pace,
    on_event: OnEvent,
}

/// Who is told what happens.
pub(crate) type OnEvent = Box<dyn Fn(Event) + Send + Sync>;

/// Whether others run between the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Steps never wait.
    Prompt,
    /// Each step waits a turn before and after it.
    Yielding,
}

/// A ticket that is the user's now, but in no window yet.
#[derive(Debug)]
pub(crate) struct Entered {
    pub(crate) ticket: Handle,
    pub(crate) place: Place,
    /// How often tickets had been put into windows before.
    pub(crate) seen: u64,
}

/// What was decided about some candidates.
#[derive(Debug)]
pub(crate) struct Window {
    /// Who is the best partner of them.
    pub(crate) best: Option<Best>,
    /// After whom the next window begins, if there may be one.
    pub(crate) next: Option<Cursor>,
}

/// The best of some candidates.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Best {
    pub(crate) ticket: Handle,
    pub(crate) rank: Rank,
}

/// How far a look for a partner has come. The default is its beginning.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Progress {
    /// After whom it goes on.
    pub(crate) after: Cursor,
    /// The best of those who were looked at, whom the user has met lately: it is them if nobody else comes.
    pub(crate) recent: Option<Best>,
}

/// What may be decided about some candidates.
#[derive(Debug)]
pub(crate) enum Looked {
    /// The ticket is not there any longer.
    Gone,
    /// Nobody is paired at the moment. Everybody will look from the beginning when that is over.
    Closed,
    At(Window),
}

/// A place in the order of those who wait: since when, in nanoseconds, and which ticket. The default is before all of them.
pub(crate) type Cursor = (u64, TicketId);

/// Whose ticket was not there to be claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    Mine,
    Theirs,
}

/// Whether others were put into windows since the ticket entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Posted {
    Alone,
    WithOthers,
}

/// Something whose time has come.
#[derive(Debug)]
pub(crate) enum Due {
    /// The ticket is to look for a partner, from where it stopped.
    Look(Handle, Progress),
    /// The pairing is over because not both have confirmed it; the one who had waits again.
    Returned(Entered),
    /// There is nothing more to do.
    Done,
}

impl Store {
    /// An empty store that rings the bell when the next due time moves earlier.
    pub(crate) fn new(config: LobbyConfig, pace: Pace, bell: Arc<Notify>, on_event: OnEvent) -> Self {
        Self { state: Mutex::new(State::new(config, bell)), pace, on_event }
    }

    /// Has everything written that is done from now on, and rings the bell when there is something to tell afterwards.
    pub(crate) fn keep(&self, register: Register, bell: Arc<Notify>) {
        self.lock().keep(register, bell);
    }

    /// Goes on with what is written.
    pub(crate) fn restore(&self, records: Vec<(Box<str>, Bytes)>, now: Time) -> Restored {
        let mut state = self.lock();
        let restored = state.restore(records, now);
        state.file();
        restored
    }

    /// Ends when everything is written and told that was done by now; at once where nothing is written. Somebody who
    /// joins says their ticket and the time: they are let go when it takes too long.
    pub(crate) async fn told(&self, joins: Option<(Handle, Time)>) -> Result<(), JoinError> {
        let wait = self.lock().wait(joins);
        match wait {
            Wait::Over => Ok(()),
            Wait::Deposed => Err(JoinError::Deposed),
            Wait::Until(answer) => answer.await.unwrap_or(Err(JoinError::Deposed)),
        }
    }

    /// The receipt of the first change that is not told, for [`written`](Self::written).
    pub(crate) fn next_receipt(&self) -> Option<Receipt> {
        self.lock().next_receipt()
    }

    /// The change of the last receipt was written, or could not be: tells it, and answers who waits for it.
    pub(crate) fn written(&self, outcome: &Result<Committed, TicketsError>) {
        let (events, answers) = self.lock().written(outcome);
        events.into_iter().for_each(&self.on_event);
        for answer in answers {
            // Who does not wait for it does not want to know.
            let _ = answer.send(Ok(()));
        }
    }

    /// Makes a ticket the user's only one; the same wish keeps its place.
    pub(crate) async fn enter(&self, newcomer: Newcomer, now: Time) -> Result<Entered, JoinError> {
        self.step(|state| state.enter(newcomer, now)).await
    }

    /// Makes a ticket from elsewhere the user's, who is away. Gives it back when it cannot be.
    pub(crate) async fn adopt(&self, ticket: Ticket, now: Time) -> Option<Ticket> {
        self.step(|state| state.adopt(ticket, now)).await
    }

    /// Puts an entered ticket where others find it, unless it is gone or away.
    pub(crate) async fn post(&self, ticket: Handle, seen: u64, now: Time) -> Result<Posted, JoinError> {
        self.step(|state| state.post(ticket, seen, now)).await
    }

    /// Decides about the oldest tickets after the cursor that may fit.
    pub(crate) async fn window(&self, ticket: Handle, after: Cursor, now: Time) -> Looked {
        self.step(|state| state.window(ticket, after, now)).await
    }

    /// Pairs two tickets: both are taken, or neither.
    pub(crate) async fn claim(&self, mine: Handle, theirs: Handle, now: Time) -> Result<(), Lost> {
        self.step(|state| state.claim(mine, theirs, now)).await
    }

    /// Has a ticket that waits look on a little later, from where it stopped.
    pub(crate) async fn look_later(&self, ticket: Handle, from: Progress, now: Time) {
        self.step(|state| state.look_later(ticket, from, now)).await;
    }

    /// Takes out the ticket of somebody who waits. Says whether there was one.
    pub(crate) async fn leave(&self, user: &User) -> bool {
        self.step(|state| state.leave(user)).await
    }

    /// Takes a ticket out of all windows, for the lease. Says whether there is one.
    pub(crate) async fn away(&self, user: &User, now: Time) -> bool {
        self.step(|state| state.away(user, now)).await
    }

    /// Ends somebody's being away. Gives the ticket that is in windows again, nothing inside when it was not away, nothing
    /// at all when there is none.
    pub(crate) async fn back(&self, user: &User, now: Time) -> Option<Option<Handle>> {
        self.step(|state| state.back(user, now)).await
    }

    /// Notes that a user has confirmed.
    pub(crate) async fn confirm(&self, pairing: PairingId, user: &User) -> Confirmed {
        self.step(|state| state.confirm(pairing, user)).await
    }

    /// Ends a pairing that the user is in; gives the other, with a ticket again.
    pub(crate) async fn fail(&self, pairing: PairingId, user: &User, now: Time) -> Option<Entered> {
        self.step(|state| state.fail(pairing, user, now)).await
    }

    /// Takes everyone out who waits, oldest first.
    pub(crate) async fn extract(&self) -> Vec<Ticket> {
        self.step(State::extract).await
    }

    /// The first of what is due, already taken from the list.
    pub(crate) async fn next_due(&self, now: Time) -> Option<Due> {
        self.step(|state| state.next_due(now)).await
    }

    /// When something is due.
    pub(crate) fn due(&self) -> Option<Time> {
        self.lock().due()
    }

    /// Lets nobody in and shows nobody.
    pub(crate) fn pause(&self) {
        self.lock().pause();
    }

    /// Ends the pause: everyone is due to look.
    pub(crate) fn resume(&self, now: Time) {
        self.lock().resume(now);
    }

    /// The median of a queue's latest waits.
    pub(crate) fn estimated_wait(&self, queue: &QueueName) -> Option<Duration> {
        self.lock().estimated_wait(queue)
    }

    /// What there is to count.
    pub(crate) fn statistics(&self, now: Time) -> Statistics {
        self.lock().statistics(now)
    }

    async fn step<T>(&self, step: impl FnOnce(&mut State) -> T) -> T {
        self.turn().await;
        let (done, events) = {
            let mut state = self.lock();
            let done = step(&mut state);
            (done, state.file())
        };
        self.turn().await;
        events.into_iter().for_each(&self.on_event);
        done
    }

    /// Lets others run, if they are to.
    async fn turn(&self) {
        let mut waited = self.pace == Pace::Prompt;
        poll_fn(|context| {
            if waited {
                return Poll::Ready(());
            }
            waited = true;
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A step that panicked is a defect; what it left is the best there is.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
