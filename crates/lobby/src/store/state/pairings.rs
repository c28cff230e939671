//! The steps of a pairing: claimed, confirmed or failed.

use std::sync::Arc;
use std::time::Duration;

use crate::accept::{Stance, sides};
use crate::event::Event;
use crate::lobby::Bound;
use crate::names::User;
use crate::pairing::{Confirmed, Pairing, PairingId};
use crate::store::journal::Recorded;
use crate::store::seats::{Entry, Stage};
use crate::store::timers::Timers;
use crate::store::{Due, Entered, Lost};
use crate::ticket::{Handle, Seat, Ticket};
use crate::time::Time;

use super::{Standing, State};

/// A pairing that not both have confirmed.
#[derive(Debug)]
pub(super) struct Open {
    tickets: [Arc<Ticket>; 2],
    queue: usize,
    /// How long they had waited.
    waits: [Duration; 2],
    confirmed: [bool; 2],
    /// Nothing until both have been told.
    deadline: Option<Time>,
}

impl State {
    pub(in crate::store) fn claim(&mut self, mine: Handle, theirs: Handle, now: Time) -> Result<(), Lost> {
        let mine = self.seats.find(mine).filter(|seat| !matches!(self.seats[*seat].stage, Stage::Away));
        let mine = mine.ok_or(Lost::Mine)?;
        let theirs =
            self.seats.find(theirs).filter(|seat| matches!(self.seats[*seat].stage, Stage::Posted(_)));
        let theirs = theirs.ok_or(Lost::Theirs)?;
        self.fetch(theirs);
        let queue = self.seats[mine].queue;
        let mine = self.remove(mine).ok_or(Lost::Mine)?;
        let theirs = self.remove(theirs).ok_or(Lost::Theirs)?;
        for (ticket, recorded) in [&mine, &theirs] {
            self.journal.take_ticket(&ticket.user, *recorded);
        }
        let (mine, theirs) = (Arc::new(mine.0), Arc::new(theirs.0));
        let tickets = if mine.place() < theirs.place() { [mine, theirs] } else { [theirs, mine] };
        let pairing = self.open(tickets, queue, now);
        self.journal.put_pairing(&pairing);
        self.journal.tell(Event::Paired(pairing));
        Ok(())
    }

    /// Has the processor fetch what is touched when whoever has waited for long leaves their seat, as
    /// [`Seats::fetch`](crate::store::seats::Seats::fetch) does with candidates.
    fn fetch(&self, seat: Seat) {
        let Some(ticket) = self.seats.ticket(seat) else { return };
        let timer = self.seats[seat].timer.map(|timer| self.timers.touch(timer));
        let is_known = self.users.contains_key(&ticket.user.number());
        std::hint::black_box((timer, is_known, ticket.wish.tags.iter().len(), ticket.user.as_str().len()));
    }

    fn open(&mut self, tickets: [Arc<Ticket>; 2], queue: usize, now: Time) -> Pairing {
        self.last_pairing += 1;
        self.pairings_made += 1;
        let id = PairingId(self.last_pairing);
        // They are told once it is written.
        let deadline = self.outbox.is_none().then(|| now + self.confirm_timeout);
        let waits = tickets.each_ref().map(|ticket| ticket.waited(now));
        for wait in waits {
            self.queues[queue].waits.record(wait);
            self.waits.record(wait);
        }
        self.hold_open(id, Open { tickets: tickets.clone(), queue, waits, confirmed: [false; 2], deadline });

        let policy = self.queues[queue].policy();
        let [older, younger] = tickets.each_ref().map(|ticket| Stance::of(ticket, policy, now));
        Pairing {
            id,
            queue: self.queues[queue].name.clone(),
            topic: older.topic_with(&younger).cloned(),
            sides: sides(older.ticket.sketch.side, younger.ticket.sketch.side).unwrap_or_default(),
            tags: younger.ticket.shared_tags(older.ticket).cloned().collect(),
            tickets,
            waits,
        }
    }

    /// Waits for two to confirm.
    fn hold_open(&mut self, id: PairingId, open: Open) {
        if let Some(deadline) = open.deadline {
            self.timers.start_pairing(deadline, id);
        }
        for ticket in &open.tickets {
            self.users.insert(ticket.user.number(), Standing::Paired(id));
        }
        self.pairings.insert(id, open);
    }

