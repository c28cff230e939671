//! What a turn has read of its connections and not looked at yet. Reading is the kernel's work, looking is ours: each of the
//! two finds its code and its tables in the processor's cache when it is done for many connections in a row.

use std::ops::Range;
use std::rc::Rc;

use super::{SCRATCH_BYTES, Shard};

/// What was read of several connections, one behind the other.
#[derive(Debug)]
pub(super) struct Intake {
    bytes: Box<[u8]>,
    filled: usize,
    pieces: Vec<Piece>,
}

/// What was read of one.
#[derive(Debug)]
struct Piece {
    slot: u32,
    stamp: u32,
    at: Range<usize>,
    /// The kernel may have more.
    has_more: bool,
}

impl Intake {
    /// Connections are read as long as there is this much room.
    const ROOM_MIN: usize = SCRATCH_BYTES / 2;

    pub(super) fn new() -> Self {
        Self { bytes: vec![0; SCRATCH_BYTES].into_boxed_slice(), filled: 0, pieces: Vec::new() }
    }

    fn is_full(&self) -> bool {
        self.bytes.len() - self.filled < Self::ROOM_MIN
    }

    fn room(&mut self) -> &mut [u8] {
        &mut self.bytes[self.filled..]
    }
}

impl Shard {
    /// Reads a connection once, to look at what it brought when others have been read.
    pub(super) fn gather(self: &Rc<Self>, slot: u32) {
        if self.intake.borrow().is_full() {
            self.digest();
        }
        let mut intake = self.intake.borrow_mut();
        let Some(read) = self.receive(slot, intake.room()) else { return };
        match read {
            Ok(received) if received.bytes > 0 => {
                let at = intake.filled..intake.filled + received.bytes;
                let has_more = at.end == intake.bytes.len() || received.hung_up;
                intake.filled = at.end;
                intake.pieces.push(Piece { slot, stamp: received.stamp, at, has_more });
            }
            nothing => {
                drop(intake);
                if self.brought_nothing(slot, nothing.map(drop)) {
                    self.read(slot);
                }
            }
        }
    }

    /// Looks at all that was gathered, in order.
    pub(super) fn digest(self: &Rc<Self>) {
        let mut unfinished = Vec::new();
        {
            let mut intake = self.intake.borrow_mut();
            let Intake { bytes, filled, pieces } = &mut *intake;
            for Piece { slot, stamp, at, has_more } in pieces.drain(..) {
                self.take_in(slot, stamp, &mut bytes[at]);
                if has_more {
                    unfinished.push((slot, stamp));
                }
            }
            *filled = 0;
        }
        for (slot, stamp) in unfinished {
            if self.is_alive(slot, stamp) {
                self.read(slot);
            }
        }
    }
}
