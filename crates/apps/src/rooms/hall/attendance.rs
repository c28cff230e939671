//! Coming and going.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use serde::{Deserialize, Serialize};
use throng_lobby::{User, service};
use throng_node::{End, Id, NodeTag};

use super::{Hall, HallStage, State};
use crate::rooms::clock::millis;
use crate::rooms::ending::Cause;
use crate::rooms::events;
use crate::rooms::guest::{Guest, Name, Route};
use crate::rooms::people::{Errand, Presence};
use crate::rooms::roll::{Part, Rolled};
use crate::rooms::room::Seat;

/// Why the server ends somebody's connection for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Dismissal {
    /// The node is going away.
    Drain,
    /// An operator wanted it.
    Operator,
}

impl Dismissal {
    /// Where the server ends the connection that counts, an operator wanted it: the hall itself only ends those that a newer
    /// one has replaced.
    pub(crate) fn of(end: End) -> Option<Self> {
        match end {
            End::ServerShutdown => Some(Self::Drain),
            End::Operator
            | End::ServerDisconnect
            | End::ForcedClose
            | End::TokenRevoked
            | End::TenantClosed => Some(Self::Operator),
            _ => None,
        }
    }
}

impl Hall {
    /// Someone connects: new, or back in time for their room or their place in a queue. The newest connection of a user
    /// is the one that counts.
    pub(crate) fn arrive(&self, guest: Guest) {
        let (user, id, now) = (guest.user.clone(), guest.id, service::now());
        let mut state = self.state();
        let presence = state.people.entry(user.clone()).or_default();
        if presence.is_gone(now) {
            *presence = Presence::default();
        }
        let earlier = presence.guest.replace(guest.clone());
        let (room, waiting) = (presence.room.clone(), presence.waiting.clone());
        self.show_board_to(&mut state, &guest, now);
        if let Some(waiting) = waiting {
            let estimated = self.lobby.estimated_wait(&waiting.queue);
            guest.tell_waiting(&events::Waiting::new(&waiting, estimated));
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
        if let Some(earlier) = earlier.filter(|earlier| earlier.id != id) {
            earlier.disconnect();
        }
    }

    /// Someone connects to another node. Says whether that node has called its roll.
    pub(crate) fn arrive_there(&self, name: Name, node: NodeTag) -> bool {
        let Some(route) = self.state().routes.get(&node).cloned() else { return false };
        self.arrive(Guest::there(name, route));
        true
    }

    /// Someone's connection to a node is gone, this one unless another is named. Their room and their place in a queue wait for
    /// them, for a while.
    pub(crate) fn depart(&self, user: &User, id: Id, node: Option<NodeTag>) {
        let mut state = self.state();
        if state.is_at(user, id, node) {
            self.part_with(&mut state, user, id);
        }
        self.finish(state);
    }

    fn part_with(&self, state: &mut State, user: &User, id: Id) {
        let Some(presence) = state.people.get_mut(user) else { return };
        if presence.guest.as_ref().is_none_or(|current| current.id != id) {
            return;
        }
        presence.guest = None;
        if let Some(last) = &mut presence.last {
            last.until = service::now() + self.app.config.grace;
        }
        let (waits, room) = (presence.waiting.is_some(), presence.room.clone());
        if waits {
            state.errands.push(Errand::Settle(user.clone()));
        }
        if let Some(id) = room
            && let Some(room) = state.rooms.get_mut(&id)
            && let Some(seat) = room.seat(user)
        {
            let effects = room.away(seat, service::now());
            self.carry_out(state, &id, effects);
        }
        state.forget_if_gone(user);
    }

    /// The server is about to close someone's connection to a node for good, this one unless another is named: their room ends
    /// while both can still be told.
    pub(crate) fn dismiss(&self, user: &User, id: Id, node: Option<NodeTag>, dismissal: Dismissal) {
        let cause: fn(Seat) -> Cause = match dismissal {
            Dismissal::Drain => |_| Cause::Drain,
            Dismissal::Operator => Cause::Operator,
        };
        let mut state = self.state();
        if dismissal == Dismissal::Drain && state.stage == HallStage::Open {
            state.stage = HallStage::Draining;
            self.lobby.pause();
        }
        if !state.is_at(user, id, node) {
            return;
        }
        let Some(presence) = state.people.get_mut(user) else { return };
        let (waiting, room) = (presence.waiting.take(), presence.room.clone());
        if let Some(waiting) = waiting {
            state.errands.push(Errand::Settle(user.clone()));
            self.count_leaving(&mut state, user, &waiting);
        }
        if let Some(room) = room {
            self.end_room(&mut state, &room, user, cause);
        }
        self.finish(state);
    }

    /// Takes a part of another node's roll. Whoever is not on it has gone.
    pub(crate) fn call_roll(&self, node: NodeTag, part: Part) {
        let (whole, route) = {
            let mut state = self.state();
            if part.number == 0 {
                state.routes.insert(node, Arc::new(self.route(node, part.roll)));
            }
            (state.rolls.take(node, &part), state.routes.get(&node).cloned())
        };
        let Some(route) = route else { return };
        for listed in part.listed {
            let guest = Guest::there(listed.name, route.clone());
            if listed.is_new {
                self.arrive(guest);
            } else if !self.is_elsewhere(&guest) {
                self.recognise(guest, listed.known, part.has_missed);
            } else {
                // One of the two nodes has yet to notice. Until then the roll does not count, and is called again.
                self.state().rolls.forget(&[node]);
            }
        }
        if let Some(there) = whole {
            self.lose(|guest| guest.node() == Some(node) && !there.contains(&guest.id));
        }
    }

    /// Whether that very connection is known to be to another node, because its client has recovered it.
    fn is_elsewhere(&self, guest: &Guest) -> bool {
        let state = self.state();
        let known = state.people.get(&guest.user).and_then(|presence| presence.guest.as_ref());
        known.is_some_and(|known| known.id == guest.id && known.node() != guest.node())
    }

    fn route(&self, node: NodeTag, roll: u32) -> Route {
        Route {
            node,
            roll,
            io: self.io.clone(),
            namespace: self.app.namespace,
            tenant: self.tenant.clone(),
            tenure: self.tenure.clone(),
            told: AtomicU64::default(),
        }
    }

    /// These nodes are gone, and with them whoever was connected there.
    pub(crate) fn lose_nodes(&self, gone: &[NodeTag]) {
        {
            let mut state = self.state();
            state.rolls.forget(gone);
            state.routes.retain(|node, _| !gone.contains(node));
        }
        self.lose(|guest| guest.node().is_some_and(|node| gone.contains(&node)));
    }

    /// The nodes whose connections are all known.
    pub(crate) fn rolled(&self) -> Vec<Rolled> {
        let state = self.state();
        state.rolls.whole().filter_map(|node| Some(state.routes.get(node)?.rolled())).collect()
    }

    fn lose(&self, is_lost: impl Fn(&Guest) -> bool) {
        let mut state = self.state();
        let guests = state.people.values().filter_map(|presence| presence.guest.as_ref());
        let lost: Vec<(User, Id)> =
            guests.filter(|guest| is_lost(guest)).map(|guest| (guest.user.clone(), guest.id)).collect();
        for (user, id) in lost {
            self.part_with(&mut state, &user, id);
        }
        self.finish(state);
    }
}

impl State {
    /// Whether someone is there by that connection. A client that has recovered one has the same on another node.
    fn is_at(&self, user: &User, id: Id, node: Option<NodeTag>) -> bool {
        let guest = self.people.get(user).and_then(|presence| presence.guest.as_ref());
        guest.is_some_and(|guest| guest.id == id && guest.node() == node)
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
