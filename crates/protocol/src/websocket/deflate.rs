//! permessage-deflate (RFC 7692) without context takeover in either direction: a compressor and a decompressor belong to
//! whoever owns many connections, never to one, and a message compressed once can be sent to all.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::close::Violation;

/// What a sender cuts off each message, and a receiver puts back (RFC 7692 section 7.2).
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];
/// An empty last block. Behind [`TAIL`] it ends the stream if, and only if, the message was whole.
const LAST_BLOCK: [u8; 2] = [0x03, 0x00];
/// Streams write to a chunk of their owner's and not to the message itself: flate2 clears all of a buffer before every
/// call, and a hostile message can make that many calls.
const CHUNK_BYTES: usize = 16 * 1024;
/// Measured on JSON of 1 to 64 KiB: within 3 % of the size that level 6 reaches, in at most its time (1 to 4 KiB) and
/// down to half of it (64 KiB). Level 1 takes a third of the time and leaves 35 to 65 % more bytes.
const LEVEL: u32 = 4;

/// How far back a compressed message may refer: a power of two between 512 bytes and 32 KiB, which the peer's
/// `server_max_window_bits` may lower.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Window(u8);

impl Window {
    const BITS_MIN: u8 = 9;
    const BITS_MAX: u8 = 15;
    /// 32 KiB, what every peer has that did not ask for less.
    pub const FULL: Self = Self(Self::BITS_MAX);

    /// A window of `bits`, from 9 to 15. RFC 7692 knows 8 too, but no common compressor can keep to it.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if bits >= Self::BITS_MIN && bits <= Self::BITS_MAX { Some(Self(bits)) } else { None }
    }

    /// The base-2 logarithm of its bytes.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether a message of so many bytes, compressed with any window, can be sent to a peer with this one: with the
    /// full window always, else when nothing in it can refer further back than its own start.
    pub const fn admits(self, message_bytes: usize) -> bool {
        self.0 == Self::FULL.0 || message_bytes <= 1 << self.0
    }
}

/// Decompresses single messages.
#[derive(Debug, Default)]
pub struct Inflater {
    stream: Option<Box<(Decompress, [u8; CHUNK_BYTES])>>,
}

impl Inflater {
    /// A decompressor; allocates its window on first use only.
    pub const fn new() -> Self {
        Self { stream: None }
    }

    /// Inflates one whole message and appends it to `into`, which grows to at most `bytes_max` more. A longer message is
    /// [`Violation::TooLarge`]; what is no DEFLATE, or ends inside a block, is [`Violation::Protocol`].
    pub fn inflate(&mut self, message: &[u8], bytes_max: usize, into: &mut Vec<u8>) -> Result<(), Violation> {
        if message.is_empty() {
            // Strictly no DEFLATE, but what some senders make of an empty message, and what all receivers take for one.
            return Ok(());
        }
        let (stream, chunk) =
            &mut **self.stream.get_or_insert_with(|| Box::new((Decompress::new(false), [0; CHUNK_BYTES])));
        let mut output = Output { into, bytes_left: bytes_max, chunk };
        let mut rest = message;
        loop {
            stream.reset(false);
            match output.feed(stream, rest)? {
                None => break,
                Some([]) => return Ok(()),
                // A sender may mark a block as the last one and go on behind it (RFC 7692 section 7.2.3.4).
                Some(behind) => rest = behind,
            }
        }
        let ended = match output.feed(stream, &TAIL)? {
            None => output.feed(stream, &LAST_BLOCK)?,
            Some(_) => None,
        };
        if ended == Some(&[]) { Ok(()) } else { Err(Violation::Protocol("compressed message is cut short")) }
    }
}

/// Where an inflated message goes.
struct Output<'a> {
    into: &'a mut Vec<u8>,
    bytes_left: usize,
    chunk: &'a mut [u8; CHUNK_BYTES],
}

