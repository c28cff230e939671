//! What the store's lock guards, and the steps of a ticket: it enters, is posted, goes away and comes back, is taken.

mod alarms;
mod kept;
mod pairings;
mod survey;

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashMap;
use tokio::sync::Notify;

use crate::config::LobbyConfig;
use crate::decide::decide;
use crate::lobby::{Bound, JoinError, Newcomer};
use crate::names::{Number, User};
use crate::pairing::PairingId;
use crate::statistics::WaitHistogram;
use crate::ticket::{Handle, Seat, Ticket, TicketId};
use crate::time::Time;
use crate::wish::Wish;

use super::journal::{Journal, Recorded};
use super::outbox::Outbox;
use super::queue::Queue;
use super::seats::{Entry, Seats, Stage};
use super::timers::Timers;
use super::{Best, Cursor, Entered, Looked, Posted, Window};
use pairings::Open;

/// The most candidates of a first window: most who find somebody find them there.
const FIRST_WINDOW_MAX: usize = 8;
/// The most candidates of any other.
const WINDOW_MAX: usize = 64;

/// Everything.
#[derive(Debug)]
pub(super) struct State {
    /// Everyone who waits or was paired and has not confirmed, by the number of the name.
    users: HashMap<Number, Standing>,
    /// Everyone who waits.
    seats: Seats,
    queues: Vec<Queue>,
    /// The index of each queue, by the number of the name.
    names: HashMap<Number, usize>,
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
    Waiting(Seat),
    Paired(PairingId),
}

