//! What a decoder keeps of a connection while a header, a frame or a message is incomplete. Buffers grow with what
//! arrives, never with what is announced.

use std::mem;

use super::{Context, take, unmask};
use crate::websocket::close::Violation;
use crate::websocket::frame::{HEADER_BYTES_MAX, Header, Opcode};

/// What an event waits for, or was made of.
#[derive(Debug, Default)]
pub(super) struct Partial {
    /// The beginning of a header.
    pub(super) header: [u8; HEADER_BYTES_MAX],
    pub(super) header_bytes: u8,
    /// The frame whose payload is arriving.
    pub(super) frame: Option<Frame>,
    /// The message whose frames are arriving.
    pub(super) message: Option<Message>,
    /// The payload of an arriving control frame, which may stand inside a message.
    control: Vec<u8>,
    /// What the last event borrows; dropped by the next call.
    pub(super) delivered: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Frame {
    pub(super) header: Header,
    pub(super) received_bytes: usize,
}

#[derive(Debug)]
pub(super) struct Message {
    opcode: Opcode,
    compressed: bool,
    pub(super) data: Vec<u8>,
    /// How much of `data` is known to be UTF-8.
    checked_bytes: usize,
}

impl Partial {
    /// Whether nothing is incomplete.
    pub(super) fn is_idle(&self) -> bool {
        self.header_bytes == 0 && self.frame.is_none() && self.message.is_none()
    }

    pub(super) fn buffered_bytes(&self) -> usize {
        let message_bytes = self.message.as_ref().map_or(0, |message| message.data.capacity());
        size_of::<Self>() + message_bytes + self.control.capacity() + self.delivered.capacity()
    }

    /// Moves payload of `frame` from `input` to where it belongs, and keeps the frame when it is still incomplete. The
    /// opcode of what it completes, if anything, which is then `delivered`.
    pub(super) fn receive(
        &mut self,
        mut frame: Frame,
        context: &mut Context,
        input: &mut &mut [u8],
    ) -> Result<Option<Opcode>, Violation> {
        let header = frame.header;
        let missing_bytes = header.payload_bytes - frame.received_bytes;
        let received = take(input, missing_bytes.min(input.len()));
        unmask(&header, received, frame.received_bytes);
        frame.received_bytes += received.len();
        let whole = received.len() == missing_bytes;
        if !whole {
            self.frame = Some(frame);
        }
        if header.opcode.is_control() {
            self.control.extend_from_slice(received);
            if whole {
                self.delivered = mem::take(&mut self.control);
            }
            return Ok(whole.then_some(header.opcode));
        }
        let message = self.message.get_or_insert_with(|| Message::new(&header));
        message.extend(received, missing_bytes);
        if !(whole && header.fin) {
            message.check_utf8()?;
            return Ok(None);
        }
        let opcode = message.opcode;
        let data = mem::take(&mut message.data);
        if message.compressed {
            context.inflater.inflate(&data, context.message_bytes_max, &mut self.delivered)?;
        } else {
            self.delivered = data;
        }
        self.message = None;
        Ok(Some(opcode))
    }
}

impl Message {
    /// The message that a frame begins.
    fn new(first: &Header) -> Self {
        Self { opcode: first.opcode, compressed: first.compressed, data: Vec::new(), checked_bytes: 0 }
    }

    /// Appends; the buffer at most doubles what has arrived.
    fn extend(&mut self, received: &[u8], missing_bytes: usize) {
        if self.data.capacity() - self.data.len() < received.len() {
            self.data.reserve_exact(received.len().max(self.data.len()).min(missing_bytes));
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
