//! JSON to msgpack in one pass, without a tree between them.

use std::fmt;

use rmp::Marker;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::write;
use crate::socket::json::scan;

/// Appends the elements of a JSON array (its inside, without brackets) and returns how many there were.
///
/// Text that serde_json cannot read (a lone surrogate, a number that no `f64` holds) becomes nil; text that is not
/// JSON ends the elements.
pub(super) fn elements(json: &str, into: &mut Vec<u8>) -> u32 {
    let (mut rest, mut count) = (json, 0);
    while !rest.is_empty() {
        let Ok((first, behind)) = scan::split_first(rest) else { break };
        let start = into.len();
        if Transcode(into).deserialize(&mut serde_json::Deserializer::from_str(first)).is_err() {
            into.truncate(start);
            into.push(Marker::Null.to_u8());
        }
        count += 1;
        rest = behind;
    }
    count
}

/// Appends one value.
pub(super) fn value(json: &serde_json::Value, into: &mut Vec<u8>) {
    let start = into.len();
    if Transcode(into).deserialize(json).is_err() {
        into.truncate(start);
        into.push(Marker::Null.to_u8());
    }
}

/// The header of an array or a map whose length is known only after its elements were written. One byte is kept for it,
/// and the elements move up in the rare case that it takes more.
pub(super) struct Header {
    at: usize,
    /// The marker of fewer than 16 elements, which the length is added to.
    short: u8,
    /// The marker of a 16-bit length; that of a 32-bit length is the next one.
    long: u8,
}

impl Header {
    pub(super) fn array(into: &mut Vec<u8>) -> Self {
        into.push(0);
        Self { at: into.len() - 1, short: Marker::FixArray(0).to_u8(), long: Marker::Array16.to_u8() }
    }

    fn map(into: &mut Vec<u8>) -> Self {
        into.push(0);
        Self { at: into.len() - 1, short: Marker::FixMap(0).to_u8(), long: Marker::Map16.to_u8() }
    }

    pub(super) fn close(self, length: u32, into: &mut Vec<u8>) {
        let behind = self.at + 1;
        into[self.at] = match (u8::try_from(length), u16::try_from(length)) {
            (Ok(length @ 0..16), _) => self.short | length,
            (_, Ok(length)) => {
                into.splice(behind..behind, length.to_be_bytes());
                self.long
            }
            _ => {
                into.splice(behind..behind, length.to_be_bytes());
                self.long + 1
            }
        };
    }
}

/// Writes the value that it is fed.
struct Transcode<'a>(&'a mut Vec<u8>);

impl<'de> DeserializeSeed<'de> for Transcode<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Transcode<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.0.push(Marker::Null.to_u8());
        Ok(())
    }

    fn visit_bool<E>(self, truth: bool) -> Result<(), E> {
        self.0.push(if truth { Marker::True } else { Marker::False }.to_u8());
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        write::unsigned(number, self.0);
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        write::signed(number, self.0);
        Ok(())
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        write::float(number, self.0);
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        write::text(text, self.0);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let header = Header::array(self.0);
        let mut length = 0;
        while elements.next_element_seed(Transcode(self.0))?.is_some() {
            length += 1;
        }
        header.close(length, self.0);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let header = Header::map(self.0);
        let mut length = 0;
        while entries.next_key_seed(Transcode(self.0))?.is_some() {
            entries.next_value_seed(Transcode(self.0))?;
            length += 1;
        }
        header.close(length, self.0);
        Ok(())
    }
}
