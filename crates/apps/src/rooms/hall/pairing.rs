//! What the lobby tells: who was paired, who waits again, whose ticket has gone.

use std::sync::Arc;

use throng_lobby::{Event as LobbyEvent, Pairing, PairingId, Place, Ticket, User, service};

use super::{Hall, State};
use crate::analytics::Event;
use crate::experiments::Outcome;
use crate::rooms::ending::Cause;
use crate::rooms::events;
use crate::rooms::people::{Dissolution, Errand, Waiting};
use crate::rooms::room::Room;

impl Hall {
    /// Takes in what has happened in the lobby. What it tells in doubt waits until there is none; if another keeps the hall
    /// by then, it finds that written down.
    pub(super) fn hear(&self, event: LobbyEvent) {
        if let LobbyEvent::Deposed = event {
            return self.tenure.depose();
        }
        let mut state = self.state();
        if self.tenure.is_sure() && state.unheard.is_empty() {
            self.take_in(&mut state, event);
        } else {
            state.unheard.push(event);
        }
        self.finish(state);
    }

    /// Takes in what the lobby told in doubt.
    pub(super) fn catch_up(&self, state: &mut State) {
        for event in std::mem::take(&mut state.unheard) {
            self.take_in(state, event);
        }
    }

    fn take_in(&self, state: &mut State, event: LobbyEvent) {
        match event {
            LobbyEvent::Paired(pairing) => self.pair(state, &pairing),
            LobbyEvent::Returned { user, place, .. } => Self::returned(state, &user, place),
            LobbyEvent::Lapsed { pairing, user } => self.lapsed(state, pairing, &user),
            LobbyEvent::Expired { user } => self.expired(state, &user),
            LobbyEvent::Deposed => {}
        }
    }

    /// Two people were paired: their room opens, if both are still free for it.
    fn pair(&self, state: &mut State, pairing: &Pairing) {
        let now = service::now();
        for (ticket, wait) in pairing.tickets.iter().zip(pairing.waits) {
            self.count_joining(state, &ticket.user);
            if let Some(presence) = state.people.get_mut(&ticket.user) {
                presence.waiting = None;
            }
            let queue = pairing.queue.as_str();
            self.record(queue, None, &[ticket.user.as_str()], Event::Paired { wait });
            self.app.config.experiments.outcome(self.subject(&ticket.user, queue), Outcome::Paired(wait));
        }
        state.pace.pair(pairing.waits);
        state.board.change(now);
        let is_free = |ticket: &Arc<Ticket>| {
            let presence = state.people.get(&ticket.user);
            presence.is_some_and(|presence| presence.guest.is_some() && presence.room.is_none())
        };
        if let Some(unfree) = pairing.tickets.iter().find(|ticket| !is_free(ticket)) {
            // Whoever vanished in this very moment has dropped out; the other has not been told anything yet.
            let (user, [one, other]) = (&unfree.user, &pairing.tickets);
            let left = if one.user == *user { other } else { one };
            if let Some(presence) = state.people.get_mut(&left.user) {
                let since = left.since();
                presence.waiting = Some(Waiting { queue: pairing.queue.clone(), since });
            }
            let (gone, left) = (user.clone(), left.user.clone());
            let dropped_out = Dissolution::DroppedOut { pairing: pairing.id, gone, left };
            state.errands.push(Errand::Dissolve(dropped_out));
            state.forget_if_gone(user);
            return;
        }
        let opening = self.opening(state, pairing);
        let id = opening.id.clone();
        let (room, effects) = Room::open(opening, now);
        for member in room.users() {
            if let Some(presence) = state.people.get_mut(member) {
                presence.room = Some(id.clone());
            }
        }
        state.rooms.insert(id.clone(), room);
        state.pace.open(now);
        self.carry_out(state, &id, effects);
    }

    /// Somebody's partner dropped out, and they wait again.
    fn returned(state: &mut State, user: &User, place: Place) {
        let presence = state.people.get(user).filter(|presence| presence.room.is_none());
        let Some((presence, waiting)) =
            presence.and_then(|presence| Some((presence, presence.waiting.as_ref()?)))
        else {
            // They have left the queue while they were on their way back into it.
            state.errands.push(Errand::Settle(user.clone()));
            return;
        };
        match &presence.guest {
            Some(guest) => guest.tell_waiting(&events::Waiting::new(waiting, place.estimated_wait)),
            None => state.errands.push(Errand::Settle(user.clone())),
        }
        state.board.change(service::now());
    }

    /// The lobby gave a pairing up: the hall did not confirm it in time, which it always should.
    fn lapsed(&self, state: &mut State, pairing: PairingId, user: &User) {
        tracing::warn!(pairing = pairing.0, "a pairing was not confirmed in time");
        // Whoever waits again already has no ticket yet.
        state.errands.push(Errand::Settle(user.clone()));
        let Some(id) = state.people.get(user).and_then(|presence| presence.room.clone()) else { return };
        let room = state.rooms.get_mut(&id).filter(|room| room.pairing == pairing && !room.is_active());
        if let Some((room, seat)) = room.and_then(|room| room.seat(user).map(|seat| (room, seat))) {
            let effects = room.end(Cause::Gone(seat));
            self.carry_out(state, &id, effects);
        }
    }

    /// Somebody who waited was away for too long.
    fn expired(&self, state: &mut State, user: &User) {
        let Some(presence) = state.people.get_mut(user) else { return };
        if presence.guest.is_some() {
            // Back at the last moment, and has been told that it still waits.
            state.errands.push(Errand::Rejoin(user.clone()));
            return;
        }
        if let Some(waiting) = presence.waiting.take() {
            self.count_leaving(state, user, &waiting);
        }
        state.forget_if_gone(user);
    }
}
