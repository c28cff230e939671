//! What one run does: typed, checked, and complete. Made from the command line's [`crate::Args`] or by a program.

use crate::{failure::Failure, target::Target};
use std::time::Duration;

/// One run against one server.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where the server is.
    pub target: Target,
    /// What the connections do.
    pub load: Load,
    /// How many connections are held; for [`Load::Connects`] how many are in progress at once.
    pub connections: usize,
    /// How many handshakes may be in progress at once while the connections are opened.
    pub handshakes: usize,
    /// The length of the string that each event carries, in bytes.
    pub payload_bytes: usize,
    /// How long the load runs before measuring begins.
    pub warm_up: Duration,
    /// How long is measured.
    pub duration: Duration,
    /// How long a handshake, a farewell or a delivery may take.
    pub timeout: Duration,
}

/// What the connections do once they are up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Load {
    /// Nothing but answer pings.
    Idle,
    /// Each emits `echo` with a string and waits for the acknowledgement.
    Echo(Pace),
    /// In pairs, each sends `msg` to its partner with `in-room`; with two nodes the partner is at the other one.
    Direct {
        /// When the next one is sent.
        pace: Pace,
        /// What the partner is addressed by.
        to: Addressee,
    },
    /// One emits `bcast`, all receive `msg`.
    Fanout {
        /// When the next one is published.
        pace: Pace,
        /// 0: the room that every socket is in. More: each connection joins one of so many rooms with `join`, and
        /// `in-room` publishes to them in turn.
        rooms: usize,
    },
    /// Connect, join the namespace, leave and hang up, over and over.
    Connects,
}

/// What one socket alone is addressed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressee {
    /// Its id.
    Socket,
    /// A room that nobody else is in, joined with `join`.
    Room,
}

/// When the next event is sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// As soon as fewer than this many are unanswered: per connection for echo and direct messages, in total for fan-out.
    Window(usize),
    /// So many a second in total, whatever the answers do.
    Rate(f64),
}

/// The most events that one connection may have unanswered in an echo load: their ids are one digit.
pub const ECHO_WINDOW_MAX: usize = 10;
/// The most messages of one connection that may be undelivered in a load of direct messages.
pub const DIRECT_WINDOW_MAX: usize = 64;
/// The most publications that may be undelivered in a fan-out load.
pub const FANOUT_WINDOW_MAX: usize = 4096;

impl Plan {
    /// Refuses what cannot be run.
    ///
    /// # Errors
    /// [`Failure::Usage`] with the first thing that makes no sense.
    pub fn check(&self) -> Result<(), Failure> {
        let usage = |text: String| Err(Failure::Usage(text));
        if self.connections == 0 || self.handshakes == 0 {
            return usage("at least one connection is needed".to_owned());
        }
        if self.duration.is_zero() {
            return usage("the duration is nothing".to_owned());
        }
        let (pace, window_max) = match self.load {
            Load::Idle | Load::Connects => return Ok(()),
            Load::Echo(pace) => (pace, ECHO_WINDOW_MAX),
            Load::Direct { .. } if !self.connections.is_multiple_of(2) => {
                return usage(format!("pairs need an even number of connections, not {}", self.connections));
            }
            Load::Direct { pace, .. } => (pace, DIRECT_WINDOW_MAX),
            Load::Fanout { pace, rooms } => {
                if rooms > self.connections {
                    return usage(format!(
                        "{rooms} rooms need as many connections, not {}",
                        self.connections
                    ));
                }
                (pace, FANOUT_WINDOW_MAX)
            }
        };
        match pace {
            Pace::Window(window) if window == 0 || window > window_max => {
                usage(format!("the window is 1 to {window_max} for this scenario, not {window}"))
            }
            Pace::Rate(rate) if !(rate > 0.0 && rate.is_finite()) => usage(format!("{rate} is no rate")),
            Pace::Window(_) | Pace::Rate(_) => Ok(()),
        }
    }
}
