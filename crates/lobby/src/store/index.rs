//! The index of a queue: for each key a line of those who are found under it, in the order in which they wait.

use std::cmp::Reverse;
use std::collections::binary_heap::{BinaryHeap, PeekMut};
use std::iter::from_fn;
use std::sync::Arc;

use hashbrown::HashMap;

use crate::ticket::Ticket;

use super::Cursor;
use super::line::Line;

/// Who is found under which key.
#[derive(Debug, Default)]
pub(super) struct Index {
    lines: HashMap<u64, Line>,
}

/// What is left of a line while lines are merged.
struct Strand<'a, R> {
    head: &'a Arc<Ticket>,
    rest: R,
}

impl Index {
    /// Adds somebody under each key.
    pub(super) fn add(&mut self, keys: &[u64], ticket: &Arc<Ticket>) {
        for key in keys {
            self.lines.entry(*key).or_default().add(ticket);
        }
    }

    /// Removes somebody under each key.
    pub(super) fn remove(&mut self, keys: &[u64], place: Cursor) {
        for key in keys {
            let Some(line) = self.lines.get_mut(key) else { continue };
            line.remove(place);
            if line.count() == 0 {
                self.lines.remove(key);
            }
        }
    }

    /// How many keys there are under which somebody is found.
    #[cfg(test)]
    pub(super) fn lines(&self) -> usize {
        self.lines.len()
    }

    /// Those after a place who are found under any of the keys, each once, in the order in which they wait.
    pub(super) fn after<'a>(
        &'a self,
        keys: &[u64],
        place: Cursor,
    ) -> impl Iterator<Item = &'a Arc<Ticket>> + use<'a> {
        let mut strands = Vec::new();
        let mut heads = BinaryHeap::new();
        for line in keys.iter().filter_map(|key| self.lines.get(key)) {
            let mut rest = line.after(place);
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
                let ticket = strand.head;
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
                    return Some(ticket);
                }
            }
        })
    }
}
