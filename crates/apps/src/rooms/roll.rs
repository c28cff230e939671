//! The roll of a node: all connections that it has, told to whoever keeps the hall, in parts. Only a roll that has come
//! whole and in order says who is not there. Pure.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde::{Deserialize, Serialize};
use throng_node::{Id, NodeTag};

use super::contact::Known;
use super::guest::Name;

/// Connections in one part.
pub(crate) const PART_MAX: usize = 500;

/// A part of a roll.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Part {
    /// Of which roll of the node; each has a higher number.
    pub(crate) roll: u32,
    /// Something that the keeper said since the last roll has not come. Nobody knows whom it was for.
    pub(crate) has_missed: bool,
    /// Which one, from 0.
    pub(crate) number: usize,
    /// Of so many.
    pub(crate) count: usize,
    pub(crate) listed: Vec<Listed>,
}

/// A connection on a roll.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Listed {
    pub(crate) name: Name,
    /// Whether the client is new: it has not been told anything.
    pub(crate) is_new: bool,
    pub(crate) known: Known,
}

/// A node whose roll has come, as its keeper tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rolled {
    pub(crate) node: NodeTag,
    pub(crate) roll: u32,
    /// What the keeper has said to its connections since.
    pub(crate) told: u64,
}

/// The rolls of all other nodes, as far as they have come.
#[derive(Debug, Default)]
pub(crate) struct Rolls {
    whole: BTreeSet<NodeTag>,
    coming: HashMap<NodeTag, Coming>,
}

#[derive(Debug, Default)]
struct Coming {
    parts: usize,
    ids: HashSet<Id>,
}

impl Rolls {
    /// Takes a part; with the last one gives the identifiers of all connections of that node.
    pub(crate) fn take(&mut self, node: NodeTag, part: &Part) -> Option<HashSet<Id>> {
        if part.number == 0 {
            self.coming.insert(node, Coming::default());
        }
        let coming = self.coming.get_mut(&node)?;
        if coming.parts != part.number {
            self.coming.remove(&node);
            return None;
        }
        coming.parts += 1;
        coming.ids.extend(part.listed.iter().map(|listed| listed.name.id));
        if coming.parts < part.count {
            return None;
        }
        self.whole.insert(node);
        self.coming.remove(&node).map(|coming| coming.ids)
    }

    /// Forgets the rolls of these nodes.
    pub(crate) fn forget(&mut self, gone: &[NodeTag]) {
        self.whole.retain(|node| !gone.contains(node));
        self.coming.retain(|node, _| !gone.contains(node));
    }

    /// The nodes whose roll is whole.
    pub(crate) fn whole(&self) -> impl Iterator<Item = &NodeTag> {
        self.whole.iter()
    }
}

/// A roll in parts; at least one.
pub(crate) fn parts(listed: &[Listed], roll: u32, has_missed: bool) -> Vec<Part> {
    let count = listed.len().div_ceil(PART_MAX).max(1);
    let part = |number: usize| {
        let from = number * PART_MAX;
        let listed = listed[from..listed.len().min(from + PART_MAX)].to_vec();
        Part { roll, has_missed, number, count, listed }
    };
    (0..count).map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(count: usize) -> Vec<Listed> {
        let one = |at: usize| {
            let mut bytes = [0; 15];
            bytes[..8].copy_from_slice(&(at as u64).to_le_bytes());
            let name = Name { id: Id::from_bytes(bytes), user: "a".into() };
            Listed { name, is_new: false, known: Known::default() }
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn a_roll_is_whole_when_all_parts_have_come_in_order() {
        let node = NodeTag::draw();
        for (size, count) in [(0, 1), (1, 1), (PART_MAX, 1), (PART_MAX + 1, 2), (3 * PART_MAX, 3)] {
            let (mut rolls, parts) = (Rolls::default(), parts(&listed(size), 1, false));
            assert_eq!(parts.len(), count);
            let mut taken: Vec<_> = parts.iter().map(|part| rolls.take(node, part)).collect();
            assert_eq!(taken.pop().flatten().map(|ids| ids.len()), Some(size));
            assert!(taken.iter().all(Option::is_none));
            assert!(rolls.whole().eq([&node]));
            rolls.forget(&[node]);
            assert!(rolls.whole().next().is_none());
        }
    }

    #[test]
    fn a_roll_with_a_gap_says_nothing() {
        let (node, mut rolls, parts) =
            (NodeTag::draw(), Rolls::default(), parts(&listed(3 * PART_MAX), 1, false));
        for at in [0, 2, 1, 2] {
            assert!(rolls.take(node, &parts[at]).is_none());
        }
        assert!(rolls.whole().next().is_none());
        assert!(parts.iter().map(|part| rolls.take(node, part)).last().flatten().is_some());
    }
}
