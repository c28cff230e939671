//! What the bytes of an identifier mean on a node: `node(3) shard(1) slot(3) random(8)`.
//!
//! An identifier names where its session or socket lives, so that finding it takes no table, on this node or, by its
//! first three bytes, on another; 64 random bits make it unguessable.

use std::cell::RefCell;
use std::fmt;

use serde::{Deserialize, Serialize};
use throng_protocol::id::Id;

/// Slots that fit an identifier.
pub(crate) const SLOTS_MAX: usize = 1 << 24;

/// Random bytes fetched in one system call.
const STOCK_BYTES: usize = 1024;

/// The name of a node in the identifiers that it draws, and among the members: six hexadecimal digits, new whenever a
/// node begins.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct NodeTag(pub(crate) [u8; 3]);

impl NodeTag {
    /// Draws a name.
    pub fn draw() -> Self {
        Self(random())
    }

    /// Reads the six digits; anything else is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let [_, tag @ ..] = u32::from_str_radix(text, 16).ok().filter(|_| digits)?.to_be_bytes();
        Some(Self(tag))
    }
}

impl fmt::Display for NodeTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c] = self.0;
        write!(f, "{a:02x}{b:02x}{c:02x}")
    }
}

impl From<NodeTag> for String {
    fn from(tag: NodeTag) -> Self {
        tag.to_string()
    }
}

impl TryFrom<String> for NodeTag {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not the name of a node")
    }
}

impl fmt::Debug for NodeTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where an identifier points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) node: NodeTag,
    pub(crate) shard: u8,
    pub(crate) slot: u32,
}

impl Place {
    /// Draws an identifier for this place.
    pub(crate) fn draw(self) -> Id {
        let mut bytes = [0; 15];
        bytes[..3].copy_from_slice(&self.node.0);
        bytes[3] = self.shard;
        bytes[4..7].copy_from_slice(&self.slot.to_be_bytes()[1..]);
        bytes[7..].copy_from_slice(&random::<8>());
        Id::from_bytes(bytes)
    }

    /// Reads the place of an identifier. That something lives there, and is the same, is for the owner to check.
    pub(crate) fn of(id: Id) -> Self {
        let bytes = id.as_bytes();
        Self {
            node: NodeTag([bytes[0], bytes[1], bytes[2]]),
            shard: bytes[3],
            slot: u32::from_be_bytes([0, bytes[4], bytes[5], bytes[6]]),
        }
    }
}

/// Random bytes from the operating system, fetched for many identifiers at a time; none is handed out twice.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    thread_local! {
        static STOCK: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    STOCK.with_borrow_mut(|stock| {
        if stock.len() < N {
            stock.resize(STOCK_BYTES.max(N), 0);
            getrandom::fill(stock).expect("the operating system has randomness once it has booted");
        }
        let rest = stock.len() - N;
        let bytes = stock[rest..].try_into().expect("exactly N bytes");
        stock.truncate(rest);
        bytes
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_its_place_and_nothing_repeats() {
        let place = Place { node: NodeTag([1, 2, 3]), shard: 200, slot: 0x00ab_cdef };
        let (one, two) = (place.draw(), place.draw());
        assert_eq!((Place::of(one), Place::of(two)), (place, place));
        assert_ne!(one, two);
    }

    #[test]
    fn a_tag_is_six_digits() {
        let tag = NodeTag([0, 0xab, 3]);
        assert_eq!((tag.to_string().as_str(), NodeTag::parse("00ab03")), ("00ab03", Some(tag)));
        for wrong in ["", "0ab03", "000ab03", "+0ab03", "00abg3"] {
            assert_eq!(NodeTag::parse(wrong), None, "{wrong}");
        }
    }
}
