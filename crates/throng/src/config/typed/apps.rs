//! The apps, and what is told and tried out of them.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::time::Duration;

use serde::Deserialize;
use url::Url;

use super::reading;
use crate::config::secret::Secret;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Debate {
    pub(crate) topics: Vec<String>,
    pub(crate) own_topics: bool,
    #[serde(deserialize_with = "reading::duration")]
    pub(crate) duration: Duration,
    #[serde(deserialize_with = "reading::duration")]
    pub(crate) warning: Duration,
    #[serde(deserialize_with = "reading::duration")]
    pub(crate) grace: Duration,
    #[serde(deserialize_with = "reading::duration")]
    pub(crate) confirm_timeout: Duration,
    pub(crate) waiting_max: NonZeroUsize,
    pub(crate) policy: String,
    /// By name.
    #[serde(default)]
    pub(crate) queues: BTreeMap<String, Queue>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Roulette {
    #[serde(deserialize_with = "reading::duration")]
    pub(crate) duration: Duration,
    #[serde(deserialize_with = "reading::duration")]
    pub(crate) warning: Duration,
    #[serde(deserialize_with = "reading::duration")]
    pub(crate) grace: Duration,
    #[serde(deserialize_with = "reading::duration")]
    pub(crate) confirm_timeout: Duration,
    pub(crate) waiting_max: NonZeroUsize,
    pub(crate) policy: String,
    pub(crate) stun: Vec<String>,
    pub(crate) turn: Vec<String>,
    pub(crate) turn_secret: Secret,
    #[serde(deserialize_with = "reading::duration")]
    pub(crate) turn_lifetime: Duration,
    /// By name.
    #[serde(default)]
    pub(crate) queues: BTreeMap<String, Queue>,
}

/// What differs from the queue `default`, which the app's own settings are; what is left out is as there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Queue {
    #[serde(deserialize_with = "reading::some_duration")]
    pub(crate) duration: Option<Duration>,
    pub(crate) waiting_max: Option<NonZeroUsize>,
    pub(crate) policy: Option<String>,
}

/// What the settings of both apps have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rooms<'a> {
    /// The name of the table.
    pub(crate) app: &'static str,
    pub(crate) duration: Duration,
    pub(crate) warning: Duration,
    pub(crate) grace: Duration,
    pub(crate) confirm_timeout: Duration,
    pub(crate) waiting_max: NonZeroUsize,
    pub(crate) policy: &'a str,
    pub(crate) queues: &'a BTreeMap<String, Queue>,
}

impl Debate {
    pub(crate) fn rooms(&self) -> Rooms<'_> {
        let Self { duration, warning, grace, confirm_timeout, waiting_max, ref policy, ref queues, .. } =
            *self;
        Rooms { app: "debate", duration, warning, grace, confirm_timeout, waiting_max, policy, queues }
    }
}

impl Roulette {
    pub(crate) fn rooms(&self) -> Rooms<'_> {
        let Self { duration, warning, grace, confirm_timeout, waiting_max, ref policy, ref queues, .. } =
            *self;
        Rooms { app: "roulette", duration, warning, grace, confirm_timeout, waiting_max, policy, queues }
    }
}

/// A switch, or an experiment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Feature {
    pub(crate) on: bool,
    pub(crate) percent: u8,
    pub(crate) tenants: Vec<String>,
    /// Empty: all. `debate`: those of the app. `debate.ranked`: that one.
    pub(crate) queue: String,
    /// Empty: none of its own.
    pub(crate) policy: String,
}

impl Feature {
    /// Whether it is about an app, and about which of its queues alone.
    pub(crate) fn about(&self, app: &str) -> Option<Option<&str>> {
        let (named, queue) = match self.queue.split_once('.') {
            Some((named, queue)) => (named, Some(queue)),
            None => (self.queue.as_str(), None),
        };
        (named.is_empty() || named == app).then_some(queue)
    }
}

#[derive(Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Analytics {
    pub(crate) sink: Sink,
    #[serde(deserialize_with = "reading::web_address")]
    pub(crate) url: Option<Url>,
    pub(crate) secret: Secret,
    pub(crate) batch_max: NonZeroUsize,
    #[serde(deserialize_with = "reading::duration")]
    pub(crate) interval: Duration,
    pub(crate) queue_max: NonZeroUsize,
}

/// Who is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Sink {
    None,
    Log,
    Webhook,
}

/// Nothing of it but the sink: the URL may hold a token.
impl fmt::Debug for Analytics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Analytics").field("sink", &self.sink).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_is_about_all_queues_or_those_of_an_app_or_one() {
        for (queue, debate, roulette) in [
            ("", Some(None), Some(None)),
            ("debate", Some(None), None),
            ("roulette.late", None, Some(Some("late"))),
            ("chess", None, None),
        ] {
            let feature = Feature { queue: queue.into(), ..Feature::default() };
            assert_eq!((feature.about("debate"), feature.about("roulette")), (debate, roulette), "{queue}");
        }
    }
}
