//! The line on a terminal that tells how a run is doing. Nothing when standard error is no terminal.

use crate::drive::{Moment, Status};
use std::io::{self, IsTerminal, Write};

/// Erases the line and returns to its start.
const CLEAR: &str = "\r\x1b[K";

#[derive(Debug)]
pub(crate) struct Progress {
    shown: bool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self { shown: io::stderr().is_terminal() }
    }

    pub(crate) fn tell(&mut self, moment: Moment) {
        if let Moment::Second(status) = moment {
            self.show(&format!("{CLEAR}{}", line(&status)));
        }
    }

    pub(crate) fn clear(&mut self) {
        self.show(CLEAR);
    }

    /// A terminal that is gone is no reason to end a run.
    fn show(&mut self, text: &str) {
        self.shown = self.shown && io::stderr().write_all(text.as_bytes()).is_ok();
    }
}

fn line(status: &Status) -> String {
    let p99 = status.latency.map_or(String::new(), |latency| format!("  p99 {:.2} ms", latency.p99 / 1000.0));
    format!(
        "{} {:.0} s  {} connections  {:.0}/s{p99}  {} faults  driver CPU {:.0} %",
        status.doing,
        status.elapsed.as_secs_f64(),
        status.ready,
        status.rate,
        status.faults,
        status.driver_cpu_share * 100.0
    )
}
