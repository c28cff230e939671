//! What the bytes of an identifier mean on a node: `node(3) shard(1) slot(3) random(8)`.
//!
//! An identifier names where its session or socket lives, so that finding it takes no table, on this node or, by its
//! first three bytes, on another; 64 random bits make it unguessable.

use std::cell::RefCell;

use throng_protocol::id::Id;

/// Slots that fit an identifier.
pub(crate) const SLOTS_MAX: usize = 1 << 24;

/// Random bytes fetched in one system call.
const STOCK_BYTES: usize = 1024;

/// The part of an identifier that names a node.
pub(crate) type NodeTag = [u8; 3];

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
        bytes[..3].copy_from_slice(&self.node);
        bytes[3] = self.shard;
        bytes[4..7].copy_from_slice(&self.slot.to_be_bytes()[1..]);
        bytes[7..].copy_from_slice(&random::<8>());
        Id::from_bytes(bytes)
    }

    /// Reads the place of an identifier. That something lives there, and is the same, is for the owner to check.
    pub(crate) fn of(id: Id) -> Self {
        let bytes = id.as_bytes();
        Self {
            node: [bytes[0], bytes[1], bytes[2]],
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
        let place = Place { node: [1, 2, 3], shard: 200, slot: 0x00ab_cdef };
        let (one, two) = (place.draw(), place.draw());
        assert_eq!((Place::of(one), Place::of(two)), (place, place));
        assert_ne!(one, two);
    }
}
