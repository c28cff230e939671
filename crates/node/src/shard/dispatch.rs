//! From packets to handlers: events in order, acknowledgements.

use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::FutureExt;
use throng_protocol::end::End;
use throng_protocol::id::Id;
use throng_protocol::socket::args::ArgsRef;
use throng_protocol::socket::packet::{ArgValue, Body, Packet};

use super::hub::{Entry, Nsp, Waiting};
use super::session::Transport;
use super::{Shard, State, tokens};
use crate::ack::Ack;
use crate::app::RawMessage;
use crate::handler::{EventListener, Incoming, Running};
use crate::refusals;
use crate::socket::{Socket, SocketInner};
use crate::throttle::{Bounds, Throttled};

impl Shard {
    /// A Socket.IO message, or a part of one.
    pub(super) fn on_socket_message(self: &Rc<Self>, slot: u32, stamp: u32, message: RawMessage<'_>) {
        let assembler = {
            let mut state = self.state.borrow_mut();
            state.sessions.get_mut(slot as usize).map(|session| std::mem::take(&mut session.assembler))
        };
        let Some(mut assembler) = assembler else { return };
        let packet = match message {
            RawMessage::Text(text) => assembler.text(&self.node.codec, text),
            RawMessage::Binary(bytes) => assembler.binary(&self.node.codec, bytes),
        };
        match packet {
            Ok(Some(packet)) => self.on_socket_packet(slot, stamp, packet),
            Ok(None) => {}
            Err(error) => {
                tracing::debug!(%error, "malformed packet");
                return self.end_session(slot, End::ParseError);
            }
        }
        assembler.release();
        let mut state = self.state.borrow_mut();
        if let Some(session) = state.sessions.get_mut(slot as usize).filter(|session| session.stamp == stamp)
        {
            session.assembler = assembler;
        }
    }

    fn on_socket_packet(self: &Rc<Self>, slot: u32, stamp: u32, packet: Packet<'_>) {
        let Packet { nsp, body } = packet;
        if let Body::Connect(auth) = body {
            return self.connect(slot, stamp, &nsp, auth);
        }
        let found = {
            let state = self.state.borrow();
            let sockets = state.sessions.get(slot as usize).map(|session| session.sockets.as_slice());
            sockets
                .unwrap_or_default()
                .iter()
                .find(|(known, _)| *known.space.nsp == *nsp)
                .map(|(_, socket)| *socket)
        };
        let Some(socket) = found else {
            // As Node does: a client that talks to a namespace it has not joined is broken.
            return self.end_session(slot, End::ParseError);
        };
        match body {
            Body::Event { ack, name, args } => self.on_event_packet(socket, &name, args, ack),
            Body::Ack { ack, args } => {
                let waiter = self.state.borrow_mut().hub.take_waiter(socket, ack);
                if let Some(waiter) = waiter {
                    waiter.answer(args.to_owned());
                }
            }
            Body::Disconnect => self.end_socket(socket, End::ClientDisconnect),
            Body::Connect(_) | Body::ConnectError(_) => self.end_session(slot, End::ParseError),
        }
    }

    // --- events ---

    fn on_event_packet(self: &Rc<Self>, slot: u32, name: &str, args: ArgsRef<'_>, ack: Option<u64>) {
        let (socket, nsp) = {
            let mut state = self.state.borrow_mut();
            let Some(entry) = state.hub.sockets.get_mut(slot as usize) else { return };
            if let Err(throttled) = self.let_in(entry, name, args) {
                let (socket, session) = (Socket(entry.socket.clone()), entry.session);
                drop(state);
                return self.turn_away(&socket, session, ack, throttled);
            }
            if tokens::is_own(name) {
                let socket = Socket(entry.socket.clone());
                drop(state);
                if self.on_token_event(&socket, name, args, ack) {
                    return;
                }
                state = self.state.borrow_mut();
            }
            let Some(entry) = state.hub.sockets.get_mut(slot as usize) else { return };
            if let Some(backlog) = &mut entry.backlog {
                let bytes = size_of::<Waiting>() + name.len() + args_bytes(args);
                backlog.bytes += bytes;
                backlog.events.push_back(Waiting { name: name.into(), args: args.to_owned(), ack, bytes });
                let (behind, session) = (backlog.bytes - bytes, entry.session);
                return self.bound_backlog(state, session, behind, bytes);
            }
            (entry.socket.clone(), entry.nsp.clone())
        };
        let whom = Whom::of(&socket);
        if let Some(running) = self.guard(whom, || self.handle((socket, &nsp), name, args, ack)).flatten() {
            self.run(whom, running);
        }
    }

