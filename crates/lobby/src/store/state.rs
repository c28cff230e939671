//! What the store's lock guards, and the steps of a ticket: it enters, is posted, goes away and comes back, is taken.

mod alarms;
mod kept;
mod pairings;
mod survey;

use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashMap;
use tokio::sync::Notify;

use crate::config::LobbyConfig;
use crate::lobby::{JoinError, Newcomer};
use crate::names::{QueueName, User};
use crate::pairing::PairingId;
use crate::statistics::WaitHistogram;
use crate::ticket::{Ticket, TicketId};
use crate::time::Time;

use super::journal::{Journal, Recorded};
use super::outbox::Outbox;
use super::queue::Queue;
use super::timers::Timers;
use super::{Cursor, Entered, Posted, Window};
use pairings::Open;

/// The most candidates of a first window: most who find somebody find them there.
const FIRST_WINDOW_MAX: usize = 8;
/// The most candidates of any other.
const WINDOW_MAX: usize = 64;

/// Everything.
#[derive(Debug)]
pub(super) struct State {
    /// Everyone who waits or was paired and has not confirmed.
    users: HashMap<User, Standing>,
    /// Everyone who waits.
    tickets: HashMap<TicketId, Entry>,
    queues: Vec<Queue>,
    /// The index of each queue.
    names: HashMap<QueueName, usize>,
    pairings: HashMap<PairingId, Open>,
    timers: Timers,
    lease: Duration,
    confirm_timeout: Duration,
    paused: bool,
    /// The last numbers of a ticket and a pairing.
    last_ticket: u64,
    last_pairing: u64,
    pairings_made: u64,
    waits: WaitHistogram,
    /// What the step does that is being done.
    journal: Journal,
    /// Where the lobby is kept, what is done waits here until it is written.
    outbox: Option<Outbox>,
}

/// What a user is in.
#[derive(Debug, Clone, Copy)]
enum Standing {
    Waiting(TicketId),
    Paired(PairingId),
}

/// A ticket and what is done with it.
#[derive(Debug)]
struct Entry {
    ticket: Arc<Ticket>,
    queue: usize,
    stage: Stage,
    recorded: Recorded,
    /// When it looks the next time; while away, when the lease is over.
    timer: Option<Time>,
    /// When the ticket asks for less the next time.
    changes: Option<Time>,
    /// When a look that was stopped goes on, and after whom. Rare, and so in a box.
    resumes: Option<Box<(Time, Cursor)>>,
}

#[derive(Debug)]
enum Stage {
    /// Looks for a partner and is in no window yet.
    Entered(Bound),
    /// Is in windows, found under these keys of its queue.
    Posted(Vec<u64>),
    /// Is in no window until the user is back.
    Away,
}

/// Whether a full queue refuses a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    Kept,
    /// Its user has a place in the queue already, or had one until the pairing that is over.
    Waived,
}

/// Where a ticket enters.
#[derive(Debug)]
struct Entrance {
    queue: usize,
    bound: Bound,
    recorded: Recorded,
}

impl State {
    pub(super) fn new(config: LobbyConfig, bell: Arc<Notify>) -> Self {
        let (names, queues): (Vec<_>, Vec<_>) = config.queues.into_iter().unzip();
        Self {
            users: HashMap::new(),
            tickets: HashMap::new(),
            queues: queues.into_iter().map(Queue::new).collect(),
            names: names.into_iter().zip(0..).collect(),
            pairings: HashMap::new(),
            timers: Timers::new(bell),
            lease: config.lease,
            confirm_timeout: config.confirm_timeout,
            paused: false,
            last_ticket: 0,
            last_pairing: 0,
            pairings_made: 0,
            waits: WaitHistogram::default(),
            journal: Journal::default(),
            outbox: None,
        }
    }

    pub(super) fn enter(&mut self, newcomer: Newcomer, now: Time) -> Result<Entered, JoinError> {
        if self.paused {
            return Err(JoinError::Paused);
        }
        let queue = *self.names.get(&newcomer.wish.queue).ok_or(JoinError::UnknownQueue)?;
        if let Some(Standing::Paired(pairing)) = self.users.get(&newcomer.user) {
            return Err(JoinError::Paired(*pairing));
        }
        self.admit(&newcomer)?;
        let former = self.take_out(&newcomer.user);
        let recorded = former.as_ref().map_or(Recorded::Not, |former| former.1.outdated());
        let former = former.map(|former| former.0).filter(|former| former.wish == newcomer.wish);
        let bound = if former.is_some() { Bound::Waived } else { Bound::Kept };
        let (enqueued, credit) =
            former.map_or((now, Duration::ZERO), |former| (former.enqueued, former.credit));
        let ticket = Ticket::new(self.new_ticket_id(), newcomer, enqueued, credit);
        Ok(self.register(ticket, Entrance { queue, bound, recorded }, now))
    }

    pub(super) fn adopt(&mut self, ticket: Ticket, now: Time) -> Option<Ticket> {
        let Some(queue) = self.names.get(&ticket.wish.queue).copied() else { return Some(ticket) };
        if self.users.contains_key(&ticket.user) || self.queues[queue].is_full() || self.is_deposed() {
            return Some(ticket);
        }
        let user = ticket.user.clone();
        let id = self.new_ticket_id();
        let entrance = Entrance { queue, bound: Bound::Kept, recorded: Recorded::Not };
        self.register(Ticket { id, ..ticket }, entrance, now);
        self.away(&user, now);
        None
    }

    fn new_ticket_id(&mut self) -> TicketId {
        self.last_ticket += 1;
        TicketId(self.last_ticket)
    }

