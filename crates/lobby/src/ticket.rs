//! A ticket: one user's wish to be paired, with what the lobby knows about it. Never changes: whoever asks for
//! something else has another ticket.

use std::sync::Arc;
use std::time::Duration;

use crate::facet::Facets;
use crate::names::User;
use crate::policy::Policy;
use crate::time::Time;
use crate::wish::Wish;

/// The name of a ticket, which no other of its lobby ever has. Zero, the default, is none's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TicketId(pub u64);

/// Somebody who waits.
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
}

impl Ticket {
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

    /// What the other must share with it after such a wait.
    pub(crate) fn demands(&self, shared: Facets) -> Facets {
        shared.or(self.wish.requires.facets).and(self.wish.facets())
    }
}

/// A set of users.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People(Option<Arc<[User]>>);

impl People {
    /// Whether somebody is in the set.
    pub fn contains(&self, user: &User) -> bool {
        self.0.as_ref().is_some_and(|users| users.binary_search(user).is_ok())
    }

    /// Whether nobody is in the set.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

impl FromIterator<User> for People {
    fn from_iter<I: IntoIterator<Item = User>>(users: I) -> Self {
        let mut users: Vec<User> = users.into_iter().collect();
        users.sort_unstable();
        users.dedup();
        Self((!users.is_empty()).then(|| users.into()))
    }
}
