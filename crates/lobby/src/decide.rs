//! Who of those at hand is the best partner for a ticket. Pure: no clock, no randomness, no I/O.

use std::cmp::Reverse;

use crate::accept::{Familiarity, Stance};
use crate::facet::Facet;
use crate::policy::{Policy, Weights};
use crate::ticket::{Ticket, TicketId};
use crate::time::Time;

/// A partner that was chosen.
#[derive(Debug, Clone, Copy)]
pub struct Choice<'a> {
    /// Whom.
    pub candidate: &'a Ticket,
    /// Whether the two have met lately. They are chosen then only because nobody else is acceptable.
    pub familiarity: Familiarity,
    /// How good it is, by the weights of the ticket's policy.
    pub score: u64,
}

/// What makes a choice the better one: first whether it is new, then the score, then who waits longest.
pub(crate) type Rank = (Familiarity, u64, Reverse<(Time, TicketId)>);

impl Choice<'_> {
    /// Comparable with others of the same ticket: the greater, the better.
    pub(crate) fn rank(&self) -> Rank {
        (self.familiarity, self.score, Reverse((self.candidate.since(), self.candidate.id)))
    }
}

/// The best partner in a window of candidates, in a queue with this policy. A ticket and a candidate may have policies
/// of their own; both must accept the other now.
pub fn decide<'a>(
    ticket: &Ticket,
    window: impl IntoIterator<Item = &'a Ticket>,
    policy: &Policy,
    now: Time,
) -> Option<Choice<'a>> {
    let mine = Stance::of(ticket, policy, now);
    let weights = ticket.policy(policy).weights();
    let acceptable = window.into_iter().filter_map(|candidate| {
        let familiarity = mine.accepts(&Stance::of(candidate, policy, now))?;
        Some(Choice { candidate, familiarity, score: score(ticket, candidate, weights, now) })
    });
    acceptable.max_by_key(Choice::rank)
}

fn score(ticket: &Ticket, candidate: &Ticket, weights: Weights, now: Time) -> u64 {
    let (mine, theirs) = (&ticket.sketch, &candidate.sketch);
    let preferences = fulfilled(ticket, candidate) + fulfilled(candidate, ticket);
    let parts = [
        (weights.tag, mine.shared_tags(theirs) as u64),
        (weights.language, u64::from(mine.shares(Facet::Language, theirs))),
        (weights.region, u64::from(mine.shares(Facet::Region, theirs))),
        (weights.preference, preferences),
        (weights.waiting, candidate.waited(now).as_secs()),
    ];
    let worth = |(weight, amount)| u64::from(weight).saturating_mul(amount);
    parts.into_iter().map(worth).fold(0, u64::saturating_add)
}

