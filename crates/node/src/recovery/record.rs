//! What is recorded of a session, for any node to go on with it.

use serde::{Deserialize, Serialize};
use throng_backbone::Position;

use super::vector::Vector;
use crate::envelope::Room;

/// A session as it is in the backbone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The identifier of the socket.
    pub(crate) socket: [u8; 15],
    /// The namespace.
    pub(crate) nsp: String,
    /// Who it is, on a node that asks.
    pub(crate) user: Option<String>,
    /// The node that it lives on.
    pub(crate) node: [u8; 3],
    /// The attached data, as JSON.
    pub(crate) data: Option<String>,
    /// How often the list of histories has changed.
    pub(crate) generation: u64,
    /// Positions of earlier lists than this are not understood any more.
    pub(crate) oldest: u64,
    /// The epoch of the session's own history.
    pub(crate) told_epoch: u64,
    /// The histories that it is in or was lately, in the order of entering.
    pub(crate) histories: Vec<Followed>,
}

/// A history that a session follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Followed {
    /// The room; that of the namespace has a name that no room has.
    pub(crate) room: String,
    /// Where the session came in.
    pub(crate) epoch: u64,
    pub(crate) offset: u64,
    /// The first list with it.
    pub(crate) entered: u64,
    /// The first list without it.
    pub(crate) left: Option<u64>,
}

impl Followed {
    /// Whether it is in the list of a generation.
    fn is_in(&self, generation: u64) -> bool {
        self.entered <= generation && self.left.is_none_or(|left| left > generation)
    }
}

impl Record {
    /// Where a client is in each of the histories that it is in now, by what it says; `None` when that is not understood.
    /// A client that says nothing has received nothing.
    pub(crate) fn positions(&self, vector: &Vector) -> Option<Vec<(Room, Position)>> {
        if !(self.oldest..=self.generation).contains(&vector.generation) {
            return None;
        }
        let mut counts = vector.counts.iter();
        let mut positions = Vec::new();
        for followed in &self.histories {
            let known = followed.is_in(vector.generation).then(|| counts.next().copied()).flatten();
            if followed.left.is_none() {
                let offset = followed.offset.checked_add(known.unwrap_or(0))?;
                positions.push((followed.room.as_str().into(), Position { epoch: followed.epoch, offset }));
            }
        }
        Some(positions)
    }

    /// Writes it.
    pub(crate) fn encode(&self) -> bytes::Bytes {
        postcard::to_allocvec(self).expect("memory takes what is written to it").into()
    }

    /// Reads it; `None` when another version wrote it.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        postcard::from_bytes(bytes).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn followed(room: &str, entered: u64, left: Option<u64>) -> Followed {
        Followed { room: room.to_owned(), epoch: 9, offset: 100, entered, left }
    }

    #[test]
    fn positions_of_an_earlier_list_are_understood() {
        let histories = vec![followed("a", 1, None), followed("b", 2, Some(4)), followed("c", 3, None)];
        let (socket, node, nsp) = ([0; 15], [0; 3], "/".to_owned());
        let record = Record {
            socket,
            nsp,
            user: None,
            node,
            data: None,
            generation: 4,
            oldest: 2,
            told_epoch: 1,
            histories,
        };
        assert_eq!(Record::decode(&record.encode()), Some(record.clone()));
        let offsets = |generation, counts: &[u64]| {
            let vector = Vector { generation, told: 0, counts: counts.to_vec() };
            let positions = record.positions(&vector)?;
            Some(positions.into_iter().map(|(room, at)| (room.to_string(), at.offset)).collect::<Vec<_>>())
        };
        let expect = |a, c| Some(vec![("a".to_owned(), a), ("c".to_owned(), c)]);
        assert_eq!(offsets(4, &[1, 3]), expect(101, 103));
        assert_eq!(offsets(3, &[1, 2, 3]), expect(101, 103));
        assert_eq!(offsets(2, &[1, 2]), expect(101, 100));
        assert_eq!(offsets(4, &[]), expect(100, 100));
        assert_eq!([offsets(1, &[]), offsets(5, &[])], [None, None]);
    }
}
