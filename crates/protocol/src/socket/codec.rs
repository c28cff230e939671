//! Socket.IO packets to and from Engine.IO messages, in the encoding that the server was configured for.

use bytes::Bytes;
use serde_json::Value;

use super::args::Args;
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

/// One encoded packet. `first` was appended to the caller's buffer: text with [`Parser::Default`], binary with
/// [`Parser::MsgPack`]; these binary messages must follow it at once. Usually empty, without an allocation.
pub type Attachments = Vec<Bytes>;

/// What one session's incoming half keeps between messages: a binary packet that waits for its attachments.
/// 8 bytes while there is none.
#[derive(Debug, Default)]
pub struct Assembler {
    // Option<Box<Pending>>, and the decoded packet that a returned Packet borrows from
}

impl Assembler {
    /// Feeds a text message of the session (Engine.IO type digit removed).
    pub fn text<'a>(&'a mut self, codec: &Codec, text: &'a str) -> Result<Option<Packet<'a>>, PacketError> {
        todo!()
    }

    /// Feeds a binary message of the session.
    pub fn binary<'a>(&'a mut self, codec: &Codec, message: &'a [u8]) -> Result<Option<Packet<'a>>, PacketError> {
        todo!()
    }
}

impl Codec {
    /// Whether the first message of a packet is text.
    pub const fn is_text(&self) -> bool {
        matches!(self.parser, Parser::Default)
    }

    /// `0/nsp,{"sid":"..."}`, from a server.
    pub fn connected(&self, nsp: &str, sid: Id, into: &mut Vec<u8>) {
        todo!()
    }

    /// `0/nsp,{auth}`, from a client.
    pub fn connect(&self, nsp: &str, auth: Option<&Value>, into: &mut Vec<u8>) {
        todo!()
    }

    /// `4/nsp,{"message":"...","data":...}`.
    pub fn connect_error(&self, nsp: &str, message: &str, data: Option<&Value>, into: &mut Vec<u8>) {
        todo!()
    }

    /// `1/nsp,`.
    pub fn disconnect(&self, nsp: &str, into: &mut Vec<u8>) {
        todo!()
    }

    /// `2/nsp,ack["name",args]`, or its binary form.
    pub fn event(&self, nsp: &str, ack: Option<u64>, name: &str, args: &Args, into: &mut Vec<u8>) -> Attachments {
        todo!()
    }

    /// `3/nsp,ack[args]`, or its binary form.
    pub fn ack(&self, nsp: &str, ack: u64, args: &Args, into: &mut Vec<u8>) -> Attachments {
        todo!()
    }
}
