//! The lobby: the handle that apps hold, and how a ticket looks for a partner.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use thiserror::Error;
use throng_backbone::{Committed, Receipt, Register, TicketsError};
use tokio::sync::Notify;

use crate::accept::Familiarity;
use crate::config::LobbyConfig;
use crate::event::{Event, Place};
use crate::names::{QueueName, User};
use crate::pairing::{Confirmed, Pairing, PairingId};
use crate::policy::Policy;
use crate::statistics::Statistics;
use crate::store::{Due, Entered, Looked, Lost, OnEvent, Pace, Posted, Progress, Store};
use crate::ticket::{Handle, People, Ticket};
use crate::time::Time;
use crate::wish::Wish;

/// A look goes through so many windows of candidates; then the ticket looks again a little later from where it stopped.
const WINDOWS_MAX: usize = 8;

/// So many claims in a row may come too late; then the ticket looks again a little later, for others are at work here.
const CLAIMS_MAX: usize = 64;

/// Where people wait for each other: one for each tenant and app. Clones are handles of the same lobby.
///
/// Every method that works on the store is to be run to its end: one that is dropped halfway may leave a ticket that no
/// longer looks for a partner.
#[derive(Clone)]
pub struct Lobby {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    /// Rings when something is due earlier.
    bell: Arc<Notify>,
    /// Rings when there is something to tell as soon as it is written; nothing where nothing is written.
    filed: Option<Arc<Notify>>,
}

/// What a lobby goes on with.
#[derive(Debug)]
pub struct Written {
    /// The register that the scope was opened with.
    pub register: Register,
    /// All of its records.
    pub records: Vec<(Box<str>, Bytes)>,
    /// What time it is. From now on the leases of those who wait last anew.
    pub now: Time,
}

/// What a lobby went on with.
#[derive(Debug, Default)]
pub struct Restored {
    /// Who waits. They are away until they are [back](Lobby::back), for as long as the lease lasts.
    pub waiting: Vec<Arc<Ticket>>,
    /// Who was paired and had not both confirmed, or had and the record was not taken. Both may have been told or not. They
    /// are to confirm anew, or to drop out.
    pub pairings: Vec<Pairing>,
    /// Records that are none of the lobby's.
    pub others: Vec<(Box<str>, Bytes)>,
}

/// Somebody who wishes to be paired.
#[derive(Debug, Clone)]
pub struct Newcomer {
    /// Who.
    pub user: User,
    /// What for.
    pub wish: Arc<Wish>,
    /// Whom they never meet.
    pub blocked: People,
    /// Whom they have met lately.
    pub recent: People,
    /// The policy that counts for them instead of the queue's.
    pub policy: Option<Arc<Policy>>,
    /// Whether a full queue refuses them.
    pub bound: Bound,
}

/// Whether a full queue refuses a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// It does.
    Kept,
    /// It lets the user in: they have a place in the queue already, or gave it up for a partner who is gone.
    Waived,
}

impl Newcomer {
    /// Somebody who has blocked nobody and met nobody.
    pub fn new(user: impl Into<User>, wish: impl Into<Arc<Wish>>) -> Self {
        Self {
            user: user.into(),
            wish: wish.into(),
            blocked: People::default(),
            recent: People::default(),
            policy: None,
            bound: Bound::Kept,
        }
    }
}

/// Why somebody could not join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum JoinError {
    /// As many wait in the queue as may, and none of them is a partner. Whoever waits in another queue keeps their place
    /// there, unless the queue filled up while they looked. May be tried again soon.
    #[error("too many people are waiting")]
    QueueFull,
    /// There is no queue of this name.
    #[error("there is no such queue")]
    UnknownQueue,
    /// The lobby lets nobody in at the moment.
    #[error("the lobby is paused")]
    Paused,
    /// The user was paired and has to confirm or drop out first.
    #[error("already paired")]
    Paired(PairingId),
    /// The ticket could not be written down in time. Whatever else the user waited for is over. May be tried again soon.
    #[error("the store cannot be reached")]
    StoreAway,
    /// The wish, with those whom the user has blocked or met, is too large to be written down.
    #[error("the wish is too large")]
    TooLarge,
    /// The lobby is somebody else's by now.
    #[error("the lobby is kept elsewhere")]
    Deposed,
}

