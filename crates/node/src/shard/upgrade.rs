//! From polling to a WebSocket: a connection is on probation until the client says that it has moved.

use std::io::Read;
use std::rc::Rc;
use std::time::Duration;

use mio::{Interest, Token};
use throng_protocol::end::End;
use throng_protocol::engine::handshake::Transport as TransportName;
use throng_protocol::websocket::decoder::{Decoder, Event};
use tokio::time::Instant;

use super::Shard;
use super::deadlines::Kind;
use super::outbox::Outbox;
use super::session::{Probe, Session, Transport, WebSocket};
use super::stream::Stream;
use super::turn::PROBE;
use crate::envelope::{PollAnswer, Upgraded};
use crate::http::bound_writes;
use crate::metrics::Overdue;
use crate::node::ConnectionPermit;
use crate::outgoing::Outgoing;

impl Shard {
    /// Takes over a connection from HTTP.
    pub(super) fn websocket(&self, upgraded: Upgraded) -> Option<WebSocket> {
        // From here on heartbeats tell who is gone.
        bound_writes(&upgraded.stream, Duration::ZERO);
        Some(WebSocket {
            stream: Stream::from_std(upgraded.stream),
            decoder: Decoder::new(upgraded.window.is_some()),
            outbox: Outbox::default(),
            window: upgraded.window,
            blocked: false,
            hung_up: false,
            _permit: ConnectionPermit::renew(&self.node, self.index),
        })
    }

    /// Starts to watch the connection of a session.
    pub(super) fn watch(self: &Rc<Self>, slot: u32, kind: usize) {
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

    /// A session that polls is put on probation; one that has moved, or is moving, already lets the connection drop.
    pub(super) fn begin_upgrade(self: &Rc<Self>, slot: u32, upgraded: Upgraded) {
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
            let stamp = state.stamp();
            let super::State { sessions, deadlines, .. } = &mut *state;
            let Some(session) = sessions.get_mut(slot as usize) else { return };
            session.probe = Some(Box::new(Probe { socket, stamp, answered: false, parting: None }));
            deadlines.arm(Kind::Upgrade, Instant::now(), slot, stamp);
        }
        self.watch(slot, PROBE);
        if !early.is_empty() {
            self.take_in_probe(slot, &mut Vec::from(early));
        }
    }

    /// The upgrade took too long: the connection is given up, the session goes on polling.
    pub(super) fn upgrade_missing(self: &Rc<Self>, slot: u32, stamp: u32) {
        let known = {
            let state = self.state.borrow();
            let session = state.sessions.get(slot as usize);
            session.and_then(|session| session.probe.as_ref()).is_some_and(|probe| probe.stamp == stamp)
        };
        if known {
            self.metrics().overdue(Overdue::Upgrade);
            self.give_up_probe(slot);
        }
    }

    /// Reads a connection that may take over. What it says is short; more than a scratch buffer ends it.
    pub(super) fn read_probe(self: &Rc<Self>, slot: u32) {
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

    /// The session goes on polling, or ends where it was to be told of its end on the connection.
    pub(super) fn give_up_probe(self: &Rc<Self>, slot: u32) {
        let probe = {
            let mut state = self.state.borrow_mut();
            state.sessions.get_mut(slot as usize).and_then(|session| session.probe.take())
        };
        if let Some(end) = probe.and_then(|probe| probe.parting) {
            self.end_session(slot, end);
        }
    }

    /// Whether a session is over and only waits for its client to have moved.
    pub(super) fn is_parting(&self, slot: u32) -> bool {
        let state = self.state.borrow();
        let probe = state.sessions.get(slot as usize).and_then(|session| session.probe.as_ref());
        probe.is_some_and(|probe| probe.parting.is_some())
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

    fn answer_probe(self: &Rc<Self>, slot: u32) {
        let answered = {
            let mut state = self.state.borrow_mut();
            let super::State { sessions, dirty, .. } = &mut *state;
            let Some(session) = sessions.get_mut(slot as usize) else { return };
            let Some(probe) = &mut session.probe else { return };
            probe.socket.outbox.push(Outgoing::engine("3probe").frames().clone());
            // Once is enough; the answers to a client that asks on and on would pile up.
            let answered = !std::mem::replace(&mut probe.answered, true)
                && probe.socket.outbox.flush(&mut probe.socket.stream).is_ok();
            // A waiting poll is released, so that the client can leave it.
            session.touch(slot, dirty);
            answered
        };
        if !answered {
            self.give_up_probe(slot);
        }
    }

    /// The session moves: what was queued for the next poll goes out on the connection.
    fn finish_upgrade(self: &Rc<Self>, slot: u32, decoder: Decoder) -> Option<u32> {
        let mut state = self.state.borrow_mut();
        let super::State { sessions, dirty, .. } = &mut *state;
        let session = sessions.get_mut(slot as usize)?;
        let Probe { mut socket, parting, .. } = *session.probe.take()?;
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
                socket.outbox.push(Outgoing::raw(&message).frames().clone());
            }
        }
        session.handshake.moved_to_websocket();
        session.touch(slot, dirty);
        let stamp = session.stamp;
        self.metrics().upgrades.add(1);
        self.metrics().sessions[TransportName::Polling as usize].subtract(1);
        self.metrics().sessions[TransportName::WebSocket as usize].add(1);
        if registered.is_err() {
            state.doomed.push((slot, stamp, End::TransportError));
        }
        drop(state);
        if let Some(end) = parting {
            self.end_session(slot, end);
        }
        Some(stamp)
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
