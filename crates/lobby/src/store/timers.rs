//! What is to happen when.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::Notify;

use crate::pairing::PairingId;
use crate::ticket::TicketId;
use crate::time::Time;

/// What a timer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Alarm {
    /// A ticket looks for a partner; while it is away, its lease is over.
    Ticket(TicketId),
    /// The time to confirm a pairing is over.
    Pairing(PairingId),
}

/// The timers that run.
#[derive(Debug)]
pub(super) struct Timers {
    set: BTreeSet<(Time, Alarm)>,
    /// Rings when the earliest time has moved earlier.
    bell: Arc<Notify>,
}

impl Timers {
    pub(super) fn new(bell: Arc<Notify>) -> Self {
        Self { set: BTreeSet::new(), bell }
    }

    pub(super) fn start(&mut self, at: Time, alarm: Alarm) {
        if self.due().is_none_or(|due| at < due) {
            self.bell.notify_one();
        }
        self.set.insert((at, alarm));
    }

    pub(super) fn stop(&mut self, at: Time, alarm: Alarm) {
        self.set.remove(&(at, alarm));
    }

    /// When the first of them ends.
    pub(super) fn due(&self) -> Option<Time> {
        self.set.first().map(|(at, _)| *at)
    }

    /// Takes out the first, if it has ended.
    pub(super) fn pop(&mut self, now: Time) -> Option<Alarm> {
        if self.due()? > now {
            return None;
        }
        self.set.pop_first().map(|(_, alarm)| alarm)
    }
}
