//! What others ask of a shard: handlers through their socket handles, and other shards.

use std::borrow::Cow;
use std::rc::Rc;

use throng_protocol::end::End;
use throng_protocol::id::Id;

use super::dispatch::Whom;
use super::{Shard, State};
use crate::ack::{Sink as _, Waiter};
use crate::app::Service;
use crate::envelope::{Closing, Envelope, Errand, Operation, Room, SocketErrand, Spoken, Standing, Urgency};
use crate::outgoing::Outgoing;
use crate::remote::RemoteSocket;
use crate::socket::Socket;

impl Shard {
    /// Runs an errand that came through the inbox.
    pub(super) fn run_errand(self: &Rc<Self>, errand: Errand) {
        match errand {
            Errand::Socket(id, errand) => self.run_socket(id, errand),
            Errand::Envelope(envelope) => self.apply(envelope),
            Errand::Session(name, errand) => {
                name.trail.span().in_scope(|| self.run_session(&name, errand));
            }
            Errand::Overheard(receivers, spoken) => self.overhear(&receivers, &spoken),
            Errand::Survey(survey) => self.survey(survey),
            Errand::Superseded(id, done) => {
                self.superseded(id);
                // Whoever waits may have given up.
                let _ = done.send(());
            }
            Errand::Reclaim => self.reclaim(),
            Errand::Wake | Errand::Connection(..) | Errand::Drain(_) | Errand::Stop => {}
        }
    }

    // --- sockets ---

    /// Does something for one socket of this shard.
    pub(crate) fn run_socket(self: &Rc<Self>, id: Id, errand: SocketErrand) {
        let mut state = self.state.borrow_mut();
        let Some(slot) = state.hub.slot_of(id) else { return };
        let Some(entry) = state.hub.sockets.get_mut(slot as usize) else { return };
        let session = entry.session;
        match errand {
            SocketErrand::Emit(out, urgency) => state.queue(self, session, Cow::Owned(out), urgency),
            SocketErrand::Tell(out) => self.tell(&mut state, slot, &out),
            SocketErrand::DataChanged => Self::data_changed(&mut state, slot),
            SocketErrand::Ask(out, number, asker) => {
                entry.waiters.get_or_insert_default().insert(number, Waiter::One(asker));
                state.queue(self, session, Cow::Owned(out), Urgency::Queued);
                drop(state);
                self.resume_for_answer(session);
            }
            SocketErrand::Forget(number) => drop(state.hub.take_waiter(slot, number)),
            SocketErrand::Join(room) => self.join(&mut state, slot, &room),
            SocketErrand::Leave(room) => state.hub.leave(slot, &room),
            SocketErrand::Overheard(spoken) => {
                let listening = Socket(entry.socket.clone());
                self.inbox.borrow_mut().put_off(Errand::Overheard(vec![listening], spoken));
            }
            SocketErrand::Disconnect(closing) => {
                drop(state);
                self.disconnect(slot, session, closing);
            }
            SocketErrand::DropTransport => {
                drop(state);
                self.end_session(session, End::ForcedClose);
            }
        }
        self.schedule_flush();
    }

    fn join(&self, state: &mut State, slot: u32, room: &Room) {
        if !state.hub.join(slot, room) {
            self.metrics().rooms_refused.add(1);
        }
    }

    /// As Node does it: with the session, each of its sockets is told that the server disconnected it.
    pub(super) fn disconnect(self: &Rc<Self>, slot: u32, session: u32, closing: Closing) {
        match closing {
            Closing::Socket => self.end_socket(slot, End::ServerDisconnect),
            Closing::Session => {
                let sockets: Vec<u32> = {
                    let state = self.state.borrow();
                    let sockets = state.sessions.get(session as usize).map(|session| session.sockets.iter());
                    sockets.into_iter().flatten().map(|(_, slot)| *slot).collect()
                };
                for slot in sockets {
                    self.end_socket(slot, End::ServerDisconnect);
                }
                self.end_session(session, End::ForcedClose);
            }
        }
    }

