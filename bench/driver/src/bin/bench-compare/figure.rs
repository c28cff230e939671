//! The figures that are compared, how each is had from a sample, and their median and spread over the repetitions.

use crate::{
    campaign::{Outcome, Sample},
    scenario::Scenario,
    server::Server,
};

/// One figure of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Figure {
    IdleMemory,
    Echo,
    Fanout,
    Backlog,
    Connects,
    Churn,
    IdleCpu,
}

/// The median of the repetitions, the lowest and the highest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Figure {
    pub(crate) const ALL: [Self; 7] = [
        Self::IdleMemory,
        Self::Echo,
        Self::Fanout,
        Self::Backlog,
        Self::Connects,
        Self::Churn,
        Self::IdleCpu,
    ];

    /// The figure with its unit.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::IdleMemory => "KiB RSS per idle socket",
            Self::Echo => "echo round trips per CPU-second",
            Self::Fanout => "deliveries per CPU-second, unbatched",
            Self::Backlog => "deliveries per CPU-second, backlog",
            Self::Connects => "connects per CPU-second, up to 10,000 sockets",
            Self::Churn => "connects with disconnects per CPU-second",
            Self::IdleCpu => "idle CPU, µs/s per connection",
        }
    }

    pub(crate) fn scenario(self) -> Scenario {
        match self {
            Self::IdleMemory | Self::Connects | Self::IdleCpu => Scenario::Idle,
            Self::Echo => Scenario::Echo,
            Self::Fanout => Scenario::Fanout,
            Self::Backlog => Scenario::Backlog,
            Self::Churn => Scenario::Connects,
        }
    }

    /// The number as it is printed.
    pub(crate) fn show(self, value: f64) -> String {
        match self {
            Self::IdleMemory | Self::IdleCpu => format!("{value:.2}"),
            Self::Echo | Self::Fanout | Self::Backlog | Self::Connects | Self::Churn => thousands(value),
        }
    }

    fn of(self, sample: &Sample) -> f64 {
        let connections = sample.report.connections.max(1) as f64;
        match self {
            Self::IdleMemory => {
                let grown = sample.memory_after.rss_kib.saturating_sub(sample.memory_before.rss_kib);
                grown as f64 / connections
            }
            Self::IdleCpu => sample.server_cpu_seconds * 1e6 / sample.report.seconds / connections,
            Self::Connects => connections / sample.connecting_cpu_seconds.max(0.01),
            Self::Echo | Self::Fanout | Self::Backlog | Self::Churn => {
                sample.report.done as f64 / sample.server_cpu_seconds.max(0.01)
            }
        }
    }

    /// This figure of one server over all repetitions; `None` when it was not measured.
    pub(crate) fn spread(self, outcome: &Outcome, server: Server) -> Option<Spread> {
        if self == Self::IdleCpu && !outcome.pacing.covers_pings() {
            return None;
        }
        let samples = outcome.samples_of(server, self.scenario());
        Spread::of(samples.map(|sample| self.of(sample)).collect())
    }

    /// How many times the figure of a peer this one of a server is: of what was measured in the same repetition, by turns,
    /// and of those ratios the median.
    pub(crate) fn ratio(self, outcome: &Outcome, server: Server, peer: Server) -> Option<f64> {
        let beside = |sample: &Sample| {
            let mut peers = outcome.samples_of(peer, self.scenario());
            let peer = peers.find(|peer| peer.repetition == sample.repetition)?;
            Some(self.of(sample) / self.of(peer))
        };
        let ratios = outcome.samples_of(server, self.scenario()).filter_map(beside);
        Spread::of(ratios.collect()).map(|spread| spread.median)
    }
}

impl Spread {
    /// Of any number of values but none.
    pub(crate) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (low, high) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median =
            if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 };
        Some(Self { median, low, high })
    }
}

/// `169400.2` as `169,400`.
pub(crate) fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_lies_in_the_middle() {
        assert_eq!(Spread::of(vec![3.0, 1.0, 9.0]), Some(Spread { median: 3.0, low: 1.0, high: 9.0 }));
        assert_eq!(Spread::of(vec![4.0, 2.0]), Some(Spread { median: 3.0, low: 2.0, high: 4.0 }));
        assert_eq!(Spread::of(Vec::new()), None);
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(thousands(0.4), "0");
        assert_eq!(thousands(999.0), "999");
        assert_eq!(thousands(169_400.2), "169,400");
        assert_eq!(thousands(1_000_000.0), "1,000,000");
    }
}
