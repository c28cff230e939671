//! The index of a queue: for each key a line of those who are found under it, in the order in which they wait.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::ops::Bound;

use hashbrown::HashMap;

use super::Cursor;

/// Who is found under which key.
#[derive(Debug, Default)]
pub(super) struct Index {
    lines: HashMap<u64, BTreeSet<Cursor>>,
}

impl Index {
    /// Adds somebody under each key.
    pub(super) fn add(&mut self, keys: &[u64], place: Cursor) {
        for key in keys {
            self.lines.entry(*key).or_default().insert(place);
        }
    }

    /// Removes somebody under each key.
    pub(super) fn remove(&mut self, keys: &[u64], place: Cursor) {
        for key in keys {
            if let Some(line) = self.lines.get_mut(key) {
                line.remove(&place);
                if line.is_empty() {
                    self.lines.remove(key);
                }
            }
        }
    }

    /// Those after a place who are found under any of the keys, each once, in the order in which they wait.
    pub(super) fn after(&self, keys: &[u64], place: Cursor) -> impl Iterator<Item = Cursor> + use<'_> {
        let lines = keys.iter().filter_map(|key| self.lines.get(key));
        let mut lines: Vec<_> =
            lines.map(|line| line.range((Bound::Excluded(place), Bound::Unbounded))).collect();
        let firsts = lines.iter_mut().enumerate();
        let firsts = firsts.filter_map(|(at, line)| Some(Reverse((*line.next()?, at))));
        let mut heads: BinaryHeap<_> = firsts.collect();
        let mut last = place;
        std::iter::from_fn(move || {
            loop {
                let mut head = heads.peek_mut()?;
                let Reverse((place, at)) = *head;
                match lines[at].next() {
                    Some(next) => *head = Reverse((*next, at)),
                    None => drop(std::collections::binary_heap::PeekMut::pop(head)),
                }
                if place != last {
                    last = place;
                    return Some(place);
                }
            }
        })
    }
}
