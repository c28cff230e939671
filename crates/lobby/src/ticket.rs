//! A ticket: one user's wish to be paired, with what the lobby knows about it. Never changes: whoever asks for
//! something else has another ticket.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::lobby::Newcomer;
use crate::names::{Number, User};
use crate::policy::Policy;
use crate::sketch::Sketch;
use crate::time::Time;
use crate::wish::Wish;

/// The name of a ticket, which no other of its lobby ever has. Zero, the default, is none's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TicketId(pub u64);

/// Somebody who waits. Made by the lobby.
#[derive(Debug, Clone)]
pub struct Ticket {
    /// Which ticket.
    pub id: TicketId,
    /// Whose.
    pub user: User,
    /// What for.
    pub wish: Arc<Wish>,
    /// Whom the user never meets.
    pub blocked: People,
    /// Whom the user has met lately, and meets again only when nobody else is there.
    pub recent: People,
    /// The policy that counts instead of the queue's.
    pub policy: Option<Arc<Policy>>,
    /// When it was put into the queue.
    pub enqueued: Time,
    /// What the user had waited before that.
    pub credit: Duration,
    /// Of the user and the wish.
    pub(crate) sketch: Sketch,
}

impl Ticket {
    /// A new ticket.
    pub(crate) fn new(id: TicketId, newcomer: Newcomer, enqueued: Time, credit: Duration) -> Self {
        let Newcomer { user, wish, blocked, recent, policy } = newcomer;
        let sketch = Sketch::of(&user, &wish);
        Self { id, user, wish, blocked, recent, policy, enqueued, credit, sketch }
    }

    /// Since when the user waits, with the credit counted: who is first in the queue.
    pub fn since(&self) -> Time {
        self.enqueued - self.credit
    }

    /// How long the user has waited by now, with the credit.
    pub fn waited(&self, now: Time) -> Duration {
        now.since(self.since())
    }

    /// Where it stands in the order in which people wait.
    pub(crate) fn place(&self) -> (Time, TicketId) {
        (self.since(), self.id)
    }

    /// The policy that counts for it, in a queue with this one.
    pub(crate) fn policy<'a>(&'a self, queue: &'a Policy) -> &'a Policy {
        self.policy.as_deref().unwrap_or(queue)
    }
}

/// A set of users.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People {
    /// One bit of 64 for each of them: most others are known to be in no set without looking for them.
    bits: u64,
    /// By number.
    users: Option<Arc<[User]>>,
}

impl People {
    /// Whether somebody is in the set.
    pub fn contains(&self, user: &User) -> bool {
        self.contains_number(user.number())
    }

    pub(crate) fn contains_number(&self, number: Number) -> bool {
        let find = |users: &Arc<[User]>| users.binary_search_by_key(&number, User::number).is_ok();
        self.bits & bit(number) != 0 && self.users.as_ref().is_some_and(find)
    }

    /// Whether nobody is in the set.
    pub fn is_empty(&self) -> bool {
        self.users.is_none()
    }
}

impl Serialize for People {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.users.as_deref().unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for People {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<User>::deserialize(deserializer).map(Self::from_iter)
    }
}

fn bit(number: Number) -> u64 {
    1 << (number.get() % 64)
}

impl FromIterator<User> for People {
    fn from_iter<I: IntoIterator<Item = User>>(users: I) -> Self {
        let mut users: Vec<User> = users.into_iter().collect();
        users.sort_unstable_by_key(User::number);
        users.dedup();
        let bits = users.iter().fold(0, |bits, user| bits | bit(user.number()));
        Self { bits, users: (!users.is_empty()).then(|| users.into()) }
    }
}
