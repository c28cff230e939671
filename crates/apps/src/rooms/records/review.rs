//! What operators ask of the records, and get: the newest first, of whom they want to know.

use std::cmp::Reverse;
use std::collections::HashMap;

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use throng_node::Problem;
use utoipa::{IntoParams, ToSchema};

use super::{Feedback, Records, Report};

/// Entries of a list when nobody says how many.
const PAGE: usize = 100;
/// Entries of a list at most.
const PAGE_MAX: usize = 1000;

/// Which records; what is left out does not matter.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Those of one tenant.
    pub(crate) tenant: Option<String>,
    /// Those that a user made, or that are about this user.
    user: Option<String>,
    /// Those of one room.
    room: Option<String>,
    /// The report of this name, as the reporter was told it, and no feedback.
    report: Option<String>,
    /// Entries of either list, the newest; 100 when left out.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// What people said about rooms: the latest 500 reports and 500 ratings of each tenant are kept.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
pub(crate) struct Review {
    /// Newest first.
    reports: Vec<Reviewed>,
    /// Newest first.
    feedback: Vec<Feedback>,
}

/// A report, with what is known of whom it is about.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Reviewed {
    #[serde(flatten)]
    report: Report,
    /// How many of the reports that are kept are about the same user, this one included.
    reports_about: usize,
}

impl Wanted {
    /// What a query asks for.
    ///
    /// # Errors
    /// `malformed_query` when it asks for something else.
    pub(crate) fn of(query: Result<Query<Self>, QueryRejection>) -> Result<Self, Problem> {
        let malformed = |why: String| Problem::new(StatusCode::BAD_REQUEST, "malformed_query", why);
        let Query(wanted) = query.map_err(|rejection| malformed(rejection.body_text()))?;
        if wanted.limit.is_some_and(|limit| !(1..=PAGE_MAX).contains(&limit)) {
            return Err(malformed(format!("limit must be from 1 to {PAGE_MAX}")));
        }
        Ok(wanted)
    }

    fn count_max(&self) -> usize {
        self.limit.unwrap_or(PAGE)
    }

    fn wants_report(&self, report: &Report) -> bool {
        fits(&self.report, &[&report.report])
            && fits(&self.room, &[&report.room])
            && fits(&self.user, &[&report.reporter, &report.reported])
    }

    fn wants_feedback(&self, feedback: &Feedback) -> bool {
        self.report.is_none()
            && fits(&self.room, &[&feedback.room])
            && fits(&self.user, &[&feedback.user, &feedback.partner])
    }
}

/// Whether one of these is wanted.
fn fits(wanted: &Option<String>, any: &[&String]) -> bool {
    wanted.as_ref().is_none_or(|wanted| any.contains(&wanted))
}

impl Records {
    /// What is wanted of them; of which tenant they are is for the hall to know.
    pub(crate) fn review(&self, wanted: &Wanted) -> Review {
        let mut about: HashMap<&str, usize> = HashMap::new();
        self.reports.iter().for_each(|report| *about.entry(&report.reported).or_default() += 1);
        let reports = self.reports.iter().rev().filter(|report| wanted.wants_report(report));
        let reviewed = |report: &Report| Reviewed {
            report: report.clone(),
            reports_about: about.get(&*report.reported).copied().unwrap_or_default(),
        };
        let feedback = self.feedback.iter().rev().filter(|feedback| wanted.wants_feedback(feedback));
        Review {
            reports: reports.take(wanted.count_max()).map(reviewed).collect(),
            feedback: feedback.take(wanted.count_max()).cloned().collect(),
        }
    }
}

impl Review {
    /// Adds that of another hall.
    pub(crate) fn merge(&mut self, other: Self, wanted: &Wanted) {
        self.reports.extend(other.reports);
        self.reports.sort_by_key(|reviewed| Reverse(reviewed.report.at));
        self.reports.truncate(wanted.count_max());
        self.feedback.extend(other.feedback);
        self.feedback.sort_by_key(|feedback| Reverse(feedback.at));
        self.feedback.truncate(wanted.count_max());
    }
}

#[cfg(test)]
mod tests {
    use super::super::Offence;
    use super::*;

    fn report(at: u64, reporter: &str, reported: &str) -> Report {
        Report {
            report: format!("r{at}"),
            at,
            tenant: "acme".into(),
            queue: "default".into(),
            room: format!("room {at}"),
            reporter: reporter.into(),
            reported: reported.into(),
            reason: Offence::Other,
            text: None,
            messages: None,
        }
    }

    fn feedback(at: u64, user: &str, partner: &str) -> Feedback {
        Feedback {
            at,
            tenant: "acme".into(),
            queue: "default".into(),
            room: format!("room {at}"),
            user: user.into(),
            partner: partner.into(),
            rating: 5,
            text: None,
        }
    }

    fn records() -> Records {
        let mut records = Records::default();
        for (at, reporter, reported) in [(1, "ada", "eve"), (3, "bob", "eve"), (5, "eve", "ada")] {
            records.report(report(at, reporter, reported));
        }
        records.rate(feedback(2, "ada", "eve"));
        records.rate(feedback(4, "bob", "cy"));
        records
    }

    /// The times of what is given, and how many reports there are about the same user.
    #[track_caller]
    fn check(wanted: Wanted, reports: &[(u64, usize)], rated: &[u64]) {
        let review = records().review(&wanted);
        let of_reports = review.reports.iter().map(|one| (one.report.at, one.reports_about));
        assert_eq!(of_reports.collect::<Vec<_>>(), reports);
        assert_eq!(review.feedback.iter().map(|one| one.at).collect::<Vec<_>>(), rated);
    }

    #[test]
    fn the_newest_come_first() {
        check(Wanted::default(), &[(5, 1), (3, 2), (1, 2)], &[4, 2]);
        check(Wanted { limit: Some(1), ..Wanted::default() }, &[(5, 1)], &[4]);
    }

    #[test]
    fn one_user_one_room_or_one_report_can_be_asked_for() {
        let some = |text: &str| Some(text.to_owned());
        check(Wanted { user: some("ada"), ..Wanted::default() }, &[(5, 1), (1, 2)], &[2]);
        check(Wanted { room: some("room 4"), ..Wanted::default() }, &[], &[4]);
        check(Wanted { report: some("r3"), ..Wanted::default() }, &[(3, 2)], &[]);
    }

    #[test]
    fn those_of_several_halls_are_one_list() {
        let wanted = Wanted { limit: Some(2), ..Wanted::default() };
        let mut all = records().review(&wanted);
        let mut other = Records::default();
        other.report(report(4, "dan", "fay"));
        other.rate(feedback(9, "dan", "fay"));
        all.merge(other.review(&wanted), &wanted);
        assert_eq!(all.reports.iter().map(|one| one.report.at).collect::<Vec<_>>(), [5, 4]);
        assert_eq!(all.feedback.iter().map(|one| one.at).collect::<Vec<_>>(), [9, 4]);
    }

    #[test]
    fn a_list_has_a_bound() {
        let limit = |limit| Wanted::of(Ok(Query(Wanted { limit, ..Wanted::default() }))).map(|_| ());
        assert_eq!([None, Some(1), Some(1000)].map(|one| limit(one).is_ok()), [true; 3]);
        for bad in [0, 1001] {
            assert_eq!(limit(Some(bad)).unwrap_err().code, "malformed_query");
        }
    }
}
