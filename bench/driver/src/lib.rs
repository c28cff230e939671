//! Load driver for any Socket.IO v5 server: one thread, one epoll, raw frames that are masked before the run. It must
//! not be the bottleneck, reports its own CPU share, and says so when it was. It speaks WebSocket only, reads no data
//! that comes back, and shares no code with the server it measures.
//!
//! [`run`] is the command `throng bench`; [`measure`] is the same for a program that watches the server meanwhile, and
//! a [`Run`] for one that drives several by turns.

mod args;
mod connection;
mod drive;
mod failure;
mod handshake;
mod limits;
mod load;
mod packet;
mod plan;
mod pool;
mod progress;
mod report;
mod target;
mod wire;

pub use args::{Args, Scenario, duration};
pub use drive::{Moment, Run, Status, measure};
pub use failure::{Failure, Fault};
pub use limits::allow_files;
pub use plan::{Addressee, DIRECT_WINDOW_MAX, ECHO_WINDOW_MAX, FANOUT_WINDOW_MAX, Load, Pace, Plan};
pub use report::{DRIVER_SHARE_MAX, Latency, Report};
pub use target::Target;

use std::io::{self, Write};

/// Runs what the command line asks for: a progress line on a terminal, and the report on standard output.
///
/// # Errors
/// A [`Failure`] when there is nothing to report, or nothing was answered.
pub fn run(args: &Args) -> Result<(), Failure> {
    let plan = args.plan()?;
    let mut progress = progress::Progress::new();
    let report = measure(&plan, &mut |moment| progress.tell(moment))?;
    progress.clear();
    let text = if args.json {
        let mut json = serde_json::to_string(&report).expect("numbers, names and lists of them");
        json.push('\n');
        json
    } else {
        report.to_string()
    };
    io::stdout().write_all(text.as_bytes())?;
    match args.scenario {
        Scenario::Echo if report.done == 0 => Err(Failure::NoAnswers { scenario: "echo", handler: "echo" }),
        Scenario::Fanout if report.done == 0 => {
            Err(Failure::NoAnswers { scenario: "fanout", handler: "bcast" })
        }
        _ => Ok(()),
    }
}
