//! What people say about rooms, for operators to read: reports with the end of the conversation, and feedback. In memory,
//! bounded: the oldest are let go first. What operators ask for and get is [`review`].

pub(crate) mod review;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Reports that are kept, and as many ratings.
const KEPT_MAX: usize = 500;
/// Messages that a report keeps, the last ones.
pub(crate) const MESSAGES_MAX: usize = 20;

/// What a hall keeps, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Records {
    reports: VecDeque<Report>,
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
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Report {
    /// The name that the reporter was told.
    pub(crate) report: String,
    /// In milliseconds since the epoch.
    pub(crate) at: u64,
    pub(crate) tenant: String,
    pub(crate) queue: String,
    pub(crate) room: String,
    /// The user who accuses.
    pub(crate) reporter: String,
    /// The user who is accused.
    pub(crate) reported: String,
    pub(crate) reason: Offence,
    /// In the reporter's words; `null` without any.
    pub(crate) text: Option<String>,
    /// The last 20 messages of the room, oldest first; `null` when it had ended before it was reported.
    pub(crate) messages: Option<Vec<Quote>>,
}

/// What somebody said in a room that was reported.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Quote {
    /// Who said it.
    pub(crate) user: String,
    pub(crate) text: String,
    /// In milliseconds since the epoch.
    pub(crate) at: u64,
}

/// How somebody rated a room.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Feedback {
    /// In milliseconds since the epoch.
    pub(crate) at: u64,
    pub(crate) tenant: String,
    pub(crate) queue: String,
    pub(crate) room: String,
    /// Who rates it.
    pub(crate) user: String,
    /// With whom this one was in it.
    pub(crate) partner: String,
    /// 1 to 5.
    pub(crate) rating: u8,
    /// In the user's words; `null` without any.
    pub(crate) text: Option<String>,
}

impl Records {
    pub(crate) fn report(&mut self, report: Report) {
        push(&mut self.reports, report);
    }

    pub(crate) fn rate(&mut self, feedback: Feedback) {
        push(&mut self.feedback, feedback);
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

    #[test]
    fn the_latest_are_kept() {
        let mut kept = VecDeque::new();
        (0..KEPT_MAX + 100).for_each(|at| push(&mut kept, at));
        assert_eq!((kept.len(), kept[0]), (KEPT_MAX, 100));
    }
}