/// How a look for a partner ended.
enum Look {
    /// The ticket was paired, or is not there any longer.
    Over,
    /// There is nobody, or nobody yet: then with how far the look has come.
    Nobody(Option<Progress>),
}

/// Whom to claim.
enum Chosen {
    Somebody(Handle),
    /// There is nobody, or nobody yet: then with how far the look has come.
    Nobody(Option<Progress>),
    /// The ticket itself is not there any longer.
    Gone,
}

impl Lobby {
    /// An empty lobby. Whatever happens in it is told to `on_event`, on the thread that made it happen; it must not block.
    pub fn new(config: LobbyConfig, on_event: impl Fn(Event) + Send + Sync + 'static) -> Self {
        Self::paced(config, Pace::Prompt, on_event)
    }

    /// As [`new`](Self::new), but each of its steps lets others run before and after it, as a store on another machine
    /// does. For tests that interleave what is done at the same time.
    pub fn yielding(config: LobbyConfig, on_event: impl Fn(Event) + Send + Sync + 'static) -> Self {
        Self::paced(config, Pace::Yielding, on_event)
    }

    /// An empty lobby that writes down what it does: who waits, and who was paired and has not confirmed. Each call returns,
    /// and each event is told, after what it says is written; so the [service] has to [run](crate::service::run). Being away
    /// and having confirmed are not written.
    ///
    /// While the store is away, nobody is paired and nothing ends. Whoever joins waits for a while and is then refused.
    ///
    /// When somebody else has opened the scope, the lobby tells [`Event::Deposed`] and is empty; nobody can join, and every
    /// other call answers that there is no such thing.
    ///
    /// [service]: crate::service
    pub fn kept(
        config: LobbyConfig,
        register: Register,
        on_event: impl Fn(Event) + Send + Sync + 'static,
    ) -> Self {
        let filed = Arc::new(Notify::new());
        let lobby = Self::made(config, Pace::Prompt, Box::new(on_event), Some(Arc::clone(&filed)));
        lobby.inner.store.keep(register, filed);
        lobby
    }

    /// A lobby that goes on with what was written down, as [`kept`](Self::kept). Records that it cannot read, and those of
    /// queues that are not there any more, it removes.
    pub fn restore(
        config: LobbyConfig,
        written: Written,
        on_event: impl Fn(Event) + Send + Sync + 'static,
    ) -> (Self, Restored) {
        let Written { register, records, now } = written;
        let lobby = Self::kept(config, register, on_event);
        let restored = lobby.inner.store.restore(records, now);
        (lobby, restored)
    }

    fn paced(config: LobbyConfig, pace: Pace, on_event: impl Fn(Event) + Send + Sync + 'static) -> Self {
        Self::made(config, pace, Box::new(on_event), None)
    }

    fn made(config: LobbyConfig, pace: Pace, on_event: OnEvent, filed: Option<Arc<Notify>>) -> Self {
        let bell = Arc::new(Notify::new());
        let store = Store::new(config, pace, Arc::clone(&bell), on_event);
        Self { inner: Arc::new(Inner { store, bell, filed }) }
    }

    /// Lets somebody in, who is paired at once or waits. Gives the place that they have, or would have had.
    ///
    /// Whoever waits already and joins with the same wish keeps their place; with another wish they start anew. Once
    /// they are let in their former ticket is gone either way, and with it whom they had blocked or met when they made it. Joining also means
    /// being [back](Self::back).
    pub async fn join(&self, newcomer: Newcomer, now: Time) -> Result<Place, JoinError> {
        let entered = self.inner.store.enter(newcomer, now).await?;
        let (place, ticket) = (entered.place, entered.ticket);
        let settled = self.settle(entered, now).await;
        self.told(Some((ticket, now))).await?;
        settled.map(|()| place)
    }

    /// Takes somebody's ticket out. Says whether they waited. A pairing is not touched: see
    /// [`drop_out`](Self::drop_out).
    pub async fn leave(&self, user: &User) -> bool {
        self.inner.store.leave(user).await && self.told(None).await.is_ok()
    }

