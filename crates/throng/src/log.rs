//! Logs: JSON lines on standard error, or plain ones where a person is looking.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Starts logging. `THRONG_LOG` filters; `info` when it is not set.
pub(crate) fn start() {
    let filter =
        EnvFilter::builder().with_env_var("THRONG_LOG").with_default_directive(tracing::Level::INFO.into());
    let logs =
        tracing_subscriber::fmt().with_env_filter(filter.from_env_lossy()).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        logs.compact().init();
    } else {
        logs.json().flatten_event(true).init();
    }
}
