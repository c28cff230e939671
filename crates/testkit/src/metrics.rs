//! The counters of a node, read from its `/metrics` page as a monitoring system reads them.

use std::collections::HashMap;

use throng_node::End;

/// One reading of all counters and gauges.
#[derive(Debug, Clone, Default)]
pub struct Metrics(HashMap<String, u64>);

impl Metrics {
    /// Reads the text format.
    pub fn parse(page: &str) -> Self {
        let lines = page.lines().filter(|line| !line.starts_with('#'));
        let number = |line: &str| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        };
        Self(lines.filter_map(number).collect())
    }

    /// A number by its name without the prefix `throng_`, labels included as they stand on the page.
    ///
    /// # Panics
    /// When the page has no such number.
    pub fn get(&self, name: &str) -> u64 {
        let full = format!("throng_{name}");
        *self.0.get(&full).unwrap_or_else(|| panic!("/metrics has no {full}"))
    }

    /// Sessions that ended in this way.
    pub fn sessions_ended(&self, end: End) -> u64 {
        self.get(&format!("sessions_ended_total{{reason=\"{}\"}}", end.code()))
    }

    /// Sockets that were disconnected in this way.
    pub fn sockets_disconnected(&self, end: End) -> u64 {
        self.get(&format!("sockets_disconnected_total{{reason=\"{}\"}}", end.code()))
    }

    /// Sessions that are open: opened and not ended.
    pub fn sessions_open(&self) -> u64 {
        let ended: u64 = End::ALL.iter().map(|end| self.sessions_ended(*end)).sum();
        self.get("sessions_opened_total") - ended
    }

    /// Sockets that are connected.
    pub fn sockets_open(&self) -> u64 {
        let gone: u64 = End::ALL.iter().map(|end| self.sockets_disconnected(*end)).sum();
        self.get("sockets_connected_total") - gone
    }
}
