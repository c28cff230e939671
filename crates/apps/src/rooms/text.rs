//! What people may write here, by the rules that hold for all user text ([`throng_node::text`]).

use std::sync::Arc;

use throng_lobby::{Language, Region, Tag, Topic};
use throng_node::text::{clean, tags};

use super::refusal::{INVALID_LANGUAGE, INVALID_REGION, INVALID_TAG, INVALID_TEXT, INVALID_TOPIC};
use crate::request::Failure;

/// Characters of a message, and of what is written about a room.
const TEXT_CHARS_MAX: usize = 500;
/// Characters of a topic.
const TOPIC_CHARS_MAX: usize = 120;

/// A message as it will be shown.
pub(crate) fn message(text: &str) -> Result<Arc<str>, Failure> {
    clean(text, TEXT_CHARS_MAX).map(Into::into).map_err(|_| INVALID_TEXT)
}

/// A topic as it will be shown.
pub(crate) fn topic(text: &str) -> Result<Topic, Failure> {
    clean(text, TOPIC_CHARS_MAX).map(Into::into).map_err(|_| INVALID_TOPIC)
}

/// A tag in lower case: 1 to 24 of `a` to `z` and `0` to `9`.
pub(crate) fn tag(text: &str) -> Result<Tag, Failure> {
    tags(&[text]).map(|()| text.to_ascii_lowercase().into()).map_err(|_| INVALID_TAG)
}

/// A language by its two or three letters (ISO 639), such as `en`.
pub(crate) fn language(text: &str) -> Result<Language, Failure> {
    let good = matches!(text.len(), 2 | 3) && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    if good { Ok(text.to_ascii_lowercase().into()) } else { Err(INVALID_LANGUAGE) }
}

/// A region by its two letters (ISO 3166) or three digits (UN M.49), such as `de` or `150`.
pub(crate) fn region(text: &str) -> Result<Region, Failure> {
    let country = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    let area = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    if country || area { Ok(text.to_ascii_lowercase().into()) } else { Err(INVALID_REGION) }
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

    #[test]
    fn tags_are_folded_and_have_no_punctuation() {
        for (written, expect) in [("Rock", "rock"), ("1815", "1815"), (&*"x".repeat(24), &*"x".repeat(24))] {
            assert_eq!(tag(written), Ok(expect.into()));
        }
        for bad in ["", " ", "-", "a b", "a,b", "a.b", "#a", "<b>", "it's", "a_b", "ära", &"x".repeat(25)] {
            assert_eq!(tag(bad), Err(INVALID_TAG), "{bad}");
        }
    }

    #[test]
    fn languages_and_regions_are_codes() {
        assert_eq!(language("EN"), Ok("en".into()));
        assert_eq!((region("DE"), region("150")), (Ok("de".into()), Ok("150".into())));
        for bad in ["", "e", "en-US", "english", "ää", "e1"] {
            assert_eq!(language(bad), Err(INVALID_LANGUAGE), "{bad}");
        }
        for bad in ["", "d", "deu", "1", "15x", "ü"] {
            assert_eq!(region(bad), Err(INVALID_REGION), "{bad}");
        }
    }
}
