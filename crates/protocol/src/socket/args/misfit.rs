//! What is wrong with a value that a handler cannot take, and where in it, in words for whoever sent it.

use std::fmt::{Display, Write};

use serde::de::{Error, Expected, Unexpected};

use super::DecodeError;
use super::value::NO_VARIANT;

/// What stands between what was found and the name of what was expected.
const EXPECTED: &str = ", expected ";

/// A value that is not what was asked for.
#[derive(Debug)]
pub(super) struct Misfit {
    /// Where in the argument it is, as in `at.tags[1]`; empty for the argument itself.
    place: String,
    text: String,
}

impl Misfit {
    /// What serde_json found. It does not say where in the value.
    pub(super) fn of_json(error: &serde_json::Error) -> Self {
        let text = error.to_string();
        // The place in the text means nothing to someone who sent values.
        let place = format!(" at line {} column {}", error.line(), error.column());
        Self::custom(match text.strip_suffix(&place).unwrap_or(&text) {
            // The text has been found to be JSON: there is no other way to miss a value in it.
            "expected value" => NO_VARIANT,
            text => text,
        })
    }

    /// As it is within a list.
    pub(super) fn at(self, index: usize) -> Self {
        self.within(format_args!("[{index}]"))
    }

    /// As it is within a map.
    pub(super) fn within(mut self, key: impl Display) -> Self {
        let inner = std::mem::take(&mut self.place);
        let dot = if inner.is_empty() || inner.starts_with('[') { "" } else { "." };
        let _ = write!(self.place, "{key}{dot}{inner}");
        self
    }

    /// As it is told of an argument, without the name that Rust has for the type that was expected.
    pub(super) fn of_argument(self, position: usize) -> DecodeError {
        let Self { place, text } = self;
        let place = if place.is_empty() { place } else { format!(", `{place}`") };
        let plain = text.rsplit_once(EXPECTED).and_then(|(found, name)| Some((found, in_words(name)?)));
        DecodeError(match plain {
            Some((found, wanted)) => format!("argument {position}{place}: {found}{EXPECTED}{wanted}"),
            None => format!("argument {position}{place}: {text}"),
        })
    }
}

impl Error for Misfit {
    fn custom<T: Display>(message: T) -> Self {
        Self { place: String::new(), text: message.to_string() }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        match found {
            Unexpected::Unit => Self::custom(format_args!("invalid type: null{EXPECTED}{expected}")),
            found => Self::custom(format_args!("invalid type: {found}{EXPECTED}{expected}")),
        }
    }
}

impl Display for Misfit {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str(&self.text)
    }
}

impl std::error::Error for Misfit {}

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
