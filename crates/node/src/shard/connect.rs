//! Joining a namespace: who may, at which tenant, what its middleware says, and what the client is told.

use std::borrow::Cow;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::FutureExt;
use serde_json::{Value, json};
use throng_protocol::end::End;

use super::dispatch::{Whom, one_after_the_other};
use super::hub::Nsp;
use super::restore::{CaughtUp, Claim, Restored};
use super::{Shard, State};
use crate::admission::{self, Admission, Admitted, Applicant, Denied};
use crate::app::Service;
use crate::envelope::Urgency;
use crate::handler::Refusal;
use crate::identity::Identity;
use crate::ids::Place;
use crate::limits::gcra::{RetryAfter, nanos};
use crate::limits::{Class, Rate};
use crate::namespace::Namespace;
use crate::outgoing::Outgoing;
use crate::socket::{Socket, SocketInner};
use crate::tenants::{Seat, Space, Tenant, TenantError};
use crate::throttle;

/// Someone of whom it is known who it is.
pub(super) struct Guest {
    pub(super) slot: u32,
    pub(super) stamp: u32,
    pub(super) nsp: Rc<Nsp>,
    pub(super) identity: Option<Arc<Identity>>,
    pub(super) auth: Option<Value>,
}

/// Someone at the door of a namespace.
struct Arrival {
    slot: u32,
    stamp: u32,
    nsp: Arc<str>,
    behaviour: Arc<Namespace>,
    auth: Option<Value>,
}

impl Shard {
    /// A client asks to join a namespace. One that asks again before the answer has left, as when a page opens, closes and opens
    /// a socket at once, is answered once; one that has been answered is broken, as with Node.
    pub(super) fn connect(self: &Rc<Self>, slot: u32, stamp: u32, nsp: &str, auth: Option<Value>) {
        let Service::Sockets(namespaces) = &self.node.service else { return };
        match self.has_answered(slot, nsp) {
            Some(true) => return self.end_session(slot, End::ParseError),
            Some(false) => return,
            None => {}
        }
        if let Err(RetryAfter(wait)) = self.let_ask(slot) {
            self.metrics().sockets_refused.add(1);
            self.metrics().events_limited.add(1);
            return self.refuse(slot, nsp, &throttle::refused_join(wait));
        }
        let Some(behaviour) = namespaces.find(nsp) else {
            self.metrics().sockets_refused.add(1);
            return self.refuse(slot, nsp, &Refusal::new("Invalid namespace"));
        };
        let arrival = Arrival { slot, stamp, nsp: nsp.into(), behaviour, auth };
        let (tenant, handshake) = {
            let mut state = self.state.borrow_mut();
            let Some(session) = state.sessions.get_mut(slot as usize) else { return };
            if session.sockets.len() + session.joining.len() >= self.node.config.namespaces_max {
                drop(state);
                self.metrics().sockets_refused.add(1);
                return self.refuse(slot, nsp, &Refusal::new("Too many namespaces"));
            }
            session.joining.push(arrival.nsp.clone());
            (session.seat.as_ref().map(|seat| seat.tenant().clone()), session.handshake.clone())
        };
        let applicant = Applicant {
            seated: tenant.as_ref(),
            handshake: &handshake,
            auth: arrival.auth.as_ref(),
            nsp,
            behaviour: &arrival.behaviour,
        };
        match admission::admit(&self.node, applicant) {
            Admission::Decided(admitted) => self.enter(arrival, admitted),
            Admission::Pending(pending) => {
                let shard = self.clone();
                tokio::task::spawn_local(async move { shard.enter(arrival, pending.decide().await) });
            }
        }
    }

    /// Whether the answer to a session that has asked for a namespace has left; `None` when it has not asked.
    fn has_answered(&self, slot: u32, nsp: &str) -> Option<bool> {
        let state = self.state.borrow();
        let session = state.sessions.get(slot as usize)?;
        let is_joining = session.joining.iter().any(|joining| **joining == *nsp);
        let is_in = session.sockets.iter().any(|(known, _)| *known.space.nsp == *nsp);
        (is_joining || is_in).then_some(is_in && !session.dirty)
    }

    /// Whether a session may ask to join once more: all that it may have at once, and so many a second, where its events
    /// have a limit.
    fn let_ask(&self, slot: u32) -> Result<(), RetryAfter> {
        const PER_SECOND: u32 = 10;
        let mut state = self.state.borrow_mut();
        let Some(session) = state.sessions.get_mut(slot as usize) else { return Ok(()) };
        let unlimited = |seat: &Seat| seat.tenant().settings().events.each.is_none();
        if session.seat.as_ref().is_some_and(unlimited) {
            return Ok(());
        }
        let burst = u32::try_from(self.node.config.namespaces_max).unwrap_or(u32::MAX);
        let rate = Rate::per_second(PER_SECOND, burst);
        rate.map_or(Ok(()), |rate| session.joins.take(nanos(self.event_time()), rate, 1).map(|_| ()))
    }

