//! What Throng must reach among fleets: ahead of both adapters in every figure, and nothing for rooms that a node does not
//! host.

use super::{
    Outcome,
    figure::{Aim, Figure},
    fleet::Fleet,
};
use crate::budget::{Row, Verdict};

const ADAPTERS: [Fleet; 2] = [Fleet::Classic, Fleet::Sharded];

/// Every line of the budget, checked against the medians.
pub(super) fn check(outcome: &Outcome) -> Vec<Row> {
    let median = |figure: Figure, fleet| figure.spread(outcome, fleet).map(|spread| spread.median);
    let mut rows = Vec::new();
    for figure in Figure::ALL {
        let throng = median(figure, Fleet::Throng);
        match figure.aim() {
            Aim::Zero => rows.push(zero(figure, throng)),
            Aim::More | Aim::Less => {
                rows.extend(ADAPTERS.map(|peer| ahead(figure, peer, throng.zip(median(figure, peer)))));
            }
        }
    }
    rows
}

fn zero(figure: Figure, throng: Option<f64>) -> Row {
    Row {
        what: figure.title(),
        budget: "0".to_owned(),
        measured: throng.map_or_else(not_measured, |value| figure.show(value)),
        verdict: Verdict::of(throng.map(|value| value == 0.0)),
    }
}

/// How many times the better one's value the other's is: more than 1 means that Throng is ahead.
fn ahead(figure: Figure, peer: Fleet, values: Option<(f64, f64)>) -> Row {
    let (word, lead) = match figure.aim() {
        Aim::Less => ("less", values.map(|(throng, peer)| peer / throng)),
        Aim::More | Aim::Zero => ("more", values.map(|(throng, peer)| throng / peer)),
    };
    Row {
        what: figure.title(),
        budget: format!("{word} than {}", peer.name()),
        measured: lead.map_or_else(not_measured, |lead| format!("{lead:.2} × {word}")),
        verdict: Verdict::of(lead.map(|lead| lead > 1.0)),
    }
}

fn not_measured() -> String {
    "not measured".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::load::ClusterLoad;

    #[track_caller]
    fn check(figure: Figure, values: Option<(f64, f64)>, measured: &str, verdict: Verdict) {
        let row = ahead(figure, Fleet::Classic, values);
        assert_eq!((row.measured.as_str(), row.verdict), (measured, verdict));
    }

    #[test]
    fn ahead_is_more_of_what_is_done_and_less_of_what_is_waited() {
        let (done, wait) = (Figure::Done(ClusterLoad::ById), Figure::P99(ClusterLoad::PacedById));
        check(done, Some((30.0, 10.0)), "3.00 × more", Verdict::Pass);
        check(done, Some((9.0, 10.0)), "0.90 × more", Verdict::Fail);
        check(wait, Some((1.0, 2.0)), "2.00 × less", Verdict::Pass);
        check(wait, Some((2.0, 2.0)), "1.00 × less", Verdict::Fail);
        check(wait, None, "not measured", Verdict::Unknown);
    }

    #[test]
    fn a_single_foreign_message_is_too_many() {
        let foreign = Figure::Foreign(ClusterLoad::ById);
        assert_eq!(zero(foreign, Some(0.0)).verdict, Verdict::Pass);
        assert_eq!(zero(foreign, Some(0.000_1)).verdict, Verdict::Fail);
    }
}
