//! The figures of fleets, and which way each is better.

use super::{
    Outcome, Sample,
    fleet::Fleet,
    load::{ClusterLoad, RATE},
};
use crate::figure::{Spread, thousands};

/// One figure of a fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Figure {
    /// Messages or deliveries per CPU-second of all of the fleet's processes.
    Done(ClusterLoad),
    /// Milliseconds of half of the messages.
    P50(ClusterLoad),
    /// Milliseconds of 99 of 100.
    P99(ClusterLoad),
    /// Of what its nodes receive, how much is for rooms without a member there.
    Foreign(ClusterLoad),
}

/// Which of two values is ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aim {
    More,
    Less,
    Zero,
}

impl Figure {
    pub(super) const ALL: [Self; 9] = [
        Self::Done(ClusterLoad::ById),
        Self::Done(ClusterLoad::ByRoom),
        Self::P50(ClusterLoad::PacedById),
        Self::P99(ClusterLoad::PacedById),
        Self::P50(ClusterLoad::PacedByRoom),
        Self::P99(ClusterLoad::PacedByRoom),
        Self::Done(ClusterLoad::Fanout),
        Self::Foreign(ClusterLoad::ById),
        Self::Foreign(ClusterLoad::ByRoom),
    ];

    pub(super) fn load(self) -> ClusterLoad {
        match self {
            Self::Done(load) | Self::P50(load) | Self::P99(load) | Self::Foreign(load) => load,
        }
    }

    /// The figure with its unit.
    pub(super) fn title(self) -> String {
        let how = match self.load() {
            ClusterLoad::ById | ClusterLoad::PacedById => "by socket id",
            ClusterLoad::ByRoom | ClusterLoad::PacedByRoom => "by room",
            ClusterLoad::Fanout => return "fan-out deliveries per CPU-second".to_owned(),
        };
        match self {
            Self::Done(_) => format!("1:1 messages per CPU-second, {how}"),
            Self::P50(_) => format!("p50 ms at {RATE}/s, {how}"),
            Self::P99(_) => format!("p99 ms at {RATE}/s, {how}"),
            Self::Foreign(_) => format!("received for rooms not hosted, {how}"),
        }
    }

    pub(super) fn aim(self) -> Aim {
        match self {
            Self::Done(_) => Aim::More,
            Self::P50(_) | Self::P99(_) => Aim::Less,
            Self::Foreign(_) => Aim::Zero,
        }
    }

    /// The number as it is printed.
    pub(super) fn show(self, value: f64) -> String {
        match self {
            Self::Done(_) => thousands(value),
            Self::P50(_) | Self::P99(_) => format!("{value:.2}"),
            Self::Foreign(_) => format!("{:.1} %", value * 100.0),
        }
    }

    fn of(self, sample: &Sample) -> Option<f64> {
        let latency = sample.report.latency_micros;
        match self {
            Self::Done(_) => Some(sample.report.done as f64 / sample.spent.all().max(0.01)),
            Self::P50(_) => latency.map(|latency| latency.p50 / 1000.0),
            Self::P99(_) => latency.map(|latency| latency.p99 / 1000.0),
            Self::Foreign(_) => sample.counts.foreign_share(),
        }
    }

    /// This figure of one fleet over all repetitions; `None` when it was not measured.
    pub(super) fn spread(self, outcome: &Outcome, fleet: Fleet) -> Option<Spread> {
        let samples = outcome.samples_of(fleet, self.load());
        Spread::of(samples.filter_map(|sample| self.of(sample)).collect())
    }
}
