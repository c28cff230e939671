//! A serde deserializer over borrowed values, which reads a type exactly as serde_json would read it from the same
//! value in JSON: enums by name, numeric map keys from their text.

use std::iter::Enumerate;
use std::slice;

use rmpv::{MSGPACK_EXT_STRUCT_NAME, Value};
use serde::de::value::MapAccessDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;

use super::misfit::Misfit;

/// What is told of a value that cannot be that of an enum.
pub(super) const NO_VARIANT: &str = "expected the name of a variant, or a map from one to its value";

/// A value to be read.
pub(super) struct Borrowed<'a>(pub(super) &'a Value);

impl<'de> Deserializer<'de> for Borrowed<'de> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Nil => visitor.visit_unit(),
            Value::Boolean(truth) => visitor.visit_bool(*truth),
            Value::Integer(number) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => visitor.visit_u64(number),
                (None, number) => visitor.visit_i64(number.unwrap_or(i64::MIN)),
            },
            Value::F32(number) => visitor.visit_f32(*number),
            Value::F64(number) => visitor.visit_f64(*number),
            Value::String(text) => match text.as_str() {
                Some(text) => visitor.visit_borrowed_str(text),
                None => visitor.visit_string(String::from_utf8_lossy(text.as_bytes()).into_owned()),
            },
            Value::Binary(bytes) => visitor.visit_borrowed_bytes(bytes),
            Value::Array(items) => {
                let mut rest = Items(items.iter().enumerate());
                let value = visitor.visit_seq(&mut rest)?;
                all_read(items.len(), rest.0.len())?;
                Ok(value)
            }
            Value::Map(entries) => {
                let mut rest = Entries::of(entries);
                let value = visitor.visit_map(&mut rest)?;
                all_read(entries.len(), rest.rest.len())?;
                Ok(value)
            }
            Value::Ext(..) => self.extension(visitor),
        }
    }

    /// Bytes are no text, though serde's own `String` would take them.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Binary(bytes) => Err(Misfit::invalid_type(Unexpected::Bytes(bytes), &visitor)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_str(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Array(_) => Err(Misfit::invalid_type(Unexpected::Seq, &visitor)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        if self.0.is_nil() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        if name == MSGPACK_EXT_STRUCT_NAME {
            self.extension(visitor)
        } else {
            visitor.visit_newtype_struct(self)
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::String(name) => visitor.visit_enum(name.as_str().unwrap_or_default().into_deserializer()),
            Value::Map(entries) if entries.len() == 1 => {
                visitor.visit_enum(MapAccessDeserializer::new(Entries::of(entries)))
            }
            _ => Err(Misfit::custom(NO_VARIANT)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf
        unit unit_struct seq tuple tuple_struct struct identifier
    }
}

impl<'de> Borrowed<'de> {
    /// An extension in the form that rmpv and rmp-serde know: a newtype struct around its type and its bytes.
    fn extension<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.0.as_ref().deserialize_any(visitor).map_err(Misfit::custom)
    }
}

/// A list that is being read.
struct Items<'a>(Enumerate<slice::Iter<'a, Value>>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Misfit> {
        let Some((index, item)) = self.0.next() else { return Ok(None) };
        seed.deserialize(Borrowed(item)).map(Some).map_err(|misfit| misfit.at(index))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

/// A map that is being read.
struct Entries<'a> {
    rest: slice::Iter<'a, (Value, Value)>,
    /// The one whose key was read last.
    current: Option<&'a (Value, Value)>,
}

impl<'a> Entries<'a> {
    fn of(entries: &'a [(Value, Value)]) -> Self {
        Self { rest: entries.iter(), current: None }
    }
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        self.current = self.rest.next();
        self.current.map(|(key, _)| seed.deserialize(Key(key))).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let Some((key, value)) = self.current.take() else {
            return Err(Misfit::custom("a value was asked for before its key"));
        };
        seed.deserialize(Borrowed(value)).map_err(|misfit| match key.as_str() {
            Some(key) => misfit.within(key),
            None => misfit.within(key),
        })
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// Whoever takes some of a list, or of a map, takes all of it.
fn all_read(length: usize, left: usize) -> Result<(), Misfit> {
    if left == 0 {
        return Ok(());
    }
    Err(Misfit::custom(format_args!("invalid length {length}, expected {} elements", length - left)))
}

/// A key of a map: a number is read from its text too, because JavaScript has no other keys than strings.
struct Key<'a>(&'a Value);

impl Key<'_> {
    /// The number (or truth) whose JSON the key's text is.
    fn literal<T: DeserializeOwned>(&self) -> Option<T> {
        let text = self.0.as_str().filter(|text| text.trim_ascii() == *text)?;
        serde_json::from_str(text).ok()
    }
}

/// Methods that ask for a number.
macro_rules! numbers {
    ($($method:ident: $visit:ident($type:ty))*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
            match self.literal::<$type>() {
                Some(number) => visitor.$visit(number),
                None => Borrowed(self.0).deserialize_any(visitor),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Key<'de> {
    type Error = Misfit;

    numbers! {
        deserialize_bool: visit_bool(bool)
        deserialize_i8: visit_i8(i8) deserialize_i16: visit_i16(i16) deserialize_i32: visit_i32(i32)
        deserialize_i64: visit_i64(i64) deserialize_i128: visit_i128(i128)
        deserialize_u8: visit_u8(u8) deserialize_u16: visit_u16(u16) deserialize_u32: visit_u32(u32)
        deserialize_u64: visit_u64(u64) deserialize_u128: visit_u128(u128)
        deserialize_f32: visit_f32(f32) deserialize_f64: visit_f64(f64)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        Borrowed(self.0).deserialize_any(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        Borrowed(self.0).deserialize_str(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        Borrowed(self.0).deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        Borrowed(self.0).deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        char bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
