//! What users write, as others may be shown it: in one normal form, without characters that control instead of say.

use unicode_normalization::UnicodeNormalization as _;

/// Tags that one thing may have.
const TAGS_MAX: usize = 5;
/// Characters of a tag.
const TAG_CHARS_MAX: usize = 24;

/// Why a text was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing visible is in it.
    #[error("the text is empty")]
    Empty,
    /// It has more characters than this.
    #[error("the text has more than {0} characters")]
    TooLong(usize),
    /// A tag is not 1 to 24 of `A-Z`, `a-z` and `0-9`.
    #[error("a tag has 1 to 24 letters and digits, nothing else")]
    Tag,
    /// There are more than 5 tags.
    #[error("there are more than 5 tags")]
    TooManyTags,
}

/// Cleans a text: Unicode NFC; line breaks and tabs become spaces; other control characters, and those that override the
/// direction of writing, are removed; trimmed. Then it must have 1 to `chars_max` characters, one of them visible.
pub fn clean(text: &str, chars_max: usize) -> Result<String, TextError> {
    let kept = text.chars().filter_map(|char| match char {
        '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' => Some(' '),
        char => (!controls(char)).then_some(char),
    });
    // A normal form is at most three times as long: what is cut off here would have been too long anyway.
    let enough = chars_max.saturating_mul(4).saturating_add(text.len() - text.trim_start().len());
    let normal: String = kept.take(enough).nfc().collect();
    let clean = normal.trim();
    if clean.chars().all(|char| char.is_whitespace() || invisible(char)) {
        return Err(TextError::Empty);
    }
    if clean.chars().count() > chars_max {
        return Err(TextError::TooLong(chars_max));
    }
    Ok(clean.to_owned())
}

/// Checks tags: at most 5, each 1 to 24 of `A-Z`, `a-z` and `0-9`.
pub fn tags<T: AsRef<str>>(tags: &[T]) -> Result<(), TextError> {
    if tags.len() > TAGS_MAX {
        return Err(TextError::TooManyTags);
    }
    let good = |tag: &str| {
        (1..=TAG_CHARS_MAX).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    if tags.iter().all(|tag| good(tag.as_ref())) { Ok(()) } else { Err(TextError::Tag) }
}

/// Control characters, and the embeddings, overrides and isolates of the bidirectional algorithm. The marks that
/// right-to-left text needs stay: they order what is beside them, nothing more.
fn controls(char: char) -> bool {
    char.is_control() || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Characters that take no room and show nothing.
fn invisible(char: char) -> bool {
    matches!(char, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Result<&str, TextError>) {
        assert_eq!(clean(text, 5).as_deref(), expect.as_ref().map(|text| *text), "{text:?}");
    }

    #[test]
    fn text_is_normal_trimmed_and_free_of_controls() {
        check("  hi ", Ok("hi"));
        check("e\u{301}", Ok("é"));
        check("a\u{0}\u{7}\u{1b}b", Ok("ab"));
        check("a\nb\tc", Ok("a b c"));
        check("\u{202e}abc\u{2066}d\u{feff}", Ok("abcd"));
        check("<b>", Ok("<b>"));
        check("א\u{200f}ב", Ok("א\u{200f}ב"));
        check("👩‍👩‍👧", Ok("👩‍👩‍👧"));
    }

    #[test]
    fn length_is_counted_in_characters_of_the_normal_form() {
        check("üüüüü", Ok("üüüüü"));
        check(&"u\u{308}".repeat(5), Ok("üüüüü"));
        check("üüüüüü", Err(TextError::TooLong(5)));
        check(&"\u{0}".repeat(100), Err(TextError::Empty));
        check(&format!("{}ab", " ".repeat(1_000)), Ok("ab"));
        check(&"x".repeat(1 << 20), Err(TextError::TooLong(5)));
    }

    #[test]
    fn what_shows_nothing_is_empty() {
        for text in ["", "  ", "\u{200b}\u{200b}", "\u{ad} \u{2060}", "\n\n"] {
            check(text, Err(TextError::Empty));
        }
    }

    #[test]
    fn tags_are_few_and_plain() {
        assert_eq!(tags(&["rust", "C", "1815"]), Ok(()));
        assert_eq!(tags::<&str>(&[]), Ok(()));
        for bad in ["", "a b", "a-b", "ä", "<b>", &"x".repeat(25)] {
            assert_eq!(tags(&[bad]), Err(TextError::Tag), "{bad}");
        }
        assert_eq!(tags(&["a"; 6]), Err(TextError::TooManyTags));
    }
}
