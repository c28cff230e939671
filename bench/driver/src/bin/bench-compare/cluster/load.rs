//! What the clients of a fleet do: the same for each.

use super::Pacing;
use crate::scenario;
use serde::Serialize;
use std::net::SocketAddr;
use throng_bench::{Addressee, Load, Pace, Plan};

/// Messages a second, in total, where latencies are compared. The page says what the slowest fleet does at most.
pub(super) const RATE: u32 = 2_000;

const TALKERS: usize = 200;
const RECEIVERS: usize = 1_000;

/// One run against one fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ClusterLoad {
    /// 200 clients, each sends to a partner on the other node by its socket id, as soon as the last one has arrived
    ById,
    /// The same by a room that only the partner is in
    ByRoom,
    /// By socket id, at the same rate for all fleets
    PacedById,
    /// By room, at the same rate for all fleets
    PacedByRoom,
    /// 1,000 clients on both nodes, of which one publishes; the next publication waits until all have the last one
    Fanout,
}

impl ClusterLoad {
    pub(crate) fn title(self) -> String {
        match self {
            Self::ById => "1:1 by socket id".to_owned(),
            Self::ByRoom => "1:1 by room".to_owned(),
            Self::PacedById => format!("1:1 by socket id, {RATE} a second"),
            Self::PacedByRoom => format!("1:1 by room, {RATE} a second"),
            Self::Fanout => "Fan-out to 1,000 sockets".to_owned(),
        }
    }

    /// What the clients do, in a sentence or two.
    pub(super) fn explanation(self) -> String {
        match self {
            Self::ById => format!(
                "{TALKERS} clients in pairs, one of each on either node. Each sends to its partner, `io.to(socket id).emit(…)` on \
                 the server, as soon as the partner has the last one."
            ),
            Self::ByRoom => "The same, `io.to(room).emit(…)` with a room that only the partner is in.".to_owned(),
            Self::PacedById => format!(
                "The same pairs by socket id, {RATE} messages a second in total whatever the answers do. Latency is from the \
                 sender's write to the partner's read."
            ),
            Self::PacedByRoom => "The same by room.".to_owned(),
            Self::Fanout => "1,000 clients in one room, half of them on either node. One publishes as soon as all 1,000 have the \
                             last one."
                .to_owned(),
        }
    }

    /// The plan of this load against the nodes at these addresses.
    pub(super) fn plan(self, [one, other]: [SocketAddr; 2], pacing: Pacing) -> Plan {
        let (load, connections) = match self {
            Self::ById => (direct(Pace::Window(1), Addressee::Socket), TALKERS),
            Self::ByRoom => (direct(Pace::Window(1), Addressee::Room), TALKERS),
            Self::PacedById => (direct(Pace::Rate(RATE.into()), Addressee::Socket), TALKERS),
            Self::PacedByRoom => (direct(Pace::Rate(RATE.into()), Addressee::Room), TALKERS),
            Self::Fanout => (Load::Fanout { pace: Pace::Window(1), rooms: 0 }, RECEIVERS),
        };
        scenario::plan((one, vec![other]), (load, connections), (pacing.warm_up, pacing.duration))
    }
}

fn direct(pace: Pace, to: Addressee) -> Load {
    Load::Direct { pace, to }
}
