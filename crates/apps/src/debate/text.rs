//! What people may write: trimmed, not empty, not too long, no control characters.

use crate::request::Failure;

/// Characters of a message.
const MESSAGE_CHARS_MAX: usize = 500;
/// Characters of a topic.
const TOPIC_CHARS_MAX: usize = 120;

/// A message as it will be shown.
pub(super) fn message(text: &str) -> Result<String, Failure> {
    checked(
        text,
        MESSAGE_CHARS_MAX,
        Failure {
            code: "invalid_text",
            message: "a message has 1 to 500 characters and no control characters",
        },
    )
}

/// A topic as it will be shown.
pub(super) fn topic(text: &str) -> Result<String, Failure> {
    checked(
        text,
        TOPIC_CHARS_MAX,
        Failure {
            code: "invalid_topic",
            message: "a topic has 1 to 120 characters and no control characters",
        },
    )
}

fn checked(text: &str, chars_max: usize, failure: Failure) -> Result<String, Failure> {
    let text = text.trim();
    let fits = !text.is_empty() && text.chars().count() <= chars_max && !text.chars().any(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err(failure) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Option<&str>) {
        assert_eq!(message(text).ok().as_deref(), expect, "{text:?}");
    }

    #[test]
    fn messages_are_trimmed_and_bounded_in_characters() {
        check("  hi ", Some("hi"));
        check(&"ü".repeat(500), Some(&"ü".repeat(500)));
        check(&"ü".repeat(501), None);
        check(" \t ", None);
        check("a\u{7}b", None);
        check("a\nb", None);
        check("<b>not html</b>", Some("<b>not html</b>"));
    }
}
