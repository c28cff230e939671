//! Which rooms a shard has members of, told to the rest of the node for the other nodes to know.

use std::rc::Rc;
use std::time::Duration;

use throng_backbone::Channel;

use super::Shard;
use super::hub::Change;
use crate::cluster::Heard;

/// The longest that a session waits for a room that it has joined to be heard. A store that takes longer is as good as
/// away, and then nothing waits for it.
const PATIENCE: Duration = Duration::from_secs(1);

impl Shard {
    /// Tells which rooms have got their first member here, or lost their last. What the first member's session is told
    /// waits until other nodes send to the room: a client that has read that it is in a room misses nothing of it.
    pub(super) fn declare(self: &Rc<Self>) {
        let Some(cluster) = &self.node.cluster else { return };
        loop {
            let changes = self.state.borrow_mut().hub.changes.replace(Vec::new()).unwrap_or_default();
            if changes.is_empty() {
                return;
            }
            for Change { space, room, first } in changes {
                let (tenant, nsp) = (space.tenant.name.shared(), space.nsp.clone());
                let channel = match room {
                    Some(room) => Channel::room(tenant, nsp, room),
                    None => Channel::namespace(tenant, nsp),
                };
                match first {
                    None => cluster.interest.lost(self.index, &channel),
                    Some(session) => {
                        let heard = cluster.interest.gained(self.index, channel, &space);
                        if let Some(heard) = heard.filter(|_| cluster.is_connected()) {
                            self.hold(session, heard);
                        }
                    }
                }
            }
        }
    }

    fn hold(self: &Rc<Self>, slot: u32, mut heard: Heard) {
        let stamp = {
            let mut state = self.state.borrow_mut();
            let Some(session) = state.sessions.get_mut(slot as usize) else { return };
            session.held += 1;
            session.stamp
        };
        let shard = self.clone();
        tokio::task::spawn_local(async move {
            let _ = tokio::time::timeout(PATIENCE, heard.wait_for(|heard| *heard)).await;
            let mut state = shard.state.borrow_mut();
            let super::State { sessions, dirty, .. } = &mut *state;
            let session = sessions.get_mut(slot as usize).filter(|session| session.stamp == stamp);
            if let Some(session) = session {
                session.held -= 1;
                session.touch(slot, dirty);
            }
            drop(state);
            shard.schedule_flush();
        });
    }
}
