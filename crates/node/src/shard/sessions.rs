//! Sessions: how they open, and what the polling transport asks of them.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use smallvec::SmallVec;
use throng_protocol::end::End;
use throng_protocol::engine::handshake::{Open, RequestError, Transport as TransportName};
use throng_protocol::id::Id;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Shard;
use super::deadlines::Kind;
use super::session::{Session, Transport};
use crate::app::Service;
use crate::envelope::{PollAnswer, SessionErrand, SessionName, Upgraded, Urgency};
use crate::handshake::Handshake;
use crate::ids::{Place, SLOTS_MAX};
use crate::outgoing::Outgoing;
use crate::tenants::Seat;

impl Shard {
    /// Opens a session over polling; gives the body that answers the request.
    pub(crate) fn open_polling(self: &Rc<Self>, handshake: Handshake, seat: Option<Seat>) -> Option<Vec<u8>> {
        let slot = self.open(handshake, seat, Transport::Polling(Box::default()))?;
        let mut state = self.state.borrow_mut();
        match &mut state.sessions.get_mut(slot as usize)?.transport {
            Transport::Polling(polling) => Some(polling.payload()),
            Transport::WebSocket(_) => None,
        }
    }

    /// Opens a session over a WebSocket.
    pub(crate) fn open_websocket(
        self: &Rc<Self>,
        handshake: Handshake,
        seat: Option<Seat>,
        upgraded: Upgraded,
    ) {
        handshake.moved_to_websocket();
        let early = upgraded.early.clone();
        let Some(socket) = self.websocket(upgraded) else { return };
        let Some(slot) = self.open(handshake, seat, Transport::WebSocket(socket)) else { return };
        self.watch(slot, 0);
        self.read_early(slot, early);
    }

    /// What came behind the upgrade request is the beginning of the conversation.
    fn read_early(self: &Rc<Self>, slot: u32, early: bytes::Bytes) {
        let stamp = self.state.borrow().sessions.get(slot as usize).map(|session| session.stamp);
        if let Some(stamp) = stamp
            && !early.is_empty()
        {
            self.take_in(slot, stamp, &mut Vec::from(early));
        }
        self.schedule_flush();
    }

    fn open(self: &Rc<Self>, handshake: Handshake, seat: Option<Seat>, transport: Transport) -> Option<u32> {
        let mut state = self.state.borrow_mut();
        let key = state.sessions.vacant_key();
        if key >= SLOTS_MAX || self.draining.get() {
            return None;
        }
        let slot = u32::try_from(key).ok()?;
        let (stamp, beat) = (state.stamp(), state.stamp());
        let id = Place { node: self.node.tag, shard: self.index, slot }.draw();
        let raw = matches!(self.node.service, Service::WebSocket(_));
        let upgrades: &[_] = match transport {
            Transport::Polling(_) => &[TransportName::WebSocket],
            Transport::WebSocket(_) => &[],
        };
        self.metrics().handshakes.observe(handshake.opened.elapsed().unwrap_or_default());
        self.metrics().sessions[transport.name() as usize].add(1);
        state.sessions.insert(Session {
            id,
            stamp,
            beat,
            pinged: false,
            dirty: false,
            paused: false,
            held: 0,
            transport,
            probe: None,
            handshake: Arc::new(handshake),
            sockets: SmallVec::new(),
            joining: Vec::new(),
            joins: Default::default(),
            seat,
            assembler: Default::default(),
        });
        self.metrics().sessions_opened.add(1);
        if !raw {
            let config = &self.node.config;
            let (ping_interval, ping_timeout) = (config.ping_interval, config.ping_timeout);
            let payload_bytes_max = config.payload_bytes_max;
            let open = Open { sid: id, upgrades, ping_interval, ping_timeout, payload_bytes_max };
            state.queue(self, slot, Cow::Owned(Outgoing::engine(&open.encode())), Urgency::Queued);
            let now = Instant::now();
            state.deadlines.arm(Kind::Ping, now, slot, beat);
            if matches!(self.node.service, Service::Sockets(_)) {
                state.deadlines.arm(Kind::Connect, now, slot, stamp);
            }
        }
        Some(slot)
    }

    /// The time to join a namespace is over.
    pub(super) fn connect_missing(self: &Rc<Self>, slot: u32, stamp: u32) {
        let idle = {
            let state = self.state.borrow();
            let session = state.sessions.get(slot as usize).filter(|session| session.stamp == stamp);
            session.is_some_and(|session| session.sockets.is_empty() && session.joining.is_empty())
        };
        if idle {
            self.end_session(slot, End::ConnectTimeout);
        }
    }