    /// Whether an event is within the limits of its socket and the quotas of its tenant.
    fn let_in(&self, entry: &mut Entry, name: &str, args: ArgsRef<'_>) -> Result<(), Throttled> {
        let tenant = &entry.nsp.space.tenant;
        let bytes = u32::try_from(name.len() + args_bytes(args)).unwrap_or(u32::MAX);
        let seen = tenant.usage.of(self.index);
        seen.events_received.add(1);
        seen.bytes_received.add(bytes.into());
        if !tenant.bounds_events() {
            return Ok(());
        }
        let settings = tenant.settings();
        let now = self.event_time();
        let bounds = Bounds { limits: &settings.events, own: &entry.nsp.behaviour.rates };
        entry.throttle.take(bounds, name, now)?;
        let shared = [
            (settings.quotas.events_per_second, &tenant.usage.events, 1),
            (settings.quotas.bytes_per_second, &tenant.usage.bytes, bytes),
        ];
        for (rate, quota, cost) in shared {
            let taken = rate.map_or(Ok(()), |rate| quota.take(rate, cost, now));
            taken.map_err(Throttled::Wait)?;
        }
        Ok(())
    }

    /// The time since the node began, read once in a turn.
    pub(super) fn event_time(&self) -> Duration {
        if !self.in_turn.get() {
            return self.node.uptime();
        }
        let now = self.turn_time.get().unwrap_or_else(|| self.node.uptime());
        self.turn_time.set(Some(now));
        now
    }

    /// Answers an event that came too fast; a client that never stops is ended.
    fn turn_away(self: &Rc<Self>, socket: &Socket, session: u32, ack: Option<u64>, throttled: Throttled) {
        self.metrics().events_limited.add(1);
        socket.0.space.tenant.usage.of(self.index).events_refused.add(1);
        match throttled {
            Throttled::Wait(wait) => Ack::new(socket, ack).send(refusals::rate_limited(wait)),
            Throttled::Flood => {
                self.node.hold_off(socket.0.handshake.address);
                self.explain(socket, End::RateLimited);
                self.end_session(session, End::RateLimited);
            }
        }
    }

    /// A backlog stops the reading of its connection. A session that polls has none to stop, and while a handler asks
    /// its own client something the answer must get through: for these there is a second, final bound. It is measured
    /// without the event that came last, which may be large and alone.
    fn bound_backlog(
        self: &Rc<Self>,
        mut state: std::cell::RefMut<'_, State>,
        session: u32,
        behind_bytes: usize,
        event_bytes: usize,
    ) {
        const FINAL_FACTOR: usize = 4;
        let max = self.node.config.backlog_bytes_max;
        if behind_bytes + event_bytes <= max {
            return;
        }
        let State { sessions, hub, .. } = &mut *state;
        let Some(entry) = sessions.get_mut(session as usize) else { return };
        let mut sockets = entry.sockets.iter().filter_map(|(_, slot)| hub.sockets.get(*slot as usize));
        let asking = sockets.any(|socket| socket.waiters.is_some());
        if !asking && matches!(entry.transport, Transport::WebSocket(_)) {
            entry.paused = true;
        } else if behind_bytes > max.saturating_mul(FINAL_FACTOR) {
            drop(state);
            self.end_session(session, End::EventBacklog);
        }
    }

    /// Reads a session again once none of its sockets holds it up any more.
    pub(super) fn resume(self: &Rc<Self>, session: u32) {
        {
            let mut state = self.state.borrow_mut();
            let State { sessions, hub, .. } = &mut *state;
            let paused = sessions.get_mut(session as usize).filter(|session| session.paused);
            let Some(paused) = paused else { return };
            let low = self.node.config.backlog_bytes_max / 2;
            let sockets = paused.sockets.iter().filter_map(|(_, slot)| hub.sockets.get(*slot as usize));
            let mut backlogs = sockets.filter_map(|socket| socket.backlog.as_ref());
            if backlogs.any(|backlog| backlog.bytes > low) {
                return;
            }
            paused.paused = false;
        }
        self.read_later(session);
    }

    /// Reads a session whatever its backlog, because its client was asked something.
    pub(super) fn resume_for_answer(self: &Rc<Self>, session: u32) {
        let paused = {
            let mut state = self.state.borrow_mut();
            let session = state.sessions.get_mut(session as usize);
            session.is_some_and(|session| std::mem::take(&mut session.paused))
        };
        if paused {
            self.read_later(session);
        }
    }

    /// Starts the listeners of an event.
    fn handle(
        self: &Rc<Self>,
        (socket, nsp): (Arc<SocketInner>, &Nsp),
        name: &str,
        args: ArgsRef<'_>,
        ack: Option<u64>,
    ) -> Option<Running> {
        let socket = Socket(socket);
        if !nsp.behaviour.any.is_empty() {
            let args = args.to_owned();
            nsp.behaviour.any.iter().for_each(|listen| listen(&socket, name, &args));
        }
        let listeners = nsp.behaviour.events.get(name)?;
        let ack = Ack::new(&socket, ack);
        if let [listener] = listeners.as_slice() {
            return self.start(listener, Incoming { socket, args, ack });
        }
        let shares = ack.share(listeners.len());
        let each = listeners.iter().zip(shares);
        let running = each.filter_map(|(listener, ack)| {
            self.start(listener, Incoming { socket: socket.clone(), args, ack })
        });
        Some(Box::pin(one_after_the_other(running.collect())))
    }

