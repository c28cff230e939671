//! Why requests are refused: each code once, with its sentence.

use crate::request::Failure;

/// Defines refusals, and the list of them all that the documents are checked against.
macro_rules! refusals {
    ($($name:ident = $code:literal, $message:literal;)*) => {
        $(pub(crate) const $name: Failure = Failure { code: $code, message: $message };)*

        #[cfg(test)]
        const ALL: &[Failure] = &[$($name),*];
    };
}

refusals! {
    INVALID_TEXT = "invalid_text", "a text has 1 to 500 characters";
    INVALID_TOPIC = "invalid_topic", "a topic has 1 to 120 characters, and there are at most 5 others";
    UNKNOWN_TOPIC = "unknown_topic", "choose one of the topics that there are";
    INVALID_TAG = "invalid_tag", "at most 5 tags, each of 1 to 24 letters and digits (A-Z, a-z, 0-9)";
    INVALID_LANGUAGE = "invalid_language", "a language is two or three letters, such as en";
    INVALID_REGION = "invalid_region", "a region is two letters or three digits, such as de";
    INVALID_PROPERTY = "invalid_property",
        "at most 8 properties; a name has 1 to 30 letters, digits, _ and -, a value is a number or 1 to 60 characters";
    UNKNOWN_QUEUE = "unknown_queue", "there is no such queue";
    QUEUE_FULL = "queue_full", "too many people are waiting; try again soon";
    UNAVAILABLE = "unavailable", "the servers are changing over; try again in a few seconds";
    DRAINING = "draining", "the server is going away; connect again and you will find another";
    IN_ROOM = "in_room", "you are in a room; leave it first";
    NOT_WAITING = "not_waiting", "you are not waiting";
    NO_WISH = "no_wish", "you have not said yet whom you want to meet";
    NO_ROOM = "no_room", "you are not in a room";
    ROOM_ENDED = "room_ended", "that room has ended";
    NOT_YOUR_ROOM = "not_your_room", "you are not in that room";
    INVALID_RATING = "invalid_rating", "a rating is 1 to 5";
    ALREADY_RATED = "already_rated", "you have rated this room";
    ALREADY_REPORTED = "already_reported", "you have reported this room";
    INVALID_SIGNAL = "invalid_signal",
        "a signal is one of a description (with sdp, unless it is a rollback), a candidate and a renewal";
    SIGNAL_TOO_LARGE = "signal_too_large", "a signal has at most 64 KiB";
    SIGNAL_BACKLOG = "signal_backlog", "your partner is away, and no more is kept for its return";
    NOT_A_CALL = "not_a_call", "in this room people only write";
    INVALID_REPORT = "invalid_report",
        "this report does not follow from those before it, or has fields of another phase";
}

/// Of requests about the room that one is in, or was.
pub(crate) const OF_ROOM: &[Failure] = &[NO_ROOM, ROOM_ENDED, NOT_YOUR_ROOM];
/// Of what a wish says, whichever app it is for.
pub(crate) const OF_WISH: &[Failure] = &[INVALID_TAG, INVALID_LANGUAGE, INVALID_REGION, INVALID_PROPERTY];
/// Of queues that are entered.
pub(crate) const OF_QUEUE: &[Failure] = &[UNKNOWN_QUEUE, IN_ROOM, QUEUE_FULL, DRAINING];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_documented() {
        let document = include_str!("../../../../docs/events.md");
        for (at, failure) in ALL.iter().enumerate() {
            let code = format!("`{}`", failure.code);
            assert!(document.contains(&code), "no event is refused with {code}");
            assert!(ALL[..at].iter().all(|other| other.code != failure.code), "{code} is there twice");
        }
    }
}