    /// It is known who it is.
    fn enter(self: &Rc<Self>, arrival: Arrival, admitted: Result<Admitted, Denied>) {
        let Arrival { slot, stamp, nsp, behaviour, auth } = arrival;
        if !self.is_alive(slot, stamp) {
            return;
        }
        let seated = admitted.and_then(|admitted| self.seat(slot, admitted));
        let admitted = match seated {
            Ok(admitted) => admitted,
            Err(denied) => {
                self.forget_joining(slot, &nsp);
                self.metrics().sockets_refused.add(1);
                let refusal = Refusal::from(denied);
                self.metrics().refused(refusal.code().unwrap_or_default());
                self.refuse(slot, &nsp, &refusal);
                return self.count_attempt(slot, denied);
            }
        };
        let Admitted { tenant, identity } = admitted;
        let nsp = self.state.borrow().nsp(Space { tenant, nsp }, behaviour);
        let guest = Guest { slot, stamp, nsp, identity, auth };
        match Claim::of(&self.node, guest.auth.as_ref()) {
            None => self.receive_guest(guest, None),
            Some(claim) => {
                let shard = self.clone();
                tokio::task::spawn_local(async move {
                    let restored = shard.restore(&guest, claim).await;
                    shard.receive_guest(guest, restored);
                });
            }
        }
    }

    /// Gives whoever may be admitted a socket, which its middleware then judges.
    fn receive_guest(self: &Rc<Self>, guest: Guest, restored: Option<Restored>) {
        let Guest { slot, stamp, nsp, identity, auth } = guest;
        let socket = {
            let mut state = self.state.borrow_mut();
            let Some(session) =
                state.sessions.get_mut(slot as usize).filter(|session| session.stamp == stamp)
            else {
                return;
            };
            let handshake = session.handshake.clone();
            let place = Place { node: self.node.tag, shard: self.index, slot: state.hub.vacant() };
            let id = restored.as_ref().map_or_else(|| place.draw(), Restored::id);
            let mut inner =
                SocketInner::new((id, place), nsp.space.clone(), self.node.clone(), handshake, auth);
            if let Some(restored) = &restored {
                inner = inner.recovered(restored.data(), restored.rooms());
            }
            inner.state().identity = identity;
            let socket = Socket(Arc::new(inner));
            state.hub.insert(socket.0.clone(), nsp.clone(), slot);
            socket
        };
        if nsp.behaviour.middleware.is_empty() {
            return self.judged((slot, stamp), socket, nsp, restored, Ok(()));
        }
        let (shard, patience) = (self.clone(), self.node.config.connect_timeout);
        self.spawn_or_finish(async move {
            let judged = AssertUnwindSafe(judge(&nsp.behaviour, &socket)).catch_unwind();
            let verdict = match tokio::time::timeout(patience, judged).await {
                Ok(Ok(verdict)) => verdict,
                Ok(Err(_)) => Err(Refusal::new("internal error")),
                Err(_) => Err(Refusal::new("timeout")),
            };
            shard.judged((slot, stamp), socket, nsp, restored, verdict);
        });
    }

    /// Gives a session its seat at the tenant of its first socket; a second socket must be of the same.
    fn seat(&self, slot: u32, admitted: Admitted) -> Result<Admitted, Denied> {
        let mut state = self.state.borrow_mut();
        let Some(session) = state.sessions.get_mut(slot as usize) else { return Ok(admitted) };
        match &session.seat {
            Some(seat) if Arc::ptr_eq(seat.tenant(), &admitted.tenant) => {}
            Some(_) => return Err(TenantError::Mismatch.into()),
            None => session.seat = Some(Seat::take(&admitted.tenant, self.node.uptime())?),
        }
        Ok(admitted)
    }

    /// A token that was made up counts against its address; too many end the session.
    fn count_attempt(self: &Rc<Self>, slot: u32, denied: Denied) {
        if !matches!(denied, Denied::Token(error) if error.is_forgery()) {
            return;
        }
        let (address, tenant) = {
            let state = self.state.borrow();
            let Some(session) = state.sessions.get(slot as usize) else { return };
            (session.handshake.address, session.seat.as_ref().map(|seat| seat.tenant().clone()))
        };
        if self.guesses(address, tenant.as_deref()) {
            self.end_session(slot, End::RateLimited);
        }
    }

    /// Counts a made-up token of an address; `true` when there were too many, and it has to stay away for a while.
    pub(super) fn guesses(&self, address: IpAddr, tenant: Option<&Tenant>) -> bool {
        let standing = self.node.limiter.take(Class::Authentication, address, tenant);
        let too_many = standing.is_some_and(|standing| standing.left.is_err());
        if too_many {
            self.metrics().requests_limited[Class::Authentication as usize].add(1);
            self.node.hold_off(address);
        }
        too_many
    }

