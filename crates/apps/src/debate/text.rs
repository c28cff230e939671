//! What people may write here, by the rules that hold for all user text ([`throng_node::text`]).

use throng_node::text;

use crate::request::Failure;

/// Characters of a message.
const MESSAGE_CHARS_MAX: usize = 500;
/// Characters of a topic.
const TOPIC_CHARS_MAX: usize = 120;

/// A message as it will be shown.
pub(super) fn message(text: &str) -> Result<String, Failure> {
    text::clean(text, MESSAGE_CHARS_MAX)
        .map_err(|_| Failure { code: "invalid_text", message: "a message has 1 to 500 characters" })
}

/// A topic as it will be shown.
pub(super) fn topic(text: &str) -> Result<String, Failure> {
    text::clean(text, TOPIC_CHARS_MAX)
        .map_err(|_| Failure { code: "invalid_topic", message: "a topic has 1 to 120 characters" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_and_topics_are_bounded_in_characters() {
        assert_eq!(message("  hi\u{7} ").as_deref(), Ok("hi"));
        assert_eq!(message(&"ü".repeat(500)).map(|text| text.chars().count()), Ok(500));
        assert_eq!(message(&"ü".repeat(501)).unwrap_err().code, "invalid_text");
        assert_eq!(topic(&"x".repeat(121)).unwrap_err().code, "invalid_topic");
    }
}
