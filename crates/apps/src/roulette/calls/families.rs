//! The same for Prometheus.

use throng_node::{Family, FamilyKind, Series};

use super::{Calls, FailReason, Route};

impl Calls {
    /// The metrics, with the number of calls that are on. Every route and every reason stands there, also one that never
    /// came.
    pub(crate) fn families(&self, active: u64) -> Vec<Family> {
        let plain = |value: f64| vec![Series { labels: Vec::new(), value }];
        let one = |label, value: &str, count: u64| Series {
            labels: vec![(label, value.to_owned())],
            value: count as f64,
        };
        let family = |name, help, series| Family { name, help, kind: FamilyKind::Counter, series };
        vec![
            Family {
                name: "throng_calls_active",
                help: "Calls whose media flow.",
                kind: FamilyKind::Gauge,
                series: plain(active as f64),
            },
            family("throng_calls_started_total", "Calls that began to connect.", plain(self.started as f64)),
            family(
                "throng_calls_connected_total",
                "Calls that connected, by whether they go through a relay.",
                Route::ALL.map(|route| one("route", route.name(), self.connected(route))).into(),
            ),
            family(
                "throng_calls_failed_total",
                "Calls that failed, by reason.",
                FailReason::ALL.map(|reason| one("reason", reason.code(), self.failed(reason))).into(),
            ),
            family(
                "throng_call_setup_seconds_total",
                "Time that those which connected took to do so.",
                plain(self.setups_sum.as_secs_f64()),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::roulette::call::Milestone;

    #[test]
    fn metrics_have_every_route_and_reason_from_the_start() {
        let mut calls = Calls::default();
        let connected = |relayed| Milestone::Connected { setup: Duration::from_millis(750), relayed };
        for milestone in [
            Milestone::Started,
            connected(Some(true)),
            connected(None),
            Milestone::Failed(FailReason::NoDevice),
        ] {
            calls.count(milestone);
        }
        let mut lines = Vec::new();
        for family in calls.families(1) {
            for series in family.series {
                let labels: Vec<_> =
                    series.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
                lines.push(format!("{}{labels:?} {}", family.name, series.value).replace('"', ""));
            }
        }
        assert_eq!(
            lines,
            [
                "throng_calls_active[] 1",
                "throng_calls_started_total[] 1",
                "throng_calls_connected_total[route=direct] 0",
                "throng_calls_connected_total[route=relayed] 1",
                "throng_calls_connected_total[route=unknown] 1",
                "throng_calls_failed_total[reason=ice] 0",
                "throng_calls_failed_total[reason=media_denied] 0",
                "throng_calls_failed_total[reason=no_device] 1",
                "throng_calls_failed_total[reason=timeout] 0",
                "throng_calls_failed_total[reason=other] 0",
                "throng_call_setup_seconds_total[] 1.5",
            ]
        );
    }
}