    /// Starts one listener; arguments that it cannot take are answered with an error when an answer is wanted.
    fn start(&self, listener: &EventListener, incoming: Incoming<'_>) -> Option<Running> {
        match listener(incoming) {
            Ok(running) => Some(running),
            Err((ack, error)) => {
                self.metrics().arguments_refused.add(1);
                tracing::debug!(%error, "arguments refused");
                ack.send(refusals::invalid_arguments(&error));
                None
            }
        }
    }

    /// Runs a handler: to its end if it does not wait, else in a task, with the socket's next events queueing behind it.
    pub(super) fn run(self: &Rc<Self>, whom: Whom, mut running: Running) {
        let mut context = Context::from_waker(Waker::noop());
        match std::panic::catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(&mut context))) {
            Ok(Poll::Ready(())) => {}
            Err(_) => self.panicked(whom),
            Ok(Poll::Pending) => {
                if let Some(entry) = whom.entry(&mut self.state.borrow_mut()) {
                    entry.backlog.get_or_insert_default();
                }
                tokio::task::spawn_local(self.clone().run_on(whom, running));
            }
        }
    }

    /// Carries a handler on that waits for something, then whatever has queued behind it.
    async fn run_on(self: Rc<Self>, whom: Whom, mut running: Running) {
        while AssertUnwindSafe(running).catch_unwind().await.is_ok() {
            let Some(next) = self.next_event(whom) else { return };
            running = next;
        }
        self.panicked(whom);
    }

    /// The next event in the line behind a handler that has finished; none left, and the line is gone.
    fn next_event(self: &Rc<Self>, whom: Whom) -> Option<Running> {
        loop {
            let ((socket, nsp), event, session, low) = {
                let mut state = self.state.borrow_mut();
                let entry = whom.entry(&mut state)?;
                let session = entry.session;
                let backlog = entry.backlog.as_mut()?;
                let event = backlog.events.pop_front();
                backlog.bytes -= event.as_ref().map_or(0, |event| event.bytes);
                let low = backlog.bytes <= self.node.config.backlog_bytes_max / 2;
                if event.is_none() {
                    entry.backlog = None;
                }
                ((entry.socket.clone(), entry.nsp.clone()), event, session, low)
            };
            if low {
                self.resume(session);
            }
            let Waiting { name, args, ack, .. } = event?;
            let started = self.guard(whom, || self.handle((socket, &nsp), &name, args.as_ref(), ack));
            if let Some(running) = started.flatten() {
                return Some(running);
            }
        }
    }

    /// Calls code of the app; a panic in it ends the socket.
    pub(super) fn guard<T>(self: &Rc<Self>, whom: Whom, call: impl FnOnce() -> T) -> Option<T> {
        let called = std::panic::catch_unwind(AssertUnwindSafe(call));
        called.map_err(|_| self.panicked(whom)).ok()
    }

    fn panicked(self: &Rc<Self>, whom: Whom) {
        let nsp = whom.entry(&mut self.state.borrow_mut()).map(|entry| entry.nsp.space.nsp.clone());
        tracing::error!(nsp = nsp.as_deref(), "handler panicked");
        if nsp.is_some() {
            self.end_socket(whom.slot, End::HandlerPanic);
        }
    }

    /// Runs something of the shard's own that usually does not wait.
    pub(super) fn spawn_or_finish(self: &Rc<Self>, work: impl Future<Output = ()> + 'static) {
        let mut work = Box::pin(work);
        if work.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            tokio::task::spawn_local(work);
        }
    }
}

/// A socket for which something of the app runs. It may end meanwhile, and another have its slot.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whom {
    slot: u32,
    id: Id,
}

impl Whom {
    pub(super) fn of(socket: &SocketInner) -> Self {
        Self { slot: socket.place.slot, id: socket.id }
    }

    pub(super) fn entry(self, state: &mut State) -> Option<&mut Entry> {
        state.hub.sockets.get_mut(self.slot as usize).filter(|entry| entry.socket.id == self.id)
    }
}

pub(super) async fn one_after_the_other(listeners: Vec<Running>) {
    for listener in listeners {
        listener.await;
    }
}

fn args_bytes(args: ArgsRef<'_>) -> usize {
    match args {
        ArgsRef::Json(text) => text.len(),
        ArgsRef::Values(values) => values.iter().map(value_bytes).sum(),
    }
}

/// What a value weighs, roughly; its depth was bounded when it was decoded.
fn value_bytes(value: &ArgValue) -> usize {
    let inside = match value {
        ArgValue::String(text) => text.as_bytes().len(),
        ArgValue::Binary(bytes) | ArgValue::Ext(_, bytes) => bytes.len(),
        ArgValue::Array(values) => values.iter().map(value_bytes).sum(),
        ArgValue::Map(pairs) => pairs.iter().map(|(key, value)| value_bytes(key) + value_bytes(value)).sum(),
        _ => 0,
    };
    size_of::<ArgValue>() + inside
}
