//! Arguments to serde values: the type that a handler asks for decides which arguments it takes.

use rmpv::Value;
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};

use super::misfit::Misfit;
use super::value::Borrowed;
use super::{ArgsRef, DecodeError};
use crate::socket::json::scan;

/// A deserializer over all arguments. Tuples take them by position, units ignore them, everything else is the first.
pub(super) struct Arguments<'a>(pub(super) ArgsRef<'a>);

/// The first of some arguments.
enum First<'a> {
    /// Text that begins with the argument; what follows it is not read.
    Json(&'a str),
    Value(&'a Value),
    Missing,
}

impl<'a> First<'a> {
    fn of(args: ArgsRef<'a>) -> Self {
        match args {
            ArgsRef::Json(text) if text.trim_ascii().is_empty() => Self::Missing,
            ArgsRef::Json(text) => Self::Json(text),
            ArgsRef::Values([]) => Self::Missing,
            ArgsRef::Values([value, ..]) => Self::Value(value),
        }
    }
}

impl serde::de::Error for DecodeError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

fn missing(position: usize) -> DecodeError {
    DecodeError(format!("argument {position} is missing"))
}

/// Arguments whose misfits are located, in bytes: as values they take many times their size.
const LOCATED_BYTES_MAX: usize = 64 * 1024;

/// Arguments that do not fit, as values: what is wrong with those says where it is, and what is wrong with JSON does not.
pub(super) fn to_locate(args: ArgsRef<'_>) -> Option<Vec<Value>> {
    match args {
        ArgsRef::Json(text) if text.len() <= LOCATED_BYTES_MAX => {
            serde_json::from_str(&format!("[{text}]")).ok()
        }
        ArgsRef::Json(_) | ArgsRef::Values(_) => None,
    }
}

/// Methods that ask for one value: the first argument.
macro_rules! first {
    ($($method:ident($($name:ident: $type:ty),*))*) => {$(
        fn $method<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value, DecodeError> {
            match First::of(self.0) {
                First::Json(text) => serde_json::Deserializer::from_str(text)
                    .$method($($name,)* visitor)
                    .map_err(|error| Misfit::of_json(&error).of_argument(1)),
                First::Value(value) => {
                    Borrowed(value).$method($($name,)* visitor).map_err(|misfit| misfit.of_argument(1))
                }
                First::Missing => Err(missing(1)),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Arguments<'de> {
    type Error = DecodeError;

    first! {
        deserialize_bool() deserialize_char() deserialize_str() deserialize_string()
        deserialize_bytes() deserialize_byte_buf() deserialize_seq() deserialize_map() deserialize_identifier()
        deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64() deserialize_i128()
        deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_u128()
        deserialize_f32() deserialize_f64()
        deserialize_newtype_struct(name: &'static str)
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
    }

    /// Nothing is null to whoever takes any value, as `undefined` is to JSON.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match First::of(self.0) {
            First::Json(text) => serde_json::Deserializer::from_str(text)
                .deserialize_any(visitor)
                .map_err(|error| Misfit::of_json(&error).of_argument(1)),
            First::Value(value) => {
                Borrowed(value).deserialize_any(visitor).map_err(|misfit| misfit.of_argument(1))
            }
            First::Missing => visitor.visit_unit(),
        }
    }

    /// A list is no object, though serde has structs take their fields from one too.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match First::of(self.0) {
            First::Json(text) => serde_json::Deserializer::from_str(text)
                .deserialize_option(visitor)
                .map_err(|error| Misfit::of_json(&error).of_argument(1)),
            First::Value(value) => {
                Borrowed(value).deserialize_option(visitor).map_err(|misfit| misfit.of_argument(1))
            }
            First::Missing => visitor.visit_none(),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, wanted: usize, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_seq(Positions { rest: self.0, taken: 0, wanted })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        wanted: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_tuple(wanted, visitor)
    }
}

/// The arguments one after another, for a type that takes several.
struct Positions<'a> {
    /// The arguments from the last taken one on; what lies behind it is found when the next one is asked for.
    rest: ArgsRef<'a>,
    taken: usize,
    wanted: usize,
}

impl<'a> Positions<'a> {
    fn advance(&mut self) -> Result<(), DecodeError> {
        if self.taken > 0 {
            self.rest = match self.rest {
                ArgsRef::Json(text) => {
                    let (_, behind) =
                        scan::split_first(text).map_err(|error| DecodeError(error.to_string()))?;
                    ArgsRef::Json(behind)
                }
                ArgsRef::Values(values) => ArgsRef::Values(values.get(1..).unwrap_or_default()),
            };
        }
        self.taken += 1;
        Ok(())
    }
}

impl<'de> SeqAccess<'de> for Positions<'de> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        if self.taken == self.wanted {
            return Ok(None);
        }
        self.advance()?;
        let position = self.taken;
        match First::of(self.rest) {
            First::Json(text) => seed
                .deserialize(&mut serde_json::Deserializer::from_str(text))
                .map_err(|error| Misfit::of_json(&error).of_argument(position)),
            First::Value(value) => {
                seed.deserialize(Borrowed(value)).map_err(|misfit| misfit.of_argument(position))
            }
            First::Missing => seed.deserialize(Missing(position)),
        }
        .map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.wanted - self.taken)
    }
}

/// An argument that was not sent: fine for an `Option`, for `()` and for whatever takes any value, an error for everything else.
struct Missing(usize);

/// Methods that ask for what is not there.
macro_rules! refuse {
    ($($method:ident($($type:ty),*))*) => {$(
        fn $method<V: Visitor<'de>>(self, $(_: $type,)* _: V) -> Result<V::Value, DecodeError> {
            Err(missing(self.0))
        }
    )*};
}

impl<'de> Deserializer<'de> for Missing {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_none()
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    refuse! {
        deserialize_bool() deserialize_char() deserialize_str() deserialize_string()
        deserialize_bytes() deserialize_byte_buf() deserialize_seq() deserialize_map() deserialize_identifier()
        deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64() deserialize_i128()
        deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_u128()
        deserialize_f32() deserialize_f64() deserialize_ignored_any()
        deserialize_unit_struct(&'static str) deserialize_newtype_struct(&'static str)
        deserialize_tuple(usize) deserialize_tuple_struct(&'static str, usize)
        deserialize_struct(&'static str, &'static [&'static str])
        deserialize_enum(&'static str, &'static [&'static str])
    }
}
