//! Several packets in one HTTP body: records divided by `0x1e`, binary as base64 behind a `b`.

use bytes::Bytes;

use super::packet::PacketError;

/// The record separator.
pub const SEPARATOR: u8 = 0x1e;

/// One record of a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record<'a> {
    /// A text packet, still with its type digit.
    Text(&'a str),
    /// A decoded binary message.
    Binary(Bytes),
}

/// Splits a body into its records, at most `records_max`; the iterator ends after its first error.
pub fn decode(body: &str, records_max: usize) -> impl Iterator<Item = Result<Record<'_>, PacketError>> {
    todo!();
    #[allow(unreachable_code)]
    std::iter::empty()
}

/// Appends a text packet to a body.
pub fn push_text(body: &mut Vec<u8>, packet: &[u8]) {
    todo!()
}

/// Appends a binary message to a body.
pub fn push_binary(body: &mut Vec<u8>, message: &[u8]) {
    todo!()
}
