//! The 20-character identifiers of sessions and sockets. What the bytes mean is the business of whoever draws them.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Length of an identifier in bytes; 20 characters of URL-safe base64, the shape that Socket.IO clients know.
pub const ID_BYTES: usize = 15;
/// Length of an identifier as text.
pub const ID_CHARS: usize = 20;

/// The identifier of a session or a socket.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id([u8; ID_BYTES]);

impl Id {
    /// Wraps bytes that the caller drew.
    pub const fn from_bytes(bytes: [u8; ID_BYTES]) -> Self {
        Self(bytes)
    }

    /// The bytes behind the text.
    pub const fn as_bytes(&self) -> &[u8; ID_BYTES] {
        &self.0
    }

    /// Reads the 20-character form; anything else is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; ID_BYTES];
        if text.len() != ID_CHARS {
            return None;
        }
        let written = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        (written == ID_BYTES).then_some(Self(bytes))
    }

    /// The 20 characters, without an allocation.
    pub fn encode<'a>(&self, into: &'a mut [u8; ID_CHARS]) -> &'a str {
        let written =
            URL_SAFE_NO_PAD.encode_slice(self.0, into).expect("15 bytes encode to exactly 20 characters");
        std::str::from_utf8(&into[..written]).expect("base64 is ASCII")
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.encode(&mut [0; ID_CHARS]))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({self})")
    }
}

impl serde::Serialize for Id {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.encode(&mut [0; ID_CHARS]))
    }
}

impl<'de> serde::Deserialize<'de> for Id {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a 20-character identifier"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips() {
        let id = Id::from_bytes([7, 1, 255, 0, 3, 9, 200, 31, 64, 128, 5, 6, 77, 88, 99]);
        assert_eq!(id.to_string().len(), ID_CHARS);
        assert_eq!(Id::parse(&id.to_string()), Some(id));
    }

    #[test]
    fn anything_but_20_base64_characters_is_refused() {
        for text in [
            "",
            "short",
            "0123456789012345678",
            "012345678901234567890",
            "01234567890123456+/=",
            "é123456789012345678",
        ] {
            assert_eq!(Id::parse(text), None, "{text}");
        }
    }
}
