//! Rooms of which messages found no place on their way into the recorder. What is said in them from then on is lost too, until
//! the recorder has taken all that was on its way: so it knows where in each history the gap is.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use throng_backbone::Room;

/// These rooms.
#[derive(Debug, Default)]
pub(super) struct Overflow {
    rooms: Mutex<HashSet<Room>>,
    /// There are some. As long as there are none, nobody takes the lock.
    any: AtomicBool,
}

impl Overflow {
    /// A message of a room is lost.
    pub(super) fn add(&self, room: Room) {
        let mut rooms = self.rooms();
        rooms.insert(room);
        self.any.store(true, Ordering::Release);
    }

    /// Whether messages of a room are lost now.
    pub(super) fn has(&self, room: &Room) -> bool {
        self.any.load(Ordering::Acquire) && self.rooms().contains(room)
    }

    /// Takes the rooms, once nothing is on its way: all that was said in them before is then taken, and nothing that was said
    /// after.
    pub(super) fn take(&self, nothing_is_on_its_way: impl FnOnce() -> bool) -> HashSet<Room> {
        if !self.any.load(Ordering::Acquire) {
            return HashSet::new();
        }
        let mut rooms = self.rooms();
        if !nothing_is_on_its_way() {
            return HashSet::new();
        }
        self.any.store(false, Ordering::Release);
        std::mem::take(&mut rooms)
    }

    fn rooms(&self) -> MutexGuard<'_, HashSet<Room>> {
        self.rooms.lock().expect("no panic while the lock is held")
    }
}
