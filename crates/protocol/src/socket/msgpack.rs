//! The msgpack encoding: one document `{type, data, nsp, id?}` in one binary message, binary data in their place.
//! Source: `socket.io-msgpack-parser` 3 and the `notepack.io` 2 that it encodes with.

mod read;
mod transcode;
mod write;

use std::borrow::Cow;

use rmpv::Value;
use serde::Deserialize as _;
use serde_json::Value as Json;

use super::args::{Args, ArgsRef};
use super::packet::{Body, Limits, Packet, PacketError, checked_name, checked_nsp};
use read::Reader;

/// Reads a binary message: the packet and the arguments that belong in it.
pub(super) fn decode<'a>(
    message: &'a [u8],
    limits: &Limits,
) -> Result<(Packet<'a>, Vec<Value>), PacketError> {
    let fields = Fields::read(message)?;
    let kind = fields.kind.and_then(Reader::whole).ok_or(PacketError::Malformed("unknown type"))?;
    let nsp = match fields.nsp {
        Some(mut nsp) => nsp.text().map_err(|_| PacketError::Malformed("no namespace"))?,
        None => return Err(PacketError::Malformed("no namespace")),
    };
    let nsp = match nsp {
        Cow::Borrowed(nsp) => Cow::Borrowed(checked_nsp(nsp, limits)?),
        Cow::Owned(nsp) => Cow::Owned(checked_nsp(&nsp, limits)?.to_owned()),
    };
    let ack = match fields.id {
        Some(id) => Some(id.whole().ok_or(PacketError::Malformed("no acknowledgement number"))?),
        None => None,
    };
    let (body, args) = match (kind, fields.data) {
        (0, None) => (Body::Connect(None), Vec::new()),
        (0, Some(data)) => (Body::Connect(Some(object(data, limits)?)), Vec::new()),
        (1, None) => (Body::Disconnect, Vec::new()),
        (2, Some(mut data)) => {
            let count = data.array()?.checked_sub(1).ok_or(PacketError::Payload)?;
            let name = checked_name(data.name()?, limits)?;
            (Body::Event { ack, name, args: ArgsRef::Values(&[]) }, data.values(count, limits.depth_max)?)
        }
        (3, Some(mut data)) => {
            let ack = ack.ok_or(PacketError::Malformed("acknowledgement without a number"))?;
            let count = data.array()?;
            (Body::Ack { ack, args: ArgsRef::Values(&[]) }, data.values(count, limits.depth_max)?)
        }
        (4, Some(data)) if data.is_text() => {
            let mut data = data;
            (Body::ConnectError(Json::String(data.text()?.into_owned())), Vec::new())
        }
        (4, Some(data)) => (Body::ConnectError(object(data, limits)?), Vec::new()),
        (1..=4, _) => return Err(PacketError::Payload),
        _ => return Err(PacketError::Malformed("unknown type")),
    };
    Ok((Packet { nsp, body }, args))
}

/// The fields of the document, each a reader that stands on its value; `None` where it is missing or undefined.
#[derive(Default)]
struct Fields<'a> {
    kind: Option<Reader<'a>>,
    data: Option<Reader<'a>>,
    nsp: Option<Reader<'a>>,
    id: Option<Reader<'a>>,
}

impl<'a> Fields<'a> {
    /// Finds the fields in any order, the last one where a key is repeated; what has another name is passed over.
    fn read(message: &'a [u8]) -> Result<Self, PacketError> {
        let mut reader = Reader::new(message);
        let mut fields = Self::default();
        for _ in 0..reader.map()? {
            let mut key = reader;
            reader.skip()?;
            let value = reader;
            reader.skip()?;
            let value = (!value.is_undefined()).then_some(value);
            match key.text() {
                Ok(key) if key == "type" => fields.kind = value,
                Ok(key) if key == "data" => fields.data = value,
                Ok(key) if key == "nsp" => fields.nsp = value,
                Ok(key) if key == "id" => fields.id = value,
                _ => {}
            }
        }
        if reader.is_empty() { Ok(fields) } else { Err(PacketError::Malformed("trailing bytes")) }
    }
}

fn object(mut data: Reader<'_>, limits: &Limits) -> Result<Json, PacketError> {
    let value = data.value(limits.depth_max)?;
    let json = Json::deserialize(value.as_ref()).map_err(|_| PacketError::Payload)?;
    if json.is_object() { Ok(json) } else { Err(PacketError::Payload) }
}

/// `{type: 0, data, nsp}`.
pub(super) fn write_connect(nsp: &str, payload: Option<&Json>, into: &mut Vec<u8>) {
    write::map(2 + u32::from(payload.is_some()), into);
    write::kind(0, into);
    if let Some(payload) = payload {
        write::text("data", into);
        transcode::value(payload, into);
    }
    write::nsp(nsp, into);
}

/// `{type: 1, nsp}`.
pub(super) fn write_disconnect(nsp: &str, into: &mut Vec<u8>) {
    write::map(2, into);
    write::kind(1, into);
    write::nsp(nsp, into);
}

/// `{type: 4, data: {message, data}, nsp}`.
pub(super) fn write_connect_error(nsp: &str, message: &str, data: Option<&Json>, into: &mut Vec<u8>) {
    write::map(3, into);
    write::kind(4, into);
    write::text("data", into);
    write::map(1 + u32::from(data.is_some()), into);
    write::text("message", into);
    write::text(message, into);
    if let Some(data) = data {
        write::text("data", into);
        transcode::value(data, into);
    }
    write::nsp(nsp, into);
}

/// `{type: 2, data: [name, ...args], nsp, id}`.
pub(super) fn write_event(nsp: &str, ack: Option<u64>, name: &str, args: &Args, into: &mut Vec<u8>) {
    write::map(3 + u32::from(ack.is_some()), into);
    write::kind(2, into);
    write::text("data", into);
    write::array(Some(name), args, into);
    write::nsp(nsp, into);
    if let Some(ack) = ack {
        write::id(ack, into);
    }
}

/// `{type: 3, data: [...args], nsp, id}`.
pub(super) fn write_ack(nsp: &str, ack: u64, args: &Args, into: &mut Vec<u8>) {
    write::map(4, into);
    write::kind(3, into);
    write::text("data", into);
    write::array(None, args, into);
    write::nsp(nsp, into);
    write::id(ack, into);
}

#[cfg(test)]
mod tests;
