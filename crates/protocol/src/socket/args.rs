//! The arguments of an event or an acknowledgement: what comes from the wire, from serde values, and goes back.

mod decode;
mod encode;
mod misfit;
mod position;
mod value;

use rmpv::Value;
use serde::{Serialize, de::DeserializeOwned};

use super::packet::{PacketError, is_reserved};

/// Arguments in their cheapest faithful form.
#[derive(Debug, Clone, PartialEq)]
pub enum Args {
    /// The inside of a JSON array without its brackets, checked to be valid: `"a",{"b":1}`; empty for no arguments.
    Json(Box<str>),
    /// Decoded values: whatever holds binary, or came in msgpack.
    Values(Vec<Value>),
}

/// [`Args`] that still lie in the receive buffer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ArgsRef<'a> {
    /// As [`Args::Json`].
    Json(&'a str),
    /// As [`Args::Values`].
    Values(&'a [Value]),
}

/// A payload that serde could not encode, or an event with a name that clients keep for their own.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct EncodeError(pub(crate) String);

/// Arguments that are not what the handler asked for. The text is one that the client's developer may read, such as
/// `argument 2 is missing` or ``argument 1, `tags[0]`: invalid type: integer `7`, expected a string``.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct DecodeError(pub(crate) String);

/// What can be sent: any serde value is one argument, a tuple (or fixed array) is several, `()` and unit structs are
/// none, and [`Args`] pass through as they came. Bytes (`serialize_bytes`, such as `bytes::Bytes`) travel as binary;
/// a `Vec<u8>` is a list of numbers to serde.
pub trait IntoArgs {
    /// Encodes; JSON unless there is binary in it.
    fn into_args(self) -> Result<Args, EncodeError>;
}

impl<T: Serialize> IntoArgs for T {
    fn into_args(self) -> Result<Args, EncodeError> {
        encode::encode(&self)
    }
}

impl IntoArgs for Args {
    fn into_args(self) -> Result<Args, EncodeError> {
        Ok(self)
    }
}

/// The arguments of an event for a client; none may be called what [`PacketError::ReservedName`] lists.
///
/// # Errors
/// When it is, or when the payload cannot be encoded. The server's fault.
pub fn event_args(name: &str, payload: impl IntoArgs) -> Result<Args, EncodeError> {
    if is_reserved(name) {
        return Err(EncodeError(PacketError::ReservedName.to_string()));
    }
    payload.into_args()
}

/// What a handler can take: any serde value is the first argument, a tuple (or fixed array) takes them by position,
/// `()` and unit structs ignore them, and [`Args`] is all of them. More arguments than asked for are ignored, as in
/// JavaScript; an `Option` may be missing, and what is missing is null to whatever takes any value (`serde_json::Value`).
/// A struct takes an object, and no list.
pub trait FromArgs: Sized {
    /// Decodes.
    fn from_args(args: ArgsRef<'_>) -> Result<Self, DecodeError>;
}

impl<T: DeserializeOwned> FromArgs for T {
    fn from_args(args: ArgsRef<'_>) -> Result<Self, DecodeError> {
        T::deserialize(decode::Arguments(args)).map_err(|error| match decode::to_locate(args) {
            Some(values) => {
                T::deserialize(decode::Arguments(ArgsRef::Values(&values))).err().unwrap_or(error)
            }
            None => error,
        })
    }
}

impl FromArgs for Args {
    fn from_args(args: ArgsRef<'_>) -> Result<Self, DecodeError> {
        Ok(args.to_owned())
    }
}

impl Args {
    /// No arguments.
    pub fn none() -> Self {
        Self::Json("".into())
    }

    /// A borrowed view.
    pub fn as_ref(&self) -> ArgsRef<'_> {
        match self {
            Self::Json(text) => ArgsRef::Json(text),
            Self::Values(values) => ArgsRef::Values(values),
        }
    }

    /// Decodes into what the caller asks for.
    pub fn decode<T: FromArgs>(&self) -> Result<T, DecodeError> {
        T::from_args(self.as_ref())
    }
}

impl ArgsRef<'_> {
    /// An owned copy.
    pub fn to_owned(self) -> Args {
        match self {
            Self::Json(text) => Args::Json(text.into()),
            Self::Values(values) => Args::Values(values.to_vec()),
        }
    }
}

#[cfg(test)]
mod tests;
