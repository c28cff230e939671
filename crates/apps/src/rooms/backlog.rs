//! Signals for a member who is away, in order, until it is back. Pure.

use std::sync::Arc;

use crate::roulette::signal::Signal;

/// Signals that are kept.
const SIGNALS_MAX: usize = 256;
/// What they may weigh together, in bytes.
const BYTES_MAX: usize = 256 * 1024;

/// There is no room for another signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BacklogFull;

/// What waits for a member.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    signals: Vec<Arc<Signal>>,
    bytes: usize,
}

impl Backlog {
    /// Keeps a signal.
    ///
    /// # Errors
    /// When too many, or too much, is kept already; what is kept stays.
    pub(crate) fn keep(&mut self, signal: Arc<Signal>) -> Result<(), BacklogFull> {
        let bytes = self.bytes + signal.bytes();
        if self.signals.len() == SIGNALS_MAX || bytes > BYTES_MAX {
            return Err(BacklogFull);
        }
        self.bytes = bytes;
        self.signals.push(signal);
        Ok(())
    }

    /// Takes out all that was kept, oldest first.
    pub(crate) fn take(&mut self) -> Vec<Arc<Signal>> {
        std::mem::take(self).signals
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_come_out_in_order_and_once() {
        let mut backlog = Backlog::default();
        let signals: Vec<_> = ["a", "b", "c"].map(|text| Arc::new(Signal::candidate(text))).into();
        for signal in &signals {
            assert_eq!(backlog.keep(signal.clone()), Ok(()));
        }
        assert_eq!((backlog.take(), backlog.take()), (signals, Vec::new()));
    }

    #[test]
    fn a_backlog_is_bounded_in_number_and_in_bytes() {
        let mut many = Backlog::default();
        let small = Arc::new(Signal::candidate("a"));
        assert!((0..SIGNALS_MAX).all(|_| many.keep(small.clone()).is_ok()));
        assert_eq!(many.keep(small.clone()), Err(BacklogFull));

        let mut heavy = Backlog::default();
        let large = Arc::new(Signal::candidate(&"x".repeat(BYTES_MAX / 4)));
        assert!((0..4).all(|_| heavy.keep(large.clone()).is_ok()));
        assert_eq!((heavy.keep(large), heavy.keep(small)), (Err(BacklogFull), Err(BacklogFull)));
        assert_eq!(heavy.take().len(), 4);
    }
}
