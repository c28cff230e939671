//! What others ask of a shard: handlers through their socket handles, other shards, and the HTTP edge.

use std::rc::Rc;
use std::sync::Arc;

use mio::{Interest, Token};
use throng_protocol::end::End;
use throng_protocol::engine::handshake::{Open, RequestError, Transport as TransportName};
use throng_protocol::id::Id;
use throng_protocol::websocket::decoder::{Decoder, Event};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Shard;
use super::deadlines::Kind;
use super::outbox::Outbox;
use super::session::{Probe, Session, Transport, WebSocket};
use super::turn::PROBE;
use crate::ack::Waiter;
use crate::app::Service;
use crate::envelope::{
    Closing, Envelope, Errand, Operation, PollAnswer, SessionErrand, SocketErrand, Spoken, Upgraded, Urgency,
};
use crate::handshake::Handshake;
use crate::ids::{Place, SLOTS_MAX};
use crate::node::ConnectionPermit;
use crate::outgoing::Outgoing;
use crate::remote::RemoteSocket;
use crate::socket::Socket;

impl Shard {
    /// Runs an errand that came through the inbox.
    pub(super) fn run_errand(self: &Rc<Self>, errand: Errand) {
        match errand {
            Errand::Socket(id, errand) => self.run_socket(id, errand),
            Errand::Envelope(envelope) => self.apply(envelope),
            Errand::Session(id, errand) => self.run_session(id, errand),
            Errand::Connection(..) | Errand::Drain(_) | Errand::Stop => {}
        }
    }

    // --- sockets ---

