//! What the store's lock guards: users, tickets, queues and pairings, and the steps that change them together.

use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashMap;
use tokio::sync::Notify;

use crate::accept::{Stance, sides};
use crate::config::{LobbyConfig, QueueConfig};
use crate::event::Place;
use crate::lobby::{JoinError, Newcomer};
use crate::names::{QueueName, Topic, User};
use crate::pairing::{Confirmed, Pairing, PairingId};
use crate::policy::Policy;
use crate::statistics::{QueueStatistics, Statistics, WaitHistogram};
use crate::ticket::{Ticket, TicketId};
use crate::time::Time;

use super::timers::{Alarm, Timers};
use super::waits::Waits;
use super::{Bound, Cursor, Due, Entered, Lost, Posted, Window};

/// The most candidates of a window.
const WINDOW_MAX: usize = 64;
/// A look that was stopped goes on after this.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Everything.
#[derive(Debug)]
pub(super) struct State {
    users: HashMap<User, Standing>,
    tickets: HashMap<TicketId, Entry>,
    queues: HashMap<QueueName, Queue>,
    pairings: HashMap<PairingId, Open>,
    timers: Timers,
    lease: Duration,
    confirm_timeout: Duration,
    paused: bool,
    tickets_made: u64,
    pairings_made: u64,
    waits: WaitHistogram,
}

/// What a user is in.
#[derive(Debug, Clone, Copy)]
enum Standing {
    Waiting(TicketId),
    Paired(PairingId),
}

#[derive(Debug)]
struct Entry {
    ticket: Arc<Ticket>,
    stage: Stage,
    timer: Option<(Time, Alarm)>,
    /// Where a look was stopped, and when it goes on.
    stopped: Option<(Time, Cursor)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Looks for a partner and is in no window yet.
    Entered,
    /// Is in windows.
    Posted,
    /// Is in no window until the user is back.
    Away,
}

#[derive(Debug)]
struct Queue {
    config: QueueConfig,
    /// Posted and away.
    waiting: usize,
    /// Those by the topic that they named first.
    topics: HashMap<Topic, usize>,
    /// How often tickets were put into windows.
    posts: u64,
    waits: Waits,
}

/// A pairing that not both have confirmed.
#[derive(Debug)]
struct Open {
    tickets: [Arc<Ticket>; 2],
    waits: [Duration; 2],
    confirmed: [bool; 2],
    deadline: Time,
}

impl State {
    pub(super) fn new(config: LobbyConfig, bell: Arc<Notify>) -> Self {
        let queue =
            |config| Queue { config, waiting: 0, topics: HashMap::new(), posts: 0, waits: Waits::default() };
        Self {
            users: HashMap::new(),
            tickets: HashMap::new(),
            queues: config.queues.into_iter().map(|(name, config)| (name, queue(config))).collect(),
            pairings: HashMap::new(),
            timers: Timers::new(bell),
            lease: config.lease,
            confirm_timeout: config.confirm_timeout,
            paused: false,
            tickets_made: 0,
            pairings_made: 0,
            waits: WaitHistogram::default(),
        }
    }

    pub(super) fn enter(&mut self, newcomer: Newcomer, now: Time) -> Result<Entered, JoinError> {
        if self.paused {
            return Err(JoinError::Paused);
        }
        if !self.queues.contains_key(&newcomer.wish.queue) {
            return Err(JoinError::UnknownQueue);
        }
        if let Some(Standing::Paired(pairing)) = self.users.get(&newcomer.user) {
            return Err(JoinError::Paired(*pairing));
        }
        let former = self.take(&newcomer.user).filter(|former| former.wish == newcomer.wish);
        let (enqueued, credit) =
            former.map_or((now, Duration::ZERO), |former| (former.enqueued, former.credit));
        let Newcomer { user, wish, blocked, recent, policy } = newcomer;
        let id = self.ticket_id();
        Ok(self.register(Ticket { id, user, wish, blocked, recent, policy, enqueued, credit }))
    }

    pub(super) fn admit(&mut self, mut ticket: Ticket, now: Time) -> Option<Entered> {
        if self.users.contains_key(&ticket.user) || !self.queues.contains_key(&ticket.wish.queue) {
            return None;
        }
        ticket.id = self.ticket_id();
        ticket.enqueued = ticket.enqueued.min(now);
        Some(self.register(ticket))
    }

    fn ticket_id(&mut self) -> TicketId {
        self.tickets_made += 1;
        TicketId(self.tickets_made)
    }

