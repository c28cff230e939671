//! How much a queue asks of a pairing, and how it asks less the longer somebody waits.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::facet::{Facet, Facets};

/// The most steps of a policy.
pub const STEPS_MAX: usize = 16;

/// How people of a queue are paired. Always valid: see [`Policy::new`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Policy {
    steps: Vec<Step>,
    recent_after: Duration,
    weights: Weights,
}

/// A policy as it was written down.
#[derive(Deserialize)]
struct Unchecked {
    steps: Vec<Step>,
    recent_after: Duration,
    weights: Weights,
}

/// What a ticket demands from some moment on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// From this wait on.
    pub after: Duration,
    /// What the two must share. A ticket demands only what it has itself: one without tags demands none.
    pub shared: Facets,
    /// Which topics it takes.
    pub topics: TopicScope,
}

/// Which topics a ticket takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TopicScope {
    /// Its own.
    Same,
    /// Whatever its wish allows.
    Allowed,
}

/// What makes one acceptable partner better than another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weights {
    /// For each shared tag.
    pub tag: u32,
    /// For the same language.
    pub language: u32,
    /// For the same region.
    pub region: u32,
    /// For each criterion that either prefers and that is fulfilled.
    pub preference: u32,
    /// For each whole second that the partner has waited.
    pub waiting: u32,
}

impl Default for Weights {
    fn default() -> Self {
        Self { tag: 10, language: 5, region: 3, preference: 5, waiting: 1 }
    }
}

/// Something wrong with a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PolicyProblem {
    /// There must be a step.
    #[error("a policy has at least one step")]
    NoSteps,
    /// There are more than [`STEPS_MAX`].
    #[error("a policy has at most {STEPS_MAX} steps")]
    TooManySteps,
    /// The first step does not begin at once.
    #[error("the first step begins after 0 s")]
    FirstIsLate,
    /// The step with this index does not begin later than the one before it.
    #[error("step {0} begins no later than the one before it")]
    NotLater(usize),
    /// The step with this index demands something that the one before it did not.
    #[error("step {0} demands more than the one before it")]
    DemandsMore(usize),
    /// The step with this index takes fewer topics than the one before it.
    #[error("step {0} takes fewer topics than the one before it")]
    TakesFewer(usize),
}

impl TryFrom<Unchecked> for Policy {
    type Error = PolicyProblem;

    fn try_from(written: Unchecked) -> Result<Self, PolicyProblem> {
        let Unchecked { steps, recent_after, weights } = written;
        Self::new(steps, recent_after, weights).map_err(|problems| problems[0])
    }
}

impl Policy {
    /// A policy of these steps. Recent partners meet again only after a wait of `recent_after`, and only when there is
    /// nobody else.
    ///
    /// The first step begins at once, each other later than the one before it, and none asks more than the one before
    /// it: whom somebody accepts they accept for as long as they wait. Every problem is named.
    pub fn new(
        steps: Vec<Step>,
        recent_after: Duration,
        weights: Weights,
    ) -> Result<Self, Vec<PolicyProblem>> {
        let mut problems = Vec::new();
        match steps.first() {
            None => problems.push(PolicyProblem::NoSteps),
            Some(first) if !first.after.is_zero() => problems.push(PolicyProblem::FirstIsLate),
            Some(_) => {}
        }
        if steps.len() > STEPS_MAX {
            problems.push(PolicyProblem::TooManySteps);
        }
        for (index, pair) in (1..).zip(steps.windows(2)) {
            let (before, step) = (pair[0], pair[1]);
            let wrong = [
                (step.after <= before.after, PolicyProblem::NotLater(index)),
                (!before.shared.covers(step.shared), PolicyProblem::DemandsMore(index)),
                (step.topics < before.topics, PolicyProblem::TakesFewer(index)),
            ];
            problems.extend(wrong.into_iter().filter(|(wrong, _)| *wrong).map(|(_, problem)| problem));
        }
        if problems.is_empty() { Ok(Self { steps, recent_after, weights }) } else { Err(problems) }
    }

    /// The steps, the first of which begins at once.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// How long somebody waits before they meet again whom they met lately.
    pub fn recent_after(&self) -> Duration {
        self.recent_after
    }

    /// What makes a partner better than another.
    pub fn weights(&self) -> Weights {
        self.weights
    }

    /// The step of somebody who has waited so long.
    pub fn step(&self, waited: Duration) -> Step {
        let begun = self.steps.partition_point(|step| step.after <= waited);
        self.steps[begun.max(1) - 1]
    }
}

/// The same topic and a shared tag; after 5 s the same topic; after 15 s any topic that both allow. Recent partners
/// after 3 s.
impl Default for Policy {
    fn default() -> Self {
        let step = |seconds, shared, topics| Step { after: Duration::from_secs(seconds), shared, topics };
        Self {
            steps: vec![
                step(0, Facets::from([Facet::Tag]), TopicScope::Same),
                step(5, Facets::NONE, TopicScope::Same),
                step(15, Facets::NONE, TopicScope::Allowed),
            ],
            recent_after: Duration::from_secs(3),
            weights: Weights::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(seconds: u64, shared: Facets, topics: TopicScope) -> Step {
        Step { after: Duration::from_secs(seconds), shared, topics }
    }

    #[track_caller]
    fn check(steps: Vec<Step>, expect: &[PolicyProblem]) {
        let made = Policy::new(steps, Duration::ZERO, Weights::default());
        assert_eq!(made.err().unwrap_or_default(), expect);
    }

    #[test]
    fn a_policy_only_ever_asks_less() {
        let tag = Facets::from([Facet::Tag]);
        use TopicScope::{Allowed, Same};
        check(Policy::default().steps().to_vec(), &[]);
        check(Vec::new(), &[PolicyProblem::NoSteps]);
        check(vec![step(1, tag, Same)], &[PolicyProblem::FirstIsLate]);
        check(
            vec![step(0, Facets::NONE, Allowed), step(0, tag, Same)],
            &[PolicyProblem::NotLater(1), PolicyProblem::DemandsMore(1), PolicyProblem::TakesFewer(1)],
        );
        check((0..17).map(|after| step(after, tag, Same)).collect(), &[PolicyProblem::TooManySteps]);
    }

    #[test]
    fn a_step_lasts_until_the_next() {
        let policy = Policy::default();
        let begun = |millis| policy.step(Duration::from_millis(millis)).after.as_secs();
        assert_eq!([begun(0), begun(4999), begun(5000), begun(14_999), begun(90_000)], [0, 0, 5, 5, 15]);
    }
}
