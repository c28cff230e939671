//! Any bytes, cut anywhere, give what they give in one piece, and never make the decoder keep more than they are worth.

#![no_main]

use libfuzzer_sys::fuzz_target;
use throng_protocol::websocket::close::Violation;
use throng_protocol::websocket::decoder::{Context, Decoder, Role};
use throng_protocol::websocket::deflate::Inflater;

const MESSAGE_BYTES_MAX: usize = 4096;
/// What a decoder keeps beside the payload.
const STATE_BYTES_MAX: usize = 512;

fn decode<'b>(
    role: Role,
    compression: bool,
    chunks: impl Iterator<Item = &'b [u8]>,
) -> (Vec<String>, Option<Violation>) {
    let mut context = Context { role, message_bytes_max: MESSAGE_BYTES_MAX, inflater: Inflater::new() };
    let mut decoder = Decoder::new(compression);
    let mut events = Vec::new();
    let mut fed_bytes = 0;
    for chunk in chunks {
        fed_bytes += chunk.len();
        let mut chunk = chunk.to_vec();
        let mut input = &mut chunk[..];
        loop {
            match decoder.next(&mut context, &mut input) {
                Ok(Some(event)) => events.push(format!("{event:?}")),
                Ok(None) => break,
                Err(violation) => return (events, Some(violation)),
            }
        }
        assert!(input.is_empty());
        assert!(decoder.buffered_bytes() <= STATE_BYTES_MAX + 2 * fed_bytes.min(MESSAGE_BYTES_MAX));
    }
    (events, None)
}

fuzz_target!(|data: &[u8]| {
    let [flags, chunk_bytes, bytes @ ..] = data else { return };
    let role = if flags & 1 == 0 { Role::Server } else { Role::Client };
    let compression = flags & 2 == 0;
    let chunk_bytes = usize::from(*chunk_bytes).max(1);
    assert_eq!(
        decode(role, compression, std::iter::once(bytes)),
        decode(role, compression, bytes.chunks(chunk_bytes)),
    );
});
