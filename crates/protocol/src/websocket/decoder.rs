//! Bytes in, messages and control frames out. The decoder keeps bytes only while a frame or a message is incomplete, so
//! that an idle connection owns no buffer, and it fails at the first byte that makes a message invalid (a compressed
//! message: at its end). It neither answers pings nor closes: that is up to the connection.

mod partial;
#[cfg(test)]
mod tests;

use std::mem;

use self::partial::{Frame, Partial};
use super::close::{self, Violation};
use super::deflate::Inflater;
use super::frame::{HEADER_BYTES_MAX, Header, Opcode, Rules, apply_mask};

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
    /// The longest message, in bytes, both as it travels and after inflation.
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
    compression: bool,
    /// After a close frame or a violation, what comes is dropped.
    closed: bool,
    partial: Option<Box<Partial>>,
}

/// A payload that is whole, unmasked and inflated.
enum Ready<'b> {
    /// It lay whole in the input.
    InInput(Opcode, &'b [u8]),
    /// It is in [`Partial::delivered`].
    Kept(Opcode),
}

impl Decoder {
    /// A decoder at the start of a connection; `compression` says whether permessage-deflate was negotiated.
    pub const fn new(compression: bool) -> Self {
        Self { compression, closed: false, partial: None }
    }

    /// Takes the next event from the front of `input`, advancing it. `Ok(None)` means that all of `input` was
    /// consumed (what is incomplete is kept inside) and more is needed.
    ///
    /// Unmasks in place. A message that lies whole in `input` is returned without a copy; what the decoder keeps for an
    /// event is dropped by the next call. After a violation or a close frame everything is consumed and nothing comes.
    pub fn next<'a, 'b: 'a>(
        &'a mut self,
        context: &mut Context,
        input: &mut &'b mut [u8],
    ) -> Result<Option<Event<'a>>, Violation> {
        let ready = match self.advance(context, input) {
            Ok(Some(ready)) => ready,
            Ok(None) => return Ok(None),
            Err(violation) => {
                *self = Self { closed: true, ..Self::default() };
                return Err(violation);
            }
        };
        let (opcode, payload) = match ready {
            Ready::InInput(opcode, payload) => (opcode, payload),
            Ready::Kept(opcode) => {
                (opcode, self.partial.as_ref().map_or(&[][..], |partial| &partial.delivered))
            }
        };
        let event = match opcode {
            Opcode::Text => match std::str::from_utf8(payload) {
                Ok(text) => Ok(Event::Text(text)),
                Err(_) => Err(Violation::InvalidUtf8),
            },
            // A message has the opcode of its first frame.
            Opcode::Binary | Opcode::Continuation => Ok(Event::Binary(payload)),
            Opcode::Ping => Ok(Event::Ping(payload)),
            Opcode::Pong => Ok(Event::Pong(payload)),
            Opcode::Close => {
                self.closed = true;
                close::read(payload).map(|(code, reason)| Event::Close(code, reason))
            }
        };
        self.closed |= event.is_err();
        event.map(Some)
    }

    /// Whether it keeps nothing: with no more input the next call of [`Decoder::next`] would do nothing.
    pub const fn is_idle(&self) -> bool {
        self.partial.is_none()
    }

    /// Bytes that the decoder holds on to, for accounting.
    pub fn buffered_bytes(&self) -> usize {
        self.partial.as_ref().map_or(0, |partial| partial.buffered_bytes())
    }

    fn advance<'b>(
        &mut self,
        context: &mut Context,
        input: &mut &'b mut [u8],
    ) -> Result<Option<Ready<'b>>, Violation> {
        if let Some(partial) = &mut self.partial {
            partial.delivered = Vec::new();
            if self.closed || partial.is_idle() {
                self.partial = None;
            }
        }
        if self.closed {
            *input = &mut [];
            return Ok(None);
        }
        loop {
            let frame = match self.partial.as_mut().and_then(|partial| partial.frame.take()) {
                Some(frame) => frame,
                None => {
                    let Some(header) = self.read_header(context, input)? else { return Ok(None) };
                    if is_event(&header) && header.payload_bytes <= input.len() {
                        return self.ready_in_input(&header, context, input).map(Some);
                    }
                    Frame { header, received_bytes: 0 }
                }
            };
            let partial = self.partial.get_or_insert_default();
            match partial.receive(frame, context, input)? {
                Some(opcode) => return Ok(Some(Ready::Kept(opcode))),
                None if input.is_empty() => return Ok(None),
                None => {}
            }
        }
    }

    /// The common case: all of an event is there.
    fn ready_in_input<'b>(
        &mut self,
        header: &Header,
        context: &mut Context,
        input: &mut &'b mut [u8],
    ) -> Result<Ready<'b>, Violation> {
        let payload = take(input, header.payload_bytes);
        unmask(header, payload, 0);
        if !header.compressed {
            return Ok(Ready::InInput(header.opcode, payload));
        }
        let partial = self.partial.get_or_insert_default();
        context.inflater.inflate(payload, context.message_bytes_max, &mut partial.delivered)?;
        Ok(Ready::Kept(header.opcode))
    }

    /// Takes a header from the front of `input`; keeps its beginning when that is all there is.
    fn read_header(&mut self, context: &Context, input: &mut &mut [u8]) -> Result<Option<Header>, Violation> {
        let message = self.partial.as_ref().and_then(|partial| partial.message.as_ref());
        let so_far_bytes = message.map_or(0, |message| message.data.len());
        let rules = Rules {
            role: context.role,
            compression: self.compression,
            in_message: message.is_some(),
            payload_bytes_max: context.message_bytes_max.saturating_sub(so_far_bytes),
        };
        let kept_bytes = self.partial.as_ref().map_or(0, |partial| usize::from(partial.header_bytes));
        if kept_bytes == 0 {
            if let Some((header, header_bytes)) = Header::read(input, rules)? {
                take(input, header_bytes);
                return Ok(Some(header));
            }
            if input.is_empty() {
                return Ok(None);
            }
        }
        let partial = self.partial.get_or_insert_default();
        let copied_bytes = input.len().min(HEADER_BYTES_MAX - kept_bytes);
        partial.header[kept_bytes..][..copied_bytes].copy_from_slice(&input[..copied_bytes]);
        let bytes = kept_bytes + copied_bytes;
        match Header::read(&partial.header[..bytes], rules)? {
            Some((header, header_bytes)) => {
                partial.header_bytes = 0;
                take(input, header_bytes - kept_bytes);
                Ok(Some(header))
            }
            None => {
                partial.header_bytes = bytes as u8;
                take(input, copied_bytes);
                Ok(None)
            }
        }
    }
}

/// Whether this frame alone is an event.
fn is_event(header: &Header) -> bool {
    header.opcode.is_control() || (header.fin && header.opcode != Opcode::Continuation)
}

/// Splits `count` bytes off the front.
fn take<'b>(input: &mut &'b mut [u8], count: usize) -> &'b mut [u8] {
    let (front, rest) = mem::take(input).split_at_mut(count);
    *input = rest;
    front
}

fn unmask(header: &Header, payload: &mut [u8], offset: usize) {
    if let Some(mask) = header.mask {
        apply_mask(payload, mask, offset);
    }
}
