//! What happens when the time has come, and when it comes for a ticket.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use crate::event::Event;
use crate::policy::Policy;
use crate::store::outbox::Outbox;
use crate::store::timers::Alarm;
use crate::store::{Cursor, Due};
use crate::ticket::{Ticket, TicketId};
use crate::time::Time;

use super::{Stage, State};

/// A look that was stopped goes on after this.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

impl State {
    pub(in crate::store) fn due(&self) -> Option<Time> {
        match &self.outbox {
            Some(outbox) if outbox.is_held() => outbox.deadline(),
            _ => self.timers.due(),
        }
    }

    pub(in crate::store) fn next_due(&mut self, now: Time) -> Option<Due> {
        if self.give_up_a_join(now) {
            return Some(Due::Done);
        }
        if self.outbox.as_mut().is_some_and(Outbox::hold) {
            return None;
        }
        loop {
            let due = match self.timers.pop(now)? {
                Alarm::Pairing(pairing) if self.set_deadline(pairing, now) => None,
                Alarm::Pairing(pairing) => self.lapse(pairing, now),
                Alarm::Ticket(id) => match self.tickets.get(&id)?.stage {
                    Stage::Away => self.expire(id),
                    Stage::Entered(_) | Stage::Posted(_) => self.look(id, now),
                },
            };
            if due.is_some() {
                return due;
            }
        }
    }

    fn expire(&mut self, id: TicketId) -> Option<Due> {
        let (ticket, recorded) = self.remove(id)?;
        self.users.remove(&ticket.user);
        self.journal.remove_ticket(&ticket.user, recorded);
        self.journal.tell(Event::Expired { user: ticket.user.clone() });
        Some(Due::Done)
    }

    /// The ticket's time to look has come: from the beginning when it asks for less now, else from where it stopped.
    fn look(&mut self, id: TicketId, now: Time) -> Option<Due> {
        let entry = self.tickets.get_mut(&id)?;
        entry.timer = None;
        let mut after = Cursor::default();
        if entry.changes.is_some_and(|at| at <= now) {
            entry.resumes = None;
            entry.post_anew(&mut self.queues[entry.queue], now);
        } else if let Some(stopped) = entry.resumes.take() {
            after = stopped.1;
        }
        let ticket = Arc::clone(&entry.ticket);
        self.schedule(id, now);
        Some(Due::Look(ticket, after))
    }

    pub(in crate::store) fn look_later(&mut self, id: TicketId, after: Cursor, now: Time) {
        let Some(entry) = self.tickets.get_mut(&id) else { return };
        if let Stage::Posted(_) = entry.stage {
            entry.resumes = Some(Box::new((now + LOOK_AGAIN, after)));
            self.schedule(id, now);
        }
    }

    /// Has everyone look at the next occasion, from the beginning.
    pub(super) fn look_all(&mut self, now: Time) {
        let ids: Vec<TicketId> = self.tickets.keys().copied().collect();
        for id in ids {
            let Some(entry) = self.tickets.get_mut(&id) else { continue };
            if let Stage::Posted(_) = entry.stage {
                entry.resumes = Some(Box::new((now, Cursor::default())));
                self.schedule(id, now);
            }
        }
    }

    /// Sets the timer of a posted ticket to when it looks the next time.
    pub(super) fn schedule(&mut self, id: TicketId, now: Time) {
        let Some(entry) = self.tickets.get_mut(&id) else { return };
        let policy = entry.ticket.policy(self.queues[entry.queue].policy());
        entry.changes = next_change(&entry.ticket, policy, now);
        let resumes = entry.resumes.as_ref().map(|resumes| resumes.0);
        let next = entry.changes.into_iter().chain(resumes).min();
        self.set_timer(id, next);
    }

    /// Replaces the timer of a ticket.
    pub(super) fn set_timer(&mut self, id: TicketId, timer: Option<Time>) {
        let Some(entry) = self.tickets.get_mut(&id) else { return };
        if let Some(at) = mem::replace(&mut entry.timer, timer) {
            self.timers.stop(at, Alarm::Ticket(id));
        }
        if let Some(at) = timer {
            self.timers.start(at, Alarm::Ticket(id));
        }
    }
}

/// When a ticket asks for less the next time: at its next step, or when it may meet recent partners again.
fn next_change(ticket: &Ticket, policy: &Policy, now: Time) -> Option<Time> {
    let recent = (!ticket.recent.is_empty()).then_some(policy.recent_after());
    let changes = policy.steps().iter().map(|step| step.after).chain(recent);
    changes.map(|after| ticket.since() + after).filter(|at| *at > now).min()
}
