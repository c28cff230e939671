//! How calls fare on the whole: the figures of `/api/webrtc/stats`, and the metrics.

mod families;

use std::collections::{BTreeMap, VecDeque};
use std::ops::AddAssign;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::call::{FailReason, Milestone};
use crate::rooms::clock::whole_millis;

/// Set-up times that count, the latest ones.
const SETUPS_MAX: usize = 1_000;

/// What has been reported since the hall opened.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Calls {
    started: u64,
    connected: BTreeMap<Route, u64>,
    failed: BTreeMap<FailReason, u64>,
    setups: VecDeque<Duration>,
    /// Of all, also those that are not kept.
    setups_sum: Duration,
}

/// How the media of a call flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Route {
    /// From browser to browser.
    Direct,
    /// Through a TURN server.
    Relayed,
    /// The page does not say.
    Unknown,
}

impl Route {
    const ALL: [Self; 3] = [Self::Direct, Self::Relayed, Self::Unknown];

    const fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Relayed => "relayed",
            Self::Unknown => "unknown",
        }
    }

    fn of(relayed: Option<bool>) -> Self {
        match relayed {
            Some(false) => Self::Direct,
            Some(true) => Self::Relayed,
            None => Self::Unknown,
        }
    }
}

/// How calls fare, as the pages report it. Each call counts once in each number.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CallStatistics {
    /// Calls whose media flow now.
    active: u64,
    /// Calls that began to connect, since the node started.
    started: u64,
    /// Calls that connected.
    connected: u64,
    failed: Failed,
    setup_ms: SetupMillis,
    /// The share of connected calls that go through a TURN server, 0 to 1, of those that say; `null` before the first.
    relayed_share: Option<f64>,
}

/// Calls that failed.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Failed {
    total: u64,
    /// `ice`, `media_denied`, `no_device`, `timeout` and `other`.
    by_reason: BTreeMap<&'static str, u64>,
}

/// How long the latest 1,000 calls took to connect, in milliseconds; `null` before the first.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
struct SetupMillis {
    p50: Option<u64>,
    p95: Option<u64>,
}

impl Calls {
    /// Counts what is new about a call.
    pub(crate) fn count(&mut self, milestone: Milestone) {
        match milestone {
            Milestone::Started => self.started += 1,
            Milestone::Connected { setup, relayed } => {
                *self.connected.entry(Route::of(relayed)).or_default() += 1;
                self.setups_sum = self.setups_sum.saturating_add(setup);
                self.setups.push_back(setup);
                self.keep_latest();
            }
            Milestone::Failed(reason) => *self.failed.entry(reason).or_default() += 1,
        }
    }

    /// The figures, with the number of calls that are on.
    pub(crate) fn statistics(&self, active: u64) -> CallStatistics {
        let mut setups: Vec<_> = self.setups.iter().copied().collect();
        setups.sort_unstable();
        let [direct, relayed] = [Route::Direct, Route::Relayed].map(|route| self.connected(route));
        let told = direct + relayed;
        CallStatistics {
            active,
            started: self.started,
            connected: self.connected.values().sum(),
            failed: Failed {
                total: self.failed.values().sum(),
                by_reason: FailReason::ALL.map(|reason| (reason.code(), self.failed(reason))).into(),
            },
            setup_ms: SetupMillis { p50: quantile(&setups, 50), p95: quantile(&setups, 95) },
            relayed_share: (told > 0).then(|| relayed as f64 / told as f64),
        }
    }

    fn connected(&self, route: Route) -> u64 {
        self.connected.get(&route).copied().unwrap_or_default()
    }

    fn failed(&self, reason: FailReason) -> u64 {
        self.failed.get(&reason).copied().unwrap_or_default()
    }

    fn keep_latest(&mut self) {
        let over = self.setups.len().saturating_sub(SETUPS_MAX);
        self.setups.drain(..over);
    }
}

/// The sum over several halls.
impl AddAssign<&Self> for Calls {
    fn add_assign(&mut self, other: &Self) {
        self.started += other.started;
        for (route, count) in &other.connected {
            *self.connected.entry(*route).or_default() += count;
        }
        for (reason, count) in &other.failed {
            *self.failed.entry(*reason).or_default() += count;
        }
        self.setups.extend(&other.setups);
        self.keep_latest();
        self.setups_sum = self.setups_sum.saturating_add(other.setups_sum);
    }
}

/// The nearest-rank percentile of sorted durations.
fn quantile(sorted: &[Duration], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().map(whole_millis)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn figures_are_those_of_the_milestones() {
        let mut calls = Calls::default();
        let connected =
            |millis, relayed| Milestone::Connected { setup: Duration::from_millis(millis), relayed };
        for milestone in [
            Milestone::Started,
            Milestone::Started,
            connected(300, Some(true)),
            connected(100, Some(false)),
            connected(200, None),
            Milestone::Failed(FailReason::Ice),
        ] {
            calls.count(milestone);
        }
        let mut both = Calls::default();
        both += &calls;
        both += &Calls::default();
        assert_eq!(
            serde_json::to_value(both.statistics(1)).unwrap(),
            json!({
                "active": 1, "started": 2, "connected": 3,
                "failed": {
                    "total": 1,
                    "byReason": {"ice": 1, "media_denied": 0, "no_device": 0, "timeout": 0, "other": 0},
                },
                "setupMs": {"p50": 200, "p95": 300}, "relayedShare": 0.5,
            })
        );
    }

    #[test]
    fn before_the_first_call_nothing_is_known_and_samples_are_bounded() {
        let mut calls = Calls::default();
        let empty = serde_json::to_value(calls.statistics(0)).unwrap();
        assert_eq!((&empty["setupMs"]["p50"], &empty["relayedShare"]), (&json!(null), &json!(null)));
        for _ in 0..SETUPS_MAX + 10 {
            calls.count(Milestone::Connected { setup: Duration::ZERO, relayed: None });
        }
        assert_eq!(calls.setups.len(), SETUPS_MAX);
    }
}
