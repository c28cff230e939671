//! What is to happen when. Timers that run equally long mostly end in the order in which they began, so there is a line of
//! tickets for each length.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::pairing::PairingId;
use crate::ticket::{Seat, TicketId};
use crate::time::Time;

use super::lines::{Block, Lines};
use super::seats::Seats;

/// What a timer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alarm {
    /// Whoever has the seat looks for a partner; while they are away, the lease is over.
    Ticket(Seat),
    /// The time to confirm a pairing is over.
    Pairing(PairingId),
}

/// The timer of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Timer {
    /// When it ends.
    pub(super) at: Time,
    pub(super) block: Block,
}

/// The timers that run.
#[derive(Debug)]
pub(super) struct Timers {
    /// By how long they run, in the order in which they end.
    tickets: Lines,
    /// The first of each line.
    firsts: BTreeSet<((Time, TicketId), Seat)>,
    pairings: BTreeSet<(Time, PairingId)>,
    /// Rings when the earliest time has moved earlier.
    bell: Arc<Notify>,
}

impl Timers {
    pub(super) fn new(bell: Arc<Notify>) -> Self {
        Self { tickets: Lines::default(), firsts: BTreeSet::new(), pairings: BTreeSet::new(), bell }
    }

    /// Starts the timer of a ticket that has none. Its length only says among which others it is kept.
    pub(super) fn start(&mut self, seat: Seat, (at, length): (Time, Duration), seats: &mut Seats) {
        self.ring(at);
        let (id, length) = (seats.place(seat).1, Time(length).nanos());
        let first = self.tickets.first(length);
        let Some(added) = self.tickets.add(length, (at.nanos(), id), seat) else { return };
        if let Some(split) = added.split {
            self.tickets.seats(split.to).for_each(|moved| seats.restart(moved, split));
        }
        seats[seat].timer = Some(Timer { at, block: added.block });
        if self.tickets.first(length) == Some(seat) {
            first.map(|first| self.firsts.remove(&(seats.timer_end(first), first)));
            self.firsts.insert(((at, id), seat));
        }
    }

    /// Stops the timer of a ticket, if it has one.
    pub(super) fn stop(&mut self, seat: Seat, seats: &mut Seats) {
        let end = seats.timer_end(seat);
        let Some(timer) = seats[seat].timer.take() else { return };
        let length = self.tickets.key(timer.block);
        let was_first = self.tickets.first(length) == Some(seat);
        self.tickets.remove(timer.block, seat);
        if was_first {
            self.firsts.remove(&(end, seat));
            let next = self.tickets.first(length);
            self.firsts.extend(next.map(|next| (seats.timer_end(next), next)));
        }
    }

    /// Reads something of where a timer is.
    pub(super) fn touch(&self, timer: Timer) -> u64 {
        self.tickets.key(timer.block)
    }

    pub(super) fn start_pairing(&mut self, at: Time, pairing: PairingId) {
        self.ring(at);
        self.pairings.insert((at, pairing));
    }

    pub(super) fn stop_pairing(&mut self, at: Time, pairing: PairingId) {
        self.pairings.remove(&(at, pairing));
    }

    /// When the first of them ends.
    pub(super) fn due(&self) -> Option<Time> {
        let ticket = self.firsts.first().map(|first| first.0.0);
        let pairing = self.pairings.first().map(|first| first.0);
        ticket.into_iter().chain(pairing).min()
    }

    /// Takes out the first, if it has ended. Of those that end at once tickets come first.
    pub(super) fn pop(&mut self, now: Time, seats: &mut Seats) -> Option<Alarm> {
        let due = self.due().filter(|due| *due <= now)?;
        if let Some((_, seat)) = self.firsts.first().copied().filter(|first| first.0.0 == due) {
            self.stop(seat, seats);
            return Some(Alarm::Ticket(seat));
        }
        self.pairings.pop_first().map(|(_, pairing)| Alarm::Pairing(pairing))
    }

    fn ring(&self, at: Time) {
        if self.due().is_none_or(|due| at < due) {
            self.bell.notify_one();
        }
    }
}
