//! Coming and going.

use throng_lobby::service;
use throng_node::{Closing, End, Socket};

use super::{Hall, HallStage, user};
use crate::rooms::clock::millis;
use crate::rooms::ending::Cause;
use crate::rooms::events;
use crate::rooms::people::Errand;
use crate::rooms::room::Seat;

impl Hall {
    /// Someone connects: new, or back in time for their room or their place in a queue. The newest connection of a user
    /// is the one that counts.
    pub(crate) fn arrive(&self, socket: &Socket) {
        let user = user(socket);
        let now = service::now();
        let mut state = self.state();
        let presence = state.people.entry(user.clone()).or_default();
        let earlier = presence.socket.replace(socket.clone());
        let (room, waiting) = (presence.room.clone(), presence.waiting.clone());
        self.show_board_to(&mut state, socket, now);
        if let Some(waiting) = waiting {
            let estimated = self.lobby.estimated_wait(&waiting.queue);
            socket.emit("queue:waiting", events::Waiting::new(&waiting, estimated));
            state.errands.push(Errand::Settle(user.clone()));
        }
        if let Some(id) = room
            && let Some(room) = state.rooms.get_mut(&id)
            && let Some(seat) = room.seat(&user)
        {
            let effects = room.back(seat);
            self.carry_out(&mut state, &id, effects);
        }
        self.finish(state);
        if let Some(earlier) = earlier {
            earlier.disconnect(Closing::Socket);
        }
    }

    /// Someone's connection is gone. Their room and their place in a queue wait for them, for a while.
    pub(crate) fn depart(&self, socket: &Socket) {
        let user = user(socket);
        let mut state = self.state();
        let Some(presence) = state.people.get_mut(&user) else { return };
        if presence.socket.as_ref().is_none_or(|current| current.id() != socket.id()) {
            return;
        }
        presence.socket = None;
        let (waits, room) = (presence.waiting.is_some(), presence.room.clone());
        if waits {
            state.errands.push(Errand::Settle(user.clone()));
        }
        if let Some(id) = room
            && let Some(room) = state.rooms.get_mut(&id)
            && let Some(seat) = room.seat(&user)
        {
            let effects = room.away(seat, service::now());
            self.carry_out(&mut state, &id, effects);
        }
        state.forget_if_gone(&user);
        self.finish(state);
    }

    /// The server is about to close someone's connection for good: their room ends while both can still be told. Where the
    /// server ends the connection that counts, an operator wanted it: the hall itself only ends those that a newer one
    /// has replaced.
    pub(crate) fn dismiss(&self, socket: &Socket, end: End) {
        let cause: fn(Seat) -> Cause = match end {
            End::ServerShutdown => |_| Cause::Drain,
            End::Operator
            | End::ServerDisconnect
            | End::ForcedClose
            | End::TokenRevoked
            | End::TenantClosed => Cause::Operator,
            _ => return,
        };
        let user = user(socket);
        let mut state = self.state();
        if end == End::ServerShutdown && state.stage == HallStage::Open {
            state.stage = HallStage::Draining;
            self.lobby.pause();
        }
        let Some(presence) = state.people.get_mut(&user) else { return };
        if presence.socket.as_ref().is_none_or(|current| current.id() != socket.id()) {
            return;
        }
        let (waiting, room) = (presence.waiting.take(), presence.room.clone());
        if let Some(waiting) = waiting {
            state.errands.push(Errand::Settle(user.clone()));
            self.count_leaving(&mut state, &user, &waiting);
        }
        if let Some(room) = room {
            self.end_room(&mut state, &room, &user, cause);
        }
        self.finish(state);
    }
}

impl<'a> events::Waiting<'a> {
    /// A place in a queue, where people waited so long lately.
    pub(super) fn new(
        waiting: &'a crate::rooms::people::Waiting,
        recent: Option<std::time::Duration>,
    ) -> Self {
        Self {
            queue: waiting.queue.as_str(),
            since: millis(waiting.since),
            estimated_wait_ms: recent.map(crate::rooms::clock::whole_millis),
        }
    }
}
