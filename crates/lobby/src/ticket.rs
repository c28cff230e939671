//! A ticket: one user's wish to be paired, with what the lobby knows about it. Never changes: whoever asks for
//! something else has another ticket.

use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::lobby::Newcomer;
use crate::names::{Number, Tag, User};
use crate::policy::Policy;
use crate::sketch::Sketch;
use crate::time::Time;
use crate::wish::Wish;

/// The name of a ticket, which no other of its lobby ever has. Zero, the default, is none's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TicketId(pub u64);

/// Where the store keeps somebody who waits. Others have it later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seat(NonZero<u32>);

impl Seat {
    /// The seat with this index.
    pub(crate) fn new(index: usize) -> Self {
        let number = u32::try_from(index + 1).ok().and_then(NonZero::new);
        Self(number.expect("memory ends before the numbers do"))
    }

    pub(crate) fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// Which ticket, and where the store keeps it if it still does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Handle {
    pub(crate) id: TicketId,
    pub(crate) seat: Seat,
}

/// Somebody who waits. Made by the lobby.
// In this order in memory: what candidates are compared by is in the first three cache lines, what is rarely looked at behind.
#[derive(Debug, Clone)]
#[repr(C)]
pub struct Ticket {
    /// Which ticket.
    pub id: TicketId,
    /// When it was put into the queue.
    pub enqueued: Time,
    /// What the user had waited before that.
    pub credit: Duration,
    /// The policy that counts instead of the queue's.
    pub policy: Option<Arc<Policy>>,
    /// Whom the user never meets.
    pub blocked: People,
    /// Whom the user has met lately, and meets again only when nobody else is there.
    pub recent: People,
    pub(crate) sketch: Sketch,
    /// Whose.
    pub user: User,
    /// What for.
    pub wish: Arc<Wish>,
}

impl Ticket {
    /// A new ticket.
    pub(crate) fn new(id: TicketId, newcomer: Newcomer, enqueued: Time, credit: Duration) -> Self {
        let Newcomer { user, wish, blocked, recent, policy, .. } = newcomer;
        let sketch = Sketch::of(&user, &wish);
        Self { id, enqueued, credit, policy, blocked, recent, sketch, user, wish }
    }

    /// Since when the user waits, with the credit counted: who is first in the queue.
    pub fn since(&self) -> Time {
        self.enqueued - self.credit
    }

    /// How long the user has waited by now, with the credit.
    pub fn waited(&self, now: Time) -> Duration {
        now.since(self.since())
    }

    /// Where it stands in the order in which people wait, as a [`Cursor`](crate::store::Cursor).
    pub(crate) fn place(&self) -> (u64, TicketId) {
        (self.since().nanos(), self.id)
    }

    /// Which of its tags the other has too. Looks only at the numbers of the other's.
    pub(crate) fn shared_tags(&self, other: &Self) -> impl Iterator<Item = &Tag> {
        let tags = self.wish.tags.iter().zip(self.sketch.tags.iter());
        tags.filter(|(_, number)| other.sketch.tags.contains(*number)).map(|(tag, _)| tag)
    }

    /// The policy that counts for it, in a queue with this one.
    pub(crate) fn policy<'a>(&'a self, queue: &'a Policy) -> &'a Policy {
        self.policy.as_deref().unwrap_or(queue)
    }
}

/// A set of users.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People {
    /// One bit of 64 for each of them: most others are known not to be in the set without a look at it.
    bits: u64,
    /// By number.
    users: Option<Arc<Vec<User>>>,
}

impl People {
    /// Whether somebody is in the set.
    pub fn contains(&self, user: &User) -> bool {
        self.contains_number(user.number())
    }

    pub(crate) fn contains_number(&self, number: Number) -> bool {
        let find = |users: &Arc<Vec<User>>| users.binary_search_by_key(&number, User::number).is_ok();
        self.bits & bit(number) != 0 && self.users.as_ref().is_some_and(find)
    }

    /// Whether nobody is in the set.
    pub fn is_empty(&self) -> bool {
        self.users.is_none()
    }
}

fn bit(number: Number) -> u64 {
    1 << (number.get() % 64)
}

impl Serialize for People {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.users.as_deref().map_or(&[][..], Vec::as_slice))
    }
}

impl<'de> Deserialize<'de> for People {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<User>::deserialize(deserializer).map(Self::from_iter)
    }
}

impl FromIterator<User> for People {
    fn from_iter<I: IntoIterator<Item = User>>(users: I) -> Self {
        let mut users: Vec<User> = users.into_iter().collect();
        users.sort_unstable_by_key(User::number);
        users.dedup();
        let bits = users.iter().fold(0, |bits, user| bits | bit(user.number()));
        Self { bits, users: (!users.is_empty()).then(|| Arc::new(users)) }
    }
}
