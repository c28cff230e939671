//! Where a client is in all of its histories, as the text that it carries.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Characters of a session's secret name that a text begins with: one of an earlier session is told apart by them.
const MARK_CHARS: usize = 4;

/// A position in each of a client's histories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Vector {
    /// Which list of histories this is about; it changes when the client joins or leaves one.
    pub(crate) generation: u64,
    /// Messages of the session's own history.
    pub(crate) told: u64,
    /// Messages of each of the others, counted from where the client came in; where the list ends there were none.
    pub(crate) counts: Vec<u64>,
}

impl Vector {
    /// Writes the text.
    pub(crate) fn write(pid: &str, generation: u64, told: u64, counts: impl Iterator<Item = u64>) -> String {
        let mut bytes = Vec::with_capacity(16);
        for number in [generation, told].into_iter().chain(counts) {
            push(&mut bytes, number);
        }
        while bytes.len() > 2 && bytes.last() == Some(&0) {
            bytes.pop();
        }
        let mut text = String::with_capacity(MARK_CHARS + bytes.len().div_ceil(3) * 4);
        text.push_str(pid.get(..MARK_CHARS).unwrap_or(pid));
        URL_SAFE_NO_PAD.encode_string(bytes, &mut text);
        text
    }

    /// Whether a text is of a session, and not of an earlier one of the same client.
    pub(crate) fn is_of(pid: &str, text: &str) -> bool {
        pid.get(..MARK_CHARS).is_some_and(|mark| text.starts_with(mark))
    }

    /// Reads a text; `None` when it is of another session, or none.
    pub(crate) fn read(pid: &str, text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(pid.get(..MARK_CHARS)?)?).ok()?;
        let mut rest = bytes.as_slice();
        let mut numbers = Vec::new();
        while !rest.is_empty() {
            numbers.push(pop(&mut rest)?);
        }
        let mut numbers = numbers.into_iter();
        Some(Self { generation: numbers.next()?, told: numbers.next()?, counts: numbers.collect() })
    }
}

/// Seven bits a byte, the lowest first; the top bit says that more follow.
fn push(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn pop(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7f);
        number |= bits.checked_shl(shift).filter(|shifted| shifted >> shift == bits)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    const PID: &str = "abcdefghijklmnopqrst";

    proptest! {
        #[test]
        fn what_is_written_is_read(
            generation in any::<u64>(), told in any::<u64>(), counts in proptest::collection::vec(any::<u64>(), 0..6)
        ) {
            let text = Vector::write(PID, generation, told, counts.iter().copied());
            let mut read = Vector::read(PID, &text).unwrap();
            read.counts.resize(counts.len(), 0);
            prop_assert_eq!(read, Vector { generation, told, counts });
        }

        #[test]
        fn no_text_breaks_it(text in "[ -~]{0,40}") {
            Vector::read(PID, &text);
            Vector::read(PID, &format!("abcd{text}"));
        }
    }

    #[test]
    fn it_is_short_and_of_its_session_alone() {
        let text = Vector::write(PID, 1, 3, [5, 0, 0].into_iter());
        assert_eq!(text, "abcdAQMF");
        assert_eq!(Vector::read("abcxefghijklmnopqrst", &text), None);
        assert_eq!(Vector::read(PID, ""), None);
    }
}
