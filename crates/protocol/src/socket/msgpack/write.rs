//! Writes msgpack in its shortest form.

use rmp::encode;
use rmpv::Value;
use serde_json::Value as Json;

use crate::socket::args::Args;

/// Why writing cannot fail.
const MEMORY: &str = "writing to memory cannot fail";

pub(super) fn map(length: u32, into: &mut Vec<u8>) {
    encode::write_map_len(into, length).expect(MEMORY);
}

pub(super) fn text(text: &str, into: &mut Vec<u8>) {
    encode::write_str(into, text).expect(MEMORY);
}

pub(super) fn kind(kind: u8, into: &mut Vec<u8>) {
    text("type", into);
    encode::write_pfix(into, kind).expect(MEMORY);
}

pub(super) fn nsp(nsp: &str, into: &mut Vec<u8>) {
    text("nsp", into);
    text(nsp, into);
}

pub(super) fn id(id: u64, into: &mut Vec<u8>) {
    text("id", into);
    encode::write_uint(into, id).expect(MEMORY);
}

pub(super) fn json(value: &Json, into: &mut Vec<u8>) {
    rmp_serde::encode::write_named(into, value).expect(MEMORY);
}

/// The array of a packet: an event's name, if it is one, and the arguments.
pub(super) fn array(name: Option<&str>, args: &Args, into: &mut Vec<u8>) {
    let parsed;
    let values = match args {
        Args::Values(values) => values,
        Args::Json(text) => {
            parsed = serde_json::from_str::<Vec<Value>>(&format!("[{text}]")).unwrap_or_default();
            &parsed
        }
    };
    let length = values.len() + usize::from(name.is_some());
    encode::write_array_len(into, u32::try_from(length).unwrap_or(u32::MAX)).expect(MEMORY);
    if let Some(name) = name {
        text(name, into);
    }
    for value in values {
        rmpv::encode::write_value(into, value).expect(MEMORY);
    }
}
