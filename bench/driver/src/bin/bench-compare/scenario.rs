//! What is measured, and for how long: the same plan for every server.

use serde::Serialize;
use std::{net::SocketAddr, time::Duration};
use throng_bench::{Load, Pace, Plan, Target};

/// One run against one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scenario {
    /// 200 clients, each in a closed loop of `echo` with acknowledgement
    Echo,
    /// 1,000 clients of which one publishes; the next publication waits until all have the last one
    Fanout,
    /// The same with 64 to 128 publications outstanding, written 64 at a time
    Backlog,
    /// 64 connections at a time connect, join the namespace, leave, and hang up
    Connects,
    /// 10,000 clients that answer pings
    Idle,
}

/// Not long beside the seconds in which a machine becomes faster or slower; long beside what is under way when it ends, and
/// beside the milliseconds in which a server finds its connections in the processor's cache again.
pub(crate) const SLICE: Duration = Duration::from_secs(1);

/// How long things take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pacing {
    /// How often each load is measured, with processes of its own; an even number starts the servers in either order as often.
    pub(crate) repetitions: usize,
    /// Of each server in each repetition, as the next two.
    pub(crate) warm_up: Duration,
    pub(crate) duration: Duration,
    pub(crate) idle: Duration,
    /// How long each repetition may be put off, or repeated, until nobody else uses the two cores.
    pub(crate) patience: Duration,
}

impl Pacing {
    /// An idle run covers two whole ping intervals.
    pub(crate) const FULL: Self = Self {
        repetitions: 6,
        warm_up: Duration::from_secs(1),
        duration: Duration::from_secs(4),
        idle: Duration::from_secs(50),
        patience: Duration::from_secs(60),
    };
    pub(crate) const QUICK: Self = Self {
        repetitions: 1,
        warm_up: Duration::from_secs(1),
        duration: Duration::from_secs(2),
        idle: Duration::from_secs(4),
        patience: Duration::ZERO,
    };

    /// Whether an idle run is long enough to tell the CPU time of pings.
    pub(crate) fn covers_pings(&self) -> bool {
        self.idle >= Duration::from_secs(50)
    }
}

impl Scenario {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::Fanout => "fan-out",
            Self::Backlog => "backlog",
            Self::Connects => "connects",
            Self::Idle => "idle",
        }
    }

    /// The heading of its section.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Echo => "Echo with acknowledgement",
            Self::Fanout => "Fan-out, unbatched",
            Self::Backlog => "Fan-out under backlog",
            Self::Connects => "Connects with disconnects",
            Self::Idle => "Idle",
        }
    }

    /// What the clients do, in a sentence or two.
    pub(crate) fn explanation(self, pacing: Pacing) -> String {
        match self {
            Self::Echo => "200 clients, each sends `[\"echo\",\"x\"]` as soon as the last one is acknowledged.".to_owned(),
            Self::Fanout => "1,000 clients in one room, one of which publishes `[\"bcast\",\"x\"]` as soon as all 1,000 \
                             have received the last one: a server has nothing to batch."
                .to_owned(),
            Self::Backlog => "The same with 64 to 128 publications under way, written 64 at a time: a server may \
                              deliver many messages to a client in one write."
                .to_owned(),
            Self::Connects => "64 at a time: TCP, the upgrade, Engine.IO's open, Socket.IO's connect; then disconnect, \
                               a close frame, and the server's answer to it. Latency is that of being connected."
                .to_owned(),
            Self::Idle => format!(
                "10,000 clients connect, stay, and answer pings (every 25 s) for {} s. RSS per socket is what the process grew \
                 by, divided by the sockets; the kernel's own memory is not in it.",
                pacing.idle.as_secs_f64()
            ),
        }
    }

    /// How often it is measured. Idle sockets take the same each time, and a minute to look at.
    pub(crate) fn repetitions(self, pacing: Pacing) -> usize {
        if self == Self::Idle { 1 } else { pacing.repetitions }
    }

    /// How many servers are up at once. A server with idle sockets has its core to itself, all the time.
    pub(crate) fn servers_at_once(self) -> usize {
        if self == Self::Idle { 1 } else { usize::MAX }
    }

    /// How long each server is measured in a repetition.
    pub(crate) fn duration(self, pacing: Pacing) -> Duration {
        if self == Self::Idle { pacing.idle } else { pacing.duration }
    }

    /// How long a server is driven before it is another one's turn.
    pub(crate) fn slice(self, pacing: Pacing) -> Duration {
        if self == Self::Idle { pacing.idle } else { SLICE }
    }

    /// The plan of this scenario against the server at `address`.
    pub(crate) fn plan(self, address: SocketAddr, pacing: Pacing) -> Plan {
        let (load, connections) = match self {
            Self::Echo => (Load::Echo(Pace::Window(1)), 200),
            Self::Fanout => (Load::Fanout { pace: Pace::Window(1), rooms: 0 }, 1000),
            Self::Backlog => (Load::Fanout { pace: Pace::Window(128), rooms: 0 }, 1000),
            Self::Connects => (Load::Connects, 64),
            Self::Idle => (Load::Idle, 10_000),
        };
        plan((address, Vec::new()), (load, connections), (pacing.warm_up, self.duration(pacing)))
    }
}

/// A load of so many connections, against a server and the others of its fleet: warming up, then measured.
pub(crate) fn plan(
    (address, others): (SocketAddr, Vec<SocketAddr>),
    (load, connections): (Load, usize),
    (warm_up, duration): (Duration, Duration),
) -> Plan {
    Plan {
        target: Target {
            address,
            others,
            host: address.to_string(),
            path: "/socket.io/".to_owned(),
            namespace: "/".to_owned(),
        },
        load,
        connections,
        handshakes: 64,
        payload_bytes: 1,
        warm_up,
        duration,
        timeout: Duration::from_secs(10),
    }
}
