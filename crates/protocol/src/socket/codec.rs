//! Socket.IO packets to and from Engine.IO messages, in the encoding that the server was configured for.

use bytes::Bytes;
use rmpv::Value as Binaries;
use serde_json::{Value, json};

use super::args::Args;
use super::json::{self as default, Decoded, Progress, Waiting};
use super::msgpack;
use super::packet::{Limits, Packet, PacketError};
use crate::id::Id;

/// The encoding, one for a whole server as in Node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Parser {
    /// JSON text with binary attachments behind it.
    #[default]
    Default,
    /// One msgpack document in one binary message, as `socket.io-msgpack-parser` 3 speaks it.
    MsgPack,
}

/// Encoding and limits together: what every decode and encode needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Codec {
    /// The encoding.
    pub parser: Parser,
    /// The limits on what comes in.
    pub limits: Limits,
}

/// What must follow the first message of an encoded packet at once: binary messages, in order. The first message itself
/// was appended to the caller's buffer: text with [`Parser::Default`], binary with [`Parser::MsgPack`]. Usually empty,
/// and then without an allocation.
pub type Attachments = Vec<Bytes>;

/// What one session's incoming half keeps between messages: a binary packet that waits for its attachments.
/// 8 bytes while there is none.
///
/// It also owns the values that a returned [`Packet`] borrows, until the next call or [`Assembler::release`].
#[derive(Debug, Default)]
pub struct Assembler {
    state: Option<Box<State>>,
}

#[derive(Debug)]
enum State {
    Waiting(Waiting),
    Delivered(Vec<Binaries>),
}

impl Assembler {
    /// Feeds a text message of the session (Engine.IO type digit removed). `None` when attachments are due first.
    pub fn text<'a>(&'a mut self, codec: &Codec, text: &'a str) -> Result<Option<Packet<'a>>, PacketError> {
        if codec.parser == Parser::MsgPack {
            return Err(PacketError::Malformed("text where msgpack is spoken"));
        }
        self.release();
        if self.state.is_some() {
            return Err(PacketError::Attachments);
        }
        match default::decode(text, &codec.limits)? {
            Decoded::Packet(packet) => Ok(Some(packet)),
            Decoded::Waiting(waiting) => {
                self.state = Some(Box::new(State::Waiting(waiting)));
                Ok(None)
            }
        }
    }

    /// Feeds a binary message of the session. `None` when more attachments are due.
    pub fn binary<'a>(
        &'a mut self,
        codec: &Codec,
        message: &'a [u8],
    ) -> Result<Option<Packet<'a>>, PacketError> {
        if codec.parser == Parser::MsgPack {
            let (packet, args) = msgpack::decode(message, &codec.limits)?;
            return Ok(Some(packet.with_values(self.deliver(args))));
        }
        match self.state.take().map(|state| *state) {
            Some(State::Waiting(waiting)) => match waiting.attach(message, &codec.limits)? {
                Progress::Due(waiting) => {
                    self.state = Some(Box::new(State::Waiting(waiting)));
                    Ok(None)
                }
                Progress::Complete(packet, args) => Ok(Some(packet.with_values(self.deliver(args)))),
            },
            _ => Err(PacketError::Attachments),
        }
    }

    /// Frees the values of the last packet once it was handled, so that an idle session owns no memory here. A packet
    /// that waits for attachments stays.
    pub fn release(&mut self) {
        if matches!(self.state.as_deref(), Some(State::Delivered(_))) {
            self.state = None;
        }
    }

    /// Keeps the values of a packet for it to borrow.
    fn deliver(&mut self, args: Vec<Binaries>) -> &[Binaries] {
        if args.is_empty() {
            self.state = None;
            return &[];
        }
        match &mut **self.state.insert(Box::new(State::Delivered(args))) {
            State::Delivered(args) => args,
            State::Waiting(_) => &[],
        }
    }
}

impl Codec {
    /// Whether the first message of a packet is text.
    pub const fn is_text(&self) -> bool {
        matches!(self.parser, Parser::Default)
    }

    /// `0/nsp,{"sid":"..."}`, from a server.
    pub fn connected(&self, nsp: &str, sid: Id, into: &mut Vec<u8>) {
        self.connect(nsp, Some(&json!({ "sid": sid })), into);
    }

    /// `0/nsp,{auth}`, from a client. Anything but an object as auth is refused by every decoder.
    pub fn connect(&self, nsp: &str, auth: Option<&Value>, into: &mut Vec<u8>) {
        match self.parser {
            Parser::Default => default::write_connect(nsp, auth, into),
            Parser::MsgPack => msgpack::write_connect(nsp, auth, into),
        }
    }

    /// `4/nsp,{"message":"...","data":...}`.
    pub fn connect_error(&self, nsp: &str, message: &str, data: Option<&Value>, into: &mut Vec<u8>) {
        match self.parser {
            Parser::Default => default::write_connect_error(nsp, message, data, into),
            Parser::MsgPack => msgpack::write_connect_error(nsp, message, data, into),
        }
    }

    /// `1/nsp,`.
    pub fn disconnect(&self, nsp: &str, into: &mut Vec<u8>) {
        match self.parser {
            Parser::Default => default::write_disconnect(nsp, into),
            Parser::MsgPack => msgpack::write_disconnect(nsp, into),
        }
    }

    /// `2/nsp,ack["name",args]`, or its binary form.
    pub fn event(
        &self,
        nsp: &str,
        ack: Option<u64>,
        name: &str,
        args: &Args,
        into: &mut Vec<u8>,
    ) -> Attachments {
        match self.parser {
            Parser::Default => default::write_event(nsp, ack, name, args, into),
            Parser::MsgPack => {
                msgpack::write_event(nsp, ack, name, args, into);
                Attachments::new()
            }
        }
    }

    /// `3/nsp,ack[args]`, or its binary form.
    pub fn ack(&self, nsp: &str, ack: u64, args: &Args, into: &mut Vec<u8>) -> Attachments {
        match self.parser {
            Parser::Default => default::write_ack(nsp, ack, args, into),
            Parser::MsgPack => {
                msgpack::write_ack(nsp, ack, args, into);
                Attachments::new()
            }
        }
    }
}

#[cfg(test)]
mod tests;
