//! The decoder by its events: single facts first, then what must hold for every conversation and every cut of it.

use proptest::prelude::*;

use super::*;
use crate::websocket::deflate::Deflater;
use crate::websocket::frame::CONTROL_BYTES_MAX;

const MAX: usize = 1 << 16;
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// An [`Event`] that outlives its buffer.
#[derive(Debug, Clone, PartialEq)]
enum Got {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>, String),
}

impl From<Event<'_>> for Got {
    fn from(event: Event<'_>) -> Self {
        match event {
            Event::Text(text) => Self::Text(text.into()),
            Event::Binary(bytes) => Self::Binary(bytes.into()),
            Event::Ping(bytes) => Self::Ping(bytes.into()),
            Event::Pong(bytes) => Self::Pong(bytes.into()),
            Event::Close(code, reason) => Self::Close(code, reason.into()),
        }
    }
}

fn text(text: &str) -> Got {
    Got::Text(text.into())
}

fn context(role: Role) -> Context {
    Context { role, message_bytes_max: MAX, inflater: Inflater::new() }
}

/// A frame of a server.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    assert!(payload.len() <= CONTROL_BYTES_MAX);
    [&[first, payload.len() as u8], payload].concat()
}

/// Feeds one chunk; what came of it. All of the chunk is taken, and nothing is kept of what was delivered.
fn feed(decoder: &mut Decoder, context: &mut Context, chunk: &[u8]) -> (Vec<Got>, Option<Violation>) {
    let mut chunk = chunk.to_vec();
    let mut input = &mut chunk[..];
    let mut got = Vec::new();
    loop {
        match decoder.next(context, &mut input) {
            Ok(Some(event)) => got.push(event.into()),
            Ok(None) => {
                assert!(input.is_empty(), "`None` means that all was taken");
                return (got, None);
            }
            Err(violation) => return (got, Some(violation)),
        }
    }
}

/// What a client makes of `chunks`, with permessage-deflate.
fn check(chunks: &[&[u8]], expect: &[Got], violation: Option<Violation>) {
    let (mut decoder, mut context) = (Decoder::new(true), context(Role::Client));
    let mut all = Vec::new();
    let mut found = None;
    for chunk in chunks {
        assert_eq!(found, None, "fails at the last chunk, not before");
        let (got, violation) = feed(&mut decoder, &mut context, chunk);
        all.extend(got);
        found = violation;
    }
    assert_eq!((all.as_slice(), found), (expect, violation), "{chunks:02x?}");
}

/// The same for a whole conversation: in one chunk, and byte by byte.
fn check_frames(frames: &[Vec<u8>], expect: &[Got], violation: Option<Violation>) {
    let bytes = frames.concat();
    check(&[&bytes], expect, violation);
    check(&bytes.chunks(1).collect::<Vec<_>>(), expect, violation);
}

#[test]
fn idle_decoder_is_16_bytes() {
    assert!(size_of::<Decoder>() <= 16);
    assert_eq!(Decoder::new(true).buffered_bytes(), 0);
}