impl State {
    pub(super) fn new(config: LobbyConfig, bell: Arc<Notify>) -> Self {
        let queues: Vec<Queue> =
            config.queues.into_iter().map(|(name, config)| Queue::new(name, config)).collect();
        Self {
            users: HashMap::new(),
            seats: Seats::default(),
            names: queues.iter().map(|queue| queue.name.number()).zip(0..).collect(),
            queues,
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
        let queue = self.queue_of(&newcomer.wish).ok_or(JoinError::UnknownQueue)?;
        let former = match self.users.get(&newcomer.user.number()) {
            Some(Standing::Paired(pairing)) => return Err(JoinError::Paired(*pairing)),
            Some(Standing::Waiting(seat)) => Some(*seat),
            None => None,
        };
        self.admit(&newcomer)?;
        let same =
            former.and_then(|seat| self.seats.ticket(seat)).filter(|ticket| ticket.wish == newcomer.wish);
        let bound = if same.is_some() { Bound::Waived } else { newcomer.bound };
        let (enqueued, credit) = same.map_or((now, Duration::ZERO), |same| (same.enqueued, same.credit));
        let ticket = Ticket::new(self.new_ticket_id(), newcomer, enqueued, credit);
        if bound == Bound::Kept && former.is_some_and(|former| self.has_no_place(&ticket, queue, former, now))
        {
            return Err(JoinError::QueueFull);
        }
        let former = former.and_then(|seat| self.remove(seat));
        let recorded = former.map_or(Recorded::Not, |(_, recorded)| recorded.outdated());
        Ok(self.register(ticket, Entry::new(queue, bound, recorded), now))
    }

    /// Whether a ticket would be refused whose user has a place elsewhere: then they keep that one. Looks at as many as a
    /// look does at a time.
    fn has_no_place(&mut self, ticket: &Ticket, queue: usize, former: Seat, now: Time) -> bool {
        let is_elsewhere = self.seats[former].queue != queue;
        if !is_elsewhere || !self.queues[queue].is_full() {
            return false;
        }
        self.learn(queue, ticket, now);
        let queue = &self.queues[queue];
        let found = queue.fitting(ticket, Cursor::default(), now).take(WINDOW_MAX);
        let candidates = found.filter_map(|seat| self.seats.ticket(seat));
        decide(ticket, candidates, queue.policy(), now).is_none()
    }

    pub(super) fn adopt(&mut self, ticket: Ticket, now: Time) -> Option<Ticket> {
        let Some(queue) = self.queue_of(&ticket.wish) else { return Some(ticket) };
        let is_here = self.users.contains_key(&ticket.user.number());
        if is_here || self.queues[queue].is_full() || self.is_deposed() {
            return Some(ticket);
        }
        let id = self.new_ticket_id();
        let entered =
            self.register(Ticket { id, ..ticket }, Entry::new(queue, Bound::Kept, Recorded::Not), now);
        self.send_away(entered.ticket.seat, now);
        None
    }

    /// The queue that a wish is for.
    fn queue_of(&self, wish: &Wish) -> Option<usize> {
        self.names.get(&wish.queue.number()).copied()
    }

    /// Where somebody waits.
    fn seat_of(&self, user: &User) -> Option<Seat> {
        match self.users.get(&user.number())? {
            Standing::Waiting(seat) => Some(*seat),
            Standing::Paired(_) => None,
        }
    }

    fn new_ticket_id(&mut self) -> TicketId {
        self.last_ticket += 1;
        TicketId(self.last_ticket)
    }

    fn register(&mut self, ticket: Ticket, entry: Entry, now: Time) -> Entered {
        let queue = entry.queue;
        self.learn(queue, &ticket, now);
        let place = self.queues[queue].place(&ticket);
        let user = ticket.user.number();
        let ticket = self.seats.take(ticket, entry);
        self.users.insert(user, Standing::Waiting(ticket.seat));
        Entered { place, seen: self.queues[queue].posts, ticket }
    }

    /// Makes sure that what a ticket demands is in the index.
    fn learn(&mut self, queue: usize, ticket: &Ticket, now: Time) {
        if self.queues[queue].learn(ticket) {
            self.post_all_anew(queue, now);
        }
    }

    pub(super) fn post(&mut self, ticket: Handle, seen: u64, now: Time) -> Result<Posted, JoinError> {
        let Some(seat) = self.seats.find(ticket) else { return Ok(Posted::Alone) };
        let Stage::Entered(bound) = self.seats[seat].stage else { return Ok(Posted::Alone) };
        let queue = &self.queues[self.seats[seat].queue];
        if bound == Bound::Kept && queue.is_full() {
            self.take(seat);
            return Err(JoinError::QueueFull);
        }
        let posted = if queue.posts == seen { Posted::Alone } else { Posted::WithOthers };
        self.count(seat);
        self.let_find(seat, now);
        self.schedule(seat, now);
        Ok(posted)
    }

    pub(super) fn window(&mut self, ticket: Handle, after: Cursor, now: Time) -> Looked {
        let closed = self.paused || self.outbox.as_mut().is_some_and(Outbox::hold);
        let Some(seat) = self.seats.find(ticket) else { return Looked::Gone };
        let Some(ticket) = self.seats.ticket(seat) else { return Looked::Gone };
        let queue = &self.queues[self.seats[seat].queue];
        if closed {
            return Looked::Closed;
        }
        let most = if after == Cursor::default() { FIRST_WINDOW_MAX } else { WINDOW_MAX };
        let mut found: Vec<Seat> = queue.fitting(ticket, after, now).take(most).collect();
        let next = found.last().filter(|_| found.len() == most).map(|last| self.seats.place(*last));
        found.retain(|candidate| *candidate != seat);
        self.seats.fetch(&found);
        let candidates = found.iter().filter_map(|seat| self.seats.ticket(*seat));
        let best = decide(ticket, candidates, queue.policy(), now);
        let best = best.and_then(|choice| {
            let (id, rank) = (choice.candidate.id, choice.rank());
            let seat = found.into_iter().find(|seat| self.seats.place(*seat).1 == id)?;
            Some(Best { ticket: Handle { id, seat }, rank })
        });
        Looked::At(Window { best, next })
    }

    pub(super) fn leave(&mut self, user: &User) -> bool {
        self.seat_of(user).is_some_and(|seat| self.take(seat).is_some())
    }

    /// Takes a ticket out of everything, with its record.
    fn take(&mut self, seat: Seat) -> Option<Ticket> {
        let (ticket, recorded) = self.remove(seat)?;
        self.users.remove(&ticket.user.number());
        self.journal.remove_ticket(&ticket.user, recorded);
        Some(ticket)
    }

    pub(super) fn away(&mut self, user: &User, now: Time) -> bool {
        self.seat_of(user).is_some_and(|seat| self.send_away(seat, now))
    }

    /// Says whether the ticket is still there.
    fn send_away(&mut self, seat: Seat, now: Time) -> bool {
        match &self.seats[seat].stage {
            Stage::Away => return true,
            Stage::Entered(Bound::Kept) if self.queues[self.seats[seat].queue].is_full() => {
                self.take(seat);
                return false;
            }
            Stage::Entered(_) => self.count(seat),
            Stage::Posted(_) => self.withdraw(seat),
        }
        self.seats[seat].stage = Stage::Away;
        self.set_timer(seat, Some((now + self.lease, self.lease)));
        true
    }

    pub(super) fn back(&mut self, user: &User, now: Time) -> Option<Option<Handle>> {
        let seat = self.seat_of(user)?;
        if !matches!(self.seats[seat].stage, Stage::Away) {
            return Some(None);
        }
        self.let_find(seat, now);
        self.schedule(seat, now);
        Some(Some(Handle { id: self.seats.ticket(seat)?.id, seat }))
    }

    /// Takes a ticket out of everything but its record and the table of users.
    fn remove(&mut self, seat: Seat) -> Option<(Ticket, Recorded)> {
        self.timers.stop(seat, &mut self.seats);
        let (ticket, Entry { queue, stage, recorded, .. }) = self.seats.leave(seat)?;
        let queue = &mut self.queues[queue];
        if let Stage::Posted(blocks) = &stage {
            queue.withdraw(seat, blocks);
        }
        if !matches!(stage, Stage::Entered(_)) {
            queue.discount(&ticket);
        }
        Some((ticket, recorded))
    }

    /// Counts a ticket that is its user's place from now on.
    fn count(&mut self, seat: Seat) {
        let Some(ticket) = self.seats.ticket(seat) else { return };
        self.queues[self.seats[seat].queue].count(ticket);
        self.seats.record(seat, &mut self.journal);
    }

    /// Lets a ticket be found by what it demands now.
    fn let_find(&mut self, seat: Seat, now: Time) {
        let queue = &mut self.queues[self.seats[seat].queue];
        self.seats[seat].stage = Stage::Posted(queue.post(seat, &mut self.seats, now));
    }

    /// Lets a ticket that is posted no longer be found. What it is from now on is up to the caller.
    fn withdraw(&mut self, seat: Seat) {
        let entry = &mut self.seats[seat];
        if let Stage::Posted(blocks) = mem::replace(&mut entry.stage, Stage::Away) {
            self.queues[entry.queue].withdraw(seat, &blocks);
        }
    }

    /// Posts a ticket that is posted by what it demands now.
    fn post_anew(&mut self, seat: Seat, now: Time) {
        if let Stage::Posted(_) = self.seats[seat].stage {
            self.withdraw(seat);
            self.let_find(seat, now);
        }
    }

    /// Posts everyone of a queue anew.
    fn post_all_anew(&mut self, queue: usize, now: Time) {
        let mut seats = self.seats.in_order();
        seats.retain(|seat| {
            let entry = &self.seats[*seat];
            entry.queue == queue && matches!(entry.stage, Stage::Posted(_))
        });
        // All of them leave before the first is back, so that each joins the end of its lines.
        seats.iter().for_each(|seat| self.withdraw(*seat));
        seats.into_iter().for_each(|seat| self.let_find(seat, now));
    }
}
