//! What a run found: counted while it goes on, then told as text or JSON.

use crate::failure::Fault;
use hdrhistogram::Histogram;
use serde::Serialize;
use std::{collections::BTreeMap, fmt};

/// A share of one core above which the driver, not the server, may have set the pace.
pub const DRIVER_SHARE_MAX: f64 = 0.9;

/// What is counted while a run goes on. Everything is counted from [`Tally::restart`] on, but `faults` from the start.
#[derive(Debug)]
pub(crate) struct Tally {
    /// Round trips, deliveries or connects.
    pub(crate) done: u64,
    /// Events sent.
    pub(crate) sent: u64,
    /// Engine.IO pings answered.
    pub(crate) pings: u64,
    pub(crate) received_bytes: u64,
    pub(crate) faults: BTreeMap<&'static str, u64>,
    /// Nanoseconds, to two digits, up to 100 seconds.
    latency: Histogram<u64>,
}

impl Tally {
    pub(crate) fn new() -> Self {
        let latency =
            Histogram::new_with_bounds(1, 100_000_000_000, 2).expect("constant bounds that make sense");
        Self { done: 0, sent: 0, pings: 0, received_bytes: 0, faults: BTreeMap::new(), latency }
    }

    /// One more is done; it took so many nanoseconds.
    pub(crate) fn done_in(&mut self, nanos: u64) {
        self.done += 1;
        self.latency.saturating_record(nanos);
    }

    pub(crate) fn fault(&mut self, fault: &Fault) {
        self.faults(fault, 1);
    }

    pub(crate) fn faults(&mut self, fault: &Fault, count: u64) {
        if count > 0 {
            *self.faults.entry(fault.label()).or_default() += count;
        }
    }

    pub(crate) fn fault_count(&self) -> u64 {
        self.faults.values().sum()
    }

    /// Forgets the warm-up, but no fault.
    pub(crate) fn restart(&mut self) {
        self.done = 0;
        self.sent = 0;
        self.pings = 0;
        self.received_bytes = 0;
        self.latency.reset();
    }

    /// The distribution so far, or `None` when nothing was timed.
    pub(crate) fn latency(&self) -> Option<Latency> {
        let micros = |quantile| self.latency.value_at_quantile(quantile) as f64 / 1000.0;
        (!self.latency.is_empty()).then(|| Latency {
            p50: micros(0.5),
            p90: micros(0.9),
            p99: micros(0.99),
            p999: micros(0.999),
            max: self.latency.max() as f64 / 1000.0,
        })
    }
}

/// A latency distribution, in microseconds, exact to 1 %.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "quantiles by their names")]
pub struct Latency {
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub p999: f64,
    pub max: f64,
}

/// What one run found.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// What `done` counts.
    pub what: &'static str,
    /// The connections that were up when measuring ended.
    pub connections: usize,
    /// The connections asked for.
    pub connections_wanted: usize,
    /// How long was measured.
    pub seconds: f64,
    /// Round trips, deliveries, connects, or pings answered, in that time.
    pub done: u64,
    /// `done` a second.
    pub rate: f64,
    /// Events sent in that time.
    pub sent: u64,
    /// Acknowledgements, deliveries, handshakes or farewells that were still to come when measuring ended.
    pub under_way: u64,
    /// Bytes received in that time, frames and all.
    pub received_bytes: u64,
    /// Microseconds from sending an event to its acknowledgement or to each delivery, or from opening a connection to
    /// its place in the namespace; absent when idle.
    pub latency_micros: Option<Latency>,
    /// What went wrong, by kind, from the first connection on.
    pub faults: BTreeMap<&'static str, u64>,
    /// The driver's own CPU time over `seconds`: 1 is one whole core.
    pub driver_cpu_share: f64,
    /// Whether that is more than [`DRIVER_SHARE_MAX`], so that the server might have done more.
    pub driver_bound: bool,
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{:>14}  {} of {}", "connections", self.connections, self.connections_wanted)?;
        writeln!(
            out,
            "{:>14}  {} in {:.1} s, {:.0} a second",
            self.what, self.done, self.seconds, self.rate
        )?;
        if self.sent > 0 {
            writeln!(
                out,
                "{:>14}  {}, {} answers still under way",
                "events sent", self.sent, self.under_way
            )?;
        }
        if let Some(Latency { p50, p90, p99, p999, max }) = self.latency_micros {
            let [p50, p90, p99, p999, max] = [p50, p90, p99, p999, max].map(|micros| micros / 1000.0);
            writeln!(
                out,
                "{:>14}  p50 {p50:.2}  p90 {p90:.2}  p99 {p99:.2}  p99.9 {p999:.2}  max {max:.2} ms",
                "latency"
            )?;
        }
        let faults: Vec<_> = self.faults.iter().map(|(label, count)| format!("{label} {count}")).collect();
        let faults = if faults.is_empty() { "none".to_owned() } else { faults.join("  ") };
        writeln!(out, "{:>14}  {faults}", "faults")?;
        writeln!(out, "{:>14}  {:.0} % of one core", "driver CPU", self.driver_cpu_share * 100.0)?;
        if self.driver_bound {
            writeln!(out, "\nThe driver was the bottleneck: the server may be able to do more than this.")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_keeps_the_faults_only() {
        let mut tally = Tally::new();
        tally.done_in(1_000_000);
        tally.fault(&Fault::Reset);
        tally.restart();
        assert_eq!((tally.done, tally.latency(), tally.fault_count()), (0, None, 1));
    }

    #[test]
    fn quantiles_are_in_microseconds() {
        let mut tally = Tally::new();
        for millis in 1..=100 {
            tally.done_in(millis * 1_000_000);
        }
        let latency = tally.latency().unwrap();
        assert!((latency.p50 - 50_000.0).abs() < 500.0, "{latency:?}");
        assert!((latency.max - 100_000.0).abs() < 1000.0, "{latency:?}");
    }
}
