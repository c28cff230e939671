//! How calls fare on the whole: the figures of `/api/webrtc/stats`.

use std::collections::{BTreeMap, VecDeque};
use std::ops::AddAssign;
use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use super::call::{FailReason, Milestone};
use crate::rooms::clock::whole_millis;

/// Set-up times that count, the latest ones.
const SETUPS_MAX: usize = 1_000;

/// What has been reported since the hall opened.
#[derive(Debug, Clone, Default)]
pub(crate) struct Calls {
    started: u64,
    connected: u64,
    failed: BTreeMap<FailReason, u64>,
    setups: VecDeque<Duration>,
    /// Of those connected, how many said whether they go through a TURN server.
    told: u64,
    relayed: u64,
}

/// How calls fare, as the pages report it. Each call counts once in each number.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CallStatistics {
    /// Calls whose media flow now.
    pub(crate) active: u64,
    /// Calls that began to connect, since the node started.
    started: u64,
    /// Calls that connected.
    connected: u64,
    failed: Failed,
    setup_ms: SetupMillis,
    /// The share of connected calls that go through a TURN server, 0 to 1; `null` before the first.
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
                self.connected += 1;
                self.told += u64::from(relayed.is_some());
                self.relayed += u64::from(relayed == Some(true));
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
        let of = |reason: FailReason| self.failed.get(&reason).copied().unwrap_or_default();
        CallStatistics {
            active,
            started: self.started,
            connected: self.connected,
            failed: Failed {
                total: self.failed.values().sum(),
                by_reason: FailReason::ALL.map(|reason| (reason.code(), of(reason))).into(),
            },
            setup_ms: SetupMillis { p50: quantile(&setups, 50), p95: quantile(&setups, 95) },
            relayed_share: (self.told > 0).then(|| self.relayed as f64 / self.told as f64),
        }
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
        self.connected += other.connected;
        for (reason, count) in &other.failed {
            *self.failed.entry(*reason).or_default() += count;
        }
        self.setups.extend(&other.setups);
        self.keep_latest();
        self.told += other.told;
        self.relayed += other.relayed;
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