    fn register(&mut self, ticket: Ticket) -> Entered {
        let ticket = Arc::new(ticket);
        self.users.insert(ticket.user.clone(), Standing::Waiting(ticket.id));
        let entry = Entry { ticket: Arc::clone(&ticket), stage: Stage::Entered, timer: None, stopped: None };
        self.tickets.insert(ticket.id, entry);
        let queue = &self.queues[&ticket.wish.queue];
        Entered { place: queue.place(&ticket), seen: queue.posts, ticket }
    }

    pub(super) fn post(
        &mut self,
        ticket: &Ticket,
        seen: u64,
        bound: Bound,
        now: Time,
    ) -> Result<Posted, JoinError> {
        let queue = self.queues.get_mut(&ticket.wish.queue).expect("a ticket's queue exists");
        match self.tickets.get_mut(&ticket.id) {
            Some(entry) if entry.stage == Stage::Entered => {
                if bound == Bound::Kept && queue.is_full() {
                    self.take(&ticket.user);
                    return Err(JoinError::QueueFull);
                }
                let posted = if queue.posts == seen { Posted::Alone } else { Posted::WithOthers };
                queue.count(ticket);
                queue.posts += 1;
                entry.stage = Stage::Posted;
                self.schedule(ticket.id, now);
                Ok(posted)
            }
            _ => Ok(Posted::Alone),
        }
    }

    pub(super) fn window(&mut self, ticket: &Ticket, after: Option<Cursor>, now: Time) -> Window {
        let queue = &self.queues[&ticket.wish.queue];
        let policy = Arc::clone(&queue.config.policy);
        if self.paused {
            return Window { candidates: Vec::new(), policy, next: None };
        }
        let mine = Stance::of(ticket, &policy, now);
        let mut candidates: Vec<Arc<Ticket>> = self
            .tickets
            .values()
            .filter(|entry| entry.stage == Stage::Posted)
            .map(|entry| &entry.ticket)
            .filter(|other| after.is_none_or(|after| after < (other.since(), other.id)))
            .filter(|other| mine.accepts(&Stance::of(other, &policy, now)).is_some())
            .cloned()
            .collect();
        candidates.sort_unstable_by_key(|other| (other.since(), other.id));
        let more = candidates.len() > WINDOW_MAX;
        candidates.truncate(WINDOW_MAX);
        let last = candidates.last().map(|last| (last.since(), last.id));
        Window { candidates, policy, next: last.filter(|_| more) }
    }

    pub(super) fn claim(&mut self, mine: &Ticket, theirs: &Ticket, now: Time) -> Result<Pairing, Lost> {
        let is = |stages: &[Stage], ticket: &Ticket| {
            self.tickets.get(&ticket.id).is_some_and(|entry| stages.contains(&entry.stage))
        };
        if !is(&[Stage::Entered, Stage::Posted], mine) {
            return Err(Lost::Mine);
        }
        if !is(&[Stage::Posted], theirs) {
            return Err(Lost::Theirs);
        }
        let mut tickets = [mine, theirs].map(|ticket| self.remove(ticket.id).expect("both are there"));
        tickets.sort_unstable_by_key(|ticket| (ticket.since(), ticket.id));
        self.pairings_made += 1;
        let id = PairingId(self.pairings_made);
        let waits = [0, 1].map(|index: usize| tickets[index].waited(now));
        let deadline = now + self.confirm_timeout;
        for ticket in &tickets {
            self.users.insert(ticket.user.clone(), Standing::Paired(id));
        }
        self.timers.start(deadline, Alarm::Confirm(id));
        self.pairings.insert(id, Open { tickets: tickets.clone(), waits, confirmed: [false; 2], deadline });

        let queue = self.queues.get_mut(&mine.wish.queue).expect("a ticket's queue exists");
        for wait in waits {
            queue.waits.record(wait);
            self.waits.record(wait);
        }
        let [older, younger] = &tickets;
        let policy = &queue.config.policy;
        let topic = Stance::of(older, policy, now).topic_with(&Stance::of(younger, policy, now)).cloned();
        Ok(Pairing {
            id,
            queue: mine.wish.queue.clone(),
            topic,
            sides: sides(&older.wish, &younger.wish).unwrap_or_default(),
            tags: older.wish.tags.shared(&younger.wish.tags).cloned().collect(),
            tickets,
            waits,
        })
    }

    pub(super) fn look_later(&mut self, ticket: &Ticket, after: Cursor, now: Time) {
        if let Some(entry) = self.tickets.get_mut(&ticket.id).filter(|entry| entry.stage == Stage::Posted) {
            entry.stopped = Some((now + LOOK_AGAIN, after));
            self.schedule(ticket.id, now);
        }
    }