#[test]
fn whole_message_is_not_copied() {
    let (mut decoder, mut context) = (Decoder::new(false), context(Role::Server));
    let mut bytes = [&[0x81, 0x85], &MASK[..], &[0x7f, 0x9f, 0x4d, 0x51, 0x58]].concat();
    let range = bytes.as_ptr_range();
    let mut input = &mut bytes[..];
    match decoder.next(&mut context, &mut input) {
        Ok(Some(Event::Text(text))) => {
            assert_eq!(text, "Hello");
            assert!(range.contains(&text.as_ptr()));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(decoder.buffered_bytes(), 0);
}

#[test]
fn messages_and_control_frames_come_in_order() {
    check_frames(
        &[
            frame(0x81, b"one"),
            frame(0x89, b"hi"),
            frame(0x01, b"tw"),
            frame(0x8a, b""),
            frame(0x00, b""),
            frame(0x80, b"o"),
            frame(0x82, &[0xff]),
            frame(0x82, b""),
        ],
        &[
            text("one"),
            Got::Ping(b"hi".into()),
            Got::Pong(vec![]),
            text("two"),
            Got::Binary(vec![0xff]),
            Got::Binary(vec![]),
        ],
        None,
    );
}

#[test]
fn characters_may_be_cut_by_fragments() {
    check_frames(
        &[frame(0x01, b"\xce"), frame(0x89, b"\xff"), frame(0x80, b"\xba")],
        &[Got::Ping(vec![0xff]), text("κ")],
        None,
    );
}

#[test]
fn text_fails_at_its_first_wrong_byte() {
    let invalid = Some(Violation::InvalidUtf8);
    let whole = "κόσμε".as_bytes();
    // 20 bytes announced: valid so far, the beginning of a character, the byte that no character has there.
    check(&[b"\x81\x14", whole, b"\xf4", b"\x90"], &[], invalid);
    check(&[b"\x01\x0c", whole, b"\xf4", b"\x00\x01\x90"], &[], invalid);
    check(&[b"\x81\x14\xff"], &[], invalid);
    check(&[b"\x81\x14\xed", b"\xa0"], &[], invalid);
    check(&[b"\x81\x02\xce\x00"], &[], invalid);
}

#[test]
fn text_must_not_end_inside_a_character() {
    check_frames(&[frame(0x81, b"\xce")], &[], Some(Violation::InvalidUtf8));
    check_frames(&[frame(0x01, b"\xce"), frame(0x80, b"")], &[], Some(Violation::InvalidUtf8));
}

#[test]
fn binary_may_be_anything() {
    check_frames(&[frame(0x02, b"\xff"), frame(0x80, b"\xfe")], &[Got::Binary(vec![0xff, 0xfe])], None);
}

#[test]
fn nothing_follows_a_close() {
    check_frames(
        &[frame(0x88, b"\x03\xe8bye"), frame(0x81, b"late"), vec![0xff; 9]],
        &[Got::Close(Some(1000), "bye".into())],
        None,
    );
    check_frames(&[frame(0x88, b""), frame(0x81, b"late")], &[Got::Close(None, String::new())], None);
}

#[test]
fn nothing_follows_a_violation() {
    let (mut decoder, mut context) = (Decoder::new(false), context(Role::Client));
    let reserved = Some(Violation::Protocol("reserved opcode"));
    assert_eq!(
        feed(&mut decoder, &mut context, &[frame(0x01, b"kept"), vec![0x83]].concat()),
        (vec![], reserved)
    );
    assert_eq!(decoder.buffered_bytes(), 0);
    assert_eq!(feed(&mut decoder, &mut context, &frame(0x81, b"late")), (vec![], None));
}

#[test]
fn close_frames_are_judged() {
    check_frames(&[frame(0x88, b"\x03")], &[], Some(Violation::Protocol("close frame of one byte")));
    check_frames(
        &[frame(0x88, b"\x03\xed")],
        &[],
        Some(Violation::Protocol("close code that may not be sent")),
    );
    check_frames(&[frame(0x88, b"\x03\xe8\xff")], &[], Some(Violation::InvalidUtf8));
}

#[test]
fn limit_counts_all_fragments() {
    let (mut decoder, mut context) = (Decoder::new(false), context(Role::Client));
    context.message_bytes_max = 10;
    let whole = [frame(0x02, &[7; 6]), frame(0x80, &[7; 4])].concat();
    assert_eq!(feed(&mut decoder, &mut context, &whole), (vec![Got::Binary(vec![7; 10])], None));
    let over = [frame(0x02, &[7; 6]), vec![0x80, 5]].concat();
    assert_eq!(feed(&mut decoder, &mut context, &over), (vec![], Some(Violation::TooLarge)));
}

#[test]
fn buffers_grow_with_what_arrives_and_go_with_the_message() {
    let (mut decoder, mut context) = (Decoder::new(false), context(Role::Client));
    feed(&mut decoder, &mut context, b"\x82\x7e\xff\xff");
    assert!(decoder.buffered_bytes() < 256, "{}", decoder.buffered_bytes());
    for sent in 1..=65_534 {
        feed(&mut decoder, &mut context, b"x");
        assert!(decoder.buffered_bytes() <= 256 + 2 * sent, "{} for {sent}", decoder.buffered_bytes());
    }
    assert_eq!(feed(&mut decoder, &mut context, b"x"), (vec![Got::Binary(vec![b'x'; 65_535])], None));
    assert_eq!(decoder.buffered_bytes(), 0);
    for bytes in [&b"\x8a\x01"[..], b"!", b"\x82", b"\x00"] {
        feed(&mut decoder, &mut context, bytes);
    }
    assert_eq!(decoder.buffered_bytes(), 0);
}

#[test]
fn compressed_messages_of_the_rfc_are_read() {
    let hello = [text("Hello")];
    check_frames(&[frame(0xc1, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00])], &hello, None);
    check_frames(&[frame(0x41, &[0xf2, 0x48, 0xcd]), frame(0x80, &[0xc9, 0xc9, 0x07, 0x00])], &hello, None);
    check_frames(&[frame(0xc1, &[0])], &[text("")], None);
    check_frames(
        &[frame(0x41, &[]), frame(0x89, &[]), frame(0x80, &[])],
        &[Got::Ping(vec![]), text("")],
        None,
    );
}

#[test]
fn compressed_text_is_checked_after_inflation() {
    let mut compressed = Vec::new();
    Deflater::new().deflate(b"caf\xc3", &mut compressed);
    check_frames(&[frame(0xc1, &compressed)], &[], Some(Violation::InvalidUtf8));
    check_frames(&[frame(0xc2, &compressed)], &[Got::Binary(b"caf\xc3".into())], None);
}

#[test]
fn inflation_stops_at_the_limit() {
    let mut compressed = Vec::new();
    Deflater::new().deflate(&vec![0; MAX + 1], &mut compressed);
    check_frames(&[frame(0xc2, &compressed)], &[], Some(Violation::TooLarge));
    compressed.clear();
    Deflater::new().deflate(&vec![0; MAX], &mut compressed);
    check_frames(&[frame(0xc2, &compressed)], &[Got::Binary(vec![0; MAX])], None);
}

/// One side of a conversation, before it is written.
#[derive(Debug, Clone)]
struct Said {
    got: Got,
    compressed: bool,
    /// Where the payload is cut into fragments, and a ping stands between.
    cuts: Vec<prop::sample::Index>,
}

fn said() -> impl Strategy<Value = Said> {
    let control = || prop::collection::vec(any::<u8>(), 0..=CONTROL_BYTES_MAX);
    let got = prop_oneof![
        4 => any::<String>().prop_map(Got::Text),
        4 => prop::collection::vec(any::<u8>(), 0..400).prop_map(Got::Binary),
        1 => control().prop_map(Got::Ping),
        1 => control().prop_map(Got::Pong),
    ];
    let cuts = prop::collection::vec(any::<prop::sample::Index>(), 0..4);
    (got, any::<bool>(), cuts).prop_map(|(got, compressed, cuts)| Said { got, compressed, cuts })
}

fn put(into: &mut Vec<u8>, header: Header, payload: &[u8]) {
    let header = Header { payload_bytes: payload.len(), ..header };
    let mut bytes = [0; HEADER_BYTES_MAX];
    let header_bytes = header.write(&mut bytes);
    into.extend_from_slice(&bytes[..header_bytes]);
    let start = into.len();
    into.extend_from_slice(payload);
    if let Some(mask) = header.mask {
        apply_mask(&mut into[start..], mask, 0);
    }
}

/// Writes a message with its fragments; what is expected of it goes to `expect`.
fn write(said: &Said, mask: Option<[u8; 4]>, into: &mut Vec<u8>, expect: &mut Vec<Got>) {
    let (opcode, payload) = match &said.got {
        Got::Text(text) => (Opcode::Text, text.as_bytes()),
        Got::Binary(bytes) => (Opcode::Binary, &bytes[..]),
        Got::Ping(bytes) => (Opcode::Ping, &bytes[..]),
        Got::Pong(bytes) => (Opcode::Pong, &bytes[..]),
        Got::Close(..) => unreachable!("not drawn"),
    };
    let header = Header { mask, ..Header::server(opcode, 0) };
    if opcode.is_control() {
        put(into, header, payload);
        return expect.push(said.got.clone());
    }
    let mut body = Vec::new();
    if said.compressed {
        Deflater::new().deflate(payload, &mut body);
    } else {
        body.extend_from_slice(payload);
    }
    let mut cuts: Vec<usize> = said.cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
    cuts.sort_unstable();
    let mut start = 0;
    let mut header = Header { compressed: said.compressed, ..header };
    for cut in cuts {
        put(into, Header { fin: false, ..header }, &body[start..cut]);
        put(into, Header { mask, ..Header::server(Opcode::Ping, 0) }, b"between");
        expect.push(Got::Ping(b"between".into()));
        header = Header { opcode: Opcode::Continuation, compressed: false, ..header };
        start = cut;
    }
    put(into, header, &body[start..]);
    expect.push(said.got.clone());
}

/// What comes of `bytes`, cut where `cuts` says, up to the first violation.
fn decode_cut(role: Role, bytes: &[u8], cuts: &[prop::sample::Index]) -> (Vec<Got>, Option<Violation>) {
    let (mut decoder, mut context) = (Decoder::new(true), context(role));
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    cuts.push(bytes.len());
    cuts.sort_unstable();
    let mut all = Vec::new();
    let mut start = 0;
    for cut in cuts {
        let (got, violation) = feed(&mut decoder, &mut context, &bytes[start..cut]);
        all.extend(got);
        if violation.is_some() {
            return (all, violation);
        }
        start = cut;
    }
    (all, None)
}

fn cuts() -> impl Strategy<Value = Vec<prop::sample::Index>> {
    prop::collection::vec(any::<prop::sample::Index>(), 0..12)
}

proptest! {
    #[test]
    fn written_messages_read_back_however_they_are_cut(
        conversation in prop::collection::vec(said(), 0..6),
        mask: Option<[u8; 4]>,
        cuts in cuts(),
    ) {
        let (mut bytes, mut expect) = (Vec::new(), Vec::new());
        for said in &conversation {
            write(said, mask, &mut bytes, &mut expect);
        }
        let role = if mask.is_some() { Role::Server } else { Role::Client };
        prop_assert_eq!(decode_cut(role, &bytes, &cuts), (expect, None));
    }

    #[test]
    fn arbitrary_bytes_mean_the_same_however_they_are_cut(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(vec![
            0x00, 0x01, 0x02, 0x03, 0x80, 0x81, 0x82, 0x88, 0x89, 0xc1, 0x41,
        ])], 0..64),
        cuts in cuts(),
    ) {
        prop_assert_eq!(decode_cut(Role::Client, &bytes, &cuts), decode_cut(Role::Client, &bytes, &[]));
        prop_assert_eq!(decode_cut(Role::Server, &bytes, &cuts), decode_cut(Role::Server, &bytes, &[]));
    }
}
