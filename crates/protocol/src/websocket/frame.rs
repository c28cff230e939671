//! One frame on the wire: opcode, header, mask (RFC 6455 section 5.2). Writes any header, and reads one under the
//! rules that hold at its place in the conversation; payloads are the decoder's business.

use super::close::Violation;
use super::decoder::Role;

/// The longest header: 2 bytes, 8 of length, 4 of mask.
pub const HEADER_BYTES_MAX: usize = 14;
/// The longest header a server writes: it never masks.
pub const SERVER_HEADER_BYTES_MAX: usize = 10;
/// The longest payload of a close, ping or pong frame.
pub const CONTROL_BYTES_MAX: usize = 125;

const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
const RSV2_RSV3: u8 = 0x30;
const OPCODE: u8 = 0x0f;
const MASKED: u8 = 0x80;
const LENGTH: u8 = 0x7f;
const LENGTH_IN_2_BYTES: u8 = 126;
const LENGTH_IN_8_BYTES: u8 = 127;

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

impl Opcode {
    /// The four bits on the wire.
    const fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xa,
        }
    }

    const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0x0 => Some(Self::Continuation),
            0x1 => Some(Self::Text),
            0x2 => Some(Self::Binary),
            0x8 => Some(Self::Close),
            0x9 => Some(Self::Ping),
            0xa => Some(Self::Pong),
            _ => None,
        }
    }

    /// Whether the frame may stand between the fragments of a message.
    pub(super) const fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// The header of a frame.
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

/// What a header must obey where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    /// The side that reads.
    pub(super) role: Role,
    /// Whether permessage-deflate was negotiated.
    pub(super) compression: bool,
    /// Whether a fragmented message waits for its continuation.
    pub(super) in_message: bool,
    /// The longest payload that a data frame may announce, in bytes.
    pub(super) payload_bytes_max: usize,
}

impl Header {
    /// An unmasked, unfragmented, uncompressed frame, as a server sends nearly all of its frames.
    pub const fn server(opcode: Opcode, payload_bytes: usize) -> Self {
        Self { opcode, fin: true, compressed: false, mask: None, payload_bytes }
    }

    /// Writes the header to the front of `into`; returns its length.
    pub fn write(&self, into: &mut [u8; HEADER_BYTES_MAX]) -> usize {
        let masked = if self.mask.is_some() { MASKED } else { 0 };
        into[0] =
            self.opcode.bits() | if self.fin { FIN } else { 0 } | if self.compressed { RSV1 } else { 0 };
        let mut written = if self.payload_bytes < usize::from(LENGTH_IN_2_BYTES) {
            into[1] = masked | self.payload_bytes as u8;
            2
        } else if let Ok(length) = u16::try_from(self.payload_bytes) {
            into[1] = masked | LENGTH_IN_2_BYTES;
            into[2..4].copy_from_slice(&length.to_be_bytes());
            4
        } else {
            into[1] = masked | LENGTH_IN_8_BYTES;
            into[2..10].copy_from_slice(&(self.payload_bytes as u64).to_be_bytes());
            10
        };
        if let Some(mask) = self.mask {
            into[written..written + 4].copy_from_slice(&mask);
            written += 4;
        }
        written
    }

    /// Reads the header of a frame that a server has written, with its length; `None` when there is none.
    pub fn of_server(bytes: &[u8]) -> Option<(Self, usize)> {
        let rules = Rules {
            role: Role::Client,
            compression: false,
            in_message: false,
            payload_bytes_max: usize::MAX,
        };
        Self::read(bytes, rules).ok().flatten()
    }

    /// Reads the header at the front of `bytes`, with its length; `None` while it is incomplete. Each byte is judged as
    /// soon as it is there.
    // Measured: out of line, the way of a header through memory is a third of the time that a short message takes.
    #[inline(always)]
    pub(super) fn read(bytes: &[u8], rules: Rules) -> Result<Option<(Self, usize)>, Violation> {
        let Some(&first) = bytes.first() else { return Ok(None) };
        let (opcode, fin, compressed) = read_first(first, rules)?;
        let Some(&second) = bytes.get(1) else { return Ok(None) };
        let masked = second & MASKED != 0;
        match rules.role {
            Role::Server if !masked => return Err(Violation::Protocol("frame of a client without a mask")),
            Role::Client if masked => return Err(Violation::Protocol("frame of a server with a mask")),
            Role::Server | Role::Client => {}
        }
        let short = second & LENGTH;
        if opcode.is_control() && usize::from(short) > CONTROL_BYTES_MAX {
            return Err(Violation::Protocol("control frame over 125 bytes"));
        }
        let Some((announced, mut read)) = read_length(short, &bytes[2..])? else { return Ok(None) };
        let payload_bytes = match usize::try_from(announced) {
            Ok(length) if opcode.is_control() || length <= rules.payload_bytes_max => length,
            _ => return Err(Violation::TooLarge),
        };
        let mask = if masked {
            let Some(key) = bytes[read..].first_chunk::<4>() else { return Ok(None) };
            read += 4;
            Some(*key)
        } else {
            None
        };
        Ok(Some((Self { opcode, fin, compressed, mask, payload_bytes }, read)))
    }
}

