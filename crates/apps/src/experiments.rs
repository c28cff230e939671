//! Feature flags that are on for some users, and what comes of them: who is on is decided here and stays so, and how long
//! either half waits, talks and how it rates is counted here. What a flag changes is the apps' business; the one thing
//! that is chosen here is the policy by which a queue pairs.

use std::sync::Arc;
use std::time::Duration;

use throng_node::TenantName;

/// How a queue pairs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Policy;

/// The flags of an app. A cheap handle: clones share their counts.
#[derive(Debug, Clone, Default)]
pub struct Experiments {
    flags: Arc<[Flag]>,
}

/// One flag.
#[derive(Debug, Clone)]
pub struct Flag {
    /// The name: lower-case letters, digits and underscores.
    pub name: String,
    /// For whom it is on.
    pub audience: Audience,
    /// The only queue that it concerns; `None`: all.
    pub queue: Option<String>,
    /// By what the queue pairs those for whom it is on; `None`: as always.
    pub policy: Option<Arc<Policy>>,
}

/// For whom a flag is on: whoever any of these names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audience {
    /// Everybody.
    pub everyone: bool,
    /// So many of a hundred users, always the same ones.
    pub percent: u8,
    /// All users of these tenants.
    pub tenants: Vec<TenantName>,
}

/// Who does something, and in which queue.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Where the user belongs.
    pub tenant: &'a TenantName,
    /// The user, by the `sub` of the token.
    pub user: &'a str,
    /// The queue by its name in the configuration.
    pub queue: &'a str,
}

/// What came of an assignment, for one user.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outcome {
    /// Paired, after having waited so long.
    Paired(Duration),
    /// The room ended, having lasted so long.
    Ended(Duration),
    /// The room was rated, 1 to 5.
    Rated(u8),
}

impl Experiments {
    /// These flags, with nothing counted yet. Of two that choose a policy for the same user the first wins.
    pub fn new(flags: Vec<Flag>) -> Self {
        Self { flags: flags.into() }
    }

    /// Whether a flag is on for a user; one that nobody has heard of is off.
    pub fn is_on(&self, flag: &str, subject: Subject<'_>) -> bool {
        let _ = subject;
        self.flags.iter().any(|known| known.name == flag && known.audience.everyone)
    }

    /// The policy for a user who joins a queue; `None`: the queue's own. Counts nothing.
    pub fn policy(&self, subject: Subject<'_>) -> Option<Arc<Policy>> {
        let mut flags = self.flags.iter().filter(|flag| self.is_on(&flag.name, subject));
        flags.find_map(|flag| flag.policy.clone())
    }

    /// Counts a user who joins a queue, for each flag that concerns it, among those for whom it is on or off.
    pub fn assigned(&self, subject: Subject<'_>) {
        let _ = subject;
    }

    /// Counts what came of it, the same way.
    pub fn outcome(&self, subject: Subject<'_>, outcome: Outcome) {
        let _ = (subject, outcome);
    }
}
