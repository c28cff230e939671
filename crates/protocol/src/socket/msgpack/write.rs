//! Writes msgpack in its shortest form, as `notepack.io` does.

use rmp::encode;

use super::transcode::{self, Header};
use crate::socket::args::Args;

/// Why writing cannot fail.
const MEMORY: &str = "writing to memory cannot fail";

pub(super) fn map(length: u32, into: &mut Vec<u8>) {
    encode::write_map_len(into, length).expect(MEMORY);
}

pub(super) fn text(text: &str, into: &mut Vec<u8>) {
    encode::write_str(into, text).expect(MEMORY);
}

pub(super) fn unsigned(number: u64, into: &mut Vec<u8>) {
    encode::write_uint(into, number).expect(MEMORY);
}

pub(super) fn signed(number: i64, into: &mut Vec<u8>) {
    encode::write_sint(into, number).expect(MEMORY);
}

pub(super) fn float(number: f64, into: &mut Vec<u8>) {
    encode::write_f64(into, number).expect(MEMORY);
}

pub(super) fn kind(kind: u8, into: &mut Vec<u8>) {
    text("type", into);
    unsigned(u64::from(kind), into);
}

pub(super) fn nsp(nsp: &str, into: &mut Vec<u8>) {
    text("nsp", into);
    text(nsp, into);
}

pub(super) fn id(id: u64, into: &mut Vec<u8>) {
    text("id", into);
    unsigned(id, into);
}

/// The array of a packet: an event's name, if it is one, and the arguments.
pub(super) fn array(name: Option<&str>, args: &Args, into: &mut Vec<u8>) {
    let header = Header::array(into);
    let mut length = 0;
    if let Some(name) = name {
        text(name, into);
        length += 1;
    }
    match args {
        Args::Json(json) => length += transcode::elements(json, into),
        Args::Values(values) => {
            for value in values {
                rmpv::encode::write_value(into, value).expect(MEMORY);
                length += 1;
            }
        }
    }
    header.close(length, into);
}
