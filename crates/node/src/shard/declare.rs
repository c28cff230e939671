//! Which rooms a shard has members of, told to the rest of the node for the other nodes to know; and, where clients may
//! recover, which rooms each socket is in, for the backbone to know.

use std::rc::Rc;
use std::time::Duration;

use throng_backbone::Channel;

use super::Shard;
use super::hub::Change;
use crate::cluster::{Cluster, Heard};
use crate::envelope::Room;
use crate::tenants::Space;

/// The longest that a session waits for a room that it has joined to be heard, and for that to be recorded. A store that takes
/// longer is as good as away, and then nothing waits for it.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

impl Shard {
    /// Tells which rooms have got their first member here, or lost their last. What the first member's session is told
    /// waits until other nodes send to the room: a client that has read that it is in a room misses nothing of it.
    pub(super) fn declare(self: &Rc<Self>) {
        let Some(cluster) = &self.node.cluster else { return };
        loop {
            let changes = self.state.borrow_mut().hub.changes.replace(Vec::new()).unwrap_or_default();
            if changes.is_empty() {
                break;
            }
            for change in changes {
                match change {
                    Change::Lost { space, room } => {
                        cluster.interest.lost(self.index, &channel(cluster, &space, room));
                    }
                    Change::Gained { space, room, session } => {
                        let gained =
                            cluster.interest.gained(self.index, channel(cluster, &space, room), &space);
                        if let Some(heard) = gained.heard.filter(|_| cluster.is_connected()) {
                            self.hold_until(session, heard);
                        }
                    }
                    Change::Entered { slot, room } => self.follow(cluster, slot, room),
                    Change::Left { slot, room } => self.unfollow(slot, &room),
                }
            }
        }
        self.record_dirty();
    }

    fn hold_until(self: &Rc<Self>, slot: u32, mut heard: Heard) {
        let Some(stamp) = self.hold(slot) else { return };
        let shard = self.clone();
        tokio::task::spawn_local(async move {
            let _ = tokio::time::timeout(PATIENCE, heard.wait_for(|heard| *heard)).await;
            shard.let_go((slot, stamp), 1);
        });
    }

    /// Keeps what a session is told until it is let go; gives its stamp.
    pub(super) fn hold(&self, slot: u32) -> Option<u32> {
        let mut state = self.state.borrow_mut();
        let session = state.sessions.get_mut(slot as usize)?;
        session.held += 1;
        Some(session.stamp)
    }

    /// Takes back so many holds.
    pub(super) fn let_go(&self, (slot, stamp): (u32, u32), count: u32) {
        let mut state = self.state.borrow_mut();
        let super::State { sessions, dirty, .. } = &mut *state;
        let session = sessions.get_mut(slot as usize).filter(|session| session.stamp == stamp);
        if let Some(session) = session {
            session.held = session.held.saturating_sub(count);
            session.touch(slot, dirty);
        }
        drop(state);
        self.schedule_flush();
    }
}

pub(super) fn channel(cluster: &Cluster, space: &Space, room: Option<Room>) -> Channel {
    match room {
        Some(room) => Channel::room(space.tenant.name.shared(), space.nsp.clone(), room),
        None => cluster.everyone(space),
    }
}
