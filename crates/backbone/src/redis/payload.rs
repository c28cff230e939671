//! What a payload on the bus says, in bytes. Pure.
//!
//! - `m`, the sender's number in 8 bytes, then each message: its length in 4 bytes, the message
//! - `p`, the epoch, `:`, the offset, `:`, the message: an append, written by a script
//! - `b`, the number of a beat in hexadecimal

use std::io::Write;

use bytes::Bytes;

use crate::histories::Position;

/// Bytes before the first message.
const HEAD: usize = 1 + size_of::<u64>();
/// Bytes before each message.
const LENGTH: usize = size_of::<u32>();

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Payload<'a> {
    Messages { sender: u64, messages: Messages },
    Appended(Position, &'a [u8]),
    Beat(u64),
}

/// Messages that were published together; each is a part of one piece of memory.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Messages(Bytes);

/// Writes the command that publishes messages to a channel.
pub(crate) fn publish<'a>(
    name: &str,
    sender: u64,
    messages: impl Iterator<Item = &'a Bytes> + Clone,
    into: &mut Vec<u8>,
) {
    let length: usize = HEAD + messages.clone().map(|message| LENGTH + message.len()).sum::<usize>();
    // Writing to memory cannot fail.
    let _ = write!(into, "*3\r\n$8\r\nSPUBLISH\r\n${}\r\n{name}\r\n${length}\r\nm", name.len());
    into.extend_from_slice(&sender.to_be_bytes());
    for message in messages {
        into.extend_from_slice(&(message.len() as u32).to_be_bytes());
        into.extend_from_slice(message);
    }
    into.extend_from_slice(b"\r\n");
}

impl<'a> Payload<'a> {
    /// Reads a payload. Nothing if it was not written by this version, or is `own`: messages from this sender.
    pub(crate) fn read(payload: &'a [u8], own: u64) -> Option<Self> {
        let (kind, rest) = payload.split_first()?;
        match kind {
            b'm' => {
                let (sender, messages) = rest.split_first_chunk()?;
                let sender = u64::from_be_bytes(*sender);
                let messages = (sender != own).then(|| Messages(Bytes::copy_from_slice(messages)))?;
                Some(Self::Messages { sender, messages })
            }
            b'p' => {
                let head = &rest[..rest.len().min(48)];
                let mut colons = (0..head.len()).filter(|at| head[*at] == b':');
                let (first, second) = (colons.next()?, colons.next()?);
                let number = |bytes: &[u8]| std::str::from_utf8(bytes).ok()?.parse().ok();
                let (epoch, offset) = (number(&head[..first])?, number(&head[first + 1..second])?);
                Some(Self::Appended(Position { epoch, offset }, &rest[second + 1..]))
            }
            b'b' => u64::from_str_radix(std::str::from_utf8(rest).ok()?, 16).ok().map(Self::Beat),
            _ => None,
        }
    }
}

impl Iterator for Messages {
    type Item = Bytes;

    /// The next message; what is cut off is left.
    fn next(&mut self) -> Option<Bytes> {
        let length = u32::from_be_bytes(*self.0.first_chunk()?) as usize;
        let end = LENGTH.checked_add(length).filter(|end| *end <= self.0.len())?;
        Some(self.0.split_to(end).slice(LENGTH..))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(payload: &[u8]) -> Option<Payload<'_>> {
        Payload::read(payload, 0)
    }

    fn messages(payload: &[u8]) -> Vec<Bytes> {
        match read(payload) {
            Some(Payload::Messages { messages, .. }) => messages.collect(),
            other => panic!("not messages: {other:?}"),
        }
    }

    #[test]
    fn what_was_published_is_read() {
        let sent = [Bytes::from_static(b"one"), Bytes::new(), Bytes::from_static(b"\r\n")];
        let mut command = Vec::new();
        publish("room", 7, sent.iter(), &mut command);
        let head = b"*3\r\n$8\r\nSPUBLISH\r\n$4\r\nroom\r\n$26\r\n";
        let payload = command.strip_prefix(head.as_slice()).and_then(|rest| rest.strip_suffix(b"\r\n"));
        let payload = payload.expect("a command");
        assert_eq!(payload.len(), 26);
        assert_eq!(messages(payload), sent);
        assert_eq!(Payload::read(payload, 7), None, "it is its own");
    }

    #[test]
    fn appends_and_beats_are_read() {
        let position = Position { epoch: 1_700_000_000_000_000, offset: 12 };
        assert_eq!(read(b"p1700000000000000:12::x:"), Some(Payload::Appended(position, b":x:")));
        assert_eq!(read(b"b00ff"), Some(Payload::Beat(255)));
    }

    #[test]
    fn what_is_strange_or_cut_off_is_left() {
        for strange in [
            b"".as_slice(),
            b"x",
            b"m",
            b"m1234567",
            b"p",
            b"p1:",
            b"p1:x:y",
            b"p:1:",
            b"b",
            b"bxyz",
            b"\xff",
        ] {
            assert_eq!(read(strange), None);
        }
        assert_eq!(messages(b"m12345678"), Vec::<Bytes>::new());
        assert_eq!(messages(b"m12345678\0\0\0\x01a\0\0\0\x02b"), ["a"]);
        assert_eq!(messages(b"m12345678\xff\xff\xff\xffb"), Vec::<Bytes>::new());
    }
}
