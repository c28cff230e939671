//! Arguments to serde values: the type that a handler asks for decides which arguments it takes.

use rmpv::Value;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::value::{Borrowed, NO_VARIANT};
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

fn json_error(position: usize, error: &serde_json::Error) -> DecodeError {
    let text = error.to_string();
    // The place in the text means nothing to someone who sent values.
    let place = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&place).unwrap_or(&text) {
        // The text has been found to be JSON: there is no other way to miss a value in it.
        "expected value" => misfit(position, NO_VARIANT),
        text => misfit(position, text),
    }
}

fn value_error(position: usize, error: &DecodeError) -> DecodeError {
    misfit(position, &error.0)
}

/// Says what is wrong with an argument, without the name that Rust has for the type that was expected.
fn misfit(position: usize, text: &str) -> DecodeError {
    let plain = text.rsplit_once(EXPECTED).and_then(|(found, name)| Some((found, in_words(name)?)));
    match plain {
        Some((found, wanted)) => DecodeError(format!("argument {position}: {found}{EXPECTED}{wanted}")),
        None => DecodeError(format!("argument {position}: {text}")),
    }
}

/// What stands between what was found and the name of what was expected.
const EXPECTED: &str = ", expected ";

/// What Rust's name for a type means to whoever sent a value. `None` for what is in words already.
fn in_words(name: &str) -> Option<&'static str> {
    Some(match name {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "u128" | "usize" => "a whole number from 0 on",
        "i8" => "a whole number from -128 to 127",
        "i16" => "a whole number from -32768 to 32767",
        "i32" => "a whole number from -2147483648 to 2147483647",
        "i64" | "i128" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        _ => {
            let of_name = |char: char| char.is_alphanumeric() || matches!(char, '_' | ' ');
            let is_struct = name.starts_with("struct ") && name.chars().all(of_name);
            return is_struct.then_some("an object");
        }
    })
}

/// Decodes again what could not be, and keeps track of the way this time, which only a misfit is worth: the error says where
/// within the argument it is.
pub(super) fn locate<T: DeserializeOwned>(args: ArgsRef<'_>) -> Option<DecodeError> {
    let error = serde_path_to_error::deserialize::<_, T>(Arguments(args)).err()?;
    let path = error.path().to_string();
    let DecodeError(text) = error.into_inner();
    let located = text.split_once(": ").and_then(|(argument, rest)| {
        let position: usize = argument.strip_prefix("argument ")?.parse().ok()?;
        // The way of one among several begins with its place among them, and one to a key that is no text ends in the unknown.
        let place = format!("[{}]", position - 1);
        let within = path.strip_prefix(&place).unwrap_or(&path).trim_end_matches('?').trim_matches('.');
        (!within.is_empty()).then(|| format!("{argument}, `{within}`: {rest}"))
    });
    Some(DecodeError(located.unwrap_or(text)))
}

/// Methods that ask for one value: the first argument.
macro_rules! first {
    ($($method:ident($($name:ident: $type:ty),*))*) => {$(
        fn $method<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value, DecodeError> {
            match First::of(self.0) {
                First::Json(text) => serde_json::Deserializer::from_str(text)
                    .$method($($name,)* visitor)
                    .map_err(|error| json_error(1, &error)),
                First::Value(value) => {
                    Borrowed(value).$method($($name,)* visitor).map_err(|error| value_error(1, &error))
                }
                First::Missing => Err(missing(1)),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Arguments<'de> {
    type Error = DecodeError;

    first! {
        deserialize_any() deserialize_bool() deserialize_char() deserialize_str() deserialize_string()
        deserialize_bytes() deserialize_byte_buf() deserialize_seq() deserialize_map() deserialize_identifier()
        deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64() deserialize_i128()
        deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_u128()
        deserialize_f32() deserialize_f64()
        deserialize_newtype_struct(name: &'static str)
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
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
                .map_err(|error| json_error(1, &error)),
            First::Value(value) => {
                Borrowed(value).deserialize_option(visitor).map_err(|error| value_error(1, &error))
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
                .map_err(|error| json_error(position, &error)),
            First::Value(value) => {
                seed.deserialize(Borrowed(value)).map_err(|error| value_error(position, &error))
            }
            First::Missing => seed.deserialize(Missing(position)),
        }
        .map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.wanted - self.taken)
    }
}

/// An argument that was not sent: fine for an `Option` and for `()`, an error for everything else.
struct Missing(usize);

impl<'de> Deserializer<'de> for Missing {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, DecodeError> {
        Err(missing(self.0))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_none()
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
