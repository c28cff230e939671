//! What a client knows, beside what is so. Where the two differ, because somebody else kept the hall or something was lost on
//! its way, the client is told.

use std::sync::Arc;

use throng_lobby::{User, service};

use super::{Hall, State};
use crate::rooms::contact::Known;
use crate::rooms::ending::{Cause, Next, Reason};
use crate::rooms::events::{self, Ended};
use crate::rooms::guest::Guest;
use crate::rooms::people::{Errand, Waiting};
use crate::rooms::requests::Join;
use crate::rooms::room::RoomId;

impl Hall {
    /// Someone has been connected all along, and this hall did not know, or is not sure what they know. `has_missed` is
    /// whether they may have missed something of which nobody knows what.
    pub(crate) fn recognise(&self, guest: Guest, known: Known, has_missed: bool) {
        let user = guest.user.clone();
        let mut state = self.state();
        let presence = state.people.entry(user.clone()).or_default();
        if presence.guest.as_ref().is_some_and(|here| here.id != guest.id) {
            // They have come back since, on another node.
            drop(state);
            return guest.disconnect();
        }
        presence.guest = Some(guest.clone());
        self.remember_wish(&mut state, &user, known.wish.as_ref());
        if let Some(room) = state.people.get(&user).and_then(|presence| presence.room.clone()) {
            self.correct_inside(&mut state, (&user, &room), &known, has_missed);
        }
        let presence = state.people.get(&user);
        if let Some(room) = &known.room
            && presence.is_none_or(|presence| presence.room.is_none())
        {
            let waits = presence.is_some_and(|presence| presence.waiting.is_some());
            let next = if waits { Next::Waiting } else { Next::Offered };
            guest.tell_end(&Ended { room, reason: Reason::PartnerGone, next });
        }
        self.correct_waiting(&mut state, (&user, &guest), &known);
        state.forget_if_gone(&user);
        self.finish(state);
    }

    /// What is not written down of a wish, or was lost with the store.
    fn remember_wish(&self, state: &mut State, user: &User, wish: Option<&Arc<Join>>) {
        let Some(presence) = state.people.get_mut(user) else { return };
        let is_whole = presence.wanted.as_ref().is_some_and(|wanted| wanted.media.is_some());
        let Some(wish) = wish.filter(|_| !is_whole) else { return };
        let Ok(asked) = self.app.theme.wanted((**wish).clone()) else { return };
        match &mut presence.wanted {
            Some(wanted) => wanted.media = asked.media,
            None => presence.wanted = Some(asked),
        }
    }

    /// Someone is in a room.
    fn correct_inside(
        &self,
        state: &mut State,
        (user, id): (&User, &RoomId),
        known: &Known,
        has_missed: bool,
    ) {
        let Some(room) = state.rooms.get_mut(id) else { return };
        let Some(seat) = room.seat(user) else { return };
        let knows_it = known.room.as_ref() == Some(id);
        let has_left = !knows_it && known.room.iter().chain(&known.over).any(|told| told >= id);
        let mut effects = Vec::new();
        if knows_it && known.has_begun {
            effects = room.believe_begun(seat, service::now());
        }
        if has_left {
            // What one of the two was told to be over is over: that room, or all before one that they were told of.
            effects.extend(room.end(Cause::Gone(seat)));
        } else if !knows_it || has_missed || (room.is_active() && !known.has_begun) {
            effects.extend(room.back(seat));
        } else {
            effects.extend(room.still_there(seat));
            if known.has_confirmed {
                effects.extend(room.confirm(seat));
            }
        }
        self.carry_out(state, id, effects);
    }

    /// Someone waits, or believes so.
    fn correct_waiting(&self, state: &mut State, (user, guest): (&User, &Guest), known: &Known) {
        let Some(presence) = state.people.get_mut(user).filter(|presence| presence.room.is_none()) else {
            return;
        };
        match &presence.waiting {
            Some(waiting) => {
                if !known.waits {
                    let estimated = self.lobby.estimated_wait(&waiting.queue);
                    guest.tell_waiting(&events::Waiting::new(waiting, estimated));
                }
                state.errands.push(Errand::Settle(user.clone()));
            }
            None if known.waits => {
                let Some(wanted) = &presence.wanted else { return };
                let queue = wanted.wish.queue.clone();
                presence.waiting = Some(Waiting { queue, since: service::now() });
                state.errands.push(Errand::Rejoin(user.clone()));
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests;
