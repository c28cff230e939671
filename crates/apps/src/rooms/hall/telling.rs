//! How the hall tells people things: by queueing, under its lock, so that everyone hears them in the order in which they
//! happened.

use std::future::Future as _;
use std::task::{Context, Poll, Waker};

use throng_lobby::{Time, User, service};
use throng_node::{Args, IntoArgs as _};

use super::{Hall, State};
use crate::rooms::board;
use crate::rooms::clock::millis;
use crate::rooms::events::{Active, Away, Ended, Joined, Message, Typing, Warning};
use crate::rooms::guest::Guest;
use crate::rooms::room::{Arrival, Notice, Room, RoomId, Seat};
use crate::rooms::setting::{CallJoined, DebateJoined, Setting};

impl Hall {
    /// Tells a member of a room something, if it is connected.
    pub(super) fn tell(&self, state: &State, room: &RoomId, seat: Seat, notice: &Notice) {
        let Some(room) = state.rooms.get(room) else { return };
        let presence = state.people.get(room.user(seat));
        let Some(guest) = presence.and_then(|presence| presence.guest.as_ref()) else { return };
        match notice {
            Notice::Joined(arrival) => self.introduce(guest, (room, seat), *arrival),
            Notice::Active => guest.emit("room:active", Active { room: &room.id }),
            Notice::Warning { ends, remaining } => {
                guest.emit("room:warning", Warning::new(&room.id, *ends, *remaining));
            }
            Notice::Said(line) => guest.emit("room:message", Message::new(&room.id, line, seat)),
            Notice::Typing(typing) => guest.emit_volatile("room:typing", Typing { typing: *typing }),
            Notice::Away { until } => guest.emit("partner:away", Away { until: millis(*until) }),
            Notice::Back => guest.emit("partner:back", ()),
            Notice::Signal(signal) => guest.emit("signal", &**signal),
            Notice::Media(media) => guest.emit("media:state", media),
            Notice::Ended { reason, next } => {
                guest.emit("room:ended", Ended { room: &room.id, reason: *reason, next: *next });
            }
        }
    }

    /// Tells a member which room it is in. Its acknowledgement confirms that it is there.
    fn introduce(&self, guest: &Guest, (room, seat): (&Room, Seat), arrival: Arrival) {
        let user = room.user(seat);
        let joined = Joined::new(room, seat, arrival);
        let joined = match &room.setting {
            Setting::Debate { topic, sides } => DebateJoined::new(joined, topic, *sides, seat).into_args(),
            Setting::Call { media } => {
                let servers = self.app.theme.ice_servers(*media, user, service::now());
                CallJoined::new(joined, *media, seat, servers).into_args()
            }
        };
        match joined {
            Ok(joined) => self.ask_to_confirm(guest, (user.clone(), room.id.clone()), joined),
            Err(error) => tracing::error!(%error, "room not announced"),
        }
    }

    fn ask_to_confirm(&self, guest: &Guest, (user, room): (User, RoomId), joined: Args) {
        let (guest, me, timeout) = (guest.clone(), self.me.clone(), self.app.config.confirm_timeout);
        let mut answer = Box::pin(async move { guest.ask("room:joined", joined, timeout).await });
        // It is sent with the first poll, which must not wait for a task's turn: what is sent next comes after it.
        let first = answer.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        tokio::spawn(async move {
            let is_there = match first {
                Poll::Ready(is_there) => is_there,
                Poll::Pending => answer.await,
            };
            if is_there && let Some(hall) = me.upgrade() {
                hall.confirm(&user, &room);
            }
        });
    }

    /// Somebody's page has shown the room.
    fn confirm(&self, user: &User, id: &RoomId) {
        if !self.tenure.is_sure() {
            return;
        }
        let mut state = self.state();
        if let Some(room) = state.rooms.get_mut(id)
            && let Some(seat) = room.seat(user)
        {
            let effects = room.confirm(seat);
            self.carry_out(&mut state, id, effects);
        }
        self.finish(state);
    }

    /// Shows the lobby to someone who comes.
    pub(super) fn show_board_to(&self, state: &mut State, guest: &Guest, now: Time) {
        let State { board, rooms, .. } = state;
        let picture = || board::picture(&self.app.theme, &self.lobby.statistics(now), rooms.values());
        if let Some(picture) = board.show(now, picture) {
            guest.emit("lobby:state", picture);
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