    /// Lets outgoing catch-all listeners hear an event, once for each receiver.
    fn overhear(self: &Rc<Self>, receivers: &[Socket], spoken: &Spoken) {
        for socket in receivers {
            let Service::Sockets(namespaces) = &self.node.service else { return };
            let Some(behaviour) = namespaces.find(socket.namespace()) else { return };
            let call =
                || behaviour.any_outgoing.iter().for_each(|listen| listen(socket, &spoken.0, &spoken.1));
            self.guard(Whom::of(&socket.0), call);
        }
    }

    // --- selections ---

    /// Does something to a selection of this shard's sockets.
    pub(crate) fn apply(self: &Rc<Self>, envelope: Envelope) {
        let mut state = self.state.borrow_mut();
        state.keep_for_restoring(&envelope);
        let Envelope { space, to, operation } = envelope;
        let mut heard = Vec::new();
        match operation {
            Operation::Emit { out, spoken, urgency, standing } => {
                match standing {
                    Standing::Unrecorded => state.fan_out(self, &space, &to, &out, urgency),
                    Standing::Private => self.tell_selected(&mut state, (&space, &to), &out),
                    Standing::Recorded { .. } | Standing::Early { .. } => {
                        self.fan_out_recorded(&mut state, (&space, &to), &out, &standing);
                    }
                }
                if let Some(spoken) = spoken {
                    state.hub.select(&space, &to, |_, entry| heard.push(Socket(entry.socket.clone())));
                    self.inbox.borrow_mut().put_off(Errand::Overheard(heard, spoken));
                }
            }
            Operation::Ask { out, spoken, ack, answers } => {
                let mut sessions = Vec::new();
                state.hub.select(&space, &to, |member, entry| {
                    entry.waiters.get_or_insert_default().insert(ack, Waiter::Many(answers.clone()));
                    heard.push(Socket(entry.socket.clone()));
                    sessions.push(member.session);
                });
                answers.asked(heard.len());
                state.fan_out(self, &space, &to, &out, Urgency::Queued);
                drop(state);
                sessions.into_iter().for_each(|session| self.resume_for_answer(session));
                if let Some(spoken) = spoken {
                    self.inbox.borrow_mut().put_off(Errand::Overheard(heard, spoken));
                }
            }
            Operation::Forget(number) => {
                let mut slots = Vec::new();
                state.hub.select(&space, &to, |member, _| slots.push(member.socket));
                for slot in slots {
                    drop(state.hub.take_waiter(slot, number));
                }
            }
            Operation::Join(room) => {
                let mut slots = Vec::new();
                state.hub.select(&space, &to, |member, _| slots.push(member.socket));
                slots.into_iter().for_each(|slot| self.join(&mut state, slot, &room));
            }
            Operation::Leave(room) => {
                let mut slots = Vec::new();
                state.hub.select(&space, &to, |member, _| slots.push(member.socket));
                slots.into_iter().for_each(|slot| state.hub.leave(slot, &room));
            }
            Operation::Disconnect(closing) => {
                let mut slots = Vec::new();
                state.hub.select(&space, &to, |member, _| slots.push(member));
                drop(state);
                for member in slots {
                    self.disconnect(member.socket, member.session, closing);
                }
            }
            Operation::Lost(room) => self.lose(&mut state, &space, &room),
            Operation::Fetch(found) => {
                let mut count = 0;
                state.hub.select(&space, &to, |_, entry| {
                    count += 1;
                    found.answer(RemoteSocket::of(&entry.socket));
                });
                found.asked(count);
            }
        }
        self.schedule_flush();
    }

    /// Queues a message for one session.
    pub(super) fn queue_one(&self, slot: u32, out: Outgoing) {
        self.state.borrow_mut().queue(self, slot, Cow::Owned(out), Urgency::Queued);
        self.schedule_flush();
    }
}

impl RemoteSocket {
    fn of(socket: &crate::socket::SocketInner) -> Self {
        Self { id: socket.id, rooms: socket.rooms(), data: socket.state().data.clone() }
    }
}
