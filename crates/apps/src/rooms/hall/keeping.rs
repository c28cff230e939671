//! What a hall writes down, and how one goes on with it. Nothing here is done on a node without others.

use std::sync::Arc;

use bytes::Bytes;
use throng_backbone::{Commit, Register};
use throng_lobby::{Confirmed, Pairing, PairingId, Restored, Ticket, Time, User};

use super::{Hall, State};
use crate::rooms::people::Waiting;
use crate::rooms::room::{Opening, Room, RoomId};
use crate::rooms::wish::Wanted;
use crate::rooms::written::{self, Record, WrittenRoom};

/// What the keeper before has written down, and the right to go on writing.
pub(crate) type Book = (Register, Vec<(Box<str>, Bytes)>);

impl Hall {
    /// Changes what is written down.
    pub(super) fn write(&self, commit: Commit) {
        if let Some(register) = self.register.as_ref().filter(|_| !commit.is_empty()) {
            // In line behind whatever happened before; whoever keeps the hall next finds all of it up to some moment.
            drop(register.commit(commit));
        }
    }

    /// A pairing is no longer the lobby's: its record becomes that of its room, if that is still there.
    pub(super) fn take_from_lobby(&self, pairing: PairingId, confirmed: Confirmed) {
        if self.register.is_none() || confirmed != Confirmed::Both {
            return;
        }
        let mut state = self.state();
        let room = state.rooms.get_mut(&room_of(pairing)).filter(|room| room.is_active());
        let put = room.map(|room| {
            room.is_written = true;
            WrittenRoom::of(room).record()
        });
        self.write(Commit {
            remove: vec![pairing.key()],
            put: put.into_iter().collect(),
            ..Commit::default()
        });
    }

    /// A room is over.
    pub(super) fn strike(&self, room: &Room) {
        if room.is_written {
            self.write(Commit::remove(written::room_key(&room.id)));
        }
    }

    /// Somebody has blocked somebody. Those of whom nothing is known any more are struck.
    pub(super) fn write_blocked(&self, state: &mut State, user: &User) {
        let (blocked, _) = state.acquaintances.of_user(user);
        let forgotten = state.acquaintances.take_forgotten();
        let remove = forgotten.iter().map(written::blocked_key).collect();
        self.write(Commit { remove, put: vec![written::blocked(user, &blocked)], ..Commit::default() });
    }

    /// Goes on with what is written down. Everyone is away until their nodes say otherwise.
    pub(super) fn go_on(&self, restored: Restored, now: Time) {
        let Restored { waiting, pairings, others } = restored;
        let mut state = self.state();
        for ticket in &waiting {
            state.wait_again(ticket);
        }
        let mut unreadable = Vec::new();
        for (key, value) in others {
            match written::read(&key, &value) {
                Record::Room(room) => {
                    let times = self.app.config.times(&room.queue);
                    self.reopen(&mut state, Room::reopen(*room, times, now));
                }
                Record::Blocked(user, others) => {
                    others.iter().for_each(|other| state.acquaintances.block(&user, other));
                }
                Record::Unreadable => unreadable.push(key),
            }
        }
        let rooms = state.rooms.len();
        for pairing in &pairings {
            let opening = self.opening(&state, pairing);
            self.reopen(&mut state, Room::open_unseen(opening, now));
        }
        tracing::info!(
            app = self.app.theme.name(),
            tenant = %self.tenant,
            waiting = waiting.len(),
            pairings = pairings.len(),
            rooms,
            unreadable = unreadable.len(),
            "going on with what was written down"
        );
        self.write(Commit { remove: unreadable, ..Commit::default() });
        self.finish(state);
    }

    /// Every node has had the time to say who is connected: whoever is not is away, and the others are told.
    pub(crate) fn tell_absences(&self) {
        let mut state = self.state();
        let away: Vec<_> = state.rooms.values().map(|room| (room.id.clone(), room.absences())).collect();
        for (id, effects) in away {
            self.carry_out(&mut state, &id, effects);
        }
        self.finish(state);
    }

    fn reopen(&self, state: &mut State, room: Room) {
        let id = room.id.clone();
        for user in room.users() {
            state.people.entry(user.clone()).or_default().room = Some(id.clone());
        }
        state.schedule.set(&id, room.due());
        state.rooms.insert(id, room);
    }

    /// The room of two who were paired.
    pub(super) fn opening(&self, state: &State, pairing: &Pairing) -> Opening {
        let media = pairing.tickets.each_ref().map(|ticket| {
            state.people.get(&ticket.user).and_then(|presence| presence.wanted.as_ref()?.media)
        });
        let [one, other] = &pairing.tickets;
        let language = one.wish.language.clone().filter(|_| one.wish.language == other.wish.language);
        Opening {
            id: if self.register.is_some() { room_of(pairing.id) } else { new_room() },
            pairing: pairing.id,
            queue: pairing.queue.clone(),
            setting: self.app.theme.setting(pairing, media),
            tags: pairing.tags.clone(),
            language,
            members: [one, other].map(|ticket| (ticket.user.clone(), ticket.since())),
            times: self.app.config.times(&pairing.queue),
        }
    }
}

impl State {
    fn wait_again(&mut self, ticket: &Arc<Ticket>) {
        let presence = self.people.entry(ticket.user.clone()).or_default();
        presence.waiting = Some(Waiting { queue: ticket.wish.queue.clone(), since: ticket.since() });
        presence.wanted = Some(Wanted { wish: ticket.wish.clone(), media: None });
    }
}

/// A name that nobody can guess and no other room has.
fn new_room() -> RoomId {
    format!("{:016x}", getrandom::u64().expect("the system has randomness")).into()
}

/// The room of a pairing: whoever goes on with the pairing opens the same room again. Later ones have greater names.
fn room_of(pairing: PairingId) -> RoomId {
    format!("{:016x}", pairing.0).into()
}
