//! The steps of a pairing: claimed, confirmed or failed.

use std::sync::Arc;
use std::time::Duration;

use crate::accept::{Stance, sides};
use crate::names::User;
use crate::pairing::{Confirmed, Pairing, PairingId};
use crate::store::timers::Alarm;
use crate::store::{Due, Entered, Lost};
use crate::ticket::{Ticket, TicketId};
use crate::time::Time;

use super::{Bound, Entrance, Stage, Standing, State};

/// A pairing that not both have confirmed.
#[derive(Debug)]
pub(super) struct Open {
    tickets: [Arc<Ticket>; 2],
    queue: usize,
    /// How long they had waited.
    waits: [Duration; 2],
    confirmed: [bool; 2],
    deadline: Time,
}

impl State {
    pub(in crate::store) fn claim(
        &mut self,
        mine: TicketId,
        theirs: TicketId,
        now: Time,
    ) -> Result<Pairing, Lost> {
        let queue = match self.tickets.get(&mine) {
            None => return Err(Lost::Mine),
            Some(entry) if matches!(entry.stage, Stage::Away) => return Err(Lost::Mine),
            Some(entry) => entry.queue,
        };
        if self.tickets.get(&theirs).is_none_or(|entry| !matches!(entry.stage, Stage::Posted(_))) {
            return Err(Lost::Theirs);
        }
        let mine = self.remove(mine).ok_or(Lost::Mine)?;
        let theirs = self.remove(theirs).ok_or(Lost::Theirs)?;
        let tickets = if mine.place() < theirs.place() { [mine, theirs] } else { [theirs, mine] };
        Ok(self.open(tickets, queue, now))
    }

    fn open(&mut self, tickets: [Arc<Ticket>; 2], queue: usize, now: Time) -> Pairing {
        self.pairings_made += 1;
        let id = PairingId(self.pairings_made);
        let deadline = now + self.confirm_timeout;
        let waits = tickets.each_ref().map(|ticket| ticket.waited(now));
        self.timers.start(deadline, Alarm::Pairing(id));
        for ticket in &tickets {
            self.users.insert(ticket.user.clone(), Standing::Paired(id));
        }
        for wait in waits {
            self.queues[queue].waits.record(wait);
            self.waits.record(wait);
        }
        let open = Open { tickets: tickets.clone(), queue, waits, confirmed: [false; 2], deadline };
        self.pairings.insert(id, open);

        let policy = self.queues[queue].policy();
        let [older, younger] = tickets.each_ref().map(|ticket| Stance::of(ticket, policy, now));
        let (first, second) = (&*older.ticket.wish, &*younger.ticket.wish);
        Pairing {
            id,
            queue: first.queue.clone(),
            topic: older.topic_with(&younger).cloned(),
            sides: sides(first.side, second.side).unwrap_or_default(),
            tags: first.tags.shared(&second.tags).cloned().collect(),
            tickets,
            waits,
        }
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
        Some(self.return_with_credit(&open, 1 - index, now))
    }

    /// The time to confirm a pairing is over.
    pub(super) fn lapse(&mut self, pairing: PairingId, now: Time) -> Option<Due> {
        let open = self.close(pairing)?;
        let absent = (0..2).filter(|index| !open.confirmed[*index]);
        let absent = absent.map(|index| open.tickets[index].user.clone()).collect();
        let survivor = open.confirmed.iter().position(|confirmed| *confirmed);
        let survivor = survivor.map(|index| self.return_with_credit(&open, index, now));
        Some(Due::Unconfirmed { pairing, absent, survivor })
    }

    /// Forgets a pairing, and that its users are in it.
    fn close(&mut self, pairing: PairingId) -> Option<Open> {
        let open = self.pairings.remove(&pairing)?;
        self.timers.stop(open.deadline, Alarm::Pairing(pairing));
        for ticket in &open.tickets {
            self.users.remove(&ticket.user);
        }
        Some(open)
    }

    /// A new ticket for one of a pairing that is over. What they had waited counts; the time in the pairing does not.
    fn return_with_credit(&mut self, open: &Open, index: usize, now: Time) -> Entered {
        let former = Ticket::clone(&open.tickets[index]);
        let id = self.new_ticket_id();
        // Nobody is refused for a full queue who had a place in it.
        let entrance = Entrance { queue: open.queue, bound: Bound::Waived };
        self.register(Ticket { id, enqueued: now, credit: open.waits[index], ..former }, entrance, now)
    }
}

impl Open {
    fn index_of(&self, user: &User) -> Option<usize> {
        self.tickets.iter().position(|ticket| ticket.user == *user)
    }
}
