//! The replies of a Redis server in RESP3, from bytes to values. Pure, incremental and bounded.

use bytes::Bytes;

use crate::bus::PAYLOAD_BYTES_MAX;

/// The most bytes of one string: a payload and what is written before it.
const BULK_BYTES_MAX: usize = PAYLOAD_BYTES_MAX + 1024;
/// The most elements of one list.
const ELEMENTS_MAX: usize = 1 << 20;
/// How deep lists may lie in lists.
const DEPTH_MAX: usize = 8;
/// The longest line: of a number, a status or an error.
const LINE_BYTES_MAX: usize = 64 * 1024;

/// A value from the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Frame {
    /// A string of any kind, and numbers with fractions.
    Text(Bytes),
    /// An error: a code, a space, an explanation.
    Error(Bytes),
    Integer(i64),
    Null,
    /// An array or a set; a map with keys and values in turn.
    List(Vec<Frame>),
    /// Something that was not asked for.
    Push(Vec<Frame>),
}

impl Frame {
    pub(crate) fn text(&self) -> Option<&Bytes> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn list(&self) -> Option<&[Frame]> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    pub(crate) fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(integer) => Some(*integer),
            Self::Text(text) => number(text),
            _ => None,
        }
    }
}

fn number(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Bytes that are no RESP3, or too much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the server sends something that is not RESP3 or too large")]
pub(crate) struct Malformed;

/// The first value of the bytes and how many it takes, if it is there whole.
pub(crate) fn first(bytes: &[u8]) -> Result<Option<(Frame, usize)>, Malformed> {
    let Some(end) = end_of(bytes, 0, DEPTH_MAX)? else { return Ok(None) };
    build(&bytes[..end], 0).map(Some)
}

/// A message of a sharded channel.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Message<'a> {
    pub(crate) channel: &'a [u8],
    pub(crate) payload: &'a [u8],
    /// Where the next value begins.
    pub(crate) end: usize,
}

/// The message at the beginning of the bytes, if one is there whole. It is what arrives nearly always, so it is read where
/// it lies; anything else is for [`first`].
pub(crate) fn message(bytes: &[u8]) -> Option<Message<'_>> {
    const BEGINNING: &[u8] = b">3\r\n$8\r\nsmessage\r\n";
    if !bytes.starts_with(BEGINNING) {
        return None;
    }
    let (channel, next) = bulk(bytes, BEGINNING.len())?;
    let (payload, end) = bulk(bytes, next)?;
    Some(Message { channel, payload, end })
}

/// The string at `at`, if it is one and whole, and where the next value begins.
fn bulk(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let digits = bytes.get(at..)?.strip_prefix(b"$")?;
    let count = digits.iter().take(9).take_while(|byte| byte.is_ascii_digit()).count();
    let length = digits[..count].iter().fold(0, |length, digit| length * 10 + usize::from(digit - b'0'));
    if count == 0 || length > BULK_BYTES_MAX || digits.get(count..count + 2)? != b"\r\n" {
        return None;
    }
    let start = at + 1 + count + 2;
    let end = start + length;
    (bytes.get(end..end + 2)? == b"\r\n").then(|| (&bytes[start..end], end + 2))
}

/// A command as the server reads it.
pub(crate) fn command<A: AsRef<[u8]>>(arguments: &[A], into: &mut Vec<u8>) {
    into.extend_from_slice(format!("*{}\r\n", arguments.len()).as_bytes());
    for argument in arguments.iter().map(AsRef::as_ref) {
        into.extend_from_slice(format!("${}\r\n", argument.len()).as_bytes());
        into.extend_from_slice(argument);
        into.extend_from_slice(b"\r\n");
    }
}

/// The kind of a value, its first line without the kind, and where the rest begins.
type Head<'a> = (u8, &'a [u8], usize);

/// The head of the value at `at`, if it is there whole.
fn head(bytes: &[u8], at: usize) -> Result<Option<Head<'_>>, Malformed> {
    let rest = &bytes[at..];
    let window = &rest[..rest.len().min(LINE_BYTES_MAX)];
    let Some(end) = window.windows(2).position(|pair| pair == b"\r\n") else {
        return if rest.len() < LINE_BYTES_MAX { Ok(None) } else { Err(Malformed) };
    };
    let kind = *rest.first().filter(|_| end > 0).ok_or(Malformed)?;
    Ok(Some((kind, &rest[1..end], at + end + 2)))
}

/// The length in a head; nothing for the old way of writing null.
fn length(line: &[u8], max: usize) -> Result<Option<usize>, Malformed> {
    if line == b"-1" {
        return Ok(None);
    }
    let length: usize = std::str::from_utf8(line).ok().and_then(|text| text.parse().ok()).ok_or(Malformed)?;
    if length <= max { Ok(Some(length)) } else { Err(Malformed) }
}

/// How many values follow the head of a list.
fn elements(kind: u8, line: &[u8]) -> Result<Option<usize>, Malformed> {
    let count = length(line, ELEMENTS_MAX)?;
    Ok(count.map(|count| if matches!(kind, b'%' | b'|') { count * 2 } else { count }))
}

/// Where the value at `at` ends, if it is there whole.
fn end_of(bytes: &[u8], at: usize, depth: usize) -> Result<Option<usize>, Malformed> {
    let Some((kind, line, mut next)) = head(bytes, at)? else { return Ok(None) };
    match kind {
        b'+' | b'-' | b':' | b'_' | b'#' | b',' | b'(' => Ok(Some(next)),
        b'$' | b'=' | b'!' => {
            let Some(length) = length(line, BULK_BYTES_MAX)? else { return Ok(Some(next)) };
            let end = next + length + 2;
            if bytes.len() < end {
                return Ok(None);
            }
            if &bytes[end - 2..end] == b"\r\n" { Ok(Some(end)) } else { Err(Malformed) }
        }
        b'*' | b'~' | b'%' | b'>' => {
            let depth = depth.checked_sub(1).ok_or(Malformed)?;
            for _ in 0..elements(kind, line)?.unwrap_or_default() {
                let Some(end) = end_of(bytes, next, depth)? else { return Ok(None) };
                next = end;
            }
            Ok(Some(next))
        }
        _ => Err(Malformed),
    }
}

