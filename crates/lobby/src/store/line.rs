//! Those who are found under one key, in the order in which they wait. Most join at the end and leave near the front, so
//! it is a ring in one piece of memory: leaving makes a gap, and gaps are closed when they are the half of it.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::ticket::Ticket;

use super::Cursor;

/// A line of tickets.
#[derive(Debug, Default)]
pub(super) struct Line {
    places: VecDeque<(Cursor, Option<Arc<Ticket>>)>,
    gaps: usize,
}

impl Line {
    /// How many are in it.
    pub(super) fn count(&self) -> usize {
        self.places.len() - self.gaps
    }

    /// Adds a ticket where it belongs.
    pub(super) fn add(&mut self, ticket: &Arc<Ticket>) {
        let place = ticket.place();
        let entry = (place, Some(Arc::clone(ticket)));
        if self.places.back().is_none_or(|(last, _)| *last < place) {
            self.places.push_back(entry);
            return;
        }
        let index = self.begin(place);
        match self.places.get_mut(index).filter(|(there, _)| *there == place) {
            None => self.places.insert(index, entry),
            // It was here before and has left a gap.
            Some((_, gap @ None)) => {
                *gap = entry.1;
                self.gaps -= 1;
            }
            Some(_) => {}
        }
    }

    /// Removes the ticket at a place.
    pub(super) fn remove(&mut self, place: Cursor) {
        let index = self.begin(place);
        let Some((there, ticket)) = self.places.get_mut(index) else { return };
        if *there != place || ticket.take().is_none() {
            return;
        }
        self.gaps += 1;
        while self.places.front().is_some_and(|(_, ticket)| ticket.is_none()) {
            self.places.pop_front();
            self.gaps -= 1;
        }
        if self.gaps * 2 > self.places.len() {
            self.places.retain(|(_, ticket)| ticket.is_some());
            self.places.shrink_to(self.places.len() * 2);
            self.gaps = 0;
        }
    }

    /// The tickets after a place, each with its own.
    pub(super) fn after(&self, place: Cursor) -> impl Iterator<Item = (Cursor, &Arc<Ticket>)> + use<'_> {
        let begin = if place == Cursor::default() {
            0
        } else {
            self.places.partition_point(|(there, _)| *there <= place)
        };
        self.places.range(begin..).filter_map(|(place, ticket)| Some((*place, ticket.as_ref()?)))
    }

    /// The index of the first that is not before a place, which is looked for near the front first.
    fn begin(&self, place: Cursor) -> usize {
        let mut near = 8;
        while self.places.get(near).is_some_and(|(there, _)| *there < place) {
            near *= 4;
        }
        let (mut low, mut high) = (if near == 8 { 0 } else { near / 4 }, near.min(self.places.len()));
        while low < high {
            let middle = low.midpoint(high);
            if self.places[middle].0 < place { low = middle + 1 } else { high = middle }
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::*;
    use crate::lobby::Newcomer;
    use crate::ticket::TicketId;
    use crate::time::Time;
    use crate::wish::Wish;

    fn ticket(id: u64) -> Arc<Ticket> {
        // Several wait since the same moment, and few come in the order of their numbers.
        let since = Time(Duration::from_millis(id * 7919 % 50));
        Arc::new(Ticket::new(TicketId(id), Newcomer::new("ann", Wish::new("default")), since, Duration::ZERO))
    }

    #[test]
    fn a_line_is_an_ordered_set_however_one_comes_and_goes() {
        let mut line = Line::default();
        let mut expect = BTreeSet::new();
        for step in 1..2000_u64 {
            let ticket = ticket(step * 7 % 200 + 1);
            if step % 5 < 3 {
                line.add(&ticket);
                expect.insert(ticket.place());
            } else {
                line.remove(ticket.place());
                expect.remove(&ticket.place());
            }
            assert_eq!(line.count(), expect.len());
            assert!(line.gaps * 2 <= line.places.len());
            let after = |place| line.after(place).map(|(place, _)| place).collect::<Vec<_>>();
            assert_eq!(after(Cursor::default()), expect.iter().copied().collect::<Vec<_>>());
            let later: Vec<Cursor> = expect.range(ticket.place()..).copied().collect();
            assert_eq!(after(ticket.place()), &later[usize::from(later.first() == Some(&ticket.place()))..]);
        }
    }

    #[test]
    fn whoever_leaves_first_leaves_no_gap() {
        let mut line = Line::default();
        let tickets: Vec<_> = (1..100).map(ticket).collect();
        tickets.iter().for_each(|ticket| line.add(ticket));
        let mut places: Vec<Cursor> = tickets.iter().map(|ticket| ticket.place()).collect();
        places.sort_unstable();
        for place in places {
            line.remove(place);
            assert_eq!(line.gaps, 0);
        }
        assert_eq!(line.places.len(), 0);
    }
}
