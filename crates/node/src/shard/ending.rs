//! Ends: of sockets, of sessions, of connections, each through exactly one function, with its reason and its counter.

use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::FutureExt as _;
use mio::{Interest, Token};
use throng_protocol::end::End;
use throng_protocol::id::Id;
use throng_protocol::websocket::close::close_frame;
use tokio::time::Instant;

use super::deadlines::Kind;
use super::hub::Nsp;
use super::outbox::Flushed;
use super::session::{Polling, Transport, WebSocket};
use super::turn::LINGER as LINGER_BIT;
use super::{Shard, State};
use crate::ack::Waiter;
use crate::envelope::PollAnswer;
use crate::handler::EndListener;
use crate::outgoing::Outgoing;
use crate::socket::Socket;

/// How long a closed connection may take to read what was sent before the close. Closing at once would let the kernel
/// throw it away as soon as the client sends anything more.
pub(super) const LINGER: Duration = Duration::from_secs(5);

/// By how much the refusal of a body that was too large goes ahead of the end of its session.
const REFUSAL_AHEAD: Duration = Duration::from_secs(1);

/// Sessions whose last words are kept; each is bounded as the queue of a session is.
const PARTED_MAX: usize = 64;

/// Reads from a closed connection in one go: 4 MiB, about what a kernel holds of what was sent before the close.
const LINGER_READS_MAX: usize = 1024;

impl Shard {
    /// Ends one socket; its session and the session's other sockets stay. Unless it was the client's wish, it is told.
    pub(super) fn end_socket(self: &Rc<Self>, slot: u32, end: End) {
        let Some((session, nsp)) = self.connected(slot) else { return };
        if end != End::ClientDisconnect {
            // Once a client has read that it was disconnected it hears nothing more: what the listeners have to say to it
            // comes before. What they end is done below, like everything that follows from an end.
            if !self.sees_off.replace(true) {
                self.warn(slot, end);
                self.sees_off.set(false);
                if self.connected(slot).is_none() {
                    return self.see_all_off();
                }
            }
            let codec = &self.node.codec;
            self.queue_one(session, Outgoing::plain(codec, |into| codec.disconnect(&nsp.space.nsp, into)));
        }
        self.finish_socket(slot, end);
        if let Some(session) = self.state.borrow_mut().sessions.get_mut(session as usize) {
            session.sockets.retain(|(_, socket)| *socket != slot);
        }
        self.resume(session);
    }

    /// The session and the namespace of a socket, unless it is ending already, and so was told, or is not yet admitted, and
    /// so is none to end.
    fn connected(&self, slot: u32) -> Option<(u32, Rc<Nsp>)> {
        let state = self.state.borrow();
        let entry = state.hub.sockets.get(slot as usize);
        let entry = entry.filter(|entry| entry.socket.connected.load(Ordering::Relaxed));
        entry.map(|entry| (entry.session, entry.nsp.clone()))
    }

    /// Takes a socket out of the tables, with its listeners hearing of it before and after. From within such a listener
    /// it is done when that one returns: ends do not nest, however many follow from one.
    fn finish_socket(self: &Rc<Self>, slot: u32, end: End) {
        {
            let mut state = self.state.borrow_mut();
            let Some(entry) = state.hub.sockets.get(slot as usize) else { return };
            // Whoever comes second, from a listener that disconnects the socket once more, finds it done.
            if !entry.socket.connected.swap(false, Ordering::Relaxed) {
                return;
            }
            let (socket, nsp) = (Socket(entry.socket.clone()), entry.nsp.clone());
            state.leaving.push_back(Leaving { slot, socket, nsp, end });
        }
        self.see_all_off();
    }

    fn see_all_off(self: &Rc<Self>) {
        if self.sees_off.replace(true) {
            return;
        }
        loop {
            let leaving = self.state.borrow_mut().leaving.pop_front();
            let Some(leaving) = leaving else { break };
            self.see_off(leaving);
        }
        self.sees_off.set(false);
    }

    fn see_off(self: &Rc<Self>, leaving: Leaving) {
        let Leaving { slot, socket, nsp, end } = leaving;
        self.warn(slot, end);
        let entry = {
            let mut state = self.state.borrow_mut();
            state.hub.leave_all(slot);
            state.hub.remove(slot)
        };
        if let Some(entry) = entry {
            entry.waiters.into_iter().flat_map(|waiters| waiters.into_values()).for_each(Waiter::lost);
            if let Some(track) = entry.track {
                self.part(socket.id(), nsp.space.clone(), *track, end);
            }
        }
        self.metrics().sockets_disconnected[end as usize].add(1);
        nsp.space.tenant.usage.of(self.index).sockets_disconnected.add(1);
        self.announce(&nsp.behaviour.disconnect, &socket, end);
        tracing::trace!(nsp = &*nsp.space.nsp, end = end.code(), "socket ended");
    }

