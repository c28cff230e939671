//! Lines of seats, each found by a key and in the order of the places that were said. Most join at the end and leave near the
//! front. A line is a list of blocks, and who is in a block fits into one cache line: whoever knows their block leaves by
//! touching nothing else.

use std::collections::VecDeque;

use hashbrown::HashMap;

use crate::ticket::Seat;

use super::Cursor;

/// As many as fill a cache line with the rest of a block's head.
const SEATS_MAX: usize = 12;

/// The name of a block, which is of one line for as long as somebody is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block(u32);

/// Lines by key.
#[derive(Debug, Default)]
pub(super) struct Lines {
    lines: HashMap<u64, Line>,
    blocks: Vec<Content>,
    /// The blocks that are of no line.
    free: Vec<Block>,
}

/// The blocks of a line, in order, somebody in each of them.
#[derive(Debug, Default)]
struct Line {
    blocks: VecDeque<Block>,
    /// Nobody is behind this place.
    last: Cursor,
}

/// What is in a block. In this order in memory: the places are in cache lines of their own.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Content {
    key: u64,
    /// How many have ever been put here, and how many of them are here: whoever leaves leaves a gap.
    used: u32,
    count: u32,
    seats: [Option<Seat>; SEATS_MAX],
    /// Of each seat and each gap, in order.
    places: [Cursor; SEATS_MAX],
}

/// Where somebody is in a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Added {
    pub(super) block: Block,
    /// A block was full, and half of those who were in it are in another now.
    pub(super) split: Option<Split>,
}

/// Everyone in one block was in the other before, but perhaps for who was added.
#[derive(Debug, Clone, Copy)]
pub(super) struct Split {
    pub(super) from: Block,
    pub(super) to: Block,
}

impl Lines {
    /// Puts somebody into a line at their place, which nobody else has. Gives nothing when they are there already.
    pub(super) fn add(&mut self, key: u64, place: Cursor, seat: Seat) -> Option<Added> {
        let line = self.lines.entry(key).or_default();
        if line.last < place || line.blocks.is_empty() {
            line.last = place;
            let back = line.blocks.back().copied().filter(|block| self.blocks[block.index()].has_room());
            let block = back.unwrap_or_else(|| {
                let block = new_block(&mut self.blocks, &mut self.free, key);
                line.blocks.push_back(block);
                block
            });
            self.blocks[block.index()].insert(place, seat);
            return Some(Added { block, split: None });
        }
        let number = line.place_of(place, &self.blocks);
        let block = line.blocks[number];
        let content = &mut self.blocks[block.index()];
        if content.has(seat) {
            return None;
        }
        if !content.has_room() {
            content.close_gaps();
        }
        if content.has_room() {
            content.insert(place, seat);
            return Some(Added { block, split: None });
        }
        let to = new_block(&mut self.blocks, &mut self.free, key);
        line.blocks.insert(number + 1, to);
        self.blocks[to.index()] = self.blocks[block.index()].split_off();
        let split = Some(Split { from: block, to });
        let block = if place < self.blocks[to.index()].places[0] { block } else { to };
        self.blocks[block.index()].insert(place, seat);
        Some(Added { block, split })
    }

    /// Takes somebody out of a block that they are in.
    pub(super) fn remove(&mut self, block: Block, seat: Seat) {
        let content = &mut self.blocks[block.index()];
        content.remove(seat);
        if content.count > 0 {
            return;
        }
        let key = content.key;
        let Some(line) = self.lines.get_mut(&key) else { return };
        if let Some(number) = line.blocks.iter().position(|other| *other == block) {
            line.blocks.remove(number);
            self.free.push(block);
        }
        if line.blocks.is_empty() {
            self.lines.remove(&key);
        }
    }

    /// Those in a line who are after a place, each with their own.
    pub(super) fn after(&self, key: u64, place: Cursor) -> Option<impl Iterator<Item = (Cursor, Seat)>> {
        let line = self.lines.get(&key)?;
        let first = if place == Cursor::default() { 0 } else { line.place_of(place, &self.blocks) };
        let seats = line.blocks.range(first..).flat_map(|block| self.blocks[block.index()].iter());
        Some(seats.skip_while(move |(there, _)| *there <= place))
    }

    /// Has the processor fetch the first block of each of these lines, as [`Seats::fetch`](super::seats::Seats::fetch) does
    /// with candidates.
    pub(super) fn fetch_fronts(&self, keys: &[u64]) {
        self.fetch(self.found(keys).filter_map(|line| line.blocks.front()));
    }

    /// The same of the last block of each.
    pub(super) fn fetch_backs(&self, keys: &[u64]) {
        self.fetch(self.found(keys).filter_map(|line| line.blocks.back()));
    }

    /// The same of these blocks.
    pub(super) fn fetch<'a>(&self, blocks: impl Iterator<Item = &'a Block>) {
        let touched = blocks.map(|block| self.blocks[block.index()].touch());
        std::hint::black_box(touched.fold(0, std::ops::BitXor::bitxor));
    }

    fn found(&self, keys: &[u64]) -> impl Iterator<Item = &Line> {
        keys.iter().filter_map(|key| self.lines.get(key))
    }

    /// Who is first in a line.
    pub(super) fn first(&self, key: u64) -> Option<Seat> {
        self.after(key, Cursor::default())?.next().map(|(_, seat)| seat)
    }

    /// Who is in a block.
    pub(super) fn seats(&self, block: Block) -> impl Iterator<Item = Seat> {
        self.blocks[block.index()].iter().map(|(_, seat)| seat)
    }

    /// The key of the line that a block is of.
    pub(super) fn key(&self, block: Block) -> u64 {
        self.blocks[block.index()].key
    }

    /// How many lines there are.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.lines.len()
    }
}

