//! Reads msgpack as `notepack.io` means it, without trusting any length that it announces.
//!
//! The extension of type 0 has three meanings there, told apart by how it was framed: one byte is `undefined` (read as
//! nil), the fixed eight bytes are a date (kept as an extension), a counted one is an `ArrayBuffer` (read as binary).

use std::borrow::Cow;

use rmp::Marker;
use rmpv::Value;

use crate::socket::json::scan::DEPTH_CEILING;
use crate::socket::packet::{PacketError, numeric_name};

/// A cursor. Copies are bookmarks.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

/// What one marker announces, its length read.
enum Item<'a> {
    Nil,
    Boolean(bool),
    Unsigned(u64),
    Signed(i64),
    F32(f32),
    F64(f64),
    Text(&'a [u8]),
    Binary(&'a [u8]),
    Ext(i8, &'a [u8]),
    Array(u32),
    Map(u32),
}

impl<'a> Reader<'a> {
    pub(super) const fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Whether the next value is what JavaScript knows as `undefined`.
    pub(super) const fn is_undefined(&self) -> bool {
        matches!(self.rest, [0xd4, 0, ..])
    }

    pub(super) fn is_text(mut self) -> bool {
        matches!(self.item(), Ok(Item::Text(_)))
    }

    /// The length of the map that begins here.
    pub(super) fn map(&mut self) -> Result<u32, PacketError> {
        match self.item()? {
            Item::Map(length) => Ok(length),
            _ => Err(PacketError::Payload),
        }
    }

    /// The length of the array that begins here.
    pub(super) fn array(&mut self) -> Result<u32, PacketError> {
        match self.item()? {
            Item::Array(length) => Ok(length),
            _ => Err(PacketError::Payload),
        }
    }

    /// A string; what is not UTF-8 in it is replaced, as JavaScript does.
    pub(super) fn text(&mut self) -> Result<Cow<'a, str>, PacketError> {
        match self.item()? {
            Item::Text(bytes) => Ok(String::from_utf8_lossy(bytes)),
            _ => Err(PacketError::Payload),
        }
    }

    /// The name of an event: a string, or a number's text.
    pub(super) fn name(&mut self) -> Result<Cow<'a, str>, PacketError> {
        match self.item()? {
            Item::Text(bytes) => Ok(String::from_utf8_lossy(bytes)),
            Item::Unsigned(number) => Ok(Cow::Owned(number.to_string())),
            Item::Signed(number) => Ok(Cow::Owned(number.to_string())),
            Item::F32(number) => Ok(Cow::Owned(numeric_name(f64::from(number)))),
            Item::F64(number) => Ok(Cow::Owned(numeric_name(number))),
            _ => Err(PacketError::Payload),
        }
    }

    /// A number without sign or fraction, however it was framed.
    pub(super) fn whole(mut self) -> Option<u64> {
        match self.item().ok()? {
            Item::Unsigned(number) => Some(number),
            Item::Signed(number) => u64::try_from(number).ok(),
            _ => None,
        }
    }

    /// Passes over one value, however deep, without recursion.
    pub(super) fn skip(&mut self) -> Result<(), PacketError> {
        let mut due = 1_u64;
        while due > 0 {
            due -= 1;
            // Every value takes a byte at least, so this cannot outlast the message.
            due += match self.item()? {
                Item::Array(length) => u64::from(length),
                Item::Map(length) => 2 * u64::from(length),
                _ => 0,
            };
        }
        Ok(())
    }

    /// So many values, nested at most `depth_max` deep.
    pub(super) fn values(&mut self, count: u32, depth_max: usize) -> Result<Vec<Value>, PacketError> {
        // An announced length reserves no more than the bytes at hand can fill.
        let mut values = Vec::with_capacity((count as usize).min(self.rest.len()));
        for _ in 0..count {
            values.push(self.value(depth_max)?);
        }
        Ok(values)
    }

    /// One value, nested at most `depth_max` deep.
    pub(super) fn value(&mut self, depth_max: usize) -> Result<Value, PacketError> {
        let deeper = || depth_max.min(DEPTH_CEILING).checked_sub(1).ok_or(PacketError::TooDeep);
        Ok(match self.item()? {
            Item::Nil => Value::Nil,
            Item::Boolean(truth) => Value::Boolean(truth),
            Item::Unsigned(number) => Value::from(number),
            Item::Signed(number) => Value::from(number),
            Item::F32(number) => Value::F32(number),
            Item::F64(number) => Value::F64(number),
            Item::Text(bytes) => Value::from(&*String::from_utf8_lossy(bytes)),
            Item::Binary(bytes) => Value::from(bytes),
            Item::Ext(kind, bytes) => Value::Ext(kind, bytes.to_vec()),
            Item::Array(length) => Value::Array(self.values(length, deeper()?)?),
            Item::Map(length) => {
                let depth_max = deeper()?;
                let mut entries = Vec::with_capacity((length as usize).min(self.rest.len() / 2));
                for _ in 0..length {
                    let key = self.value(depth_max)?;
                    entries.push((key, self.value(depth_max)?));
                }
                Value::Map(entries)
            }
        })
    }

    fn item(&mut self) -> Result<Item<'a>, PacketError> {
        Ok(match Marker::from_u8(self.fixed::<1>()?[0]) {
            Marker::Null => Item::Nil,
            Marker::False => Item::Boolean(false),
            Marker::True => Item::Boolean(true),
            Marker::FixPos(number) => Item::Unsigned(u64::from(number)),
            Marker::FixNeg(number) => Item::Signed(i64::from(number)),
            Marker::U8 => Item::Unsigned(u64::from(u8::from_be_bytes(self.fixed()?))),
            Marker::U16 => Item::Unsigned(u64::from(u16::from_be_bytes(self.fixed()?))),
            Marker::U32 => Item::Unsigned(u64::from(u32::from_be_bytes(self.fixed()?))),
            Marker::U64 => Item::Unsigned(u64::from_be_bytes(self.fixed()?)),
            Marker::I8 => Item::Signed(i64::from(i8::from_be_bytes(self.fixed()?))),
            Marker::I16 => Item::Signed(i64::from(i16::from_be_bytes(self.fixed()?))),
            Marker::I32 => Item::Signed(i64::from(i32::from_be_bytes(self.fixed()?))),
            Marker::I64 => Item::Signed(i64::from_be_bytes(self.fixed()?)),
            Marker::F32 => Item::F32(f32::from_be_bytes(self.fixed()?)),
            Marker::F64 => Item::F64(f64::from_be_bytes(self.fixed()?)),
            Marker::FixStr(length) => Item::Text(self.take(u32::from(length))?),
            Marker::Str8 => Item::Text(self.counted::<1>()?),
            Marker::Str16 => Item::Text(self.counted::<2>()?),
            Marker::Str32 => Item::Text(self.counted::<4>()?),
            Marker::Bin8 => Item::Binary(self.counted::<1>()?),
            Marker::Bin16 => Item::Binary(self.counted::<2>()?),
            Marker::Bin32 => Item::Binary(self.counted::<4>()?),
            Marker::FixArray(length) => Item::Array(u32::from(length)),
            Marker::Array16 => Item::Array(self.length::<2>()?),
            Marker::Array32 => Item::Array(self.length::<4>()?),
            Marker::FixMap(length) => Item::Map(u32::from(length)),
            Marker::Map16 => Item::Map(self.length::<2>()?),
            Marker::Map32 => Item::Map(self.length::<4>()?),
            Marker::FixExt1 => self.fixed_ext(1)?,
            Marker::FixExt2 => self.fixed_ext(2)?,
            Marker::FixExt4 => self.fixed_ext(4)?,
            Marker::FixExt8 => self.fixed_ext(8)?,
            Marker::FixExt16 => self.fixed_ext(16)?,
            Marker::Ext8 => self.counted_ext::<1>()?,
            Marker::Ext16 => self.counted_ext::<2>()?,
            Marker::Ext32 => self.counted_ext::<4>()?,
            Marker::Reserved => return Err(PacketError::Payload),
        })
    }

    fn fixed_ext(&mut self, length: u32) -> Result<Item<'a>, PacketError> {
        let kind = i8::from_be_bytes(self.fixed()?);
        let bytes = self.take(length)?;
        Ok(if (kind, length) == (0, 1) { Item::Nil } else { Item::Ext(kind, bytes) })
    }

    fn counted_ext<const WIDTH: usize>(&mut self) -> Result<Item<'a>, PacketError> {
        let length = self.length::<WIDTH>()?;
        let kind = i8::from_be_bytes(self.fixed()?);
        let bytes = self.take(length)?;
        Ok(if kind == 0 { Item::Binary(bytes) } else { Item::Ext(kind, bytes) })
    }

    fn counted<const WIDTH: usize>(&mut self) -> Result<&'a [u8], PacketError> {
        let length = self.length::<WIDTH>()?;
        self.take(length)
    }

    fn length<const WIDTH: usize>(&mut self) -> Result<u32, PacketError> {
        Ok(self.fixed::<WIDTH>()?.iter().fold(0, |length, byte| length << 8 | u32::from(*byte)))
    }

    fn fixed<const WIDTH: usize>(&mut self) -> Result<[u8; WIDTH], PacketError> {
        let (bytes, rest) = self.rest.split_first_chunk::<WIDTH>().ok_or(PacketError::Payload)?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn take(&mut self, length: u32) -> Result<&'a [u8], PacketError> {
        let (bytes, rest) = self.rest.split_at_checked(length as usize).ok_or(PacketError::Payload)?;
        self.rest = rest;
        Ok(bytes)
    }
}
