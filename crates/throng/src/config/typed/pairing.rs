//! How queues pair.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use throng_lobby::{Facet, Policy, PolicyProblem, TopicScope};

use super::reading;

/// The name of the policy that `pairing` itself is.
pub(crate) const DEFAULT: &str = "default";

/// The policy `default`, and those that differ from it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pairing {
    pub(crate) steps: Vec<Step>,
    #[serde(deserialize_with = "reading::duration")]
    pub(crate) recent_after: Duration,
    pub(crate) weights: Weights,
    /// By name.
    #[serde(default)]
    pub(crate) policies: BTreeMap<String, NamedPolicy>,
}

/// What is asked of a partner from some moment on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    #[serde(deserialize_with = "reading::duration")]
    pub(crate) after: Duration,
    #[serde(default)]
    pub(crate) shared: Vec<Shared>,
    pub(crate) topics: Topics,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Shared {
    Tag,
    Language,
    Region,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Topics {
    Same,
    Allowed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Weights {
    pub(crate) tag: u32,
    pub(crate) language: u32,
    pub(crate) region: u32,
    pub(crate) preference: u32,
    pub(crate) waiting: u32,
}

/// What differs from the policy `default`; what is left out is as there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct NamedPolicy {
    pub(crate) steps: Option<Vec<Step>>,
    #[serde(deserialize_with = "reading::some_duration")]
    pub(crate) recent_after: Option<Duration>,
    pub(crate) weights: NamedWeights,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct NamedWeights {
    pub(crate) tag: Option<u32>,
    pub(crate) language: Option<u32>,
    pub(crate) region: Option<u32>,
    pub(crate) preference: Option<u32>,
    pub(crate) waiting: Option<u32>,
}

impl Pairing {
    /// Whether there is a policy of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        name == DEFAULT || self.policies.contains_key(name)
    }

    /// The policy of a name, `default` where there is none of it.
    ///
    /// # Errors
    /// Everything that is wrong with its steps.
    pub(crate) fn policy(&self, name: &str) -> Result<Arc<Policy>, Vec<PolicyProblem>> {
        let as_default = NamedPolicy::default();
        let own = self.policies.get(name).unwrap_or(&as_default);
        let steps = own.steps.as_ref().unwrap_or(&self.steps).iter().map(Step::made).collect();
        let recent_after = own.recent_after.unwrap_or(self.recent_after);
        let (all, own) = (self.weights, own.weights);
        let weights = throng_lobby::Weights {
            tag: own.tag.unwrap_or(all.tag),
            language: own.language.unwrap_or(all.language),
            region: own.region.unwrap_or(all.region),
            preference: own.preference.unwrap_or(all.preference),
            waiting: own.waiting.unwrap_or(all.waiting),
        };
        Policy::new(steps, recent_after, weights).map(Arc::new)
    }
}

impl Step {
    fn made(&self) -> throng_lobby::Step {
        let facet = |shared: &Shared| match shared {
            Shared::Tag => Facet::Tag,
            Shared::Language => Facet::Language,
            Shared::Region => Facet::Region,
        };
        throng_lobby::Step {
            after: self.after,
            shared: self.shared.iter().map(facet).collect(),
            topics: match self.topics {
                Topics::Same => TopicScope::Same,
                Topics::Allowed => TopicScope::Allowed,
            },
        }
    }
}