/// The value at `at`, and where it ends. The bytes are known to hold it whole.
fn build(bytes: &[u8], at: usize) -> Result<(Frame, usize), Malformed> {
    let (kind, line, next) = head(bytes, at)?.ok_or(Malformed)?;
    match kind {
        b'+' | b',' | b'(' | b'#' => Ok((Frame::Text(Bytes::copy_from_slice(line)), next)),
        b'-' => Ok((Frame::Error(Bytes::copy_from_slice(line)), next)),
        b':' => Ok((Frame::Integer(number(line).ok_or(Malformed)?), next)),
        b'_' => Ok((Frame::Null, next)),
        b'$' | b'=' | b'!' => {
            let Some(length) = length(line, BULK_BYTES_MAX)? else { return Ok((Frame::Null, next)) };
            let text = Bytes::copy_from_slice(&bytes[next..next + length]);
            let frame = if kind == b'!' { Frame::Error(text) } else { Frame::Text(text) };
            Ok((frame, next + length + 2))
        }
        _ => {
            let Some(count) = elements(kind, line)? else { return Ok((Frame::Null, next)) };
            let (mut list, mut next) = (Vec::with_capacity(count.min(1024)), next);
            for _ in 0..count {
                let (frame, end) = build(bytes, next)?;
                list.push(frame);
                next = end;
            }
            Ok((if kind == b'>' { Frame::Push(list) } else { Frame::List(list) }, next))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &'static str) -> Frame {
        Frame::Text(Bytes::from_static(text.as_bytes()))
    }

    #[track_caller]
    fn check(bytes: &[u8], expect: Frame) {
        for cut in 0..bytes.len() {
            assert_eq!(first(&bytes[..cut]), Ok(None), "cut at {cut}");
        }
        assert_eq!(first(&[bytes, b"+next"].concat()), Ok(Some((expect, bytes.len()))));
    }

    #[test]
    fn every_kind_is_read_when_it_is_whole() {
        check(b"+OK\r\n", text("OK"));
        check(b"-MOVED 3 h:1\r\n", Frame::Error(Bytes::from_static(b"MOVED 3 h:1")));
        check(b":-7\r\n", Frame::Integer(-7));
        check(b"_\r\n", Frame::Null);
        check(b"$-1\r\n", Frame::Null);
        check(b"$4\r\na\r\nb\r\n", text("a\r\nb"));
        check(
            b"*2\r\n:1\r\n*1\r\n+a\r\n",
            Frame::List(vec![Frame::Integer(1), Frame::List(vec![text("a")])]),
        );
        check(b"%1\r\n+a\r\n,1.5\r\n", Frame::List(vec![text("a"), text("1.5")]));
        check(b">2\r\n+a\r\n#t\r\n", Frame::Push(vec![text("a"), text("t")]));
        check(b"!3\r\nERR\r\n", Frame::Error(Bytes::from_static(b"ERR")));
        check(b"*0\r\n", Frame::List(Vec::new()));
    }

    #[test]
    fn what_is_wrong_or_too_much_is_refused() {
        let deep = b"*1\r\n".repeat(DEPTH_MAX + 1);
        let long = [b"+".to_vec(), vec![b'x'; LINE_BYTES_MAX]].concat();
        for bytes in [
            b"x\r\n".as_slice(),
            b"\r\n",
            b"$x\r\n",
            b"$-2\r\n",
            b"$99999999999999999999\r\n",
            b"$17000000\r\n",
            b"*2000000\r\n",
            b"$1\r\nabc",
            b":x\r\n",
            &deep,
            &long,
        ] {
            assert_eq!(first(bytes), Err(Malformed), "{:?}", Bytes::copy_from_slice(bytes));
        }
    }

    #[test]
    fn a_message_is_read_where_it_lies() {
        let bytes = b">3\r\n$8\r\nsmessage\r\n$1\r\nc\r\n$3\r\na\r\n\r\n+next";
        let end = bytes.len() - b"+next".len();
        assert_eq!(message(bytes), Some(Message { channel: b"c", payload: b"a\r\n", end }));
        for cut in 0..end {
            assert_eq!(message(&bytes[..cut]), None, "cut at {cut}");
        }
        for other in [
            b">3\r\n$8\r\nsmessage\r\n:1\r\n$1\r\na\r\n".as_slice(),
            b">3\r\n$8\r\nsmessage\r\n$\r\n\r\n$1\r\na\r\n",
            b">3\r\n$8\r\nsmessage\r\n$1\r\ncx\r\n$1\r\na\r\n",
            b">3\r\n$8\r\nsmessage\r\n$999999999999\r\nc",
            b">3\r\n$10\r\nssubscribe\r\n$1\r\nc\r\n:1\r\n",
        ] {
            assert_eq!(message(other), None, "{:?}", Bytes::copy_from_slice(other));
        }
    }

    #[test]
    fn a_command_is_written_as_strings() {
        let mut bytes = Vec::new();
        command(&["SSUBSCRIBE", "ä"], &mut bytes);
        assert_eq!(bytes, "*2\r\n$10\r\nSSUBSCRIBE\r\n$2\r\nä\r\n".as_bytes());
    }
}
