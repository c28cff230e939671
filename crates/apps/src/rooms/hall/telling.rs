//! How the hall tells people things: by queueing, under its lock, so that everyone hears them in the order in which they
//! happened.

use throng_lobby::{Time, User, service};

use super::{Hall, State};
use crate::rooms::board;
use crate::rooms::clock::millis;
use crate::rooms::contact::Meaning;
use crate::rooms::ending::Next;
use crate::rooms::events::{Active, Away, Ended, Joined, Message, Typing, Waiting, Warning};
use crate::rooms::guest::Guest;
use crate::rooms::room::{Arrival, Notice, Room, RoomId, Seat};
use crate::rooms::setting::{CallJoined, DebateJoined, Setting};

impl Hall {
    /// Tells a member of a room something, if it is connected.
    pub(super) fn tell(&self, state: &State, room: &RoomId, seat: Seat, notice: &Notice) {
        let Some(room) = state.rooms.get(room) else { return };
        let presence = state.people.get(room.user(seat));
        let Some(guest) = presence.and_then(|presence| presence.guest.as_ref()) else { return };
        let (id, plain) = (&room.id, Meaning::Nothing);
        match notice {
            Notice::Joined(arrival) => self.introduce(guest, (room, seat), *arrival),
            Notice::Active => guest.tell("room:active", Active { room: id }, Meaning::Begun(id.clone())),
            Notice::Warning { ends, remaining } => {
                guest.tell("room:warning", Warning::new(id, *ends, *remaining), plain);
            }
            Notice::Said(line) => guest.tell("room:message", Message::new(id, line, seat), plain),
            Notice::Typing(typing) => {
                guest.tell("room:typing", Typing { typing: *typing }, Meaning::Fleeting);
            }
            Notice::Away { until } => guest.tell("partner:away", Away { until: millis(*until) }, plain),
            Notice::Back => guest.tell("partner:back", (), plain),
            Notice::Signal(signal) => guest.tell("signal", &**signal, plain),
            Notice::Media(media) => guest.tell("media:state", media, plain),
            Notice::Ended { reason, next } => {
                guest.tell_end(&Ended { room: id, reason: *reason, next: *next });
            }
        }
    }

    /// Tells a member which room it is in. Its acknowledgement confirms that it is there.
    fn introduce(&self, guest: &Guest, (room, seat): (&Room, Seat), arrival: Arrival) {
        let joined = Joined::new(room, seat, arrival);
        let meaning = Meaning::Joined { room: room.id.clone(), has_begun: room.is_active() };
        match &room.setting {
            Setting::Debate { topic, sides } => {
                guest.tell("room:joined", DebateJoined::new(joined, topic, *sides, seat), meaning);
            }
            Setting::Call { media } => {
                let servers = self.app.theme.ice_servers(*media, room.user(seat), service::now());
                guest.tell("room:joined", CallJoined::new(joined, *media, seat, servers), meaning);
            }
        }
    }

    /// Somebody's page has shown the room.
    pub(crate) fn confirm(&self, user: &User, id: &RoomId) {
        let mut state = self.state();
        if let Some(room) = state.rooms.get_mut(id)
            && let Some(seat) = room.seat(user)
        {
            if self.tenure.is_sure() {
                let effects = room.confirm(seat);
                self.carry_out(&mut state, id, effects);
            } else {
                room.note(seat);
            }
        }
        self.finish(state);
    }

    /// Takes in what was confirmed in doubt. Rooms that do not begin by that wait as long as new ones: what nodes had to say
    /// may have found nobody.
    pub(super) fn confirm_late(&self, state: &mut State, now: Time) {
        let waiting = state.rooms.values().filter(|room| !room.is_active()).map(|room| room.id.clone());
        for id in waiting.collect::<Vec<_>>() {
            let Some(room) = state.rooms.get_mut(&id) else { continue };
            let effects = room.wait_anew(now + self.app.config.times(&room.queue).confirm_timeout);
            self.carry_out(state, &id, effects);
        }
    }

    /// Shows the lobby to someone who comes.
    pub(super) fn show_board_to(&self, state: &mut State, guest: &Guest, now: Time) {
        let State { board, rooms, .. } = state;
        let picture = || board::picture(&self.app.theme, &self.lobby.statistics(now), rooms.values());
        if let Some(picture) = board.show(now, picture) {
            guest.tell("lobby:state", picture, Meaning::Nothing);
        }
    }

    /// Shows the lobby to everyone, if it has changed and that is due.
    pub(super) fn show_board(&self, state: &mut State, now: Time) {
        let State { board, rooms, .. } = state;
        let picture = || board::picture(&self.app.theme, &self.lobby.statistics(now), rooms.values());
        if let Some(picture) = board.take_due(now, picture) {
            self.io.of(self.app.namespace).volatile().emit("lobby:state", picture);
        }
    }
}

impl Guest {
    pub(super) fn tell_end(&self, ended: &Ended<'_>) {
        let meaning = Meaning::Ended { room: ended.room.into(), waits: ended.next == Next::Waiting };
        self.tell("room:ended", ended, meaning);
    }

    pub(super) fn tell_waiting(&self, waiting: &Waiting<'_>) {
        self.tell("queue:waiting", waiting, Meaning::Waits);
    }
}
