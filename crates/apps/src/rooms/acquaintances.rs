//! Whom people have blocked, and whom they met last. In memory, bounded: those who were not seen for longest are
//! forgotten first.

use std::collections::VecDeque;
use std::sync::Arc;

use lru::LruCache;
use throng_lobby::User;

/// People whom one may have blocked; the first one blocked is let go for one more.
const BLOCKED_MAX: usize = 100;
/// Partners who count as recent.
const RECENT_MAX: usize = 10;
/// People of whom this is known.
const USERS_MAX: usize = 100_000;

/// Who knows whom.
#[derive(Debug)]
pub(crate) struct Acquaintances {
    /// Without a bound of its own: with one it would take the room for all of them at once, in every hall.
    known: LruCache<User, Known>,
    users_max: usize,
    /// Those of whom nothing is known any more, and who had blocked others.
    forgotten: Vec<User>,
}

#[derive(Debug, Default)]
struct Known {
    blocked: VecDeque<User>,
    recent: VecDeque<User>,
}

impl Default for Acquaintances {
    fn default() -> Self {
        Self::of(USERS_MAX)
    }
}

impl Acquaintances {
    fn of(users_max: usize) -> Self {
        Self { known: LruCache::unbounded(), users_max, forgotten: Vec::new() }
    }

    /// Somebody never wants to meet another again.
    pub(crate) fn block(&mut self, user: &User, other: &User) {
        note(&mut self.known(user).blocked, other, BLOCKED_MAX);
    }

    /// Takes out those whose blocks were forgotten. Those of a hall that nobody asks are as many as it can forget before
    /// somebody blocks somebody.
    pub(crate) fn take_forgotten(&mut self) -> Vec<User> {
        std::mem::take(&mut self.forgotten)
    }

    /// Two people meet.
    pub(crate) fn meet(&mut self, users: [&User; 2]) {
        let [one, other] = users;
        note(&mut self.known(one).recent, other, RECENT_MAX);
        note(&mut self.known(other).recent, one, RECENT_MAX);
    }

    /// Whom somebody has blocked, and whom they met last.
    pub(crate) fn of_user(&mut self, user: &User) -> (Arc<[User]>, Arc<[User]>) {
        let list = |users: &VecDeque<User>| users.iter().cloned().collect();
        self.known.get(user).map(|known| (list(&known.blocked), list(&known.recent))).unwrap_or_default()
    }

    fn known(&mut self, user: &User) -> &mut Known {
        if self.known.len() == self.users_max && !self.known.contains(user) {
            let forgotten = self.known.pop_lru().filter(|(_, known)| !known.blocked.is_empty());
            self.forgotten.extend(forgotten.map(|(user, _)| user));
        }
        self.known.get_or_insert_mut(user.clone(), Known::default)
    }
}

/// Puts somebody at the end of a list, once.
fn note(list: &mut VecDeque<User>, user: &User, max: usize) {
    list.retain(|known| known != user);
    if list.len() == max {
        list.pop_front();
    }
    list.push_back(user.clone());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: impl std::fmt::Display) -> User {
        User::from(name.to_string())
    }

    #[test]
    fn blocks_are_of_one_and_meetings_of_both() {
        let mut all = Acquaintances::default();
        let (ada, ben) = (user("ada"), user("ben"));
        all.block(&ada, &ben);
        all.meet([&ada, &ben]);
        all.meet([&ada, &ben]);
        assert_eq!(all.of_user(&ada), ([ben.clone()].into(), [ben.clone()].into()));
        assert_eq!(all.of_user(&ben), ([].into(), [ada].into()));
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let mut all = Acquaintances::of(2);
        let ada = user("ada");
        for number in 0..=BLOCKED_MAX {
            all.block(&ada, &user(number));
        }
        let (blocked, _) = all.of_user(&ada);
        assert_eq!((blocked.len(), &blocked[0]), (BLOCKED_MAX, &user(1)));

        all.block(&user("ben"), &ada);
        all.of_user(&ada);
        all.block(&user("eve"), &ada);
        assert_eq!(all.of_user(&user("ben")).0.len(), 0);
        assert_eq!(all.of_user(&ada).0.len(), BLOCKED_MAX);
    }
}