    fn register(&mut self, ticket: Ticket, entrance: Entrance, now: Time) -> Entered {
        let Entrance { queue, bound, recorded } = entrance;
        if self.queues[queue].learn(&ticket) {
            self.post_all_anew(queue, now);
        }
        let ticket = Arc::new(ticket);
        self.users.insert(ticket.user.clone(), Standing::Waiting(ticket.id));
        let entry = Entry {
            ticket: Arc::clone(&ticket),
            queue,
            stage: Stage::Entered(bound),
            recorded,
            timer: None,
            changes: None,
            resumes: None,
        };
        self.tickets.insert(ticket.id, entry);
        Entered { place: self.queues[queue].place(&ticket), seen: self.queues[queue].posts, ticket }
    }

    pub(super) fn post(&mut self, id: TicketId, seen: u64, now: Time) -> Result<Posted, JoinError> {
        let Some(entry) = self.tickets.get_mut(&id) else { return Ok(Posted::Alone) };
        let queue = &mut self.queues[entry.queue];
        let Stage::Entered(bound) = entry.stage else { return Ok(Posted::Alone) };
        if bound == Bound::Kept && queue.is_full() {
            let user = entry.ticket.user.clone();
            self.take(&user);
            return Err(JoinError::QueueFull);
        }
        let posted = if queue.posts == seen { Posted::Alone } else { Posted::WithOthers };
        queue.count(&entry.ticket);
        entry.record(&mut self.journal);
        entry.stage = Stage::Posted(queue.post(&entry.ticket, now));
        self.schedule(id, now);
        Ok(posted)
    }

    pub(super) fn window(&mut self, id: TicketId, after: Cursor, now: Time) -> Option<Window> {
        let closed = self.paused || self.outbox.as_mut().is_some_and(Outbox::hold);
        let entry = self.tickets.get(&id)?;
        let queue = &self.queues[entry.queue];
        let mut window = Window { candidates: Vec::new(), policy: Arc::clone(queue.policy()), next: None };
        if closed {
            return Some(window);
        }
        let most = if after == Cursor::default() { FIRST_WINDOW_MAX } else { WINDOW_MAX };
        let mut found: Vec<&Arc<Ticket>> = queue.fitting(&entry.ticket, after, now).take(most).collect();
        window.next = found.last().filter(|_| found.len() == most).map(|last| last.place());
        // Reading them all before counting any as used lets the processor fetch them side by side.
        found.retain(|candidate| candidate.id != id);
        window.candidates.extend(found.into_iter().cloned());
        Some(window)
    }

    pub(super) fn take(&mut self, user: &User) -> Option<Arc<Ticket>> {
        let (ticket, recorded) = self.take_out(user)?;
        self.journal.remove_ticket(user, recorded);
        Some(ticket)
    }

    /// Takes a ticket out of everything but its record.
    fn take_out(&mut self, user: &User) -> Option<(Arc<Ticket>, Recorded)> {
        let Some(Standing::Waiting(id)) = self.users.get(user).copied() else { return None };
        self.users.remove(user);
        self.remove(id)
    }

    pub(super) fn away(&mut self, user: &User, now: Time) -> bool {
        let Some(Standing::Waiting(id)) = self.users.get(user).copied() else { return false };
        let Some(entry) = self.tickets.get_mut(&id) else { return false };
        let queue = &mut self.queues[entry.queue];
        match &entry.stage {
            Stage::Away => return true,
            Stage::Entered(Bound::Kept) if queue.is_full() => {
                self.take(user);
                return false;
            }
            Stage::Entered(_) => {
                queue.count(&entry.ticket);
                entry.record(&mut self.journal);
            }
            Stage::Posted(keys) => queue.withdraw(&entry.ticket, keys),
        }
        entry.stage = Stage::Away;
        self.set_timer(id, Some(now + self.lease));
        true
    }

    pub(super) fn back(&mut self, user: &User, now: Time) -> Option<Option<Arc<Ticket>>> {
        let Some(Standing::Waiting(id)) = self.users.get(user).copied() else { return None };
        let entry = self.tickets.get_mut(&id)?;
        if !matches!(entry.stage, Stage::Away) {
            return Some(None);
        }
        let ticket = Arc::clone(&entry.ticket);
        entry.stage = Stage::Posted(self.queues[entry.queue].post(&ticket, now));
        self.schedule(id, now);
        Some(Some(ticket))
    }

    /// Takes a ticket out of everything but its record and the table of users.
    fn remove(&mut self, id: TicketId) -> Option<(Arc<Ticket>, Recorded)> {
        self.set_timer(id, None);
        let Entry { ticket, queue, stage, recorded, .. } = self.tickets.remove(&id)?;
        let queue = &mut self.queues[queue];
        if let Stage::Posted(keys) = &stage {
            queue.withdraw(&ticket, keys);
        }
        if !matches!(stage, Stage::Entered(_)) {
            queue.discount(&ticket);
        }
        Some((ticket, recorded))
    }

    /// Posts everyone of a queue under the keys that they have by now.
    fn post_all_anew(&mut self, queue: usize, now: Time) {
        let entries = self.tickets.values_mut().filter(|entry| entry.queue == queue);
        entries.for_each(|entry| entry.post_anew(&mut self.queues[queue], now));
    }
}

impl Entry {
    /// Has a ticket written that is its user's place from now on.
    fn record(&mut self, journal: &mut Journal) {
        if self.recorded != Recorded::Current {
            self.recorded = Recorded::Current;
            journal.put_ticket(&self.ticket);
        }
    }

    /// Posts a ticket that is posted under the keys that it has by now.
    fn post_anew(&mut self, queue: &mut Queue, now: Time) {
        if let Stage::Posted(keys) = &mut self.stage {
            queue.withdraw(&self.ticket, keys);
            *keys = queue.post(&self.ticket, now);
        }
    }
}
