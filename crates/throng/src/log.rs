//! Logs: JSON lines on standard error, or plain ones where a person is looking; and which of them are written.

use std::io::IsTerminal as _;

use tracing::Level;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry, reload};

use crate::config::typed::{Log, LogFormat};

/// Changes what is logged while the process runs.
#[derive(Debug, Clone)]
pub(crate) struct Handle(reload::Handle<EnvFilter, Registry>);

impl Handle {
    /// Takes a filter such as `info` or `info,throng_node=debug`; a wrong one is refused with a sentence and changes nothing.
    pub(crate) fn set(&self, text: &str) -> Result<(), String> {
        self.0.reload(filter(text)?).map_err(|error| error.to_string())
    }

    /// The filter in force; empty once nothing is logged any more.
    pub(crate) fn now(&self) -> String {
        self.0.with_current(ToString::to_string).unwrap_or_default()
    }
}

#[cfg(test)]
impl Handle {
    /// A handle of a layer that nothing is logged through.
    pub(crate) fn of(handle: reload::Handle<EnvFilter, Registry>) -> Self {
        Self(handle)
    }
}

/// Starts logging. The filter was judged with the configuration.
pub(crate) fn start(log: &Log) -> Result<Handle, String> {
    let (filter, handle) = reload::Layer::new(filter(&log.level)?);
    let pretty = match log.format {
        LogFormat::Auto => std::io::stderr().is_terminal(),
        LogFormat::Json => false,
        LogFormat::Pretty => true,
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = if pretty {
        lines.compact().with_ansi(std::io::stderr().is_terminal()).boxed()
    } else {
        lines.json().flatten_event(true).boxed()
    };
    tracing_subscriber::registry().with(filter).with(lines).init();
    Ok(Handle(handle))
}

/// Levels separated by commas, of everything or of one module. What no level is given for is logged at `info`, and what
/// operators do is logged whatever the level of the rest: only `audit=...` itself changes that.
pub(crate) fn filter(text: &str) -> Result<EnvFilter, String> {
    let mut directives = vec![Level::INFO.to_string(), "audit=info".to_owned()];
    for part in text.split(',').map(str::trim) {
        let level = part.rsplit_once('=').map_or(part, |(_, level)| level).to_ascii_lowercase();
        if !["error", "warn", "info", "debug", "trace", "off"].contains(&level.as_str()) {
            return Err(format!(
                "{part:?} is no level (error, warn, info, debug, trace, off), alone or of a module (throng_node=debug)"
            ));
        }
        directives.push(part.to_owned());
    }
    EnvFilter::builder().parse(directives.join(",")).map_err(|error| format!("{text:?}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_levels_of_everything_or_of_modules() {
        for (text, expect) in [
            ("warn", "audit=info,warn"),
            ("DEBUG", "audit=info,debug"),
            ("throng_node=debug", "throng_node=debug,audit=info,info"),
            ("off,a=warn", "audit=info,a=warn,off"),
        ] {
            assert_eq!(filter(text).unwrap().to_string(), expect);
        }
        for text in ["", "inof", "info,", "throng_node", "throng_node=", "a=b=c"] {
            assert!(filter(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_wrong_filter_changes_nothing() {
        let (_layer, handle) = reload::Layer::new(filter("warn").unwrap());
        let handle = Handle::of(handle);
        assert!(handle.set("loud").unwrap_err().contains("\"loud\" is no level"));
        assert_eq!(handle.now(), "audit=info,warn");
        handle.set("info,throng_node=trace").unwrap();
        assert_eq!(handle.now(), "throng_node=trace,audit=info,info");
    }
}
