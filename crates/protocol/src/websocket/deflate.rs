//! permessage-deflate (RFC 7692) without context takeover in either direction: a compressor and a decompressor belong to
//! whoever owns many connections, never to one, and a message compressed once can be sent to all.

use super::close::Violation;

/// Decompresses single messages.
#[derive(Debug)]
pub struct Inflater {}

impl Inflater {
    /// A decompressor; allocates its window on first use only.
    pub fn new() -> Self {
        todo!()
    }

    /// Inflates one whole message to `into`; over `bytes_max` it is [`Violation::TooLarge`].
    pub fn inflate(&mut self, message: &[u8], bytes_max: usize, into: &mut Vec<u8>) -> Result<(), Violation> {
        todo!()
    }
}

/// Compresses single messages.
#[derive(Debug)]
pub struct Deflater {}

impl Deflater {
    /// A compressor; allocates its state on first use only.
    pub fn new() -> Self {
        todo!()
    }

    /// Appends the compressed form of `message`, without the trailing `00 00 ff ff`, to `into`.
    pub fn deflate(&mut self, message: &[u8], into: &mut Vec<u8>) {
        todo!()
    }
}
