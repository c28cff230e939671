//! What a step changes of the records, and what is to be told of it. In a lobby that nobody keeps there are no records.

use std::mem;

use throng_backbone::Commit;

use crate::event::Event;
use crate::names::User;
use crate::pairing::{Pairing, PairingId};
use crate::record;
use crate::ticket::Ticket;

/// Of the step that is being done.
#[derive(Debug, Default)]
pub(super) struct Journal {
    /// Nothing where nothing is written.
    commit: Option<Commit>,
    events: Vec<Event>,
}

/// What the record of a user's ticket says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recorded {
    /// There is none.
    Not,
    /// There is one, of the ticket that the user had before.
    Former,
    /// This ticket.
    Current,
}

impl Recorded {
    /// What the record is of once the ticket is replaced.
    pub(super) fn outdated(self) -> Self {
        match self {
            Self::Not => Self::Not,
            Self::Former | Self::Current => Self::Former,
        }
    }
}

impl Journal {
    /// A journal of a lobby that is kept.
    pub(super) fn kept() -> Self {
        Self { commit: Some(Commit::default()), ..Self::default() }
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.events.push(event);
    }

    pub(super) fn put_ticket(&mut self, ticket: &Ticket) {
        if let Some(commit) = &mut self.commit {
            commit.put.push((record::ticket_key(&ticket.user), record::of_ticket(ticket)));
        }
    }

    pub(super) fn remove_ticket(&mut self, user: &User, recorded: Recorded) {
        if let (Some(commit), Recorded::Former | Recorded::Current) = (&mut self.commit, recorded) {
            commit.remove.push(record::ticket_key(user));
        }
    }

    /// A ticket becomes part of a pairing.
    pub(super) fn take_ticket(&mut self, user: &User, recorded: Recorded) {
        if let (Some(commit), Recorded::Former | Recorded::Current) = (&mut self.commit, recorded) {
            commit.take.push(record::ticket_key(user));
        }
    }

    pub(super) fn put_pairing(&mut self, pairing: &Pairing) {
        if let Some(commit) = &mut self.commit {
            commit.put.push((record::pairing_key(pairing.id), record::of_pairing(pairing)));
        }
    }

    /// A pairing is over that not both have confirmed.
    pub(super) fn take_pairing(&mut self, id: PairingId) {
        if let Some(commit) = &mut self.commit {
            commit.take.push(record::pairing_key(id));
        }
    }

    /// A record that is of no use.
    pub(super) fn remove(&mut self, key: Box<str>) {
        if let Some(commit) = &mut self.commit {
            commit.remove.push(key);
        }
    }

    /// All of it, for the next step to begin with nothing.
    pub(super) fn take(&mut self) -> (Commit, Vec<Event>) {
        (self.commit.as_mut().map(mem::take).unwrap_or_default(), mem::take(&mut self.events))
    }
}
