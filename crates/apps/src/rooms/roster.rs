//! The sockets of a node, as its door calls the roll of them, and whether all has come that a keeper said to them since.

use std::collections::HashMap;
use std::sync::Arc;

use throng_node::Id;

use super::contact::Contact;
use super::guest::Name;
use super::roll::{self, Listed, Part, Rolled};

/// The sockets of a node.
#[derive(Debug, Default)]
pub(super) struct Roster {
    here: HashMap<Id, Here>,
    count: Count,
    /// The keeper has not heard of something that happened here.
    is_behind: bool,
}

/// A socket of this node.
#[derive(Debug)]
struct Here {
    contact: Arc<Contact>,
    /// Whether no keeper is known to have heard that it connected.
    is_new: bool,
}

/// How much of what the keeper says has come.
#[derive(Debug, Default)]
struct Count {
    /// The last roll that was called.
    roll: u32,
    /// What has come since.
    heard: u64,
    /// What has been said since, by the last news. It may still have been on its way then.
    said: u64,
    /// Something has not come.
    has_missed: bool,
}

impl Roster {
    pub(super) fn arrive(&mut self, contact: Arc<Contact>, is_new: bool) {
        self.here.insert(contact.id(), Here { contact, is_new });
    }

    pub(super) fn depart(&mut self, id: Id) {
        self.here.remove(&id);
    }

    pub(super) fn find(&self, id: Id) -> Option<Arc<Contact>> {
        self.here.get(&id).map(|here| here.contact.clone())
    }

    /// Everyone, and who is new. From now on nobody is.
    pub(super) fn introduce(&mut self) -> Vec<(Arc<Contact>, bool)> {
        let one = |here: &mut Here| (here.contact.clone(), std::mem::take(&mut here.is_new));
        self.here.values_mut().map(one).collect()
    }

    /// A keeper has heard of these.
    pub(super) fn are_known(&mut self, ids: &[Id]) {
        for id in ids {
            if let Some(here) = self.here.get_mut(id) {
                here.is_new = false;
            }
        }
    }

    /// The roll, in parts. What is said from now on is counted anew.
    pub(super) fn call(&mut self) -> Vec<Part> {
        self.is_behind = false;
        let missed = std::mem::take(&mut self.count.has_missed);
        self.count = Count { roll: self.count.roll + 1, ..Count::default() };
        let listed: Vec<Listed> = self.here.values().map(Here::listed).collect();
        roll::parts(&listed, self.count.roll, missed)
    }

    /// Something that happened here has not reached the keeper.
    pub(super) fn fall_behind(&mut self) {
        self.is_behind = true;
    }

    /// Something that the keeper says has come.
    pub(super) fn hear(&mut self, roll: u32, number: Option<u64>) {
        if let Some(number) = number {
            self.count.hear(roll, number);
        }
    }

    /// Whether the roll has to be called again, by what the keeper says of the last one.
    pub(super) fn needs_calling(&mut self, rolled: Option<&Rolled>) -> bool {
        rolled.is_none_or(|rolled| self.count.lacks(rolled)) || self.is_behind
    }
}

impl Count {
    fn hear(&mut self, roll: u32, number: u64) {
        if roll == self.roll {
            self.has_missed |= number != self.heard;
            self.heard = number + 1;
        }
    }

    /// Whether something is missing that had been said by the time of the news before these.
    fn lacks(&mut self, rolled: &Rolled) -> bool {
        if rolled.roll == self.roll {
            self.has_missed |= self.heard < self.said;
            self.said = rolled.told;
        }
        self.has_missed
    }
}

impl Here {
    fn listed(&self) -> Listed {
        Listed { name: Name::of(&self.contact.socket), is_new: self.is_new, known: self.contact.known() }
    }
}

#[cfg(test)]
mod tests {
    use throng_node::NodeTag;

    use super::*;

    #[test]
    fn a_gap_is_noticed_with_the_next_event_or_with_the_news_after_the_next() {
        let node = NodeTag::draw();
        let rolled = |roll, told| Rolled { node, roll, told };
        let mut count = Count { roll: 2, ..Count::default() };
        count.hear(2, 0);
        // Of an earlier roll.
        count.hear(1, 7);
        assert!(!count.lacks(&rolled(2, 3)), "two are on their way");
        count.hear(2, 1);
        count.hear(2, 2);
        assert!(!count.lacks(&rolled(2, 4)) && !count.lacks(&rolled(1, 99)));
        assert!(count.lacks(&rolled(2, 4)), "the last one never came");
        let mut count = Count::default();
        count.hear(0, 0);
        count.hear(0, 2);
        assert!(count.lacks(&rolled(0, 3)), "there is a gap");
    }
}
