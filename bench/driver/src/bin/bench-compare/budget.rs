//! The performance budget: what Throng must reach, as a ratio to a peer of the same comparison or as a number.

use crate::{campaign::Outcome, figure::Figure, server::Server};

/// One line of the budget.
#[derive(Debug, Clone, Copy)]
struct Line {
    /// Whose figure it is.
    server: Server,
    figure: Figure,
    limit: Limit,
}

#[derive(Debug, Clone, Copy)]
enum Limit {
    /// Throng's figure is at least so many times that of this server.
    AtLeast(f64, Server),
    /// Throng's figure is at most this.
    AtMost(f64),
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Pass,
    Fail,
    /// One of its figures was not measured.
    Unknown,
}

/// A line as it is told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) budget: String,
    pub(crate) measured: String,
    pub(crate) verdict: Verdict,
}

const BUDGET: [Line; 11] = [
    line(Server::Throng, Figure::IdleMemory, Limit::AtMost(2.0)),
    line(Server::Throng, Figure::Echo, Limit::AtLeast(0.9, Server::Floor)),
    line(Server::Throng, Figure::Echo, Limit::AtLeast(1.3, Server::Socketioxide)),
    line(Server::Throng, Figure::Fanout, Limit::AtLeast(0.9, Server::Floor)),
    line(Server::Throng, Figure::Backlog, Limit::AtLeast(2.0, Server::Socketioxide)),
    line(Server::Throng, Figure::Connects, Limit::AtLeast(2.0, Server::Socketioxide)),
    line(Server::Throng, Figure::IdleCpu, Limit::AtMost(1.0)),
    line(Server::Guarded, Figure::IdleMemory, Limit::AtMost(2.0)),
    line(Server::Guarded, Figure::Echo, Limit::AtLeast(0.95, Server::Throng)),
    line(Server::Guarded, Figure::Fanout, Limit::AtLeast(0.95, Server::Throng)),
    line(Server::Guarded, Figure::Backlog, Limit::AtLeast(0.95, Server::Throng)),
];

const fn line(server: Server, figure: Figure, limit: Limit) -> Line {
    Line { server, figure, limit }
}

/// Every line of the budget, checked against the medians.
pub(crate) fn check(outcome: &Outcome) -> Vec<Row> {
    let median = |figure: Figure, server| figure.spread(outcome, server).map(|spread| spread.median);
    let row = |line: &Line| {
        let throng = median(line.figure, line.server);
        let peer = match line.limit {
            Limit::AtLeast(_, server) => median(line.figure, server),
            Limit::AtMost(_) => None,
        };
        line.row(throng, peer)
    };
    BUDGET.iter().map(row).collect()
}

impl Line {
    fn row(&self, throng: Option<f64>, peer: Option<f64>) -> Row {
        let (budget, measured, held) = match self.limit {
            Limit::AtLeast(least, server) => {
                let ratio = throng.zip(peer).map(|(throng, peer)| throng / peer);
                let budget = format!("≥ {least} × {}", server.name());
                (budget, ratio.map(|ratio| format!("{ratio:.2} ×")), ratio.map(|ratio| ratio >= least))
            }
            Limit::AtMost(most) => {
                let measured = throng.map(|throng| self.figure.show(throng));
                (format!("≤ {most}"), measured, throng.map(|throng| throng <= most))
            }
        };
        let measured = measured.unwrap_or_else(|| "not measured".to_owned());
        Row {
            what: format!("{}: {}", self.server.name(), self.figure.title()),
            budget,
            measured,
            verdict: Verdict::of(held),
        }
    }
}

impl Verdict {
    /// Of a line that held or did not, if that is known.
    pub(crate) fn of(held: Option<bool>) -> Self {
        match held {
            Some(true) => Self::Pass,
            Some(false) => Self::Fail,
            None => Self::Unknown,
        }
    }

    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Fail => "**FAIL**",
            Self::Unknown => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(limit: Limit, throng: Option<f64>, peer: Option<f64>, measured: &str, verdict: Verdict) {
        let row = line(Server::Throng, Figure::IdleMemory, limit).row(throng, peer);
        assert_eq!((row.measured.as_str(), row.verdict), (measured, verdict));
    }

    #[test]
    fn a_ratio_is_held_against_the_peer_of_the_same_run() {
        let limit = Limit::AtLeast(0.9, Server::Floor);
        check(limit, Some(90.0), Some(100.0), "0.90 ×", Verdict::Pass);
        check(limit, Some(89.0), Some(100.0), "0.89 ×", Verdict::Fail);
        check(limit, Some(89.0), None, "not measured", Verdict::Unknown);
    }

    #[test]
    fn a_number_is_held_against_the_limit() {
        check(Limit::AtMost(2.0), Some(2.0), None, "2.00", Verdict::Pass);
        check(Limit::AtMost(2.0), Some(2.1), None, "2.10", Verdict::Fail);
        check(Limit::AtMost(2.0), None, None, "not measured", Verdict::Unknown);
    }
}
