//! The index of a queue: for each key a line of those who are found under it, in the order in which they wait.

use std::cmp::Reverse;
use std::collections::binary_heap::{BinaryHeap, PeekMut};
use std::iter::from_fn;

use crate::ticket::Seat;

use super::Cursor;
use super::lines::{Block, Lines};
use super::seats::Seats;

/// Who is found under which key.
#[derive(Debug, Default)]
pub(super) struct Index {
    lines: Lines,
}

/// What is left of a line while lines are merged.
struct Strand<R> {
    head: Seat,
    rest: R,
}

impl Index {
    /// Adds somebody under each key. Gives where they are, for [`remove`](Self::remove).
    pub(super) fn add(&mut self, keys: &[u64], seat: Seat, seats: &mut Seats) -> Box<[Block]> {
        self.lines.fetch_backs(keys);
        let place = seats.place(seat);
        let mut blocks = Vec::with_capacity(keys.len());
        for key in keys {
            let Some(added) = self.lines.add(*key, place, seat) else { continue };
            blocks.push(added.block);
            if let Some(split) = added.split {
                self.lines.seats(split.to).for_each(|moved| seats.repost(moved, split));
            }
        }
        blocks.into()
    }

    /// Removes somebody from where they are.
    pub(super) fn remove(&mut self, blocks: &[Block], seat: Seat) {
        self.lines.fetch(blocks.iter());
        blocks.iter().for_each(|block| self.lines.remove(*block, seat));
    }

    /// How many keys there are under which somebody is found.
    #[cfg(test)]
    pub(super) fn lines(&self) -> usize {
        self.lines.count()
    }

    /// Those after a place who are found under any of the keys, each once, in the order in which they wait.
    pub(super) fn after<'a>(&'a self, keys: &[u64], place: Cursor) -> impl Iterator<Item = Seat> + use<'a> {
        self.lines.fetch_fronts(keys);
        let mut strands = Vec::new();
        let mut heads = BinaryHeap::new();
        for key in keys {
            let Some(mut rest) = self.lines.after(*key, place) else { continue };
            if let Some((place, head)) = rest.next() {
                heads.push(Reverse((place, strands.len())));
                strands.push(Strand { head, rest });
            }
        }
        let mut last = place;
        from_fn(move || {
            loop {
                let mut first = heads.peek_mut()?;
                let Reverse((place, number)) = *first;
                let strand = &mut strands[number];
                let seat = strand.head;
                match strand.rest.next() {
                    Some((next, head)) => {
                        strand.head = head;
                        *first = Reverse((next, number));
                    }
                    None => drop(PeekMut::pop(first)),
                }
                // Who is in several of the lines comes several times in a row.
                if place != last {
                    last = place;
                    return Some(seat);
                }
            }
        })
    }
}
