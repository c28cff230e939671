//! How surely this node keeps a hall. Whoever keeps one holds a lease on it, and another node may take over the moment
//! that it ends: a node that was paused, or cut off, must notice before it says another word.

use std::sync::{Arc, Mutex, MutexGuard};

use tokio::time::Instant;

/// The right to keep a hall. Clones are of the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tenure(Option<Arc<Mutex<Term>>>);

#[derive(Debug)]
struct Term {
    fence: u64,
    until: Instant,
    is_cut: bool,
    is_deposed: bool,
}

/// Whether a hall may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Certainty {
    /// Nobody else keeps it.
    Sure,
    /// The store has been away for longer than the lease. Nobody can have taken it meanwhile.
    Cut,
    /// Somebody else may keep it.
    Doubtful,
}

impl Tenure {
    /// That of a node without others, which never ends.
    pub(crate) fn forever() -> Self {
        Self(None)
    }

    /// One of this number, that lasts until then.
    pub(crate) fn until(until: Instant, fence: u64) -> Self {
        Self(Some(Arc::new(Mutex::new(Term { fence, until, is_cut: false, is_deposed: false }))))
    }

    /// It goes on under this number.
    pub(crate) fn renumber(&self, fence: u64) {
        if let Some(mut term) = self.term() {
            term.fence = fence;
        }
    }

    /// Its number: higher than that of any before it.
    pub(crate) fn fence(&self) -> u64 {
        self.term().map_or(0, |term| term.fence)
    }

    /// It lasts until then.
    pub(crate) fn extend(&self, until: Instant) {
        if let Some(mut term) = self.term() {
            term.until = until;
            term.is_cut = false;
        }
    }

    /// Somebody else keeps the hall by now, whatever the lease says.
    pub(crate) fn depose(&self) {
        if let Some(mut term) = self.term() {
            term.is_deposed = true;
        }
    }

    /// Whether somebody else keeps the hall for sure.
    pub(crate) fn is_deposed(&self) -> bool {
        self.term().is_some_and(|term| term.is_deposed)
    }

    /// The store does not answer.
    pub(crate) fn cut(&self) {
        if let Some(mut term) = self.term() {
            term.is_cut = true;
        }
    }

    /// It is over.
    pub(crate) fn end(&self) {
        self.extend(Instant::now());
    }

    pub(crate) fn certainty(&self) -> Certainty {
        let Some(term) = self.term() else { return Certainty::Sure };
        match (term.is_deposed, Instant::now() < term.until, term.is_cut) {
            (true, ..) => Certainty::Doubtful,
            (false, true, _) => Certainty::Sure,
            (false, false, true) => Certainty::Cut,
            (false, false, false) => Certainty::Doubtful,
        }
    }

    /// Whether the store did not answer when it was last asked.
    pub(crate) fn is_cut(&self) -> bool {
        self.term().is_some_and(|term| term.is_cut)
    }

    pub(crate) fn is_sure(&self) -> bool {
        self.certainty() == Certainty::Sure
    }

    fn term(&self) -> Option<MutexGuard<'_, Term>> {
        self.0.as_ref().map(|term| term.lock().expect("no panic while the lock is held"))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_term_is_sure_until_its_end_and_then_depends_on_the_store() {
        let (second, now) = (Duration::from_secs(1), Instant::now());
        let tenure = Tenure::until(now + 2 * second, 1);
        let certainty = Tenure::certainty;
        assert_eq!(certainty(&tenure), Certainty::Sure);
        tokio::time::advance(2 * second).await;
        assert_eq!(certainty(&tenure), Certainty::Doubtful);
        tenure.cut();
        assert_eq!(certainty(&tenure), Certainty::Cut);
        tenure.extend(now + 3 * second);
        assert_eq!(certainty(&tenure), Certainty::Sure);
        tokio::time::advance(2 * second).await;
        assert_eq!(
            (certainty(&tenure), certainty(&Tenure::forever())),
            (Certainty::Doubtful, Certainty::Sure)
        );
    }
}
