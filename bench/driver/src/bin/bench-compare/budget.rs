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
    let row = |line: &Line| {
        line.row(match line.limit {
            Limit::AtLeast(_, peer) => line.figure.ratio(outcome, line.server, peer),
            Limit::AtMost(_) => line.figure.spread(outcome, line.server).map(|spread| spread.median),
        })
    };
    BUDGET.iter().map(row).collect()
}

impl Line {
    /// Of the ratio, or of the figure itself.
    fn row(&self, value: Option<f64>) -> Row {
        let show = |value: f64| match self.limit {
            Limit::AtLeast(..) => format!("{value:.2} ×"),
            Limit::AtMost(_) => self.figure.show(value),
        };
        let (budget, held) = match self.limit {
            Limit::AtLeast(least, peer) => {
                (format!("≥ {least} × {}", peer.name()), value.map(|ratio| ratio >= least))
            }
            Limit::AtMost(most) => (format!("≤ {most}"), value.map(|value| value <= most)),
        };
        Row {
            what: format!("{}: {}", self.server.name(), self.figure.title()),
            budget,
            measured: value.map_or_else(|| "not measured".to_owned(), show),
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
    fn check(limit: Limit, value: Option<f64>, measured: &str, verdict: Verdict) {
        let row = line(Server::Throng, Figure::IdleMemory, limit).row(value);
        assert_eq!((row.measured.as_str(), row.verdict), (measured, verdict));
    }

    #[test]
    fn a_ratio_is_held_against_the_peer_of_the_same_run() {
        let limit = Limit::AtLeast(0.9, Server::Floor);
        check(limit, Some(0.9), "0.90 ×", Verdict::Pass);
        check(limit, Some(0.894), "0.89 ×", Verdict::Fail);
        check(limit, None, "not measured", Verdict::Unknown);
    }

    #[test]
    fn a_number_is_held_against_the_limit() {
        check(Limit::AtMost(2.0), Some(2.0), "2.00", Verdict::Pass);
        check(Limit::AtMost(2.0), Some(2.1), "2.10", Verdict::Fail);
        check(Limit::AtMost(2.0), None, "not measured", Verdict::Unknown);
    }
}