fn new_block(blocks: &mut Vec<Content>, free: &mut Vec<Block>, key: u64) -> Block {
    let content =
        Content { key, used: 0, count: 0, seats: [None; SEATS_MAX], places: [Cursor::default(); SEATS_MAX] };
    if let Some(block) = free.pop() {
        blocks[block.index()] = content;
        return block;
    }
    blocks.push(content);
    Block(u32::try_from(blocks.len() - 1).expect("memory ends before the numbers do"))
}

impl Line {
    /// The number of the block that a place is in, or would be.
    fn place_of(&self, place: Cursor, blocks: &[Content]) -> usize {
        let begun = self.blocks.partition_point(|block| blocks[block.index()].places[0] <= place);
        begun.saturating_sub(1)
    }
}

impl Block {
    fn index(self) -> usize {
        self.0 as usize
    }
}

impl Content {
    fn iter(&self) -> impl Iterator<Item = (Cursor, Seat)> {
        let used = self.used as usize;
        let seats = self.places[..used].iter().zip(&self.seats[..used]);
        seats.filter_map(|(place, seat)| Some((*place, (*seat)?)))
    }

    /// Reads something of who is here and of the places that are used next.
    fn touch(&self) -> u64 {
        let next = self.places.get(self.used as usize).map_or(0, |place| place.0);
        u64::from(self.count) ^ self.places[0].0 ^ next
    }

    fn has_room(&self) -> bool {
        (self.used as usize) < SEATS_MAX
    }

    fn has(&self, seat: Seat) -> bool {
        self.seats[..self.used as usize].contains(&Some(seat))
    }

    /// Into a block that has room.
    fn insert(&mut self, place: Cursor, seat: Seat) {
        let used = self.used as usize;
        let index = self.places[..used].partition_point(|there| *there < place);
        self.seats.copy_within(index..used, index + 1);
        self.places.copy_within(index..used, index + 1);
        self.seats[index] = Some(seat);
        self.places[index] = place;
        self.used += 1;
        self.count += 1;
    }

    fn remove(&mut self, seat: Seat) {
        if let Some(there) = self.seats[..self.used as usize].iter_mut().find(|there| **there == Some(seat)) {
            *there = None;
            self.count -= 1;
        }
    }

    fn close_gaps(&mut self) {
        *self = self.only(self.iter());
    }

    /// Takes out the second half.
    fn split_off(&mut self) -> Self {
        let half = self.count as usize / 2;
        let second = self.only(self.iter().skip(half));
        *self = self.only(self.iter().take(half));
        second
    }

    /// A block of the same line with some of those who are here.
    fn only(&self, seats: impl Iterator<Item = (Cursor, Seat)>) -> Self {
        let mut only = Self { used: 0, count: 0, ..*self };
        for (place, seat) in seats {
            only.places[only.used as usize] = place;
            only.seats[only.used as usize] = Some(seat);
            only.used += 1;
        }
        only.count = only.used;
        only
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::ticket::TicketId;

    /// Several wait since the same moment, and few come in the order of their numbers.
    fn place(id: u64) -> Cursor {
        (id * 7919 % 50, TicketId(id))
    }

    fn seat(id: u64) -> Seat {
        Seat::new(id as usize)
    }

    #[test]
    fn a_line_is_an_ordered_set_however_one_comes_and_goes() {
        let mut lines = Lines::default();
        // Where everyone is who is in the line, by place.
        let mut expect: BTreeMap<Cursor, (Seat, Block)> = BTreeMap::new();
        let mut most = 0;
        for step in 1..2000_u64 {
            let id = step * 7 % 200 + 1;
            let added = (step % 5 < 3).then(|| lines.add(9, place(id), seat(id))).flatten();
            if let Some(Added { block, split }) = added {
                assert_eq!(expect.insert(place(id), (seat(id), block)), None);
                for moved in split.into_iter().flat_map(|split| lines.seats(split.to)) {
                    let to = split.unwrap().to;
                    expect.values_mut().filter(|(seat, _)| *seat == moved).for_each(|(_, block)| *block = to);
                }
            } else if let Some((seat, block)) = expect.remove(&place(id)) {
                lines.remove(block, seat);
            }
            let after = |place| lines.after(9, place).into_iter().flatten().collect::<Vec<_>>();
            let all: Vec<_> = expect.iter().map(|(place, (seat, _))| (*place, *seat)).collect();
            assert_eq!(after(Cursor::default()), all);
            let later = all.iter().filter(|(there, _)| *there > place(id)).copied();
            assert_eq!(after(place(id)), later.collect::<Vec<_>>());
            assert_eq!(lines.first(9), all.first().map(|first| first.1));
            most = most.max(all.len());
        }
        assert!(most > SEATS_MAX * 4, "a line of few blocks shows nothing");
        expect.into_values().for_each(|(seat, block)| lines.remove(block, seat));
        assert_eq!((lines.count(), lines.free.len()), (0, lines.blocks.len()), "nothing is left behind");
    }

    #[test]
    fn who_is_in_a_block_fits_into_a_cache_line() {
        assert_eq!(std::mem::offset_of!(Content, places), 64);
    }
}
