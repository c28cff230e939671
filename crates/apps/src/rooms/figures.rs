//! The numbers of a hall, as the node that keeps it tells the others.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use throng_node::{AppStatistics, Distribution, Waits};

use super::Config;
use super::ending::Reason;

/// What [`AppStatistics`] says, of one hall.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) rooms_active: u64,
    pub(crate) waiting: BTreeMap<String, u64>,
    pub(crate) waits_recent: Waits,
    pub(crate) rooms_per_hour: u64,
    pub(crate) rooms_ended: BTreeMap<String, u64>,
    pub(crate) pairings: u64,
    pub(crate) messages: u64,
    pub(crate) waits: Distribution,
}

impl Figures {
    /// Adds them to those of other halls. What has no place there, because nodes are configured differently, is left out.
    pub(crate) fn add_to(self, sum: &mut AppStatistics) {
        let reasons = Reason::ALL.map(Reason::code);
        let ended =
            |(name, count): (String, u64)| Some((*reasons.iter().find(|reason| **reason == name)?, count));
        *sum += AppStatistics {
            rooms_active: self.rooms_active,
            waiting: self.waiting.into_iter().filter(|(queue, _)| sum.waiting.contains_key(queue)).collect(),
            waits_recent: self.waits_recent,
            rooms_per_hour: self.rooms_per_hour,
            rooms_ended: self.rooms_ended.into_iter().filter_map(ended).collect(),
            pairings: self.pairings,
            messages: self.messages,
            waits: self.waits,
        };
    }
}

impl Config {
    /// The numbers of an app in which nothing has happened yet: every queue and every reason stands there.
    pub(super) fn nothing_yet(&self) -> AppStatistics {
        AppStatistics {
            waiting: self.queues.keys().map(|name| (name.clone(), 0)).collect(),
            rooms_ended: Reason::ALL.map(|reason| (reason.code(), 0)).into(),
            ..AppStatistics::default()
        }
    }
}
