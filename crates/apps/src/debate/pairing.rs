//! Who debates whom: the first who waits on the same topic and does not want the same side. Pure.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The side that someone asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Wish {
    For,
    Against,
    Any,
}

/// The side that someone has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Side {
    For,
    Against,
}

impl Side {
    pub(super) fn other(self) -> Self {
        match self {
            Self::For => Self::Against,
            Self::Against => Self::For,
        }
    }
}

/// The side of the one who waited, when the two can debate.
fn sides(waiting: Wish, coming: Wish) -> Option<Side> {
    match (waiting, coming) {
        (Wish::For, Wish::Against | Wish::Any) | (Wish::Any, Wish::Against | Wish::Any) => Some(Side::For),
        (Wish::Against, Wish::For | Wish::Any) | (Wish::Any, Wish::For) => Some(Side::Against),
        (Wish::For, Wish::For) | (Wish::Against, Wish::Against) => None,
    }
}

/// Those who wait, by topic, oldest first.
#[derive(Debug)]
pub(super) struct Queue<P> {
    topics: HashMap<String, Vec<(P, Wish)>>,
    count: usize,
}

impl<P> Default for Queue<P> {
    fn default() -> Self {
        Self { topics: HashMap::new(), count: 0 }
    }
}

impl<P: PartialEq> Queue<P> {
    /// Everyone who waits.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Each topic with the number of those who wait on it.
    pub(super) fn topics(&self) -> impl Iterator<Item = (&str, usize)> {
        self.topics.iter().map(|(topic, waiting)| (topic.as_str(), waiting.len()))
    }

    /// How many wait on a topic.
    pub(super) fn waiting_on(&self, topic: &str) -> usize {
        self.topics.get(topic).map_or(0, Vec::len)
    }

    /// Takes out the one who has waited longest for somebody like this; gives the side that falls to the one taken out.
    pub(super) fn take_partner(&mut self, topic: &str, wish: Wish) -> Option<(P, Side)> {
        let waiting = self.topics.get_mut(topic)?;
        let fitting =
            waiting.iter().enumerate().find_map(|(at, (_, theirs))| Some((at, sides(*theirs, wish)?)));
        let (at, side) = fitting?;
        let (person, _) = waiting.remove(at);
        self.forget_if_empty(topic);
        self.count -= 1;
        Some((person, side))
    }

    /// Adds someone at the end.
    pub(super) fn add(&mut self, topic: String, person: P, wish: Wish) {
        self.topics.entry(topic).or_default().push((person, wish));
        self.count += 1;
    }

    /// Removes someone.
    pub(super) fn remove(&mut self, topic: &str, person: &P) {
        let Some(waiting) = self.topics.get_mut(topic) else { return };
        let before = waiting.len();
        waiting.retain(|(other, _)| other != person);
        self.count -= before - waiting.len();
        self.forget_if_empty(topic);
    }

    fn forget_if_empty(&mut self, topic: &str) {
        if self.topics.get(topic).is_some_and(Vec::is_empty) {
            self.topics.remove(topic);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who waits with which wish, who comes, who is taken with which side.
    #[track_caller]
    fn check(waiting: &[(u8, Wish)], coming: Wish, expect: Option<(u8, Side)>) {
        let mut queue = Queue::default();
        for (person, wish) in waiting {
            queue.add("tea".into(), *person, *wish);
        }
        assert_eq!(queue.take_partner("tea", coming), expect);
        assert_eq!(queue.count(), waiting.len() - usize::from(expect.is_some()));
        assert_eq!(queue.take_partner("coffee", coming), None);
    }

    #[test]
    fn opposite_sides_meet_and_the_one_who_waited_longest_goes_first() {
        use Wish::{Against, Any, For};
        check(&[], For, None);
        check(&[(1, For)], For, None);
        check(&[(1, For), (2, Against), (3, Against)], For, Some((2, Side::Against)));
        check(&[(1, For), (2, Any)], For, Some((2, Side::Against)));
        check(&[(1, Any), (2, For)], Against, Some((1, Side::For)));
        check(&[(1, Against), (2, For)], Any, Some((1, Side::Against)));
        check(&[(1, Any)], Any, Some((1, Side::For)));
    }

    #[test]
    fn whoever_leaves_is_not_found() {
        let mut queue = Queue::default();
        queue.add("tea".into(), 1, Wish::For);
        queue.remove("tea", &1);
        queue.remove("tea", &1);
        assert_eq!((queue.take_partner("tea", Wish::Against), queue.count()), (None, 0));
    }
}