/// The first byte: `FIN`, the reserved bits, the opcode.
#[inline]
fn read_first(byte: u8, rules: Rules) -> Result<(Opcode, bool, bool), Violation> {
    let fin = byte & FIN != 0;
    let compressed = byte & RSV1 != 0;
    if byte & RSV2_RSV3 != 0 {
        return Err(Violation::Protocol("reserved bit set"));
    }
    let Some(opcode) = Opcode::from_bits(byte & OPCODE) else {
        return Err(Violation::Protocol("reserved opcode"));
    };
    if compressed && !(rules.compression && matches!(opcode, Opcode::Text | Opcode::Binary)) {
        return Err(Violation::Protocol("compression bit where none may be"));
    }
    match opcode {
        Opcode::Close | Opcode::Ping | Opcode::Pong if !fin => {
            Err(Violation::Protocol("fragmented control frame"))
        }
        Opcode::Continuation if !rules.in_message => {
            Err(Violation::Protocol("continuation without a message"))
        }
        Opcode::Text | Opcode::Binary if rules.in_message => {
            Err(Violation::Protocol("new message inside a fragmented one"))
        }
        _ => Ok((opcode, fin, compressed)),
    }
}

/// The payload length behind the second byte, and the length of the header so far. It must be written in the fewest
/// bytes that hold it.
#[inline]
fn read_length(short: u8, rest: &[u8]) -> Result<Option<(u64, usize)>, Violation> {
    let (length, read, least) = match short {
        LENGTH_IN_2_BYTES => match rest.first_chunk() {
            Some(bytes) => (u64::from(u16::from_be_bytes(*bytes)), 4, u64::from(LENGTH_IN_2_BYTES)),
            None => return Ok(None),
        },
        LENGTH_IN_8_BYTES => match rest.first_chunk() {
            Some(bytes) => (u64::from_be_bytes(*bytes), 10, u64::from(u16::MAX) + 1),
            None => return Ok(None),
        },
        _ => (u64::from(short), 2, 0),
    };
    if length < least {
        Err(Violation::Protocol("length not in its shortest form"))
    } else {
        Ok(Some((length, read)))
    }
}