    fn find(&self, name: &SessionName) -> Option<(u32, u32)> {
        let slot = Place::of(name.id).slot;
        let state = self.state.borrow();
        let session = state.sessions.get(slot as usize).filter(|session| session.id == name.id)?;
        let theirs = |tenant| session.seat.as_ref().is_some_and(|seat| Arc::ptr_eq(seat.tenant(), tenant));
        name.tenant.as_ref().is_none_or(theirs).then_some((slot, session.stamp))
    }

    /// Does something for a session of this shard.
    pub(crate) fn run_session(self: &Rc<Self>, name: &SessionName, errand: SessionErrand) {
        // A session that should have ended by now is not there any more, however late the timer.
        self.fire(Instant::now());
        let found = self.find(name);
        // An asker that has gone needs no answer: every send below may fail for that reason alone.
        match (errand, found) {
            (SessionErrand::Poll(waiting), Some((slot, _))) => {
                self.poll(slot, waiting);
                if self.is_parting(slot) {
                    // It reads here after all.
                    self.give_up_probe(slot);
                }
            }
            (SessionErrand::Poll(waiting), None) => drop(waiting.send(self.poll_of_the_parted(name.id))),
            (SessionErrand::PollGone, Some((slot, _))) => self.poll_gone(slot),
            (SessionErrand::Post(_, done), Some((slot, _))) if self.is_parting(slot) => {
                let _ = done.send(Ok(true));
            }
            (SessionErrand::Post(body, done), Some((slot, stamp))) => {
                if self.is_polling(slot) {
                    let _ = done.send(Ok(self.on_body(slot, stamp, &body)));
                } else {
                    let _ = done.send(Err(RequestError::BadRequest));
                }
            }
            (SessionErrand::Post(_, done), None) => drop(done.send(Err(RequestError::SessionUnknown))),
            (SessionErrand::MayUpgrade(answer), found) => {
                let _ = answer.send(found.map(|_| ()).ok_or(RequestError::SessionUnknown));
            }
            (SessionErrand::Upgrade(upgraded), Some((slot, _))) => self.begin_upgrade(slot, upgraded),
            (SessionErrand::TooLarge, Some((slot, _))) => self.end_session(slot, End::PayloadTooLarge),
            (SessionErrand::PollGone | SessionErrand::Upgrade(_) | SessionErrand::TooLarge, None) => {}
        }
        self.schedule_flush();
    }

    pub(super) fn is_polling(&self, slot: u32) -> bool {
        let state = self.state.borrow();
        let session = state.sessions.get(slot as usize);
        session.is_some_and(|session| matches!(session.transport, Transport::Polling(_)))
    }

    // --- polling ---

    fn poll(self: &Rc<Self>, slot: u32, waiting: oneshot::Sender<PollAnswer>) {
        let mut state = self.state.borrow_mut();
        let super::State { sessions, dirty, .. } = &mut *state;
        let Some(session) = sessions.get_mut(slot as usize) else { return };
        let Transport::Polling(polling) = &mut session.transport else {
            return drop(waiting.send(PollAnswer::WrongTransport));
        };
        if polling.waiting.is_some() {
            drop(state);
            drop(waiting.send(PollAnswer::Overlap));
            return self.end_session(slot, End::TransportError);
        }
        polling.waiting = Some(waiting);
        session.touch(slot, dirty);
    }

    /// The poll and the post that closes a session travel on connections of their own: either may come first.
    fn poll_of_the_parted(&self, id: Id) -> PollAnswer {
        let mut state = self.state.borrow_mut();
        let at = state.parted.iter().position(|(parted, _)| *parted == id);
        let last = at.and_then(|at| state.parted.remove(at));
        last.map_or(PollAnswer::Unknown, |(_, last)| PollAnswer::Payload(last))
    }

    /// The client dropped the connection that its poll waited on.
    fn poll_gone(self: &Rc<Self>, slot: u32) {
        let gone = {
            let state = self.state.borrow();
            let session = state.sessions.get(slot as usize);
            session.is_some_and(|session| match &session.transport {
                Transport::Polling(polling) => {
                    polling.waiting.as_ref().is_some_and(oneshot::Sender::is_closed)
                }
                Transport::WebSocket(_) => false,
            })
        };
        if gone {
            self.end_session(slot, End::TransportError);
        }
    }
}
