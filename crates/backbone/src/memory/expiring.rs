//! A table whose entries end. What has ended is not seen, and is removed when the table has doubled since the last time, so
//! that it holds at most twice what is alive.

use std::hash::Hash;

use hashbrown::{Equivalent, HashMap};
use tokio::time::Instant;

/// Entries below which nothing is ever cleared.
const SMALL: usize = 64;

#[derive(Debug)]
pub(super) struct Expiring<K, V> {
    entries: HashMap<K, (V, Option<Instant>)>,
    clear_at: usize,
}

impl<K, V> Default for Expiring<K, V> {
    fn default() -> Self {
        Self { entries: HashMap::new(), clear_at: SMALL }
    }
}

impl<K: Hash + Eq, V> Expiring<K, V> {
    pub(super) fn get<Q: Hash + Equivalent<K> + ?Sized>(&self, key: &Q) -> Option<&V> {
        let (value, end) = self.entries.get(key)?;
        alive(*end, Instant::now()).then_some(value)
    }

    /// An entry and its end, both to be changed.
    pub(super) fn get_mut<Q: Hash + Equivalent<K> + ?Sized>(
        &mut self,
        key: &Q,
    ) -> Option<(&mut V, &mut Option<Instant>)> {
        let (value, end) = self.entries.get_mut(key)?;
        alive(*end, Instant::now()).then_some((value, end))
    }

    pub(super) fn insert(&mut self, key: K, value: V, end: Option<Instant>) {
        if self.entries.len() >= self.clear_at {
            let now = Instant::now();
            self.entries.retain(|_, (_, end)| alive(*end, now));
            self.clear_at = (self.entries.len() * 2).max(SMALL);
        }
        self.entries.insert(key, (value, end));
    }

    pub(super) fn remove<Q: Hash + Equivalent<K> + ?Sized>(&mut self, key: &Q) {
        self.entries.remove(key);
    }
}

fn alive(end: Option<Instant>, now: Instant) -> bool {
    end.is_none_or(|end| now < end)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_has_ended_is_not_seen_and_cleared_in_time() {
        let mut table = Expiring::default();
        for key in 0..SMALL {
            table.insert(key, (), Some(Instant::now() + Duration::from_secs(1)));
        }
        assert!(table.get(&0).is_some());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(table.get(&0).is_none() && table.get_mut(&0).is_none());
        table.insert(SMALL, (), None);
        assert_eq!(table.entries.len(), 1);
    }
}
