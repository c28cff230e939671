//! What people say about rooms, for operators to read: reports with the end of the conversation, and feedback. In memory,
//! bounded: the oldest are let go first.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Reports that are kept, and as many ratings.
const KEPT_MAX: usize = 500;
/// Messages that a report keeps, the last ones.
pub(crate) const MESSAGES_MAX: usize = 20;

/// What a hall keeps.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub(crate) struct Records {
    /// Oldest first.
    #[schema(value_type = Vec<Report>)]
    reports: VecDeque<Report>,
    /// Oldest first.
    #[schema(value_type = Vec<Feedback>)]
    feedback: VecDeque<Feedback>,
}

/// What somebody is accused of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Offence {
    Abuse,
    Spam,
    Sexual,
    /// The person seems to be a child.
    Minor,
    Other,
}

impl Offence {
    /// As the wire has it.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Abuse => "abuse",
            Self::Spam => "spam",
            Self::Sexual => "sexual",
            Self::Minor => "minor",
            Self::Other => "other",
        }
    }
}

/// An accusation.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Report {
    /// The name that the reporter was told.
    pub(crate) report: String,
    /// In milliseconds since the epoch.
    pub(crate) at: u64,
    pub(crate) tenant: String,
    pub(crate) room: String,
    pub(crate) reporter: String,
    pub(crate) reported: String,
    pub(crate) reason: Offence,
    pub(crate) text: Option<String>,
    /// The last messages of the room, oldest first; none when it had ended before.
    pub(crate) messages: Vec<Quote>,
}

/// What somebody said in a room that was reported.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Quote {
    pub(crate) user: String,
    pub(crate) text: String,
    /// In milliseconds since the epoch.
    pub(crate) at: u64,
}

/// How somebody rated a room.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Feedback {
    /// In milliseconds since the epoch.
    pub(crate) at: u64,
    pub(crate) tenant: String,
    pub(crate) room: String,
    pub(crate) user: String,
    /// 1 to 5.
    pub(crate) rating: u8,
    pub(crate) text: Option<String>,
}

impl Records {
    pub(crate) fn report(&mut self, report: Report) {
        push(&mut self.reports, report);
    }

    pub(crate) fn rate(&mut self, feedback: Feedback) {
        push(&mut self.feedback, feedback);
    }

    /// Adds those of another hall, and keeps no more than of one.
    pub(crate) fn merge(&mut self, other: Self) {
        self.reports.extend(other.reports);
        self.reports.make_contiguous().sort_by_key(|report| report.at);
        self.reports.drain(..self.reports.len().saturating_sub(KEPT_MAX));
        self.feedback.extend(other.feedback);
        self.feedback.make_contiguous().sort_by_key(|feedback| feedback.at);
        self.feedback.drain(..self.feedback.len().saturating_sub(KEPT_MAX));
    }
}

fn push<T>(kept: &mut VecDeque<T>, new: T) {
    if kept.len() == KEPT_MAX {
        kept.pop_front();
    }
    kept.push_back(new);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rated(at: u64) -> Feedback {
        let text = || String::new();
        Feedback { at, tenant: text(), room: text(), user: text(), rating: 5, text: None }
    }

    #[test]
    fn the_latest_are_kept() {
        let (mut one, mut other) = (Records::default(), Records::default());
        (0..600).for_each(|at| one.rate(rated(at * 2)));
        other.rate(rated(301));
        assert_eq!((one.feedback.len(), one.feedback[0].at), (KEPT_MAX, 200));
        one.merge(other);
        assert_eq!((one.feedback.len(), one.feedback[0].at), (KEPT_MAX, 202));
        assert_eq!(one.feedback[50].at, 301);
    }
}