    /// Lets a socket's listeners hear, once, that it is disconnecting.
    fn warn(self: &Rc<Self>, slot: u32, end: End) {
        let (socket, nsp) = {
            let mut state = self.state.borrow_mut();
            let Some(entry) = state.hub.sockets.get_mut(slot as usize) else { return };
            if std::mem::replace(&mut entry.warned, true) {
                return;
            }
            (Socket(entry.socket.clone()), entry.nsp.clone())
        };
        self.announce(&nsp.behaviour.disconnecting, &socket, end);
    }

    /// Lets the listeners of a session's sockets hear that the session is about to end, while it can still be told what
    /// they make of it, from this shard and from others.
    pub(super) fn warn_session(self: &Rc<Self>, slot: u32, end: End) {
        let sockets: Vec<u32> = {
            let state = self.state.borrow();
            let sockets = state.sessions.get(slot as usize).map(|session| session.sockets.iter());
            sockets.into_iter().flatten().map(|(_, socket)| *socket).collect()
        };
        sockets.into_iter().for_each(|socket| self.warn(socket, end));
    }

    fn announce(self: &Rc<Self>, listeners: &[EndListener], socket: &Socket, end: End) {
        for listen in listeners {
            // The socket is ending already: all that a panic leaves behind is what the hook writes about it.
            if let Ok(running) = catch_unwind(AssertUnwindSafe(|| listen(socket.clone(), end))) {
                self.spawn_or_finish(AssertUnwindSafe(running).catch_unwind().map(drop));
            }
        }
    }

    /// Ends a session with all of its sockets, and closes its transport.
    pub(super) fn end_session(self: &Rc<Self>, slot: u32, end: End) {
        let sockets = {
            let mut state = self.state.borrow_mut();
            let Some(session) = state.sessions.get_mut(slot as usize) else { return };
            std::mem::take(&mut session.sockets)
        };
        for (_, socket) in sockets {
            self.finish_socket(socket, end);
        }
        let mut state = self.state.borrow_mut();
        if state.waits_for_move(slot, end) {
            return;
        }
        let Some(session) = state.sessions.try_remove(slot as usize) else { return };
        self.metrics().sessions_ended[end as usize].add(1);
        self.metrics().sessions[session.transport.name() as usize].subtract(1);
        tracing::trace!(end = end.code(), "session ended");
        match session.transport {
            Transport::WebSocket(socket) => state.close(self, socket, end),
            Transport::Polling(polling) => {
                state.last_words(session.id, *polling, end);
            }
        }
        if let Some(probe) = session.probe {
            state.close(self, probe.socket, end);
        }
    }

    // --- connections that are closed but not yet gone ---

    /// A lingering connection made progress.
    pub(super) fn linger_ready(&self, key: u32) {
        let mut state = self.state.borrow_mut();
        let Some((_, socket)) = state.lingering.get_mut(key as usize) else { return };
        let flushed = match socket.outbox.flush(&mut socket.stream) {
            Ok(Flushed::Blocked) => return,
            // Once only: the kernel reports each shutdown as readiness, which would lead back here.
            Ok(Flushed::All) if std::mem::take(&mut socket.blocked) => {
                socket.stream.shutdown(std::net::Shutdown::Write).is_ok()
            }
            Ok(Flushed::All) => true,
            Err(_) => false,
        };
        let mut sink = [0; 4096];
        // A client that sends faster than this reads has not stopped for the goodbye, and is not waited for.
        let open = flushed
            && (0..LINGER_READS_MAX)
                .find_map(|_| match socket.stream.read(&mut sink) {
                    Ok(0) => Some(false),
                    Ok(_) => None,
                    Err(error) => Some(error.kind() == std::io::ErrorKind::WouldBlock),
                })
                .unwrap_or(false);
        if !open {
            state.lingering.remove(key as usize);
        }
    }

    /// A lingering connection had its time.
    pub(super) fn linger_over(&self, key: u32, stamp: u32) {
        let mut state = self.state.borrow_mut();
        if state.lingering.get(key as usize).is_some_and(|(known, _)| *known == stamp) {
            state.lingering.remove(key as usize);
        }
    }
}

