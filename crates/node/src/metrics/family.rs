//! Metrics that an app or the embedder counts itself and that stand on the node's page beside its own.

use std::sync::Arc;

/// One metric with all of its series.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// The whole name, such as `throng_call_setups_total`. No other family of the page has it.
    pub name: &'static str,
    /// What it counts, in a sentence.
    pub help: &'static str,
    /// Whether it may go down.
    pub kind: FamilyKind,
    /// The series. Their labels differ, and come from finite sets.
    pub series: Vec<Series>,
}

/// Whether a metric may go down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FamilyKind {
    /// It counts, since the start of the process.
    Counter,
    /// It is what there is now.
    Gauge,
}

/// One series of a metric: its labels and the number.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Names and values.
    pub labels: Vec<(&'static str, String)>,
    /// The number now.
    pub value: f64,
}

/// How to ask for metrics.
#[derive(Clone)]
pub(crate) struct Families(pub(crate) Arc<dyn Fn() -> Vec<Family> + Send + Sync>);

impl Families {
    /// Asks; who panics has none.
    pub(crate) fn read(&self) -> Vec<Family> {
        let asked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| (self.0)()));
        asked.inspect_err(|_| tracing::error!("an app's metrics panicked")).unwrap_or_default()
    }
}

impl std::fmt::Debug for Families {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Families").finish_non_exhaustive()
    }
}
