//! A decoded Socket.IO packet, the limits on it, and what can be wrong with it.

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
    /// Joining was refused: `{"message": ..., "data": ...}`, or a string from old servers. From servers only.
    ConnectError(serde_json::Value),
}

impl<'a> Packet<'a> {
    /// The packet with other arguments; one of a type without arguments stays as it is.
    pub(super) fn with_values(mut self, values: &'a [Value]) -> Self {
        if let Body::Event { args, .. } | Body::Ack { args, .. } = &mut self.body {
            *args = ArgsRef::Values(values);
        }
        self
    }

    /// The packet apart from its arguments, on its own.
    pub(super) fn without_args(self) -> Packet<'static> {
        let args = ArgsRef::Values(&[]);
        let body = match self.body {
            Body::Connect(auth) => Body::Connect(auth),
            Body::Disconnect => Body::Disconnect,
            Body::Event { ack, name, .. } => Body::Event { ack, name: Cow::Owned(name.into_owned()), args },
            Body::Ack { ack, .. } => Body::Ack { ack, args },
            Body::ConnectError(error) => Body::ConnectError(error),
        };
        Packet { nsp: Cow::Owned(self.nsp.into_owned()), body }
    }
}

/// Limits on what a peer may announce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Attachments of one packet. Default 64.
    pub attachments_max: usize,
    /// Bytes that the attachments of one packet may hold together, in the places they are put: one that is named
    /// twice counts twice. It bounds what a session can make the node keep while a packet is incomplete, which the
    /// limit on each message alone would not: without it 64 messages of a megabyte could lie idle. Default 4,000,000,
    /// four messages of the default payload limit.
    pub attachment_bytes_max: usize,
    /// Bytes of a namespace or an event name. Default 256.
    pub name_bytes_max: usize,
    /// Levels of arrays and objects inside one argument. Default 64; values over 127 mean 127.
    pub depth_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { attachments_max: 64, attachment_bytes_max: 4_000_000, name_bytes_max: 256, depth_max: 64 }
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
    /// More bytes in attachments than allowed.
    #[error("attachments too large")]
    AttachmentsTooLarge,
    /// A placeholder that names no attachment, an attachment without a packet, text while attachments are due.
    #[error("attachments do not fit their packet")]
    Attachments,
    /// Arguments nested deeper than the limit.
    #[error("payload nested too deeply")]
    TooDeep,
}

/// A value with binary in it, re-exported because handlers meet it in [`super::args::Args::Values`].
pub type ArgValue = Value;

/// Refuses the names that mean something else to Socket.IO's own event emitters, and those over the limit.
pub(super) fn checked_name<'a>(name: Cow<'a, str>, limits: &Limits) -> Result<Cow<'a, str>, PacketError> {
    match &*name {
        reserved if is_reserved(reserved) => Err(PacketError::ReservedName),
        long if long.len() > limits.name_bytes_max => Err(PacketError::NameTooLong),
        _ => Ok(name),
    }
}

/// Whether a name means something else to Socket.IO's own event emitters.
pub(super) fn is_reserved(name: &str) -> bool {
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"]
        .contains(&name)
}

/// Refuses a namespace over the limit.
pub(super) fn checked_nsp<'a>(nsp: &'a str, limits: &Limits) -> Result<&'a str, PacketError> {
    if nsp.len() > limits.name_bytes_max { Err(PacketError::NameTooLong) } else { Ok(nsp) }
}

/// The name of an event that was sent as a number: the text that JavaScript makes of it, in the range where that has no
/// exponent.
pub(super) fn numeric_name(number: f64) -> String {
    let positive_zero = number + 0.0;
    if number == 0.0 || (1e-6..1e21).contains(&number.abs()) {
        positive_zero.to_string()
    } else {
        format!("{number:e}")
    }
}