    /// Somebody's socket has vanished: nobody is paired with them until they are back, and after the lease their ticket
    /// is gone. Says whether they waited.
    pub async fn away(&self, user: &User, now: Time) -> bool {
        self.inner.store.away(user, now).await
    }

    /// Somebody is back. Says whether their ticket is still there (it may have been paired right now).
    pub async fn back(&self, user: &User, now: Time) -> bool {
        match self.inner.store.back(user, now).await {
            Some(Some(ticket)) => {
                self.look(ticket, Progress::default(), now).await;
                true
            }
            Some(None) => true,
            None => false,
        }
    }

    /// One of a pairing is there. When both are, the pairing is no longer the lobby's.
    pub async fn confirm(&self, pairing: PairingId, user: &User) -> Confirmed {
        self.inner.store.confirm(pairing, user).await
    }

    /// One of a pairing is gone or does not want to be in it. If not both had confirmed, the pairing is over and the other
    /// waits again, with what they had waited credited. Says whether there was such a pairing.
    pub async fn drop_out(&self, pairing: PairingId, user: &User, now: Time) -> bool {
        let Some(survivor) = self.inner.store.fail(pairing, user, now).await else { return false };
        self.settle_again(survivor, now).await;
        self.told(None).await.is_ok()
    }

    /// Does all that is due: tickets that ask for less from now on look again, those whose lease is over go, pairings that
    /// were not confirmed in time end.
    pub async fn advance(&self, now: Time) {
        while self.advance_once(now).await {}
    }

    /// Does one of the things that are due. Says whether there was one.
    pub(crate) async fn advance_once(&self, now: Time) -> bool {
        match self.inner.store.next_due(now).await {
            None => return false,
            Some(Due::Look(ticket, from)) => self.look(ticket, from, now).await,
            Some(Due::Returned(survivor)) => self.settle_again(survivor, now).await,
            Some(Due::Done) => {}
        }
        true
    }

    /// When [`advance`](Self::advance) has something to do next.
    pub fn due(&self) -> Option<Time> {
        self.inner.store.due()
    }

    /// Lets nobody in and looks for no partners until [`resume`](Self::resume). People may still leave, and leases and
    /// deadlines go on. A look that has begun may still pair two.
    pub fn pause(&self) {
        self.inner.store.pause();
    }

    /// Goes on after a pause: everyone looks for a partner again, at the next [`advance`](Self::advance).
    pub fn resume(&self, now: Time) {
        self.inner.store.resume(now);
    }

    /// Takes everyone out who waits, those who are away too, oldest first: for a lobby elsewhere to
    /// [`insert`](Self::insert). Without a [`pause`](Self::pause) before it others may come meanwhile.
    pub async fn extract(&self) -> Vec<Ticket> {
        let tickets = self.inner.store.extract().await;
        // Deposed, it has nobody to hand over.
        if self.told(None).await.is_ok() { tickets } else { Vec::new() }
    }

    /// Takes over people who have waited elsewhere, with the wait that they had. They are away, for as long as the lease
    /// lasts, until they are [back](Self::back) or join again. Gives back the tickets for which there is no queue or no
    /// room, and those of users who are here already.
    pub async fn insert(&self, tickets: Vec<Ticket>, now: Time) -> Vec<Ticket> {
        let mut refused = Vec::new();
        for ticket in tickets {
            refused.extend(self.inner.store.adopt(ticket, now).await);
        }
        let _deposed = self.told(None).await;
        refused
    }

    /// How long it probably takes in a queue, as a [`Place`] says it. Quick, however many wait.
    pub fn estimated_wait(&self, queue: &QueueName) -> Option<Duration> {
        self.inner.store.estimated_wait(queue)
    }

    /// How busy the lobby is. Looks at everyone who waits.
    pub fn statistics(&self, now: Time) -> Statistics {
        self.inner.store.statistics(now)
    }

    /// Rings when [`due`](Self::due) has moved earlier and when the last handle is gone.
    pub(crate) fn bell(&self) -> Arc<Notify> {
        Arc::clone(&self.inner.bell)
    }

    pub(crate) fn downgrade(&self) -> WeakLobby {
        WeakLobby(Arc::downgrade(&self.inner))
    }

    /// Rings when there is something to tell as soon as it is written, and when the last handle is gone.
    pub(crate) fn filed(&self) -> Option<Arc<Notify>> {
        self.inner.filed.clone()
    }

