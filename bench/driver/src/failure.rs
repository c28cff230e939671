//! Every way a run can fail, and every fault that one connection can have. A failure ends the run and tells its reader
//! what to do; a fault is counted under its label, and the run goes on.

use std::{io, net::SocketAddr};

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The URL cannot be used.
    #[error("{url} cannot be used: {reason}")]
    Url {
        /// The URL as given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An option, or two of them together, make no sense.
    #[error("{0}")]
    Usage(String),
    /// The process may not open as many files as the run needs.
    #[error(
        "{connections} connections need {needed} open files, and this process may have {limit}; \
         raise the limit first, in this shell with `ulimit -n {needed}` (as root when that is refused)"
    )]
    FileLimit {
        /// The connections asked for.
        connections: usize,
        /// The files that they and the driver itself need.
        needed: u64,
        /// The hard limit.
        limit: u64,
    },
    /// No connection ever got through; the first one met this.
    #[error("{address}: {fault}{}", fault.advice())]
    NoConnection {
        /// Where the connection went.
        address: SocketAddr,
        /// What it met.
        fault: Fault,
    },
    /// Connections that are up do not answer what the load needs first.
    #[error(
        "the server does not acknowledge `join`: --rooms needs a server with the handlers `join` and `in-room`"
    )]
    NoRooms,
    /// The run went to its end, but none of its events was answered.
    #[error(
        "no event was answered: {scenario} needs a server with the handler `{handler}`, as the example `echo` has; \
         --scenario idle needs none"
    )]
    NoAnswers {
        /// The scenario by its name on the command line.
        scenario: &'static str,
        /// What it calls.
        handler: &'static str,
    },
    /// Every connection was lost during the run.
    #[error("all connections are gone; the last one met this: {0}")]
    AllGone(Fault),
    /// The operating system refused something that the driver itself needs.
    #[error("the driver cannot run: {0}")]
    System(#[from] io::Error),
}

/// What one connection met. [`Fault::label`] is the key that it is counted under.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Nobody listens there.
    #[error("connection refused")]
    Refused,
    /// The connection broke.
    #[error("connection reset")]
    Reset,
    /// The server hung up.
    #[error("closed by the server")]
    Closed,
    /// A handshake or a farewell took longer than the time-out.
    #[error("no answer in time")]
    TimedOut,
    /// No local port or file was left, or the network refused.
    #[error("{0}")]
    Network(String),
    /// What came back is not HTTP.
    #[error("what listens there does not speak HTTP/1.1")]
    NotHttp,
    /// The server answered the upgrade with another status.
    #[error("the server answered the upgrade with status {0}")]
    Status(u16),
    /// The answer to the upgrade is no WebSocket handshake.
    #[error("the answer to the upgrade is no WebSocket handshake")]
    NotWebSocket,
    /// The namespace refused, with what it said.
    #[error("the namespace refused: {0}")]
    Namespace(String),
    /// A frame that the driver cannot take: longer than its buffer, or where it must not be.
    #[error("the server sent a frame that does not belong there")]
    Frame,
    /// A delivery or an acknowledgement never came.
    #[error("no answer to an event")]
    Lost,
    /// A delivery or an acknowledgement that nothing waits for.
    #[error("an answer that nothing waits for")]
    Unexpected,
    /// The pace asked for an event while all earlier ones that may be open still were.
    #[error("an event was not sent: too many are unanswered")]
    Skipped,
}

impl Fault {
    /// The fault's name in reports.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Reset => "reset",
            Self::Closed => "closed",
            Self::TimedOut => "timed_out",
            Self::Network(_) => "network",
            Self::NotHttp => "not_http",
            Self::Status(503) => "status_503",
            Self::Status(_) => "status",
            Self::NotWebSocket => "not_websocket",
            Self::Namespace(_) => "namespace_refused",
            Self::Frame => "frame",
            Self::Lost => "lost",
            Self::Unexpected => "unexpected",
            Self::Skipped => "skipped",
        }
    }

    /// What a person can do about it, when it is the first thing that a run met.
    fn advice(&self) -> &'static str {
        match self {
            Self::Refused => "; is the server started, and on this port?",
            Self::NotHttp | Self::NotWebSocket => "; is it a Socket.IO server?",
            Self::Status(404) => "; is it a Socket.IO server, and is --path right?",
            Self::Status(400) => "; does it speak Engine.IO v4 (Socket.IO 3 or later) and allow WebSocket?",
            Self::Status(503) => "; it takes no more connections",
            Self::Namespace(_) => "; is --namespace right? `throng serve` has /debate and /roulette",
            _ => "",
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted => {
                Self::Reset
            }
            io::ErrorKind::TimedOut => Self::TimedOut,
            _ => Self::Network(error.to_string()),
        }
    }
}
