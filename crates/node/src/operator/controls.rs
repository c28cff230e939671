//! What an operator may change while the node runs, as far as the node itself does not own it.

use std::sync::Arc;

use tokio::sync::Notify;

/// Starts a drain, once.
#[derive(Debug, Default)]
pub(crate) struct DrainSwitch(Notify);

impl DrainSwitch {
    pub(crate) fn ask(&self) {
        self.0.notify_one();
    }

    /// Waits until a drain is asked for.
    pub(crate) async fn asked(&self) {
        self.0.notified().await;
    }
}

/// Reads and changes what is logged. The node knows no subscriber of its own: whoever set one up says how.
#[derive(Clone)]
pub(crate) struct LogLevels {
    pub(crate) read: Arc<dyn Fn() -> String + Send + Sync>,
    pub(crate) change: Change,
}

/// Takes a filter, or says why it is none.
type Change = Arc<dyn Fn(&str) -> Result<(), String> + Send + Sync>;

impl std::fmt::Debug for LogLevels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogLevels").finish_non_exhaustive()
    }
}
