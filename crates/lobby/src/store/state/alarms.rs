//! What happens when the time has come, and when it comes for a ticket.

use std::time::Duration;

use crate::event::Event;
use crate::policy::Policy;
use crate::store::outbox::Outbox;
use crate::store::seats::{Stage, Stopped};
use crate::store::timers::Alarm;
use crate::store::{Due, Progress};
use crate::ticket::{Handle, Seat, Ticket};
use crate::time::Time;

use super::State;

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
            let due = match self.timers.pop(now, &mut self.seats)? {
                Alarm::Pairing(pairing) if self.set_deadline(pairing, now) => None,
                Alarm::Pairing(pairing) => self.lapse(pairing, now),
                Alarm::Ticket(seat) => match self.seats[seat].stage {
                    Stage::Away => self.expire(seat),
                    Stage::Entered(_) | Stage::Posted(_) => self.look(seat, now),
                },
            };
            if due.is_some() {
                return due;
            }
        }
    }

    fn expire(&mut self, seat: Seat) -> Option<Due> {
        let ticket = self.take(seat)?;
        self.journal.tell(Event::Expired { user: ticket.user.clone() });
        Some(Due::Done)
    }

    /// The ticket's time to look has come: from the beginning when it asks for less now, else from where it stopped.
    fn look(&mut self, seat: Seat, now: Time) -> Option<Due> {
        let ticket = Handle { id: self.seats.ticket(seat)?.id, seat };
        let mut from = Progress::default();
        match self.seats[seat].stopped.take() {
            Some(stopped) if stopped.changes.is_none_or(|at| at > now) => from = stopped.from,
            _ => self.post_anew(seat, now),
        }
        self.schedule(seat, now);
        Some(Due::Look(ticket, from))
    }

    pub(in crate::store) fn look_later(&mut self, ticket: Handle, from: Progress, now: Time) {
        let Some(seat) = self.seats.find(ticket) else { return };
        self.go_on(seat, Stopped { goes_on: (now + LOOK_AGAIN, LOOK_AGAIN), from, changes: None }, now);
    }

    /// Has everyone look at the next occasion, from the beginning.
    pub(super) fn look_all(&mut self, now: Time) {
        for seat in self.seats.in_order() {
            let stopped =
                Stopped { goes_on: (now, Duration::ZERO), from: Progress::default(), changes: None };
            self.go_on(seat, stopped, now);
        }
    }

    /// Has a ticket go on later, if it is posted.
    fn go_on(&mut self, seat: Seat, stopped: Stopped, now: Time) {
        if let Stage::Posted(_) = self.seats[seat].stage {
            self.seats[seat].stopped = Some(Box::new(stopped));
            self.schedule(seat, now);
        }
    }

    /// Sets the timer of a posted ticket to when it looks the next time.
    pub(super) fn schedule(&mut self, seat: Seat, now: Time) {
        let Some(ticket) = self.seats.ticket(seat) else { return };
        let policy = ticket.policy(self.queues[self.seats[seat].queue].policy());
        let changes = next_change(ticket, policy, now);
        let mut next = changes;
        if let Some(stopped) = &mut self.seats[seat].stopped {
            stopped.changes = changes.map(|(at, _)| at);
            next = changes.into_iter().chain([stopped.goes_on]).min();
        }
        self.set_timer(seat, next);
    }

    /// Replaces the timer of a ticket.
    pub(super) fn set_timer(&mut self, seat: Seat, timer: Option<(Time, Duration)>) {
        self.timers.stop(seat, &mut self.seats);
        if let Some(timer) = timer {
            self.timers.start(seat, timer, &mut self.seats);
        }
    }
}

/// When a ticket asks for less the next time, and after which wait: at its next step, or when it may meet recent partners
/// again.
fn next_change(ticket: &Ticket, policy: &Policy, now: Time) -> Option<(Time, Duration)> {
    let recent = (!ticket.recent.is_empty()).then_some(policy.recent_after());
    let changes = policy.steps().iter().map(|step| step.after).chain(recent);
    changes.map(|after| (ticket.since() + after, after)).filter(|(at, _)| *at > now).min()
}