    /// The middleware has decided.
    fn judged(
        self: &Rc<Self>,
        (slot, stamp): (u32, u32),
        socket: Socket,
        nsp: Rc<Nsp>,
        restored: Option<Restored>,
        verdict: Result<(), Refusal>,
    ) {
        let alive = self.is_alive(slot, stamp);
        if !alive || verdict.is_err() {
            self.turn_out(&socket);
        }
        if !alive {
            return;
        }
        if let Err(refusal) = verdict {
            self.forget_joining(slot, &nsp.space.nsp);
            self.metrics().sockets_refused.add(1);
            return self.refuse(slot, &nsp.space.nsp, &refusal);
        }
        match restored {
            None => self.admit((slot, stamp), socket, nsp, None),
            Some(restored) => {
                let shard = self.clone();
                tokio::task::spawn_local(async move {
                    match shard.catch_up(&nsp.space, restored).await {
                        Some(caught) => shard.admit((slot, stamp), socket, nsp, Some(caught)),
                        // What was there a moment ago is gone by now: it starts afresh after all.
                        None => {
                            shard.turn_out(&socket);
                            let (identity, auth) = (socket.identity(), socket.0.auth.as_deref().cloned());
                            shard.receive_guest(Guest { slot, stamp, nsp, identity, auth }, None);
                        }
                    }
                });
            }
        }
    }

    /// Takes a socket out again that was not admitted.
    fn turn_out(&self, socket: &Socket) {
        let mut state = self.state.borrow_mut();
        state.hub.leave_all(socket.0.place.slot);
        state.hub.remove(socket.0.place.slot);
    }

    /// Makes a socket a member of its namespace, and tells its client.
    fn admit(
        self: &Rc<Self>,
        (slot, stamp): (u32, u32),
        socket: Socket,
        nsp: Rc<Nsp>,
        caught: Option<CaughtUp>,
    ) {
        if !self.is_alive(slot, stamp) {
            self.turn_out(&socket);
            return caught.into_iter().for_each(|caught| self.forgo(&nsp.space, &caught));
        }
        self.forget_joining(slot, &nsp.space.nsp);
        let seat = socket.0.place.slot;
        {
            let mut state = self.state.borrow_mut();
            let pid = self.track(&mut state, seat, caught.as_ref());
            state.hub.admit(seat);
            state.expiries.arm(&socket.0);
            if let Some(session) = state.sessions.get_mut(slot as usize) {
                session.sockets.push((nsp.clone(), seat));
            }
            socket.0.connected.store(true, Ordering::Relaxed);
            let codec = &self.node.codec;
            let connected = match pid {
                Some(pid) => json!({"sid": socket.id(), "pid": &*pid}),
                None => json!({"sid": socket.id()}),
            };
            let out = Outgoing::plain(codec, |into| codec.connect(&nsp.space.nsp, Some(&connected), into));
            state.queue(self, slot, Cow::Owned(out), Urgency::Queued);
            if let Some(caught) = caught {
                self.replay(&mut state, seat, caught);
            }
        }
        self.metrics().sockets_connected.add(1);
        nsp.space.tenant.usage.of(self.index).sockets_connected.add(1);
        self.schedule_flush();
        if !nsp.behaviour.connect.is_empty() {
            let start = || nsp.behaviour.connect.iter().map(|listen| listen(socket.clone())).collect();
            let whom = Whom::of(&socket.0);
            if let Some(listeners) = self.guard(whom, start) {
                self.run(whom, Box::pin(one_after_the_other(listeners)));
            }
        }
    }

    fn forget_joining(&self, slot: u32, nsp: &str) {
        if let Some(session) = self.state.borrow_mut().sessions.get_mut(slot as usize) {
            session.joining.retain(|joining| **joining != *nsp);
        }
    }

    fn refuse(&self, slot: u32, nsp: &str, refusal: &Refusal) {
        let codec = &self.node.codec;
        let write =
            |into: &mut Vec<u8>| codec.connect_error(nsp, &refusal.message, refusal.data.as_ref(), into);
        self.queue_one(slot, Outgoing::plain(codec, write));
    }
}

impl State {
    /// The live namespace of a tenant.
    fn nsp(&self, space: Space, behaviour: Arc<Namespace>) -> Rc<Nsp> {
        match self.hub.nsp(&space) {
            Some(nsp) => nsp.clone(),
            None => Rc::new(Nsp { space, behaviour }),
        }
    }
}

async fn judge(behaviour: &Namespace, socket: &Socket) -> Result<(), Refusal> {
    for check in &behaviour.middleware {
        check(socket.clone()).await?;
    }
    Ok(())
}