/// A socket on its way out.
pub(super) struct Leaving {
    slot: u32,
    socket: Socket,
    nsp: Rc<Nsp>,
    end: End,
}

impl State {
    /// A client that is between its last poll and its first frame on a WebSocket reads neither. What its session has to
    /// say to the end is kept until it has moved, or has had the time to.
    fn waits_for_move(&mut self, slot: u32, end: End) -> bool {
        let stamp = self.stamp();
        let Some(session) = self.sessions.get_mut(slot as usize) else { return false };
        let Some(probe) = &mut session.probe else { return false };
        if !probe.answered || !keeps_its_words(end) {
            return false;
        }
        probe.parting.get_or_insert(end);
        // Whatever was begun for it, a namespace joined or a deadline, finds that it is over.
        session.stamp = stamp;
        true
    }

    /// Answers a waiting poll, and keeps for those on their way what a session still has to say. What is queued and the
    /// goodbye go into different answers: clients act on a goodbye before they have handed on what came with it.
    fn last_words(&mut self, id: Id, mut polling: Polling, end: End) {
        if end == End::PayloadTooLarge {
            // The refusal of the body says why, on a connection of its own. A client that hears of the end on its poll
            // first never learns that; one that has read the refusal gives the poll up.
            tokio::task::spawn_local(async move {
                tokio::time::sleep(REFUSAL_AHEAD).await;
                drop(polling.waiting.take().map(|waiting| waiting.send(PollAnswer::Unknown)));
            });
            return;
        }
        // A client that closed the session itself only needs its poll released.
        let goodbye: &[u8] = if end == End::TransportClose { b"6" } else { b"1" };
        let queued = (!polling.queue.is_empty()).then(|| polling.payload());
        let mut words = queued.into_iter().chain(std::iter::once(goodbye.to_vec()));
        if let Some(waiting) = polling.waiting.take()
            && let Some(first) = words.next()
        {
            // A client that gave up the poll needs no goodbye.
            let _ = waiting.send(PollAnswer::Payload(first));
        }
        // After a violation the session is unknown at once.
        for word in words.filter(|_| end == End::TransportClose || keeps_its_words(end)) {
            if self.parted.len() == PARTED_MAX {
                self.parted.pop_front();
            }
            self.parted.push_back((id, word));
        }
    }

    /// Says goodbye on a connection: what is queued, a close frame, then nothing more, until the client has closed too.
    fn close(&mut self, shard: &Shard, mut socket: WebSocket, end: End) {
        if matches!(end, End::TransportClose | End::TransportError | End::PayloadTooLarge) {
            // A close frame was queued already, or there is nobody left to read one.
        } else {
            socket.outbox.push(close_frame(Some(close_code(end)), ""));
        }
        if end == End::TransportClose && socket.outbox.bytes() == 0 {
            // The client hung up first: there is nothing left to wait for.
            return;
        }
        let flushed = !socket.blocked && matches!(socket.outbox.flush(&mut socket.stream), Ok(Flushed::All));
        if socket.outbox.bytes() > shard.node.config.queue_bytes_max || end == End::PingTimeout {
            // It does not read; nothing is gained by waiting for it.
            return;
        }
        socket.blocked = !flushed;
        if flushed && socket.stream.shutdown(std::net::Shutdown::Write).is_err() {
            return;
        }
        let stamp = self.stamp();
        let entry = self.lingering.vacant_entry();
        let Ok(key) = u32::try_from(entry.key()) else { return };
        let token = Token(entry.key() | LINGER_BIT);
        let both = Interest::READABLE | Interest::WRITABLE;
        if shard.registry.reregister(&mut socket.stream, token, both).is_ok() {
            entry.insert((stamp, socket));
            self.deadlines.arm(Kind::Linger, Instant::now(), key, stamp);
        }
    }
}

/// Whether a client is told what it had not read yet when its session ended.
fn keeps_its_words(end: End) -> bool {
    matches!(end, End::ForcedClose | End::ServerShutdown | End::ConnectTimeout)
}

/// The WebSocket close code that fits an end (RFC 6455 section 7.4.1).
fn close_code(end: End) -> u16 {
    match end {
        End::ServerShutdown => 1001,
        End::ParseError
        | End::SlowConsumer
        | End::EventBacklog
        | End::ConnectTimeout
        | End::TokenExpired
        | End::TokenRevoked
        | End::RateLimited
        | End::TenantClosed
        | End::Operator => 1008,
        End::HandlerPanic => 1011,
        _ => 1000,
    }
}
