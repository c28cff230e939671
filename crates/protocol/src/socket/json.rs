//! The default encoding: a text of type digit, attachment count, namespace, acknowledgement number and JSON, followed
//! by one binary message for each attachment. Source: `socket.io-parser` 4.2.
//!
//! A text event is checked once and then borrowed from; nothing is built. What waits for attachments is kept as the
//! text it came in, which is smaller than the values that it describes.

mod attach;
pub(super) mod scan;
mod write;

use std::borrow::Cow;

use rmpv::Value;
use serde_json::Value as Json;

use super::args::{Args, ArgsRef};
use super::codec::Attachments;
use super::packet::{Body, Limits, Packet, PacketError, checked_name, checked_nsp, numeric_name};

/// What a text message was.
pub(super) enum Decoded<'a> {
    Packet(Packet<'a>),
    /// The head of a packet whose attachments are due.
    Waiting(Waiting),
}

/// The head of a binary packet and the attachments that have come. Bounded by the limits and the text's length.
#[derive(Debug)]
pub(super) struct Waiting {
    packet: Packet<'static>,
    /// The JSON array with its placeholders, checked.
    payload: Box<str>,
    due: usize,
    bytes: usize,
    attachments: Vec<Vec<u8>>,
}

/// Where a binary packet stands after an attachment.
pub(super) enum Progress {
    Due(Waiting),
    /// All have come: the packet and the arguments that belong in it.
    Complete(Packet<'static>, Vec<Value>),
}

/// Reads a text message (without the Engine.IO type digit).
pub(super) fn decode<'a>(text: &'a str, limits: &Limits) -> Result<Decoded<'a>, PacketError> {
    let head = Head::read(text, limits)?;
    let body = match head.kind {
        b'0' => Body::Connect(connect(head.numberless()?, limits)?),
        b'1' if head.numberless()?.is_empty() => Body::Disconnect,
        b'1' => return Err(PacketError::Payload),
        b'2' | b'5' => {
            let (name, args) = event(head.payload, limits)?;
            Body::Event { ack: head.ack, name, args: ArgsRef::Json(args) }
        }
        b'3' | b'6' => {
            let ack = head.ack.ok_or(PacketError::Malformed("acknowledgement without a number"))?;
            Body::Ack { ack, args: ArgsRef::Json(scan::array(head.payload, limits.depth_max)?.all) }
        }
        _ => Body::ConnectError(connect_error(head.numberless()?, limits)?),
    };
    let packet = Packet { nsp: Cow::Borrowed(head.nsp), body };
    // A binary packet without attachments is whole. Older JavaScript clients announce one when `toJSON` made the bytes.
    if head.attachments == 0 {
        return Ok(Decoded::Packet(packet));
    }
    Ok(Decoded::Waiting(Waiting {
        packet: packet.without_args(),
        payload: head.payload.into(),
        due: head.attachments,
        bytes: 0,
        attachments: Vec::new(),
    }))
}

/// Everything before the payload.
struct Head<'a> {
    /// `b'0'` to `b'6'`.
    kind: u8,
    attachments: usize,
    nsp: &'a str,
    ack: Option<u64>,
    payload: &'a str,
}

impl<'a> Head<'a> {
    fn read(text: &'a str, limits: &Limits) -> Result<Self, PacketError> {
        let Some(kind @ b'0'..=b'6') = text.as_bytes().first().copied() else {
            return Err(PacketError::Malformed("unknown type"));
        };
        let mut rest = &text[1..];
        let mut attachments = 0;
        if matches!(kind, b'5' | b'6') {
            let (count, behind) = number(rest)?;
            let count = count.ok_or(PacketError::Malformed("no attachment count"))?;
            rest = behind.strip_prefix('-').ok_or(PacketError::Malformed("no attachment count"))?;
            attachments = usize::try_from(count).unwrap_or(usize::MAX);
            if attachments > limits.attachments_max {
                return Err(PacketError::TooManyAttachments);
            }
        }
        let mut nsp = "/";
        if rest.starts_with('/') {
            let end = memchr::memchr(b',', rest.as_bytes());
            nsp = checked_nsp(&rest[..end.unwrap_or(rest.len())], limits)?;
            rest = end.map_or("", |comma| &rest[comma + 1..]);
        }
        let (ack, payload) = number(rest)?;
        Ok(Self { kind, attachments, nsp, ack, payload })
    }

    /// The payload of a type that has no number.
    fn numberless(&self) -> Result<&'a str, PacketError> {
        match self.ack {
            None => Ok(self.payload),
            Some(_) => Err(PacketError::Malformed("number without an event")),
        }
    }
}

/// Leading decimal digits and what follows them.
fn number(text: &str) -> Result<(Option<u64>, &str), PacketError> {
    let (mut number, mut digits) = (0_u64, 0);
    for byte in text.bytes().take_while(u8::is_ascii_digit) {
        number = number
            .checked_mul(10)
            .and_then(|tens| tens.checked_add(u64::from(byte - b'0')))
            .ok_or(PacketError::Malformed("number too large"))?;
        digits += 1;
    }
    Ok(((digits > 0).then_some(number), &text[digits..]))
}

fn connect(payload: &str, limits: &Limits) -> Result<Option<Json>, PacketError> {
    if payload.is_empty() {
        return Ok(None);
    }
    let auth = document(payload, limits)?;
    if auth.is_object() { Ok(Some(auth)) } else { Err(PacketError::Payload) }
}