    /// Both are told of a pairing: from the next occasion on they have the time to confirm it.
    pub(super) fn told(&mut self, id: PairingId) {
        if self.pairings.contains_key(&id) {
            self.timers.start_pairing(Time::default(), id);
        }
    }

    /// Sets the deadline of a pairing that has none. Says whether it had none.
    pub(super) fn set_deadline(&mut self, id: PairingId, now: Time) -> bool {
        let Some(open) = self.pairings.get_mut(&id) else { return false };
        let fresh = open.deadline.is_none();
        let deadline = *open.deadline.get_or_insert(now + self.confirm_timeout);
        if fresh {
            self.timers.start_pairing(deadline, id);
        }
        fresh
    }

    /// Goes on with a pairing that was written. Gives it back when its queue is not there or one of the two is elsewhere.
    pub(super) fn reopen(&mut self, pairing: &Pairing) -> bool {
        let Some(queue) = self.names.get(&pairing.queue.number()).copied() else { return false };
        if pairing.tickets.iter().any(|ticket| self.users.contains_key(&ticket.user.number())) {
            return false;
        }
        self.last_pairing = self.last_pairing.max(pairing.id.0);
        let Pairing { tickets, waits, .. } = pairing.clone();
        self.hold_open(pairing.id, Open { tickets, queue, waits, confirmed: [false; 2], deadline: None });
        self.told(pairing.id);
        true
    }

    pub(in crate::store) fn confirm(&mut self, pairing: PairingId, user: &User) -> Confirmed {
        let Some(open) = self.pairings.get_mut(&pairing) else { return Confirmed::Unknown };
        let Some(index) = open.index_of(user) else { return Confirmed::Unknown };
        open.confirmed[index] = true;
        if open.confirmed != [true; 2] {
            return Confirmed::One;
        }
        self.close(pairing);
        Confirmed::Both
    }

    pub(in crate::store) fn fail(&mut self, pairing: PairingId, user: &User, now: Time) -> Option<Entered> {
        let index = self.pairings.get(&pairing)?.index_of(user)?;
        let open = self.close(pairing)?;
        self.journal.take_pairing(pairing);
        Some(self.return_with_credit((pairing, &open), 1 - index, now))
    }

    /// The time to confirm a pairing is over.
    pub(super) fn lapse(&mut self, pairing: PairingId, now: Time) -> Option<Due> {
        let open = self.close(pairing)?;
        self.journal.take_pairing(pairing);
        for (ticket, _) in open.tickets.iter().zip(open.confirmed).filter(|(_, confirmed)| !confirmed) {
            self.journal.tell(Event::Lapsed { pairing, user: ticket.user.clone() });
        }
        let survivor = open.confirmed.iter().position(|confirmed| *confirmed);
        let survivor = survivor.map(|index| self.return_with_credit((pairing, &open), index, now));
        Some(survivor.map_or(Due::Done, Due::Returned))
    }

    /// Forgets a pairing, and that its users are in it.
    fn close(&mut self, pairing: PairingId) -> Option<Open> {
        let open = self.pairings.remove(&pairing)?;
        open.stop(pairing, &mut self.timers);
        for ticket in &open.tickets {
            self.users.remove(&ticket.user.number());
        }
        Some(open)
    }

    /// A new ticket for one of a pairing that is over. What they had waited counts; the time in the pairing does not.
    fn return_with_credit(
        &mut self,
        (pairing, open): (PairingId, &Open),
        index: usize,
        now: Time,
    ) -> Entered {
        let former = Ticket::clone(&open.tickets[index]);
        let id = self.new_ticket_id();
        // Nobody is refused for a full queue who had a place in it.
        let entry = Entry::new(open.queue, Bound::Waived, Recorded::Current);
        let ticket = Ticket { id, enqueued: now, credit: open.waits[index], ..former };
        self.journal.put_ticket(&ticket);
        let user = ticket.user.clone();
        let entered = self.register(ticket, entry, now);
        self.journal.tell(Event::Returned { pairing, user, place: entered.place });
        entered
    }
}

impl Open {
    /// Stops the timer of a pairing.
    pub(super) fn stop(&self, id: PairingId, timers: &mut Timers) {
        timers.stop_pairing(self.deadline.unwrap_or_default(), id);
    }

    fn index_of(&self, user: &User) -> Option<usize> {
        self.tickets.iter().position(|ticket| ticket.user == *user)
    }
}