    pub(super) fn take(&mut self, user: &User) -> Option<Arc<Ticket>> {
        let Standing::Waiting(id) = *self.users.get(user)? else { return None };
        self.users.remove(user);
        self.remove(id)
    }

    pub(super) fn away(&mut self, user: &User, now: Time) -> bool {
        let Some(Standing::Waiting(id)) = self.users.get(user).copied() else { return false };
        let entry = self.tickets.get_mut(&id).expect("a user's ticket exists");
        let queue = self.queues.get_mut(&entry.ticket.wish.queue).expect("a ticket's queue exists");
        match entry.stage {
            Stage::Away => return true,
            Stage::Entered if queue.is_full() => {
                self.take(user);
                return false;
            }
            Stage::Entered => queue.count(&entry.ticket),
            Stage::Posted => {}
        }
        entry.stage = Stage::Away;
        entry.stopped = None;
        self.set_timer(id, Some((now + self.lease, Alarm::Lease(id))));
        true
    }

    pub(super) fn back(&mut self, user: &User, now: Time) -> Option<Option<Arc<Ticket>>> {
        let Standing::Waiting(id) = *self.users.get(user)? else { return None };
        let entry = self.tickets.get_mut(&id).expect("a user's ticket exists");
        if entry.stage != Stage::Away {
            return Some(None);
        }
        entry.stage = Stage::Posted;
        let ticket = Arc::clone(&entry.ticket);
        self.queues.get_mut(&ticket.wish.queue).expect("a ticket's queue exists").posts += 1;
        self.schedule(id, now);
        Some(Some(ticket))
    }

    pub(super) fn confirm(&mut self, pairing: PairingId, user: &User) -> Confirmed {
        let Some(open) = self.pairings.get_mut(&pairing) else { return Confirmed::Unknown };
        let Some(index) = open.index_of(user) else { return Confirmed::Unknown };
        open.confirmed[index] = true;
        if open.confirmed != [true; 2] {
            return Confirmed::One;
        }
        self.close(pairing);
        Confirmed::Both
    }

    pub(super) fn fail(&mut self, pairing: PairingId, user: &User, now: Time) -> Option<Entered> {
        let other = 1 - self.pairings.get(&pairing)?.index_of(user)?;
        let open = self.close(pairing)?;
        Some(self.return_with_credit(&open, other, now))
    }

    pub(super) fn extract(&mut self) -> Vec<Ticket> {
        let ids: Vec<TicketId> = self.tickets.keys().copied().collect();
        let mut tickets: Vec<Arc<Ticket>> = ids.into_iter().filter_map(|id| self.remove(id)).collect();
        tickets.sort_unstable_by_key(|ticket| (ticket.since(), ticket.id));
        for ticket in &tickets {
            self.users.remove(&ticket.user);
        }
        tickets.into_iter().map(Arc::unwrap_or_clone).collect()
    }

    pub(super) fn next_due(&mut self, now: Time) -> Option<Due> {
        match self.timers.pop(now)? {
            Alarm::Look(id) => {
                let entry = self.tickets.get_mut(&id).expect("timers of tickets that are gone are stopped");
                let ticket = Arc::clone(&entry.ticket);
                entry.timer = None;
                let stopped = entry.stopped.take().map(|(_, cursor)| cursor);
                self.schedule(id, now);
                Some(Due::Look(ticket, stopped))
            }
            Alarm::Lease(id) => {
                let ticket = self.remove(id).expect("timers of tickets that are gone are stopped");
                self.users.remove(&ticket.user);
                Some(Due::Expired(ticket.user.clone()))
            }
            Alarm::Confirm(pairing) => {
                let open = self.close(pairing).expect("timers of closed pairings are stopped");
                let absent = (0..2).filter(|index| !open.confirmed[*index]);
                let absent = absent.map(|index| open.tickets[index].user.clone()).collect();
                let survivor = open.confirmed.iter().position(|confirmed| *confirmed);
                let survivor = survivor.map(|index| self.return_with_credit(&open, index, now));
                Some(Due::Unconfirmed { pairing, absent, survivor })
            }
        }
    }

    pub(super) fn due(&self) -> Option<Time> {
        self.timers.due()
    }

    pub(super) fn pause(&mut self) {
        self.paused = true;
    }

    pub(super) fn resume(&mut self, now: Time) {
        if mem::replace(&mut self.paused, false) {
            let posted = self.tickets.iter().filter(|(_, entry)| entry.stage == Stage::Posted);
            let posted: Vec<TicketId> = posted.map(|(id, _)| *id).collect();
            for id in posted {
                self.set_timer(id, Some((now, Alarm::Look(id))));
            }
        }
    }