impl Output<'_> {
    /// Inflates all of `input`; `Some` of what lies behind the last block when there is one.
    fn feed<'i>(
        &mut self,
        stream: &mut Decompress,
        mut input: &'i [u8],
    ) -> Result<Option<&'i [u8]>, Violation> {
        loop {
            let (taken, given) = (stream.total_in(), stream.total_out());
            let status = stream
                .decompress(input, self.chunk, FlushDecompress::None)
                .map_err(|_| Violation::Protocol("compressed message is no DEFLATE"))?;
            input = &input[(stream.total_in() - taken) as usize..];
            let given_bytes = (stream.total_out() - given) as usize;
            self.take(given_bytes)?;
            match status {
                Status::StreamEnd => return Ok(Some(input)),
                Status::Ok | Status::BufError if given_bytes == CHUNK_BYTES => {}
                // With room left, the input is used up.
                Status::Ok | Status::BufError => return Ok(None),
            }
        }
    }

    /// Moves the front of the chunk to the message.
    fn take(&mut self, bytes: usize) -> Result<(), Violation> {
        if bytes > self.bytes_left {
            return Err(Violation::TooLarge);
        }
        if self.into.capacity() - self.into.len() < bytes {
            self.into.reserve_exact(self.into.len().max(bytes).min(self.bytes_left));
        }
        self.into.extend_from_slice(&self.chunk[..bytes]);
        self.bytes_left -= bytes;
        Ok(())
    }
}

/// Compresses single messages.
#[derive(Debug, Default)]
pub struct Deflater {
    /// One compressor for each window, [`Window::FULL`] last.
    streams: [Option<Compress>; (Window::BITS_MAX - Window::BITS_MIN + 1) as usize],
    chunk: Vec<u8>,
}

impl Deflater {
    /// A compressor; allocates its state on first use only.
    pub const fn new() -> Self {
        Self {
            streams: [const { None }; (Window::BITS_MAX - Window::BITS_MIN + 1) as usize],
            chunk: Vec::new(),
        }
    }

    /// Appends the compressed form of `message`, without the trailing `00 00 ff ff`, to `into`. Only for peers whose
    /// window [admits](Window::admits) the message.
    pub fn deflate(&mut self, message: &[u8], into: &mut Vec<u8>) {
        self.deflate_within(Window::FULL, message, into);
    }

    /// As [`Self::deflate`], for peers with a window of at least `window`.
    pub fn deflate_within(&mut self, window: Window, message: &[u8], into: &mut Vec<u8>) {
        let window = if window.admits(message.len()) { Window::FULL } else { window };
        let stream = self.streams[usize::from(window.0 - Window::BITS_MIN)]
            .get_or_insert_with(|| Compress::new_with_window_bits(Compression::new(LEVEL), false, window.0));
        stream.reset();
        self.chunk.resize(CHUNK_BYTES, 0);
        let mut rest = message;
        loop {
            let (taken, given) = (stream.total_in(), stream.total_out());
            stream
                .compress(rest, &mut self.chunk, FlushCompress::Sync)
                .expect("a compressor that was just reset takes any bytes");
            rest = &rest[(stream.total_in() - taken) as usize..];
            let given_bytes = (stream.total_out() - given) as usize;
            into.extend_from_slice(&self.chunk[..given_bytes]);
            if given_bytes < CHUNK_BYTES {
                break;
            }
        }
        debug_assert!(rest.is_empty() && into.ends_with(&TAIL), "a sync flush ends in an empty stored block");
        into.truncate(into.len() - TAIL.len());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn inflate(message: &[u8], bytes_max: usize) -> Result<Vec<u8>, Violation> {
        let mut into = Vec::new();
        let result = Inflater::new().inflate(message, bytes_max, &mut into);
        assert!(into.capacity() <= bytes_max, "{} bytes for a limit of {bytes_max}", into.capacity());
        result.map(|()| into)
    }

    fn check(message: &[u8], expect: Result<&[u8], Violation>) {
        assert_eq!(
            inflate(message, 4096).as_deref().map_err(|violation| *violation),
            expect,
            "{message:02x?}"
        );
    }

    /// Bytes that compress a little, and refer back as far as they can.
    fn far_apart(length: usize) -> Vec<u8> {
        let mut state = 1u32;
        let word: Vec<u8> = (0..length.div_ceil(2))
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect();
        [&word[..], &word[..]].concat()
    }

    #[test]
    fn examples_of_the_rfc_inflate() {
        let hello = Ok(&b"Hello"[..]);
        check(&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], hello);
        check(&[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00], hello);
        check(&[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00], hello);
        check(&[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00], hello);
        check(&[0x00], Ok(b""));
    }

    #[test]
    fn last_blocks_may_stand_anywhere() {
        check(&[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], Ok(b"Hello"));
        let twice = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        check(&twice, Ok(b"HelloHello"));
    }

    #[test]
    fn empty_payload_is_an_empty_message() {
        check(&[], Ok(b""));
        let mut into = Vec::new();
        Deflater::new().deflate(b"", &mut into);
        assert_eq!(into, [0x00]);
    }

