//! Bytes in, messages and control frames out. The decoder keeps bytes only while a frame or a message is incomplete, so
//! that an idle connection owns no buffer, and it fails at the first byte that makes a message invalid.

use super::close::Violation;
use super::deflate::Inflater;

/// Which side of the conversation we are; decides whether the frames we read must be masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// We read masked frames.
    Server,
    /// We read unmasked frames.
    Client,
}

/// What all decoders of one owner (a shard, a load driver) share.
#[derive(Debug)]
pub struct Context {
    /// Our side.
    pub role: Role,
    /// The longest message, after inflation, in bytes.
    pub message_bytes_max: usize,
    /// The decompressor, reset for each message.
    pub inflater: Inflater,
}

/// Something whole that the peer sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A text message.
    Text(&'a str),
    /// A binary message.
    Binary(&'a [u8]),
    /// A ping, to be answered with a pong of the same payload.
    Ping(&'a [u8]),
    /// A pong.
    Pong(&'a [u8]),
    /// A close frame: its code (`None` when it had none) and reason. No event follows it.
    Close(Option<u16>, &'a str),
}

/// The state of one connection's incoming half. 16 bytes while nothing is incomplete.
#[derive(Debug, Default)]
pub struct Decoder {
    // deflate negotiated?, Option<Box<Partial>>
}

impl Decoder {
    /// A decoder at the start of a connection; `compression` says whether permessage-deflate was negotiated.
    pub fn new(compression: bool) -> Self {
        todo!()
    }

    /// Takes the next event from the front of `input`, advancing it. `Ok(None)` means that all of `input` was
    /// consumed (what is incomplete is kept inside) and more is needed.
    ///
    /// Unmasks in place. A message that lies whole in `input` is returned without a copy.
    pub fn next<'a>(
        &'a mut self,
        context: &'a mut Context,
        input: &mut &'a mut [u8],
    ) -> Result<Option<Event<'a>>, Violation> {
        todo!()
    }

    /// Bytes that the decoder holds on to, for accounting.
    pub fn buffered_bytes(&self) -> usize {
        todo!()
    }
}
