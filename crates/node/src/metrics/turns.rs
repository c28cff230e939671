//! How long the turns of a shard's loop take, measured at one turn of sixteen: two readings of the clock for each would
//! cost more than a small turn's own bookkeeping.

use tokio::time::Instant;

use super::Counter;
use super::histogram::Histogram;

/// Turns of which one is measured.
const EVERY: u64 = 16;

/// The turns of one shard.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    pub(crate) seen: Histogram<9>,
    pub(crate) count: Counter,
}

impl Turns {
    /// A turn begins; gives when, if it is one that is measured.
    pub(crate) fn begin(&self) -> Option<Instant> {
        let measured = self.count.get().is_multiple_of(EVERY).then(Instant::now);
        self.count.add(1);
        measured
    }

    /// The turn is over.
    pub(crate) fn end(&self, began: Option<Instant>) {
        if let Some(began) = began {
            self.seen.observe(began.elapsed());
        }
    }
}