    #[test]
    fn garbage_and_cut_messages_are_refused() {
        check(&[0x07], Err(Violation::Protocol("compressed message is no DEFLATE")));
        check(&[0xf2, 0x48, 0xcd, 0xc9], Err(Violation::Protocol("compressed message is no DEFLATE")));
        check(
            &[0x00, 0x09, 0x00, 0xf6, 0xff, 0x48],
            Err(Violation::Protocol("compressed message is cut short")),
        );
    }

    #[test]
    fn inflater_is_sound_after_a_refused_message() {
        let mut inflater = Inflater::new();
        let mut into = Vec::new();
        assert!(inflater.inflate(&[0x07], 4096, &mut into).is_err());
        into.clear();
        assert_eq!(inflater.inflate(&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], 5, &mut into), Ok(()));
        assert_eq!(into, b"Hello");
    }

    #[test]
    fn a_bomb_is_never_unpacked() {
        let mut bomb = Vec::new();
        Deflater::new().deflate(&vec![0; 4 << 20], &mut bomb);
        assert!(bomb.len() < 32 << 10, "{}", bomb.len());
        for bytes_max in [0, 1, 1000, 1 << 20, (4 << 20) - 1] {
            assert_eq!(inflate(&bomb, bytes_max), Err(Violation::TooLarge));
        }
        assert_eq!(inflate(&bomb, 4 << 20).map(|message| message.len()), Ok(4 << 20));
    }

    #[test]
    fn small_windows_are_kept_to() {
        for bits in 9..=15 {
            let window = Window::from_bits(bits).unwrap();
            for length in [1 << bits, (1 << bits) + 2, 3 << bits, 100_000] {
                let message = far_apart(length);
                let mut compressed = Vec::new();
                Deflater::new().deflate_within(window, &message, &mut compressed);
                compressed.extend_from_slice(&TAIL);
                let mut peer = Decompress::new_with_window_bits(false, bits);
                // Only what is in the window is there to refer to when the output comes in small pieces.
                let mut inflated = Vec::new();
                loop {
                    let mut piece = [0; 64];
                    let (taken, given) = (peer.total_in() as usize, peer.total_out() as usize);
                    peer.decompress(&compressed[taken..], &mut piece, FlushDecompress::None).unwrap();
                    let fresh = peer.total_out() as usize - given;
                    inflated.extend_from_slice(&piece[..fresh]);
                    if fresh == 0 {
                        break;
                    }
                }
                assert!(inflated == message, "{bits} bits, {length} bytes");
            }
        }
    }

    #[test]
    fn borders_of_the_chunk_do_not_show() {
        let (mut deflater, mut inflater) = (Deflater::new(), Inflater::new());
        // Noise does not shrink: the compressed form passes the end of the chunk byte by byte.
        let noise = far_apart(4 * CHUNK_BYTES);
        for length in (CHUNK_BYTES - 40..CHUNK_BYTES + 10).chain(2 * CHUNK_BYTES - 40..2 * CHUNK_BYTES + 10) {
            let (mut compressed, mut inflated) = (Vec::new(), Vec::new());
            deflater.deflate(&noise[..length], &mut compressed);
            inflater.inflate(&compressed, length, &mut inflated).unwrap();
            assert!(inflated == noise[..length], "{length} bytes");
        }
    }

    #[test]
    fn windows_are_9_to_15_bits() {
        for bits in [0, 8, 16, 255] {
            assert_eq!(Window::from_bits(bits), None);
        }
        let window = Window::from_bits(10).unwrap();
        assert!(window.admits(1024));
        assert!(!window.admits(1025));
        assert_eq!(Window::from_bits(15), Some(Window::FULL));
    }

    proptest! {
        #[test]
        fn compressed_messages_inflate_to_themselves(
            messages in prop::collection::vec(
                prop_oneof![any::<Vec<u8>>(), "(ab|[a-z]){0,2000}".prop_map(String::into_bytes)],
                1..4,
            ),
            bits in 9u8..=15,
        ) {
            let (mut deflater, mut inflater) = (Deflater::new(), Inflater::new());
            for message in messages {
                let (mut compressed, mut inflated) = (b"before".to_vec(), b"before".to_vec());
                deflater.deflate_within(Window::from_bits(bits).unwrap(), &message, &mut compressed);
                inflater.inflate(&compressed[6..], message.len(), &mut inflated).unwrap();
                prop_assert_eq!(&inflated[6..], message);
            }
        }

        #[test]
        fn any_payload_is_judged(message: Vec<u8>, bytes_max in 0usize..10_000) {
            let _ = inflate(&message, bytes_max);
        }
    }
}
