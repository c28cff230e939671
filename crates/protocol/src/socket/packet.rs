//! A decoded Socket.IO packet.

use std::borrow::Cow;

use rmpv::Value;

use super::args::ArgsRef;

/// One packet as the layer above sees it: binary packets are already put together.
#[derive(Debug, PartialEq)]
pub struct Packet<'a> {
    /// The namespace, `/` by default.
    pub nsp: Cow<'a, str>,
    /// What it says.
    pub body: Body<'a>,
}

/// What a packet says.
#[derive(Debug, PartialEq)]
pub enum Body<'a> {
    /// Join (from a client: with its auth payload) or joined (from a server: `{"sid": ...}`). `None` without payload.
    Connect(Option<serde_json::Value>),
    /// Leave, or removed.
    Disconnect,
    /// An event; `ack` when the sender waits for an answer.
    Event {
        /// The acknowledgement number.
        ack: Option<u64>,
        /// The name.
        name: Cow<'a, str>,
        /// The arguments behind the name.
        args: ArgsRef<'a>,
    },
    /// The answer to an event.
    Ack {
        /// The acknowledgement number.
        ack: u64,
        /// The arguments.
        args: ArgsRef<'a>,
    },
    /// Joining was refused: `{"message": ..., "data": ...}`. From servers only.
    ConnectError(serde_json::Value),
}

/// Limits on what a peer may announce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Attachments of one packet. Default 64.
    pub attachments_max: usize,
    /// Characters in a namespace or event name. Default 256.
    pub name_bytes_max: usize,
    /// Levels of arrays and objects inside arguments. Default 64.
    pub depth_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { attachments_max: 64, name_bytes_max: 256, depth_max: 64 }
    }
}

/// A packet that cannot be decoded; each ends the session as a parse error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// An unknown type, a missing part, trailing bytes.
    #[error("malformed packet: {0}")]
    Malformed(&'static str),
    /// The data are not JSON (or msgpack) of the shape that the type asks for.
    #[error("malformed payload")]
    Payload,
    /// An event may not be called `connect`, `connect_error`, `disconnect`, `disconnecting`, `newListener` or
    /// `removeListener`.
    #[error("reserved event name")]
    ReservedName,
    /// A namespace or event name over the limit.
    #[error("name too long")]
    NameTooLong,
    /// More attachments announced than allowed.
    #[error("too many attachments")]
    TooManyAttachments,
    /// A placeholder that names no attachment, an attachment without a packet, text while attachments are due.
    #[error("attachments do not fit their packet")]
    Attachments,
    /// Arguments nested deeper than the limit.
    #[error("payload nested too deeply")]
    TooDeep,
}

/// A value with binary in it, re-exported because handlers meet it in [`super::args::Args::Values`].
pub type ArgValue = Value;
