//! Why requests are refused: each code once, with its sentence.

use crate::request::Failure;

const fn failure(code: &'static str, message: &'static str) -> Failure {
    Failure { code, message }
}

pub(crate) const INVALID_TEXT: Failure = failure("invalid_text", "a text has 1 to 500 characters");
pub(crate) const INVALID_TOPIC: Failure =
    failure("invalid_topic", "a topic has 1 to 120 characters, and there are at most 5 others");
pub(crate) const UNKNOWN_TOPIC: Failure = failure("unknown_topic", "choose one of the topics that there are");
pub(crate) const INVALID_TAG: Failure =
    failure("invalid_tag", "at most 5 tags of 1 to 30 letters, digits, spaces and hyphens");
pub(crate) const INVALID_LANGUAGE: Failure =
    failure("invalid_language", "a language is two or three letters, such as en");
pub(crate) const INVALID_REGION: Failure =
    failure("invalid_region", "a region is two letters or three digits, such as de");
pub(crate) const INVALID_PROPERTY: Failure = failure(
    "invalid_property",
    "at most 8 properties; a name has 1 to 30 letters, digits, _ and -, a value is a number or 1 to 60 characters",
);
pub(crate) const UNKNOWN_QUEUE: Failure = failure("unknown_queue", "there is no such queue");
pub(crate) const QUEUE_FULL: Failure = failure("queue_full", "too many people are waiting; try again soon");
pub(crate) const DRAINING: Failure =
    failure("draining", "the server is going away; connect again and you will find another");
pub(crate) const IN_ROOM: Failure = failure("in_room", "you are in a room; leave it first");
pub(crate) const NOT_WAITING: Failure = failure("not_waiting", "you are not waiting");
pub(crate) const NO_WISH: Failure = failure("no_wish", "you have not said yet whom you want to meet");
pub(crate) const NO_ROOM: Failure = failure("no_room", "you are not in a room");
pub(crate) const ROOM_ENDED: Failure = failure("room_ended", "that room has ended");
pub(crate) const NOT_YOUR_ROOM: Failure = failure("not_your_room", "you are not in that room");
pub(crate) const INVALID_RATING: Failure = failure("invalid_rating", "a rating is 1 to 5");
pub(crate) const ALREADY_RATED: Failure = failure("already_rated", "you have rated this room");
pub(crate) const INVALID_SIGNAL: Failure = failure(
    "invalid_signal",
    "a signal has either a description (with sdp, unless it is a rollback) or a candidate",
);
pub(crate) const SIGNAL_TOO_LARGE: Failure = failure("signal_too_large", "a signal has at most 64 KiB");
pub(crate) const SIGNAL_BACKLOG: Failure =
    failure("signal_backlog", "your partner is away, and no more is kept for its return");
pub(crate) const NOT_A_CALL: Failure = failure("not_a_call", "in this room people only write");
pub(crate) const INVALID_REPORT: Failure = failure(
    "invalid_report",
    "this report does not follow from those before it, or has fields of another phase",
);