/// How many of somebody's preferences the other fulfils.
fn fulfilled(mine: &Ticket, theirs: &Ticket) -> u64 {
    if !mine.sketch.has_criteria {
        return 0;
    }
    let prefers = &mine.wish.prefers;
    let facets = prefers.facets.iter().filter(|facet| mine.sketch.shares(*facet, &theirs.sketch));
    let conditions = prefers.conditions.iter().filter(|condition| condition.holds(&theirs.wish.properties));
    (facets.count() + conditions.count()) as u64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::criteria::{Condition, Criteria, Properties, Test, Value};
    use crate::few::Few;
    use crate::lobby::Newcomer;
    use crate::names::{PropertyName, Tag, User};
    use crate::wish::{SideWish, Tags, Wish};

    const NOW: Time = Time(Duration::from_secs(100));

    /// Somebody who has waited for so many seconds.
    fn ticket(id: u64, waited: u64, wish: Wish) -> Ticket {
        let newcomer = Newcomer::new(id.to_string(), wish);
        Ticket::new(TicketId(id), newcomer, NOW - Duration::from_secs(waited), Duration::ZERO)
    }

    fn tagged(tags: &[&str]) -> Wish {
        let mut wish = Wish::new("default");
        wish.tags = Tags::new(tags.iter().map(|tag| Tag::from(*tag))).unwrap();
        wish
    }

    #[track_caller]
    fn check(mine: Ticket, window: Vec<Ticket>, expect: Option<u64>) {
        let choice = decide(&mine, &window, &Policy::default(), NOW);
        assert_eq!(choice.map(|choice| choice.candidate.id.0), expect);
    }

    #[test]
    fn nobody_fits_in_an_empty_window() {
        check(ticket(1, 0, tagged(&[])), Vec::new(), None);
    }

    #[test]
    fn nobody_takes_themselves() {
        let another_of_mine = Ticket { id: TicketId(2), ..ticket(1, 0, tagged(&[])) };
        check(ticket(1, 0, tagged(&[])), vec![ticket(1, 0, tagged(&[])), another_of_mine], None);
    }

    #[test]
    fn only_opposite_sides_fit() {
        let side = |id, side| ticket(id, 0, Wish { side, ..tagged(&[]) });
        use SideWish::{Against, Any, For};
        check(side(1, Some(For)), vec![side(2, Some(For)), side(3, None), side(4, Some(Against))], Some(4));
        check(side(1, Some(For)), vec![side(2, Some(For)), side(3, Some(Any))], Some(3));
        check(side(1, None), vec![side(2, Some(Any)), side(3, None)], Some(3));
    }

    #[test]
    fn queue_and_topic_must_fit() {
        let topic = |id, topic: &str| ticket(id, 0, Wish { topic: Some(topic.into()), ..tagged(&[]) });
        check(topic(1, "tea"), vec![topic(2, "art"), topic(3, "tea")], Some(3));
        check(ticket(1, 0, tagged(&[])), vec![ticket(2, 0, Wish::new("another")), topic(3, "tea")], Some(3));
    }

    #[test]
    fn more_shared_tags_are_better() {
        let window = vec![ticket(2, 1, tagged(&["a"])), ticket(3, 0, tagged(&["a", "b"]))];
        check(ticket(1, 0, tagged(&["a", "b"])), window, Some(3));
    }

    #[test]
    fn language_and_region_count() {
        let speaks =
            |id, language: &str| ticket(id, 0, Wish { language: Some(language.into()), ..tagged(&[]) });
        check(speaks(1, "en"), vec![speaks(2, "de"), speaks(3, "en")], Some(3));
        let lives = |id, region: &str| ticket(id, 0, Wish { region: Some(region.into()), ..tagged(&[]) });
        check(lives(1, "eu"), vec![lives(2, "us"), lives(3, "eu")], Some(3));
    }

    #[test]
    fn preferences_of_either_count() {
        let level =
            |number: f64| Properties::new([(PropertyName::from("level"), Value::Number(number))]).unwrap();
        let test = Test::Between { min: 2.0, max: 3.0 };
        let conditions = Few::new([Condition { property: PropertyName::from("level"), test }]).unwrap();
        let prefers = Criteria { conditions, ..Criteria::default() };
        let plain = |id, number| ticket(id, 0, Wish { properties: level(number), ..tagged(&[]) });
        let picky = |id| ticket(id, 0, Wish { prefers: prefers.clone(), ..(*plain(id, 2.0).wish).clone() });
        check(picky(1), vec![plain(2, 1.0), plain(3, 2.0)], Some(3));
        check(plain(1, 2.0), vec![plain(2, 2.0), picky(3)], Some(3));
    }

    #[test]
    fn among_equals_the_oldest_is_taken_then_the_lower_number() {
        check(ticket(1, 0, tagged(&[])), vec![ticket(2, 4, tagged(&[])), ticket(3, 9, tagged(&[]))], Some(3));
        check(ticket(1, 0, tagged(&[])), vec![ticket(3, 4, tagged(&[])), ticket(2, 4, tagged(&[]))], Some(2));
        let credited = Ticket { credit: Duration::from_secs(9), ..ticket(3, 0, tagged(&[])) };
        check(ticket(1, 0, tagged(&[])), vec![ticket(2, 8, tagged(&[])), credited], Some(3));
    }

    #[test]
    fn somebody_new_is_better_than_the_best_acquaintance() {
        let mine =
            Ticket { recent: [User::from("2")].into_iter().collect(), ..ticket(1, 4, tagged(&["a", "b"])) };
        let window = vec![ticket(2, 90, tagged(&["a", "b"])), ticket(3, 0, tagged(&["a"]))];
        check(mine.clone(), window, Some(3));
        check(mine, vec![ticket(2, 90, tagged(&["a"]))], Some(2));
    }

    #[test]
    fn whoever_lists_the_other_must_have_waited() {
        let met = |id, waited, other: &str| Ticket {
            recent: [User::from(other)].into_iter().collect(),
            ..ticket(id, waited, tagged(&[]))
        };
        check(met(1, 2, "2"), vec![ticket(2, 90, tagged(&[]))], None);
        check(ticket(1, 90, tagged(&[])), vec![met(2, 2, "1")], None);
        check(ticket(1, 0, tagged(&[])), vec![met(2, 3, "1")], Some(2));
        check(met(1, 3, "2"), vec![met(2, 2, "1")], None);
    }
}
