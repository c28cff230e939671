//! Everyone who waits, each in a seat of their own. A crowd that waits does not fit into a processor's cache, so all of this is
//! small, and what is looked at of many at a time lies apart from the rest.

use std::mem;
use std::ops::{Index, IndexMut};
use std::time::Duration;

use crate::lobby::Bound;
use crate::ticket::{Handle, Seat, Ticket, TicketId};
use crate::time::Time;

use super::journal::{Journal, Recorded};
use super::lines::{Block, Split};
use super::timers::Timer;
use super::{Cursor, Progress};

/// The tickets and what is done with them.
#[derive(Debug, Default)]
pub(super) struct Seats {
    contents: Vec<Content>,
    /// Those that nobody has.
    free: Vec<Seat>,
}

/// Who has a seat, if anybody.
#[derive(Debug)]
#[repr(C, align(64))]
struct Content {
    ticket: Option<Ticket>,
    entry: Entry,
}

/// What is done with a ticket.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) queue: usize,
    pub(super) stage: Stage,
    pub(super) recorded: Recorded,
    /// When it looks the next time; while away, when the lease is over.
    pub(super) timer: Option<Timer>,
    /// A look that goes on later. Rare, and so in a box.
    pub(super) stopped: Option<Box<Stopped>>,
}

#[derive(Debug)]
pub(super) enum Stage {
    /// Looks for a partner and is in no window yet.
    Entered(Bound),
    /// Is in windows, found in these blocks of its queue's index.
    Posted(Box<[Block]>),
    /// Is in no window until the user is back.
    Away,
}

/// A look that was stopped.
#[derive(Debug)]
pub(super) struct Stopped {
    /// When, and how long after it was stopped.
    pub(super) goes_on: (Time, Duration),
    pub(super) from: Progress,
    /// When the ticket asks for less, if it does.
    pub(super) changes: Option<Time>,
}

impl Seats {
    /// Seats a ticket.
    pub(super) fn take(&mut self, ticket: Ticket, entry: Entry) -> Handle {
        let id = ticket.id;
        let content = Content { ticket: Some(ticket), entry };
        let seat = if let Some(seat) = self.free.pop() {
            self.contents[seat.index()] = content;
            seat
        } else {
            self.contents.push(content);
            Seat::new(self.contents.len() - 1)
        };
        Handle { id, seat }
    }

    /// Frees a seat. Nobody may be found in it any longer.
    pub(super) fn leave(&mut self, seat: Seat) -> Option<(Ticket, Entry)> {
        let content = &mut self.contents[seat.index()];
        let ticket = content.ticket.take()?;
        self.free.push(seat);
        Some((ticket, mem::take(&mut content.entry)))
    }

    /// The seat of a ticket that still has it.
    pub(super) fn find(&self, handle: Handle) -> Option<Seat> {
        let ticket = self.ticket(handle.seat)?;
        (ticket.id == handle.id).then_some(handle.seat)
    }

    /// Where whoever has the seat stands in the order in which people wait; before all of them when nobody has it.
    pub(super) fn place(&self, seat: Seat) -> Cursor {
        self.ticket(seat).map_or_else(Cursor::default, Ticket::place)
    }

    /// Has the processor fetch what candidates are compared by. It fetches many at once while nothing has to be decided
    /// between them, and so waits for all of them about as long as for one.
    pub(super) fn fetch(&self, seats: &[Seat]) {
        let touched = seats.iter().filter_map(|seat| self.ticket(*seat)).map(|ticket| ticket.sketch.touch());
        std::hint::black_box(touched.fold(0, std::ops::BitXor::bitxor));
    }

    /// Who has the seat.
    pub(super) fn ticket(&self, seat: Seat) -> Option<&Ticket> {
        self.contents[seat.index()].ticket.as_ref()
    }

    /// Everyone, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Ticket, &Entry)> {
        self.contents.iter().filter_map(|content| Some((content.ticket.as_ref()?, &content.entry)))
    }

    /// Where everyone is, those first who wait longest.
    pub(super) fn in_order(&self) -> Vec<Seat> {
        let seats = (0..).map(Seat::new).zip(&self.contents);
        let mut seats: Vec<Seat> =
            seats.filter(|(_, content)| content.ticket.is_some()).map(|(seat, _)| seat).collect();
        seats.sort_unstable_by_key(|seat| self.place(*seat));
        seats
    }

    /// Has a ticket written that is its user's place from now on.
    pub(super) fn record(&mut self, seat: Seat, journal: &mut Journal) {
        let Content { ticket, entry } = &mut self.contents[seat.index()];
        let recorded = mem::replace(&mut entry.recorded, Recorded::Current);
        let ticket = ticket.iter().filter(|_| recorded != Recorded::Current);
        ticket.for_each(|ticket| journal.put_ticket(ticket));
    }

    /// When the timer ends of whoever has the seat, in an order that knows no equals.
    pub(super) fn timer_end(&self, seat: Seat) -> (Time, TicketId) {
        (self[seat].timer.map_or_else(Time::default, |timer| timer.at), self.place(seat).1)
    }

    /// Somebody's timer was moved to another block.
    pub(super) fn restart(&mut self, seat: Seat, split: Split) {
        if let Some(timer) = &mut self[seat].timer {
            timer.block = split.to;
        }
    }

    /// Somebody who is posted was moved to another block.
    pub(super) fn repost(&mut self, seat: Seat, split: Split) {
        if let Stage::Posted(blocks) = &mut self[seat].stage {
            blocks.iter_mut().filter(|block| **block == split.from).for_each(|block| *block = split.to);
        }
    }
}

impl Index<Seat> for Seats {
    type Output = Entry;

    fn index(&self, seat: Seat) -> &Entry {
        &self.contents[seat.index()].entry
    }
}

impl IndexMut<Seat> for Seats {
    fn index_mut(&mut self, seat: Seat) -> &mut Entry {
        &mut self.contents[seat.index()].entry
    }
}

impl Entry {
    /// Of a ticket that enters.
    pub(super) fn new(queue: usize, bound: Bound, recorded: Recorded) -> Self {
        Self { queue, stage: Stage::Entered(bound), recorded, timer: None, stopped: None }
    }
}

/// Of nobody.
impl Default for Entry {
    fn default() -> Self {
        Self { queue: 0, stage: Stage::Away, recorded: Recorded::Not, timer: None, stopped: None }
    }
}
