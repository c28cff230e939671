//! One frame on the wire: opcode, header, mask (RFC 6455 section 5.2).

/// The longest header: 2 bytes, 8 of length, 4 of mask.
pub const HEADER_BYTES_MAX: usize = 14;
/// The longest header a server writes: it never masks.
pub const SERVER_HEADER_BYTES_MAX: usize = 10;

/// What a frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opcode {
    /// The next part of a fragmented message.
    Continuation,
    /// UTF-8 text.
    Text,
    /// Bytes.
    Binary,
    /// The end of the conversation.
    Close,
    /// A request for a pong.
    Ping,
    /// The answer to a ping.
    Pong,
}

/// The header of a frame to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// What the frame carries.
    pub opcode: Opcode,
    /// Whether the payload is the only or last part of its message.
    pub fin: bool,
    /// Whether the message is compressed (RSV1, on its first frame only).
    pub compressed: bool,
    /// The masking key, written by clients only.
    pub mask: Option<[u8; 4]>,
    /// Bytes of payload that follow.
    pub payload_bytes: usize,
}

impl Header {
    /// An unmasked, unfragmented, uncompressed frame, as a server sends nearly all of its frames.
    pub const fn server(opcode: Opcode, payload_bytes: usize) -> Self {
        Self { opcode, fin: true, compressed: false, mask: None, payload_bytes }
    }

    /// Writes the header to the front of `into`; returns its length.
    pub fn write(&self, into: &mut [u8; HEADER_BYTES_MAX]) -> usize {
        todo!()
    }
}

/// XORs `data` with `mask`, as if `data` began `offset` bytes into the payload (RFC 6455 section 5.3).
pub fn apply_mask(data: &mut [u8], mask: [u8; 4], offset: usize) {
    todo!()
}