    pub(super) fn statistics(&self, now: Time) -> Statistics {
        let mut queues: BTreeMap<QueueName, QueueStatistics> = BTreeMap::new();
        for (name, queue) in &self.queues {
            queues.insert(
                name.clone(),
                QueueStatistics {
                    waiting: queue.waiting,
                    topics: queue.topics.iter().map(|(topic, count)| (topic.clone(), *count)).collect(),
                    recent_wait: queue.waits.median(),
                    recent_waits: queue.waits.latest().to_vec(),
                    ..QueueStatistics::default()
                },
            );
        }
        for entry in self.tickets.values() {
            let queue = queues.get_mut(&entry.ticket.wish.queue).expect("a ticket's queue exists");
            queue.away += usize::from(entry.stage == Stage::Away);
            queue.oldest_wait = queue.oldest_wait.max(Some(entry.ticket.waited(now)));
        }
        Statistics {
            queues,
            pairings_total: self.pairings_made,
            unconfirmed: self.pairings.len(),
            waits: self.waits,
        }
    }

    /// Forgets a pairing and that its users are in it.
    fn close(&mut self, pairing: PairingId) -> Option<Open> {
        let open = self.pairings.remove(&pairing)?;
        self.timers.stop(open.deadline, Alarm::Confirm(pairing));
        for ticket in &open.tickets {
            self.users.remove(&ticket.user);
        }
        Some(open)
    }

    fn return_with_credit(&mut self, open: &Open, index: usize, now: Time) -> Entered {
        let former = Ticket::clone(&open.tickets[index]);
        let id = self.ticket_id();
        self.register(Ticket { id, enqueued: now, credit: open.waits[index], ..former })
    }

    /// Takes a ticket out of everything but the table of users.
    fn remove(&mut self, id: TicketId) -> Option<Arc<Ticket>> {
        self.set_timer(id, None);
        let entry = self.tickets.remove(&id)?;
        if entry.stage != Stage::Entered {
            let queue = self.queues.get_mut(&entry.ticket.wish.queue).expect("a ticket's queue exists");
            queue.discount(&entry.ticket);
        }
        Some(entry.ticket)
    }

    /// Sets the timer of a posted ticket to when it looks for the next time.
    fn schedule(&mut self, id: TicketId, now: Time) {
        let entry = &self.tickets[&id];
        let policy = entry.ticket.policy(&self.queues[&entry.ticket.wish.queue].config.policy);
        let stopped = entry.stopped.map(|(at, _)| at);
        let next = [next_change(&entry.ticket, policy, now), stopped].into_iter().flatten().min();
        self.set_timer(id, next.map(|at| (at, Alarm::Look(id))));
    }

    fn set_timer(&mut self, id: TicketId, timer: Option<(Time, Alarm)>) {
        let Some(entry) = self.tickets.get_mut(&id) else { return };
        if let Some((at, alarm)) = mem::replace(&mut entry.timer, timer) {
            self.timers.stop(at, alarm);
        }
        if let Some((at, alarm)) = timer {
            self.timers.start(at, alarm);
        }
    }
}

/// When the ticket asks for less the next time.
fn next_change(ticket: &Ticket, policy: &Policy, now: Time) -> Option<Time> {
    let recent = (!ticket.recent.is_empty()).then_some(policy.recent_after());
    let changes = policy.steps().iter().map(|step| step.after).chain(recent);
    changes.map(|after| ticket.since() + after).filter(|at| *at > now).min()
}

impl Queue {
    fn is_full(&self) -> bool {
        self.waiting >= self.config.waiting_max
    }

    fn place(&self, ticket: &Ticket) -> Place {
        let topic = ticket.wish.topic.as_ref();
        let others = topic.map_or(self.waiting, |topic| self.topics.get(topic).copied().unwrap_or_default());
        Place { others, estimated_wait: self.waits.median() }
    }

    fn count(&mut self, ticket: &Ticket) {
        self.waiting += 1;
        if let Some(topic) = &ticket.wish.topic {
            *self.topics.entry_ref(topic).or_default() += 1;
        }
    }

    fn discount(&mut self, ticket: &Ticket) {
        self.waiting -= 1;
        let Some(topic) = &ticket.wish.topic else { return };
        if let Some(count) = self.topics.get_mut(topic) {
            *count -= 1;
            if *count == 0 {
                self.topics.remove(topic);
            }
        }
    }
}

impl Open {
    fn index_of(&self, user: &User) -> Option<usize> {
        self.tickets.iter().position(|ticket| ticket.user == *user)
    }
}
