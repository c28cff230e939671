//! Bytes in, messages and control frames out. The decoder keeps bytes only while a frame or a message is incomplete, so
//! that an idle connection owns no buffer, and it fails at the first byte that makes a message invalid (a compressed
//! message: at its end). It neither answers pings nor closes: that is up to the connection.

use std::mem;

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

/// What an event waits for, or was made of.
#[derive(Debug, Default)]
struct Partial {
    /// The beginning of a header.
    header: [u8; HEADER_BYTES_MAX],
    header_bytes: u8,
    /// The frame whose payload is arriving.
    frame: Option<Frame>,
    /// The message whose frames are arriving.
    message: Option<Message>,
    /// The payload of an arriving control frame, which may stand inside a message.
    control: Vec<u8>,
    /// What the last event borrowed; dropped by the next call.
    delivered: Vec<u8>,
}

#[derive(Debug)]
struct Frame {
    header: Header,
    received_bytes: usize,
}

#[derive(Debug)]
struct Message {
    opcode: Opcode,
    compressed: bool,
    data: Vec<u8>,
    /// How much of `data` is known to be UTF-8.
    checked_bytes: usize,
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
                self.closed = true;
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

    /// Bytes that the decoder holds on to, for accounting.
    pub fn buffered_bytes(&self) -> usize {
        self.partial.as_ref().map_or(0, |partial| {
            let message = partial.message.as_ref().map_or(0, |message| message.data.capacity());
            size_of::<Partial>() + message + partial.control.capacity() + partial.delivered.capacity()
        })
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
            let at_frame = self.partial.as_ref().is_none_or(|partial| partial.frame.is_none());
            if at_frame {
                let Some(header) = self.read_header(context, input)? else { return Ok(None) };
                if header.payload_bytes <= input.len() && is_event(&header) {
                    let payload = take(input, header.payload_bytes);
                    unmask(&header, payload, 0);
                    if !header.compressed {
                        return Ok(Some(Ready::InInput(header.opcode, payload)));
                    }
                    let delivered = &mut self.partial.get_or_insert_default().delivered;
                    context.inflater.inflate(payload, context.message_bytes_max, delivered)?;
                    return Ok(Some(Ready::Kept(header.opcode)));
                }
                self.partial.get_or_insert_default().begin(header);
            }
            let partial = self.partial.get_or_insert_default();
            if let Some(opcode) = partial.receive(input)? {
                partial.deliver(opcode, context)?;
                return Ok(Some(Ready::Kept(opcode)));
            }
            if input.is_empty() {
                return Ok(None);
            }
        }
    }

    /// Takes a header from the front of `input`; keeps its beginning when that is all there is.
    fn read_header(&mut self, context: &Context, input: &mut &mut [u8]) -> Result<Option<Header>, Violation> {
        let message = self.partial.as_ref().and_then(|partial| partial.message.as_ref());
        let rules = Rules {
            role: context.role,
            compression: self.compression,
            in_message: message.is_some(),
            payload_bytes_max: context
                .message_bytes_max
                .saturating_sub(message.map_or(0, |message| message.data.len())),
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

impl Partial {
    fn is_idle(&self) -> bool {
        self.header_bytes == 0 && self.frame.is_none() && self.message.is_none()
    }

    fn begin(&mut self, header: Header) {
        if matches!(header.opcode, Opcode::Text | Opcode::Binary) {
            let Header { opcode, compressed, .. } = header;
            self.message = Some(Message { opcode, compressed, data: Vec::new(), checked_bytes: 0 });
        }
        self.frame = Some(Frame { header, received_bytes: 0 });
    }

    /// Moves payload from `input` to where it belongs; the opcode of what it completes, if anything.
    fn receive(&mut self, input: &mut &mut [u8]) -> Result<Option<Opcode>, Violation> {
        let Some(frame) = &mut self.frame else { return Ok(None) };
        let header = frame.header;
        let missing_bytes = header.payload_bytes - frame.received_bytes;
        let received = take(input, missing_bytes.min(input.len()));
        unmask(&header, received, frame.received_bytes);
        frame.received_bytes += received.len();
        let whole = frame.received_bytes == header.payload_bytes;
        if whole {
            self.frame = None;
        }
        if header.opcode.is_control() {
            self.control.extend_from_slice(received);
            return Ok(whole.then_some(header.opcode));
        }
        let Some(message) = &mut self.message else { return Ok(None) };
        message.extend(received, missing_bytes);
        if whole && header.fin {
            return Ok(Some(message.opcode));
        }
        message.check_utf8()?;
        Ok(None)
    }

    /// Puts what `receive` completed where the event can borrow it.
    fn deliver(&mut self, opcode: Opcode, context: &mut Context) -> Result<(), Violation> {
        if opcode.is_control() {
            self.delivered = mem::take(&mut self.control);
        } else if let Some(message) = self.message.take() {
            if message.compressed {
                context.inflater.inflate(&message.data, context.message_bytes_max, &mut self.delivered)?;
            } else {
                self.delivered = message.data;
            }
        }
        Ok(())
    }
}

impl Message {
    /// Appends; the buffer at most doubles what has arrived, whatever was announced.
    fn extend(&mut self, received: &[u8], missing_bytes: usize) {
        if self.data.capacity() - self.data.len() < received.len() {
            let growth = received.len().max(self.data.len()).min(missing_bytes);
            self.data.reserve_exact(growth);
        }
        self.data.extend_from_slice(received);
    }

    /// Fails as soon as no continuation can make the text valid.
    fn check_utf8(&mut self) -> Result<(), Violation> {
        if self.opcode != Opcode::Text || self.compressed {
            return Ok(());
        }
        match std::str::from_utf8(&self.data[self.checked_bytes..]) {
            Ok(_) => self.checked_bytes = self.data.len(),
            Err(error) if error.error_len().is_none() => self.checked_bytes += error.valid_up_to(),
            Err(_) => return Err(Violation::InvalidUtf8),
        }
        Ok(())
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