/// XORs `data` with `mask`, as if `data` began `offset` bytes into the payload (RFC 6455 section 5.3).
#[inline]
pub fn apply_mask(data: &mut [u8], mut mask: [u8; 4], offset: usize) {
    mask.rotate_left(offset % 4);
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = data.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(wide.to_ne_bytes()) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RULES: Rules =
        Rules { role: Role::Client, compression: false, in_message: false, payload_bytes_max: 1 << 20 };

    fn check(bytes: &[u8], rules: Rules, expect: Result<Option<(Opcode, usize, usize)>, Violation>) {
        let read = Header::read(bytes, rules);
        let summary =
            read.map(|found| found.map(|(header, length)| (header.opcode, header.payload_bytes, length)));
        assert_eq!(summary, expect, "{bytes:02x?}");
    }

    #[test]
    fn lengths_must_be_in_their_shortest_form() {
        let long = Err(Violation::Protocol("length not in its shortest form"));
        check(&[0x82, 125], RULES, Ok(Some((Opcode::Binary, 125, 2))));
        check(&[0x82, 126, 0, 125], RULES, long);
        check(&[0x82, 126, 0, 126], RULES, Ok(Some((Opcode::Binary, 126, 4))));
        check(&[0x82, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff], RULES, long);
        check(&[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0], RULES, Ok(Some((Opcode::Binary, 65_536, 10))));
    }

    #[test]
    fn announced_lengths_over_the_limit_are_refused_at_once() {
        check(&[0x82, 127, 0, 0, 0, 0, 0, 0x10, 0, 0], RULES, Ok(Some((Opcode::Binary, 1 << 20, 10))));
        check(&[0x82, 127, 0, 0, 0, 0, 0, 0x10, 0, 1], RULES, Err(Violation::TooLarge));
        check(&[0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0], RULES, Err(Violation::TooLarge));
        check(&[0x82, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], RULES, Err(Violation::TooLarge));
        check(&[0x82, 126, 0x07, 0xd1], Rules { payload_bytes_max: 2000, ..RULES }, Err(Violation::TooLarge));
        check(&[0x89, 5], Rules { payload_bytes_max: 0, ..RULES }, Ok(Some((Opcode::Ping, 5, 2))));
    }

    #[test]
    fn first_byte_alone_is_judged() {
        let in_message = Rules { in_message: true, ..RULES };
        let compression = Rules { compression: true, ..RULES };
        check(&[], RULES, Ok(None));
        check(&[0x81], RULES, Ok(None));
        check(&[0x01], RULES, Ok(None));
        check(&[0xa1], RULES, Err(Violation::Protocol("reserved bit set")));
        check(&[0x91], RULES, Err(Violation::Protocol("reserved bit set")));
        for opcode in [3, 4, 5, 6, 7, 0xb, 0xc, 0xd, 0xe, 0xf] {
            check(&[0x80 | opcode], RULES, Err(Violation::Protocol("reserved opcode")));
        }
        for control in [0x08, 0x09, 0x0a] {
            check(&[control], RULES, Err(Violation::Protocol("fragmented control frame")));
            check(&[0x80 | control], in_message, Ok(None));
        }
        check(&[0x80], RULES, Err(Violation::Protocol("continuation without a message")));
        check(&[0x80], in_message, Ok(None));
        check(&[0x81], in_message, Err(Violation::Protocol("new message inside a fragmented one")));
        check(&[0xc1], compression, Ok(None));
        check(&[0xc1], RULES, Err(Violation::Protocol("compression bit where none may be")));
        check(&[0xc9], compression, Err(Violation::Protocol("compression bit where none may be")));
        check(
            &[0xc0],
            Rules { in_message: true, ..compression },
            Err(Violation::Protocol("compression bit where none may be")),
        );
    }

    #[test]
    fn second_byte_alone_is_judged() {
        let server = Rules { role: Role::Server, ..RULES };
        check(&[0x81, 0x05], server, Err(Violation::Protocol("frame of a client without a mask")));
        check(&[0x81, 0x85], RULES, Err(Violation::Protocol("frame of a server with a mask")));
        check(&[0x89, 126], RULES, Err(Violation::Protocol("control frame over 125 bytes")));
        check(&[0x89, 127], RULES, Err(Violation::Protocol("control frame over 125 bytes")));
        check(&[0x81, 0x85, 1, 2, 3], server, Ok(None));
        check(&[0x81, 0x85, 1, 2, 3, 4], server, Ok(Some((Opcode::Text, 5, 6))));
    }

    proptest! {
        #[test]
        fn written_headers_read_back(
            opcode in prop::sample::select(vec![Opcode::Text, Opcode::Binary]),
            fin: bool,
            compressed: bool,
            mask: Option<[u8; 4]>,
            payload_bytes in prop_oneof![0usize..300, 65_000usize..66_000, any::<u32>().prop_map(|n| n as usize)],
        ) {
            let header = Header { opcode, fin, compressed, mask, payload_bytes };
            let mut bytes = [0; HEADER_BYTES_MAX];
            let written = header.write(&mut bytes);
            let role = if mask.is_some() { Role::Server } else { Role::Client };
            let rules = Rules { role, compression: true, in_message: false, payload_bytes_max: usize::MAX };
            prop_assert_eq!(Header::read(&bytes[..written], rules), Ok(Some((header, written))));
            for cut in 0..written {
                prop_assert_eq!(Header::read(&bytes[..cut], rules), Ok(None));
            }
        }

        #[test]
        fn masking_is_byte_by_byte_xor(data: Vec<u8>, mask: [u8; 4], offset in 0usize..1000) {
            let expect: Vec<u8> =
                data.iter().enumerate().map(|(at, byte)| byte ^ mask[(at + offset) % 4]).collect();
            let mut masked = data;
            apply_mask(&mut masked, mask, offset);
            prop_assert_eq!(masked, expect);
        }
    }
}