fn connect_error(payload: &str, limits: &Limits) -> Result<Json, PacketError> {
    let error = document(payload, limits)?;
    if error.is_object() || error.is_string() { Ok(error) } else { Err(PacketError::Payload) }
}

fn document(payload: &str, limits: &Limits) -> Result<Json, PacketError> {
    scan::value(payload, limits.depth_max)?;
    serde_json::from_str(payload).map_err(|_| PacketError::Payload)
}

/// The name and the arguments in the JSON array of an event.
fn event<'a>(payload: &'a str, limits: &Limits) -> Result<(Cow<'a, str>, &'a str), PacketError> {
    let elements = scan::array(payload, limits.depth_max)?;
    let first = elements.first.ok_or(PacketError::Payload)?;
    let name = match first.as_bytes() {
        [b'"', plain @ .., b'"'] if memchr::memchr(b'\\', plain).is_none() => {
            Cow::Borrowed(&first[1..first.len() - 1])
        }
        [b'"', ..] => Cow::Owned(serde_json::from_str(first).map_err(|_| PacketError::Payload)?),
        [b'-' | b'0'..=b'9', ..] => {
            Cow::Owned(numeric_name(first.parse().map_err(|_| PacketError::Payload)?))
        }
        _ => return Err(PacketError::Payload),
    };
    Ok((checked_name(name, limits)?, elements.rest))
}

impl Waiting {
    /// Takes the next attachment; puts the packet together when it was the last one.
    pub(super) fn attach(mut self, bytes: &[u8], limits: &Limits) -> Result<Progress, PacketError> {
        self.bytes = self.bytes.saturating_add(bytes.len());
        if self.bytes > limits.attachment_bytes_max {
            return Err(PacketError::AttachmentsTooLarge);
        }
        self.attachments.push(bytes.to_vec());
        if self.attachments.len() < self.due {
            return Ok(Progress::Due(self));
        }
        let mut args: Vec<Value> = serde_json::from_str(&self.payload).map_err(|_| PacketError::Payload)?;
        if matches!(self.packet.body, Body::Event { .. }) {
            args.remove(0);
        }
        attach::fill(&mut args, &self.attachments, limits)?;
        Ok(Progress::Complete(self.packet, args))
    }
}

/// `0/nsp,{...}`; nothing behind the namespace without a payload.
pub(super) fn write_connect(nsp: &str, payload: Option<&Json>, into: &mut Vec<u8>) {
    write_head(b'0', 0, nsp, None, into);
    if let Some(payload) = payload {
        write::json(payload, into);
    }
}

/// `1/nsp,`.
pub(super) fn write_disconnect(nsp: &str, into: &mut Vec<u8>) {
    write_head(b'1', 0, nsp, None, into);
}

/// `4/nsp,{"message":...,"data":...}`.
pub(super) fn write_connect_error(nsp: &str, message: &str, data: Option<&Json>, into: &mut Vec<u8>) {
    write_head(b'4', 0, nsp, None, into);
    into.extend_from_slice(b"{\"message\":");
    write::json(message, into);
    if let Some(data) = data {
        into.extend_from_slice(b",\"data\":");
        write::json(data, into);
    }
    into.push(b'}');
}

/// `2/nsp,ack["name",args]`, or `5N-/nsp,ack[...]` and its attachments.
pub(super) fn write_event(
    nsp: &str,
    ack: Option<u64>,
    name: &str,
    args: &Args,
    into: &mut Vec<u8>,
) -> Attachments {
    let mut attachments = start([b'2', b'5'], nsp, ack, args, into);
    into.push(b'[');
    write::json(name, into);
    match args {
        Args::Json(text) if text.is_empty() => {}
        Args::Values(values) if values.is_empty() => {}
        _ => into.push(b','),
    }
    write_args(args, into, &mut attachments);
    into.push(b']');
    attachments
}

/// `3/nsp,ack[args]`, or `6N-/nsp,ack[...]` and its attachments.
pub(super) fn write_ack(nsp: &str, ack: u64, args: &Args, into: &mut Vec<u8>) -> Attachments {
    let mut attachments = start([b'3', b'6'], nsp, Some(ack), args, into);
    into.push(b'[');
    write_args(args, into, &mut attachments);
    into.push(b']');
    attachments
}

/// Writes everything before the payload, with the first type for plain and the second for binary arguments.
fn start(types: [u8; 2], nsp: &str, ack: Option<u64>, args: &Args, into: &mut Vec<u8>) -> Attachments {
    let count = match args {
        Args::Json(_) => 0,
        Args::Values(values) => write::attachment_count(values),
    };
    write_head(types[usize::from(count > 0)], count, nsp, ack, into);
    Vec::with_capacity(count)
}

fn write_args(args: &Args, into: &mut Vec<u8>, attachments: &mut Attachments) {
    match args {
        Args::Json(text) => into.extend_from_slice(text.as_bytes()),
        Args::Values(values) => write::elements(values, into, attachments),
    }
}

fn write_head(kind: u8, attachments: usize, nsp: &str, ack: Option<u64>, into: &mut Vec<u8>) {
    into.push(kind);
    if attachments > 0 {
        write::display(format_args!("{attachments}-"), into);
    }
    if nsp != "/" {
        into.extend_from_slice(nsp.as_bytes());
        into.push(b',');
    }
    if let Some(ack) = ack {
        write::decimal(ack, into);
    }
}

#[cfg(test)]
mod tests;
