//! Feature flags that are on for some users, and what comes of them: who is on is decided here and stays so, and how long
//! either half waits, talks and how it rates is counted here. What a flag changes is the apps' business; the one thing
//! that is chosen here is the policy by which a queue pairs.

mod audience;
mod report;
mod tally;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use throng_lobby::Policy;
use throng_node::TenantName;

use tally::Tally;

pub use audience::Audience;
pub use report::install;

/// The flags of an app. A cheap handle: clones share their counts.
#[derive(Debug, Clone, Default)]
pub struct Experiments(Arc<ArcSwap<Vec<Running>>>);

/// One flag.
#[derive(Debug, Clone, PartialEq)]
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

/// A flag and what has come of it.
#[derive(Debug)]
struct Running {
    flag: Flag,
    /// In the order of [`VARIANTS`].
    tallies: Arc<Mutex<[Tally; 2]>>,
}

/// The two halves of an experiment, by the names that they have in reports.
const VARIANTS: [&str; 2] = ["off", "on"];

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

impl Flag {
    /// Whether it is on for a user, in the queue that it concerns.
    fn is_on(&self, subject: Subject<'_>) -> bool {
        self.concerns(subject.queue) && self.audience.holds(&self.name, subject.tenant, subject.user)
    }

    fn concerns(&self, queue: &str) -> bool {
        self.queue.as_ref().is_none_or(|own| own == queue)
    }
}

impl Experiments {
    /// These flags, with nothing counted yet. Of two that choose a policy for the same user the first wins.
    pub fn new(flags: Vec<Flag>) -> Self {
        let experiments = Self::default();
        experiments.replace(flags);
        experiments
    }

    /// Takes other flags. What was counted of one with the same name stays, and that of the others is forgotten.
    pub fn replace(&self, flags: Vec<Flag>) {
        let before = self.0.load();
        let counted = |name: &str| {
            let known = before.iter().find(|running| running.flag.name == name);
            known.map(|running| running.tallies.clone()).unwrap_or_default()
        };
        let running = flags.into_iter().map(|flag| Running { tallies: counted(&flag.name), flag });
        self.0.store(Arc::new(running.collect()));
    }

    /// Whether a flag is on for a user; one that nobody has heard of, or that is about another queue, is off.
    pub fn is_on(&self, flag: &str, subject: Subject<'_>) -> bool {
        self.0.load().iter().any(|running| running.flag.name == flag && running.flag.is_on(subject))
    }

    /// The policy for a user who joins a queue; `None`: the queue's own. Counts nothing.
    pub fn policy(&self, subject: Subject<'_>) -> Option<Arc<Policy>> {
        let running = self.0.load();
        let choosing = running.iter().map(|running| &running.flag).filter(|flag| flag.policy.is_some());
        choosing.filter(|flag| flag.is_on(subject)).find_map(|flag| flag.policy.clone())
    }

    /// Counts a user who joins a queue, for each flag that concerns it, among those for whom it is on or off.
    pub fn assigned(&self, subject: Subject<'_>) {
        self.count(subject, |tally| tally.assigned += 1);
    }

    /// Counts what came of it, the same way.
    pub fn outcome(&self, subject: Subject<'_>, outcome: Outcome) {
        self.count(subject, |tally| tally.add(outcome));
    }

    fn count(&self, subject: Subject<'_>, add: impl Fn(&mut Tally)) {
        for Running { flag, tallies } in self.0.load().iter().filter(|one| one.flag.concerns(subject.queue)) {
            let variant = usize::from(flag.is_on(subject));
            add(&mut tallies.lock().expect("no panic while the lock is held")[variant]);
        }
    }

    /// The flags and what has come of each, in the order of [`VARIANTS`].
    fn tallies(&self) -> Vec<(Flag, [Tally; 2])> {
        let read = |running: &Running| {
            (running.flag.clone(), *running.tallies.lock().expect("no panic while the lock is held"))
        };
        self.0.load().iter().map(read).collect()
    }
}