    /// The receipt of the first change that is not told. Once it has come, [`written`](Self::written) tells it.
    pub(crate) fn next_receipt(&self) -> Option<Receipt> {
        self.inner.store.next_receipt()
    }

    pub(crate) fn written(&self, outcome: &Result<Committed, TicketsError>) {
        self.inner.store.written(outcome);
    }

    /// Ends when everything is told that was done by now.
    async fn told(&self, joins: Option<(Handle, Time)>) -> Result<(), JoinError> {
        if self.inner.filed.is_some() { self.inner.store.told(joins).await } else { Ok(()) }
    }

    /// Finds another partner for somebody whose pairing is over.
    async fn settle_again(&self, survivor: Entered, now: Time) {
        let _never_full = self.settle(survivor, now).await;
    }

    /// Finds a partner for a ticket that is not in the index yet, or puts it there.
    async fn settle(&self, entered: Entered, now: Time) -> Result<(), JoinError> {
        let Entered { ticket, seen, .. } = entered;
        let Look::Nobody(stopped) = self.find(ticket, Progress::default(), now).await else { return Ok(()) };
        match self.inner.store.post(ticket, seen, now).await? {
            // Whoever came in between has not seen this ticket, nor has it seen them.
            Posted::WithOthers => self.look(ticket, Progress::default(), now).await,
            Posted::Alone => {
                if let Some(from) = stopped {
                    self.inner.store.look_later(ticket, from, now).await;
                }
            }
        }
        Ok(())
    }

    /// Looks for a partner for a ticket that waits.
    async fn look(&self, ticket: Handle, from: Progress, now: Time) {
        if let Look::Nobody(Some(from)) = self.find(ticket, from, now).await {
            self.inner.store.look_later(ticket, from, now).await;
        }
    }

    /// Chooses and claims until one of the two fails for good.
    async fn find(&self, ticket: Handle, mut from: Progress, now: Time) -> Look {
        let store = &self.inner.store;
        for _ in 0..CLAIMS_MAX {
            let candidate = match self.choose(ticket, from, now).await {
                Chosen::Somebody(candidate) => candidate,
                Chosen::Nobody(next) => return Look::Nobody(next),
                Chosen::Gone => return Look::Over,
            };
            match store.claim(ticket, candidate, now).await {
                // Somebody was faster: again, without the one who is gone. Others among those who were looked at before may do.
                Err(Lost::Theirs) if from.recent.is_some_and(|best| best.ticket == candidate) => {
                    from = Progress::default();
                }
                Err(Lost::Theirs) => {}
                Ok(()) | Err(Lost::Mine) => return Look::Over,
            }
        }
        Look::Nobody(Some(from))
    }

    /// The best of the first window that has somebody new; somebody whom the user has met lately when no window has.
    async fn choose(&self, ticket: Handle, from: Progress, now: Time) -> Chosen {
        let Progress { mut after, mut recent } = from;
        for _ in 0..WINDOWS_MAX {
            let window = match self.inner.store.window(ticket, after, now).await {
                Looked::At(window) => window,
                Looked::Closed => return Chosen::Nobody(None),
                Looked::Gone => return Chosen::Gone,
            };
            let best = recent.into_iter().chain(window.best).max_by_key(|best| best.rank);
            match (best, window.next) {
                (Some(best), None) => return Chosen::Somebody(best.ticket),
                (Some(best), _) if best.rank.0 == Familiarity::New => return Chosen::Somebody(best.ticket),
                (None, None) => return Chosen::Nobody(None),
                (best, Some(next)) => (recent, after) = (best, next),
            }
        }
        Chosen::Nobody(Some(Progress { after, recent }))
    }
}

impl fmt::Debug for Lobby {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Lobby").finish_non_exhaustive()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.bell.notify_one();
        self.filed.iter().for_each(|filed| filed.notify_one());
    }
}

/// A handle that does not keep the lobby.
#[derive(Clone)]
pub(crate) struct WeakLobby(Weak<Inner>);

impl WeakLobby {
    pub(crate) fn upgrade(&self) -> Option<Lobby> {
        self.0.upgrade().map(|inner| Lobby { inner })
    }
}
