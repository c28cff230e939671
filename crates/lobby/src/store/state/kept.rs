//! What only a lobby does that is kept: it files what it does, goes on with what another has written, and may be deposed.

use std::sync::Arc;

use throng_backbone::{Committed, Receipt, Register, TicketsError};
use tokio::sync::Notify;

use crate::event::Event;
use crate::lobby::{Bound, JoinError, Newcomer, Restored};
use crate::record::{self, Record, WrittenPairing, WrittenTicket};
use crate::store::journal::{Journal, Recorded};
use crate::store::outbox::{Answer, JOIN_PATIENCE, Joining, Outbox, Wait};
use crate::store::seats::{Entry, Stage};
use crate::ticket::Handle;
use crate::time::Time;

use super::State;

impl State {
    /// Has everything written that is done from now on. Names are new from here on: see [`Register::fence`].
    pub(in crate::store) fn keep(&mut self, register: Register, bell: Arc<Notify>) {
        // A fence is at least the time in microseconds, and nobody makes thousands of tickets in each of them.
        let before = register.fence() << 12;
        (self.last_ticket, self.last_pairing) = (before, before);
        self.journal = Journal::kept();
        self.outbox = Some(Outbox::new(register, bell));
    }

    /// Goes on with what is written. Tickets are away, pairings are to be confirmed anew.
    pub(in crate::store) fn restore(
        &mut self,
        records: Vec<(Box<str>, bytes::Bytes)>,
        now: Time,
    ) -> Restored {
        let mut restored = Restored::default();
        let (mut tickets, mut pairings) = (Vec::new(), Vec::new());
        for (key, value) in records {
            match record::read(&key, &value) {
                Record::Ticket(ticket) => tickets.push((key, ticket)),
                Record::Pairing(pairing) => pairings.push((key, pairing)),
                Record::Other => restored.others.push((key, value)),
                Record::Unreadable => {
                    tracing::error!(%key, "a ticket cannot be read and is dropped");
                    self.journal.remove(key);
                }
            }
        }
        for (key, written) in pairings {
            self.restore_pairing((key, *written), now, &mut restored);
        }
        for (key, written) in tickets {
            self.restore_ticket((key, *written), now, &mut restored);
        }
        restored
    }

    fn restore_pairing(
        &mut self,
        (key, written): (Box<str>, WrittenPairing),
        now: Time,
        restored: &mut Restored,
    ) {
        let ids = [self.new_ticket_id(), self.new_ticket_id()];
        let pairing = written.pairing(ids, now);
        if self.reopen(&pairing) {
            restored.pairings.push(pairing);
        } else {
            self.journal.remove(key);
        }
    }

    fn restore_ticket(
        &mut self,
        (key, written): (Box<str>, WrittenTicket),
        now: Time,
        restored: &mut Restored,
    ) {
        let ticket = written.ticket(self.new_ticket_id(), now);
        let queue = self.queue_of(&ticket.wish);
        let Some(queue) = queue.filter(|_| !self.users.contains_key(&ticket.user.number())) else {
            return self.journal.remove(key);
        };
        // Whoever had a place has it still.
        let entered = self.register(ticket, Entry::new(queue, Bound::Waived, Recorded::Current), now);
        self.send_away(entered.ticket.seat, now);
        restored.waiting.extend(self.seats.ticket(entered.ticket.seat).cloned().map(Arc::new));
    }

    /// Whether the lobby lets somebody in, as far as keeping is concerned.
    pub(super) fn admit(&self, newcomer: &Newcomer) -> Result<(), JoinError> {
        let Some(outbox) = &self.outbox else { return Ok(()) };
        if outbox.is_closed() {
            return Err(JoinError::Deposed);
        }
        if !outbox.has_room() {
            return Err(JoinError::StoreAway);
        }
        if record::fits(newcomer) { Ok(()) } else { Err(JoinError::TooLarge) }
    }

    /// Ends a step: gives what is to be told at once. Where the lobby is kept it is filed, to be told when it is written.
    pub(in crate::store) fn file(&mut self) -> Vec<Event> {
        let (commit, events) = self.journal.take();
        let Some(outbox) = &mut self.outbox else { return events };
        if !commit.is_empty() {
            outbox.file(commit, events);
        }
        Vec::new()
    }

    /// What to wait for until everything is told that was done by now; for somebody who joins, with their ticket.
    pub(in crate::store) fn wait(&mut self, joins: Option<(Handle, Time)>) -> Wait {
        let joins = joins.map(|(ticket, now)| Joining { ticket, deadline: now + JOIN_PATIENCE });
        self.outbox.as_mut().map_or(Wait::Over, |outbox| outbox.wait(joins))
    }

    /// The receipt of the first change that is not told.
    pub(in crate::store) fn next_receipt(&mut self) -> Option<Receipt> {
        self.outbox.as_mut()?.next_receipt()
    }

    /// The first change that is not told was written, or could not be. Gives what is to be told, and who is to be answered then.
    pub(in crate::store) fn written(
        &mut self,
        outcome: &Result<Committed, TicketsError>,
    ) -> (Vec<Event>, Vec<Answer>) {
        let Some(outbox) = self.outbox.as_mut().filter(|outbox| !outbox.is_closed()) else {
            return Default::default();
        };
        match outcome {
            Ok(Committed::Done) => {}
            Err(TicketsError::Superseded) => return (self.depose(), Vec::new()),
            // The store and the lobby are of two minds, and the store is right.
            Ok(Committed::Lost) | Err(_) => {
                tracing::error!(?outcome, "a change of a lobby could not be written, and the lobby ends");
                return (self.depose(), Vec::new());
            }
        }
        let (events, answers) = outbox.written();
        let goes_on = outbox.release();
        for event in &events {
            if let Event::Paired(pairing) = event {
                self.told(pairing.id);
            }
        }
        if goes_on {
            self.look_all(Time::default());
        }
        (events, answers)
    }

    /// Forgets everything: it is somebody else's.
    fn depose(&mut self) -> Vec<Event> {
        for seat in self.seats.in_order() {
            self.remove(seat);
        }
        for (pairing, open) in self.pairings.drain() {
            open.stop(pairing, &mut self.timers);
        }
        self.users.clear();
        if let Some(outbox) = &mut self.outbox {
            outbox.close();
        }
        vec![Event::Deposed]
    }

    /// Whether everything is somebody else's.
    pub(super) fn is_deposed(&self) -> bool {
        self.outbox.as_ref().is_some_and(Outbox::is_closed)
    }

    /// Lets somebody go who waits for too long to be let in. Says whether there was anybody.
    pub(super) fn give_up_a_join(&mut self, now: Time) -> bool {
        let Some(outbox) = &mut self.outbox else { return false };
        let waits = |ticket| {
            self.seats
                .find(ticket)
                .is_some_and(|seat| matches!(self.seats[seat].stage, Stage::Posted(_) | Stage::Away))
        };
        let Some((ticket, answer)) = outbox.pop_late(now, waits) else { return false };
        if let Some(seat) = self.seats.find(ticket) {
            self.take(seat);
        }
        // Who does not wait for it does not want to know.
        let _ = answer.send(Err(JoinError::StoreAway));
        true
    }
}
