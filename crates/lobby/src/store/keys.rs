//! The keys of the index: under which a ticket is found, and which it asks for. Two tickets that fit one another by
//! topic, side and facets always have a key in common, whichever of them asks.
//!
//! A key stands for a topic (or one of the two marks below), a side, a set of facets, and a value for each of them.
//! Say that A is found, T asks, and what either demands is D. A is found under every set of its facets that has all of
//! its own demands, and T asks for every set of its facets that has all of T's; D is among both, and the two have a key
//! for D in common exactly when their values for D are the same. So nothing is found that does not fit.

use smallvec::SmallVec;

use crate::accept::Stance;
use crate::facet::{Facet, Facets};
use crate::names::Number;
use crate::wish::SideWish;

/// In place of a topic: found by those who take any topic, as everybody is.
const ALL: u64 = 1;
/// In place of a topic: takes any topic itself.
const ANY: u64 = 2;

/// So many that nearly every ticket has fewer, and needs no allocation.
pub(super) type Keys = SmallVec<[u64; 24]>;

/// The keys under which a ticket is found. `demandable` are the facets that anybody in the queue may demand: about others
/// nobody needs to ask.
pub(super) fn found_under(stance: &Stance<'_>, demandable: Facets) -> Keys {
    let sides = [side_of(stance.ticket.sketch.side)];
    if stance.takes_any_topic() {
        all([ANY, ALL].into_iter(), &sides, stance, demandable)
    } else {
        all(stance.topics().map(Number::get).chain([ALL]), &sides, stance, demandable)
    }
}

/// The keys that a ticket asks for.
pub(super) fn asked_for(stance: &Stance<'_>, demandable: Facets) -> Keys {
    let sides = opposite(stance.ticket.sketch.side);
    if stance.takes_any_topic() {
        all([ALL].into_iter(), sides, stance, demandable)
    } else {
        all(stance.topics().map(Number::get).chain([ANY]), sides, stance, demandable)
    }
}

fn all(topics: impl Iterator<Item = u64>, sides: &[u64], stance: &Stance<'_>, demandable: Facets) -> Keys {
    let facets = facets(stance, demandable);
    let mut keys = Keys::new();
    for topic in topics {
        for side in sides {
            let place = mixed(topic, *side);
            keys.extend(facets.iter().map(|facets| mixed(place, *facets)));
        }
    }
    keys
}

/// A number for every set of facets between what the ticket demands and what it has, with a value for each facet.
fn facets(stance: &Stance<'_>, demandable: Facets) -> SmallVec<[u64; 8]> {
    let sketch = &stance.ticket.sketch;
    let mut numbers = SmallVec::new();
    for set in stance.demands.up_to(sketch.has.and(demandable)) {
        let values = [(Facet::Language, sketch.language), (Facet::Region, sketch.region)];
        let values = values.into_iter().filter(|(facet, _)| set.contains(*facet));
        let number = values
            .filter_map(|(_, value)| value)
            .fold(u64::from(set.bits()), |number, value| mixed(number, value.get()));
        if set.contains(Facet::Tag) {
            numbers.extend(sketch.tags.iter().map(|tag| mixed(number, tag.get())));
        } else {
            numbers.push(number);
        }
    }
    numbers
}

fn side_of(side: Option<SideWish>) -> u64 {
    match side {
        None => 0,
        Some(SideWish::For) => 1,
        Some(SideWish::Against) => 2,
        Some(SideWish::Any) => 3,
    }
}

fn opposite(side: Option<SideWish>) -> &'static [u64] {
    match side {
        None => &[0],
        Some(SideWish::For) => &[2, 3],
        Some(SideWish::Against) => &[1, 3],
        Some(SideWish::Any) => &[1, 2, 3],
    }
}

/// One number of two, which depends on all of their bits and on their order.
fn mixed(first: u64, second: u64) -> u64 {
    let product = u128::from(first ^ 0x9e37_79b9_7f4a_7c15) * u128::from(second ^ 0xd1b5_4a32_d192_ed03);
    (product as u64 ^ (product >> 64) as u64).wrapping_add(first.rotate_left(32))
}