    /// Does something for one socket of this shard.
    pub(crate) fn run_socket(self: &Rc<Self>, id: Id, errand: SocketErrand) {
        let slot = Place::of(id).slot;
        let mut state = self.state.borrow_mut();
        let Some(entry) = state.hub.sockets.get_mut(slot as usize).filter(|entry| entry.socket.id == id)
        else {
            return;
        };
        let session = entry.session;
        match errand {
            SocketErrand::Emit(out, urgency) => state.queue(self, session, &out, urgency),
            SocketErrand::Ask(out, number, asker) => {
                entry.waiters.get_or_insert_default().insert(number, Waiter::One(asker));
                state.queue(self, session, &out, Urgency::Queued);
            }
            SocketErrand::Forget(number) => drop(state.hub.take_waiter(slot, number)),
            SocketErrand::Join(room) => state.hub.join(slot, &room),
            SocketErrand::Leave(room) => state.hub.leave(slot, &room),
            SocketErrand::Overheard(spoken) => {
                let listening = Socket(entry.socket.clone());
                drop(state);
                self.overhear(&[listening], &spoken);
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

    /// As Node does it: with the session, each of its sockets is told that the server disconnected it.
    fn disconnect(self: &Rc<Self>, slot: u32, session: u32, closing: Closing) {
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
    fn overhear(&self, receivers: &[Socket], spoken: &Spoken) {
        for socket in receivers {
            let Service::Sockets(namespaces) = &self.node.service else { return };
            let Some(behaviour) = namespaces.find(socket.namespace()) else { return };
            behaviour.any_outgoing.iter().for_each(|listen| listen(socket, &spoken.0, &spoken.1));
        }
    }

    // --- selections ---

    /// Does something to a selection of this shard's sockets.
    pub(crate) fn apply(self: &Rc<Self>, envelope: Envelope) {
        let Envelope { nsp, to, operation } = envelope;
        let mut state = self.state.borrow_mut();
        let mut heard = Vec::new();
        match operation {
            Operation::Emit { out, spoken, urgency } => {
                state.fan_out(self, &nsp, &to, &out, urgency);
                if let Some(spoken) = spoken {
                    state.hub.select(&nsp, &to, |_, entry| heard.push(Socket(entry.socket.clone())));
                    drop(state);
                    self.overhear(&heard, &spoken);
                }
            }
            Operation::Ask { out, spoken, ack, answers } => {
                state.hub.select(&nsp, &to, |_, entry| {
                    entry.waiters.get_or_insert_default().insert(ack, Waiter::Many(answers.clone()));
                    heard.push(Socket(entry.socket.clone()));
                });
                answers.asked(heard.len());
                state.fan_out(self, &nsp, &to, &out, Urgency::Queued);
                drop(state);
                if let Some(spoken) = spoken {
                    self.overhear(&heard, &spoken);
                }
            }
            Operation::Forget(number) => {
                let mut slots = Vec::new();
                state.hub.select(&nsp, &to, |member, _| slots.push(member.socket));
                for slot in slots {
                    drop(state.hub.take_waiter(slot, number));
                }
            }
            Operation::Join(room) => {
                let mut slots = Vec::new();
                state.hub.select(&nsp, &to, |member, _| slots.push(member.socket));
                slots.into_iter().for_each(|slot| state.hub.join(slot, &room));
            }
            Operation::Leave(room) => {
                let mut slots = Vec::new();
                state.hub.select(&nsp, &to, |member, _| slots.push(member.socket));
                slots.into_iter().for_each(|slot| state.hub.leave(slot, &room));
            }
            Operation::Disconnect(closing) => {
                let mut slots = Vec::new();
                state.hub.select(&nsp, &to, |member, _| slots.push(member));
                drop(state);
                for member in slots {
                    self.disconnect(member.socket, member.session, closing);
                }
            }
            Operation::Fetch(found) => {
                let mut sockets = Vec::new();
                state.hub.select(&nsp, &to, |_, entry| sockets.push(RemoteSocket::of(&entry.socket)));
                // The asker has room for one answer from each shard, or has gone.
                let _ = found.try_send(sockets);
            }
        }
        self.schedule_flush();
    }

    /// Queues a message for one session.
    pub(super) fn queue_one(&self, slot: u32, out: &Outgoing) {
        self.state.borrow_mut().queue(self, slot, out, Urgency::Queued);
        self.schedule_flush();
    }

    // --- sessions ---

    /// Opens a session over polling; gives the body that answers the request.
    pub(crate) fn open_polling(self: &Rc<Self>, handshake: Handshake) -> Option<Vec<u8>> {
        let slot = self.open(handshake, Transport::Polling(Box::default()))?;
        let mut state = self.state.borrow_mut();
        match &mut state.sessions.get_mut(slot as usize)?.transport {
            Transport::Polling(polling) => Some(polling.payload()),
            Transport::WebSocket(_) => None,
        }
    }

    /// Opens a session over a WebSocket.
    pub(crate) fn open_websocket(self: &Rc<Self>, handshake: Handshake, upgraded: Upgraded) {
        handshake.moved_to_websocket();
        let early = upgraded.early.clone();
        let Some(socket) = self.websocket(upgraded) else { return };
        let Some(slot) = self.open(handshake, Transport::WebSocket(socket)) else { return };
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

    fn websocket(&self, upgraded: Upgraded) -> Option<WebSocket> {
        upgraded.stream.set_nonblocking(true).ok()?;
        // Messages are written whole, so waiting for more only delays them.
        upgraded.stream.set_nodelay(true).ok()?;
        Some(WebSocket {
            stream: mio::net::TcpStream::from_std(upgraded.stream),
            decoder: Decoder::new(upgraded.compresses),
            outbox: Outbox::default(),
            compresses: upgraded.compresses,
            blocked: false,
            _permit: ConnectionPermit::renew(&self.node, self.index),
        })
    }

    /// Starts to watch the connection of a session.
    fn watch(self: &Rc<Self>, slot: u32, kind: usize) {
        let mut state = self.state.borrow_mut();
        let Some(session) = state.sessions.get_mut(slot as usize) else { return };
        let stream = match (&mut session.transport, &mut session.probe) {
            (_, Some(probe)) if kind == PROBE => &mut probe.socket.stream,
            (Transport::WebSocket(socket), _) => &mut socket.stream,
            (Transport::Polling(_), _) => return,
        };
        let token = Token(slot as usize | kind);
        if self.registry.register(stream, token, Interest::READABLE | Interest::WRITABLE).is_err() {
            drop(state);
            self.end_session(slot, End::TransportError);
        }
    }

    fn open(self: &Rc<Self>, handshake: Handshake, transport: Transport) -> Option<u32> {
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
        state.sessions.insert(Session {
            id,
            stamp,
            beat,
            dirty: false,
            paused: false,
            transport,
            probe: None,
            handshake: Arc::new(handshake),
            sockets: Vec::new(),
            joining: 0,
            assembler: Default::default(),
        });
        self.metrics().sessions_opened.add(1);
        if !raw {
            let config = &self.node.config;
            let (ping_interval, ping_timeout) = (config.ping_interval, config.ping_timeout);
            let payload_bytes_max = config.payload_bytes_max;
            let open = Open { sid: id, upgrades, ping_interval, ping_timeout, payload_bytes_max };
            state.queue(self, slot, &Outgoing::engine(&open.encode()), Urgency::Queued);
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
            session.is_some_and(|session| session.sockets.is_empty() && session.joining == 0)
        };
        if idle {
            self.end_session(slot, End::ConnectTimeout);
        }
    }

    fn find(&self, id: Id) -> Option<(u32, u32)> {
        let slot = Place::of(id).slot;
        let state = self.state.borrow();
        let session = state.sessions.get(slot as usize).filter(|session| session.id == id)?;
        Some((slot, session.stamp))
    }

    /// Does something for a session of this shard.
    pub(crate) fn run_session(self: &Rc<Self>, id: Id, errand: SessionErrand) {
        // A session that should have ended by now is not there any more, however late the timer.
        self.fire(Instant::now());
        let found = self.find(id);
        // An asker that has gone needs no answer: every send below may fail for that reason alone.
        match (errand, found) {
            (SessionErrand::Poll(waiting), Some((slot, _))) => self.poll(slot, waiting),
            (SessionErrand::Poll(waiting), None) => drop(waiting.send(self.poll_of_the_parted(id))),
            (SessionErrand::PollGone, Some((slot, _))) => self.poll_gone(slot),
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

    fn is_polling(&self, slot: u32) -> bool {
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
        match state.parted.iter().position(|parted| *parted == id) {
            Some(at) => {
                state.parted.remove(at);
                PollAnswer::Payload(b"6".to_vec())
            }
            None => PollAnswer::Unknown,
        }
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
            self.end_session(slot, End::TransportClose);
        }
    }

    // --- upgrades ---

    /// A session that polls is put on probation; one that has moved, or is moving, already lets the connection drop.
    fn begin_upgrade(self: &Rc<Self>, slot: u32, upgraded: Upgraded) {
        let moving = |session: &Session| {
            session.probe.is_some() || matches!(session.transport, Transport::WebSocket(_))
        };
        if self.state.borrow().sessions.get(slot as usize).is_none_or(moving) {
            return;
        }
        let early = upgraded.early.clone();
        let Some(socket) = self.websocket(upgraded) else { return };
        {
            let mut state = self.state.borrow_mut();
            let super::State { sessions, deadlines, .. } = &mut *state;
            let Some(session) = sessions.get_mut(slot as usize) else { return };
            session.probe = Some(Box::new(Probe { socket, answered: false }));
            deadlines.arm(Kind::Upgrade, Instant::now(), slot, session.stamp);
        }
        self.watch(slot, PROBE);
        if !early.is_empty() {
            self.take_in_probe(slot, &mut Vec::from(early));
        }
    }

    /// The upgrade took too long: the connection is given up, the session goes on polling.
    pub(super) fn upgrade_missing(&self, slot: u32, stamp: u32) {
        let mut state = self.state.borrow_mut();
        if let Some(session) = state.sessions.get_mut(slot as usize).filter(|session| session.stamp == stamp)
        {
            session.probe = None;
        }
    }

    /// Reads a connection that may take over. What it says is short; more than a scratch buffer ends it.
    pub(super) fn read_probe(self: &Rc<Self>, slot: u32) {
        use std::io::Read;
        let Some(mut scratch) = self.scratch.take() else { return };
        let read = {
            let mut state = self.state.borrow_mut();
            let probe = state.sessions.get_mut(slot as usize).and_then(|session| session.probe.as_mut());
            probe.map(|probe| probe.socket.stream.read(&mut scratch))
        };
        match read {
            Some(Ok(0)) => self.give_up_probe(slot),
            Some(Ok(bytes)) => self.take_in_probe(slot, &mut scratch[..bytes]),
            Some(Err(error)) if error.kind() != std::io::ErrorKind::WouldBlock => self.give_up_probe(slot),
            Some(Err(_)) | None => {}
        }
        self.scratch.set(Some(scratch));
        if !self.is_polling(slot) {
            // It took over; what the kernel still holds of it was announced to the probe, not to the session.
            self.read_later(slot);
        }
    }

    fn give_up_probe(&self, slot: u32) {
        if let Some(session) = self.state.borrow_mut().sessions.get_mut(slot as usize) {
            session.probe = None;
        }
    }

    fn take_in_probe(self: &Rc<Self>, slot: u32, bytes: &mut [u8]) {
        let decoder = {
            let mut state = self.state.borrow_mut();
            let probe = state.sessions.get_mut(slot as usize).and_then(|session| session.probe.as_mut());
            probe.map(|probe| std::mem::take(&mut probe.socket.decoder))
        };
        let Some(mut decoder) = decoder else { return };
        let mut input = bytes;
        loop {
            let step = {
                let mut frames = self.frames.borrow_mut();
                match decoder.next(&mut frames, &mut input) {
                    Ok(Some(Event::Text("2probe"))) => Step::Probed,
                    Ok(Some(Event::Text("5"))) => Step::Upgraded,
                    Ok(Some(Event::Ping(_) | Event::Pong(_))) => Step::Next,
                    Ok(None) => Step::More,
                    Ok(Some(_)) | Err(_) => Step::Wrong,
                }
            };
            match step {
                Step::Next => {}
                Step::Probed => self.answer_probe(slot),
                Step::More => {
                    let mut state = self.state.borrow_mut();
                    if let Some(session) = state.sessions.get_mut(slot as usize)
                        && let Some(probe) = &mut session.probe
                    {
                        probe.socket.decoder = decoder;
                    }
                    return;
                }
                Step::Wrong => return self.give_up_probe(slot),
                Step::Upgraded => {
                    if let Some(stamp) = self.finish_upgrade(slot, decoder) {
                        self.take_in(slot, stamp, input);
                    }
                    return;
                }
            }
        }
    }

    fn answer_probe(&self, slot: u32) {
        let mut state = self.state.borrow_mut();
        let super::State { sessions, dirty, .. } = &mut *state;
        let Some(session) = sessions.get_mut(slot as usize) else { return };
        let Some(probe) = &mut session.probe else { return };
        probe.answered = true;
        probe.socket.outbox.push(Outgoing::engine("3probe").frames().clone());
        if probe.socket.outbox.flush(&mut probe.socket.stream).is_err() {
            session.probe = None;
        }
        // A waiting poll is released, so that the client can leave it.
        session.touch(slot, dirty);
    }

    /// The session moves: what was queued for the next poll goes out on the connection.
    fn finish_upgrade(self: &Rc<Self>, slot: u32, decoder: Decoder) -> Option<u32> {
        let mut state = self.state.borrow_mut();
        let super::State { sessions, dirty, .. } = &mut *state;
        let session = sessions.get_mut(slot as usize)?;
        let mut socket = session.probe.take()?.socket;
        socket.decoder = decoder;
        let both = Interest::READABLE | Interest::WRITABLE;
        let registered = self.registry.reregister(&mut socket.stream, Token(slot as usize), both);
        let Transport::Polling(mut polling) =
            std::mem::replace(&mut session.transport, Transport::WebSocket(socket))
        else {
            return None;
        };
        if let Some(waiting) = polling.waiting.take() {
            let _ = waiting.send(PollAnswer::Payload(b"6".to_vec()));
        }
        if let Transport::WebSocket(socket) = &mut session.transport {
            for message in polling.queue.drain(..) {
                socket.outbox.push(Outgoing::raw(message).frames().clone());
            }
        }
        session.handshake.moved_to_websocket();
        session.touch(slot, dirty);
        let stamp = session.stamp;
        self.metrics().upgrades.add(1);
        if registered.is_err() {
            state.doomed.push((slot, stamp, End::TransportError));
        }
        Some(stamp)
    }

    /// Reads a session again in a turn of its own.
    pub(super) fn read_later(self: &Rc<Self>, slot: u32) {
        let shard = self.clone();
        tokio::task::spawn_local(async move {
            shard.read(slot);
            shard.schedule_flush();
        });
    }
}

/// What a connection on probation said.
enum Step {
    Next,
    More,
    Probed,
    Upgraded,
    Wrong,
}

impl RemoteSocket {
    fn of(socket: &crate::socket::SocketInner) -> Self {
        Self { id: socket.id, rooms: socket.rooms(), data: socket.state().data.clone() }
    }
}
