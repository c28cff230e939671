//! Serde values to arguments: JSON in one pass, and values in a second one if there was binary among them.

use std::io::{self, Write};

use rmpv::Value;
use serde::ser::{Impossible, Serialize, Serializer};
use serde_json::ser::Formatter;

use super::{Args, EncodeError};

/// Encodes one, several or no arguments, as the outermost shape of the value says.
pub(super) fn encode<T: Serialize>(value: &T) -> Result<Args, EncodeError> {
    let shape = shape(value);
    if shape == Shape::None {
        return Ok(Args::none());
    }
    let mut notes = Notes { shape, open_arrays: 0, bytes: false, raw: false };
    let mut text = Vec::with_capacity(64);
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut text, &mut notes)).map_err(error)?;
    match notes {
        Notes { bytes: false, .. } => {
            let text = String::from_utf8(text).map_err(error)?;
            Ok(Args::Json(text.into_boxed_str()))
        }
        Notes { raw: true, .. } => Err(error("raw JSON cannot travel with binary")),
        Notes { .. } => values(value, shape),
    }
}

fn error(error: impl std::fmt::Display) -> EncodeError {
    EncodeError(format!("cannot encode the arguments: {error}"))
}

/// The second pass: the same value as msgpack, which has a place for binary. One thing differs from JSON: a unit struct
/// inside an argument is an empty list to rmp-serde, not null.
fn values<T: Serialize>(value: &T, shape: Shape) -> Result<Args, EncodeError> {
    let mut document = Vec::new();
    let mut serializer = rmp_serde::Serializer::new(&mut document).with_struct_map().with_human_readable();
    value.serialize(&mut serializer).map_err(error)?;
    let value = rmpv::decode::read_value(&mut document.as_slice()).map_err(error)?;
    Ok(Args::Values(match (shape, value) {
        (Shape::Several, Value::Array(values)) => values,
        (_, value) => vec![value],
    }))
}

/// How many arguments a value stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    None,
    One,
    Several,
}

/// Asks the value for its outermost shape; it is not walked any further.
fn shape<T: Serialize>(value: &T) -> Shape {
    match value.serialize(Probe { is_empty_type: size_of::<T>() == 0 }) {
        Ok(shape) | Err(Answer(shape)) => shape,
    }
}

/// A serializer that answers its first call with a [`Shape`].
struct Probe {
    /// Tells `()` from values that merely look like it to serde, such as `serde_json::Value::Null`: those are the one
    /// argument `null`.
    is_empty_type: bool,
}

/// The answer on the path that serde keeps for errors: compound types would go on with their elements otherwise.
#[derive(Debug)]
struct Answer(Shape);

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl std::error::Error for Answer {}

impl serde::ser::Error for Answer {
    /// A value that cannot be serialized at all is one argument; the real serializer will say why.
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Self(Shape::One)
    }
}

/// Scalars: one argument.
macro_rules! one {
    ($($method:ident($type:ty))*) => {$(
        fn $method(self, _: $type) -> Result<Shape, Answer> {
            Ok(Shape::One)
        }
    )*};
}

impl Serializer for Probe {
    type Ok = Shape;
    type Error = Answer;
    type SerializeSeq = Impossible<Shape, Answer>;
    type SerializeTuple = Impossible<Shape, Answer>;
    type SerializeTupleStruct = Impossible<Shape, Answer>;
    type SerializeTupleVariant = Impossible<Shape, Answer>;
    type SerializeMap = Impossible<Shape, Answer>;
    type SerializeStruct = Impossible<Shape, Answer>;
    type SerializeStructVariant = Impossible<Shape, Answer>;

    one! {
        serialize_bool(bool) serialize_char(char) serialize_str(&str) serialize_bytes(&[u8])
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64) serialize_i128(i128)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64) serialize_u128(u128)
        serialize_f32(f32) serialize_f64(f64)
    }

    fn collect_str<T: ?Sized + std::fmt::Display>(self, _: &T) -> Result<Shape, Answer> {
        Ok(Shape::One)
    }

    fn serialize_none(self) -> Result<Shape, Answer> {
        Ok(Shape::One)
    }

    fn serialize_some<T: ?Sized + Serialize>(self, _: &T) -> Result<Shape, Answer> {
        Ok(Shape::One)
    }

    fn serialize_unit(self) -> Result<Shape, Answer> {
        Ok(if self.is_empty_type { Shape::None } else { Shape::One })
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Shape, Answer> {
        Ok(Shape::None)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<Shape, Answer> {
        Ok(Shape::One)
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: &T,
    ) -> Result<Shape, Answer> {
        Ok(Shape::One)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Shape, Answer> {
        Ok(Shape::One)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Answer> {
        Err(Answer(Shape::One))
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Answer> {
        Err(Answer(Shape::Several))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Answer> {
        Err(Answer(Shape::Several))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Answer> {
        Err(Answer(Shape::One))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Answer> {
        Err(Answer(Shape::One))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Answer> {
        Err(Answer(Shape::One))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Answer> {
        Err(Answer(Shape::One))
    }
}

/// Compact JSON without the outermost brackets of several arguments, and what was noticed on the way.
struct Notes {
    shape: Shape,
    open_arrays: usize,
    /// There were bytes, which JSON has no place for: the text is not to be used.
    bytes: bool,
    /// There was text that is JSON already, which msgpack has no place for.
    raw: bool,
}

impl Formatter for &mut Notes {
    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open_arrays += 1;
        if self.shape == Shape::Several && self.open_arrays == 1 { Ok(()) } else { writer.write_all(b"[") }
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open_arrays -= 1;
        if self.shape == Shape::Several && self.open_arrays == 0 { Ok(()) } else { writer.write_all(b"]") }
    }

    fn write_byte_array<W: ?Sized + Write>(&mut self, writer: &mut W, _: &[u8]) -> io::Result<()> {
        self.bytes = true;
        writer.write_all(b"null")
    }

    fn write_raw_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        self.raw = true;
        writer.write_all(fragment.as_bytes())
    }
}
