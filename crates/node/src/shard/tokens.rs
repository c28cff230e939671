//! Tokens of connected sockets: they run out, are renewed by the client, or stop being accepted.
//!
//! Two events belong to the node itself, on every namespace of a node that asks for tokens. `token:refresh {token}` brings
//! a newer token of the same user; it is answered `{ok: true, expiresAt}`. `token:guest` asks for the token of a guest
//! whom the server has named; it is answered `{ok: true, user, token, expiresAt}`. `expiresAt` is milliseconds since 1970.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use throng_protocol::end::End;
use throng_protocol::id::Id;
use throng_protocol::socket::args::{ArgsRef, DecodeError};
use tokio::time::Instant;

use super::Shard;
use super::dispatch::Whom;
use crate::ack::Ack;
use crate::admission::{identities_of, of_tenant};
use crate::identity::Role;
use crate::identity::token::TokenError;
use crate::own_events::{self, GuestToken, Refusal, SocketEnded, TokenRefresh, TokenRefreshed};
use crate::problem::Problem;
use crate::refusals::INVALID_ARGUMENTS;
use crate::socket::{Socket, SocketInner};

/// What the node's own events begin with.
const PREFIX: &str = "token:";

/// Whether an event may be one of the node's own.
pub(super) fn is_own(event: &str) -> bool {
    event.starts_with(PREFIX)
}

/// When tokens run out that do so before their session's next heartbeat. The others are looked at again with that one,
/// so that a socket whose token lives long takes no memory here.
#[derive(Debug)]
pub(super) struct Expiries {
    soon: BinaryHeap<Reverse<(Instant, Id)>>,
    /// Longest time between two heartbeats.
    heartbeat: Duration,
}

impl Expiries {
    pub(super) fn new(heartbeat: Duration) -> Self {
        Self { soon: BinaryHeap::new(), heartbeat }
    }

    /// Watches the token of a socket that is new, has a newer one, or has come to its heartbeat.
    pub(super) fn arm(&mut self, socket: &SocketInner) {
        let Some(expires) = socket.state().identity.as_ref().and_then(|identity| identity.expires) else {
            return;
        };
        let ahead = expires.duration_since(SystemTime::now()).unwrap_or_default();
        if ahead <= self.heartbeat {
            self.soon.push(Reverse((Instant::now() + ahead, socket.id)));
        }
    }

    /// When to look again.
    pub(super) fn next(&self) -> Option<Instant> {
        self.soon.peek().map(|Reverse((at, _))| *at)
    }

    fn pop(&mut self, now: Instant) -> Option<Id> {
        self.next().filter(|at| *at <= now)?;
        self.soon.pop().map(|Reverse((_, socket))| socket)
    }
}

impl Shard {
    /// Ends the sockets whose tokens have run out.
    pub(super) fn expire(self: &Rc<Self>, now: Instant) {
        loop {
            let Some(id) = self.state.borrow_mut().expiries.pop(now) else { return };
            let Some(socket) = self.socket(id) else { continue };
            let identity = socket.identity();
            if identity
                .as_ref()
                .and_then(|identity| identity.expires)
                .is_some_and(|at| at <= SystemTime::now())
            {
                self.dismiss(&socket, End::TokenExpired);
            } else {
                // It has brought a newer one.
                self.state.borrow_mut().expiries.arm(&socket.0);
            }
        }
    }

    /// Ends the sockets that would not be let in any more: of a tenant that has closed, or with a token that was revoked.
    pub(super) fn reexamine(self: &Rc<Self>) {
        let tenancy = self.node.tenants.tenancy();
        let now = SystemTime::now();
        let verdict = |socket: &Socket| {
            let tenant = &socket.0.space.tenant;
            if tenant.open(now).is_err() {
                return Some(End::TenantClosed);
            }
            let identities = identities_of(&tenancy, tenant)?;
            let identity = socket.identity()?;
            identities.revocations.is_revoked(&identity).then_some(End::TokenRevoked)
        };
        let ending: Vec<(Socket, End)> = {
            let state = self.state.borrow();
            let sockets = state.hub.sockets.iter().map(|(_, entry)| Socket(entry.socket.clone()));
            sockets.filter_map(|socket| verdict(&socket).map(|end| (socket, end))).collect()
        };
        for (socket, end) in ending {
            self.dismiss(&socket, end);
        }
    }

    /// Ends a socket for a reason that its client could not know, and tells it.
    pub(super) fn dismiss(self: &Rc<Self>, socket: &Socket, end: End) {
        self.explain(socket, end);
        self.end_socket(socket.0.place.slot, end);
    }

    /// Tells a client why it is about to be ended: `socket:ended {code, message, retry}`.
    pub(super) fn explain(&self, socket: &Socket, end: End) {
        let told = SocketEnded { code: end.code(), message: end.reason(), retry: end.retry() };
        socket.emit("socket:ended", told);
    }

    fn socket(&self, id: Id) -> Option<Socket> {
        let state = self.state.borrow();
        let entry = state.hub.sockets.get(state.hub.slot_of(id)? as usize)?;
        Some(Socket(entry.socket.clone()))
    }

    /// Handles an event of the node itself; `false` for every other.
    pub(super) fn on_token_event(
        self: &Rc<Self>,
        socket: &Socket,
        name: &str,
        args: ArgsRef<'_>,
        ack: Option<u64>,
    ) -> bool {
        let Some(what) = name.strip_prefix(PREFIX) else { return false };
        if self.node.tenants.tenancy().identities.is_none() {
            return false;
        }
        match what {
            "refresh" => {
                let (args, answer) = (args.to_owned(), Ack::new(socket, ack));
                let (socket, shard) = (socket.clone(), self.clone());
                let said = self.least_role(&socket);
                self.spawn_or_finish(async move {
                    let refreshed = refresh(&socket, said, args.decode()).await;
                    let forged = refreshed.as_ref().is_err_and(Problem::is_forgery);
                    if let Err(problem) = &refreshed {
                        shard.metrics().refused(problem.code);
                    }
                    answer.send(answer_of(refreshed));
                    if forged {
                        shard.count_forgery(&socket);
                    }
                });
            }
            "guest" => Ack::new(socket, ack).send(answer_of(guest(socket))),
            _ => return false,
        }
        true
    }

    /// The least role that the namespace of a socket says.
    fn least_role(&self, socket: &Socket) -> Option<Role> {
        let mut state = self.state.borrow_mut();
        Whom::of(&socket.0).entry(&mut state).and_then(|entry| entry.nsp.behaviour.least_role)
    }

    /// A token that was made up counts against the address of its socket; too many end the session.
    fn count_forgery(self: &Rc<Self>, socket: &Socket) {
        if !self.guesses(socket.0.handshake.address, Some(&socket.0.space.tenant)) {
            return;
        }
        let session = Whom::of(&socket.0).entry(&mut self.state.borrow_mut()).map(|entry| entry.session);
        if let Some(session) = session {
            self.explain(socket, End::RateLimited);
            self.end_session(session, End::RateLimited);
        }
    }
}

/// Takes a newer token of the same user, in a namespace that says a least role.
async fn refresh(
    socket: &Socket,
    said: Option<Role>,
    refresh: Result<TokenRefresh, DecodeError>,
) -> Result<TokenRefreshed, Problem> {
    let invalid = |error: &dyn std::fmt::Display| {
        Problem::new(StatusCode::BAD_REQUEST, INVALID_ARGUMENTS, error.to_string())
    };
    let TokenRefresh { token } = refresh.map_err(|error| invalid(&error))?;
    let tenant = &socket.0.space.tenant;
    let identities = identities_of(&socket.0.node.tenants.tenancy(), tenant).ok_or(TokenError::Missing)?;
    let fresh = identities.identify(Some(&token), Some(&tenant.name)).await?.ok_or(TokenError::Missing)?;
    let fresh = of_tenant(fresh, tenant)?;
    if !fresh.is(socket.0.node.tenants.tenancy().guests.least(said)) {
        return Err(refused(StatusCode::FORBIDDEN, own_events::FORBIDDEN));
    }
    let mut state = socket.0.state();
    let known = state.identity.as_ref().ok_or(TokenError::Missing)?;
    if fresh.user != known.user {
        return Err(refused(StatusCode::FORBIDDEN, own_events::OTHER_USER));
    }
    // Sooner than the one before would not be a renewal, and the end of that one is what is watched.
    if fresh.expires < known.expires {
        return Err(refused(StatusCode::CONFLICT, own_events::OLDER));
    }
    let expires = fresh.expires;
    state.identity = Some(fresh);
    Ok(TokenRefreshed { ok: true, expires_at: expires.map(millis) })
}

/// The token of a guest.
fn guest(socket: &Socket) -> Result<GuestToken, Problem> {
    let identity = socket.identity().ok_or(TokenError::Missing)?;
    let identities = identities_of(&socket.0.node.tenants.tenancy(), &socket.0.space.tenant);
    let guests = identities.as_ref().and_then(|identities| identities.guests.as_ref());
    let Some(guests) = guests.filter(|_| identity.is_named_guest()) else {
        return Err(refused(StatusCode::FORBIDDEN, own_events::NOT_A_GUEST));
    };
    let (user, token) = (identity.user.to_string(), guests.sign(&identity));
    Ok(GuestToken { ok: true, user, token, expires_at: identity.expires.map(millis) })
}

fn refused(status: StatusCode, (code, message): Refusal) -> Problem {
    Problem::new(status, code, message)
}

fn answer_of(outcome: Result<impl Serialize, Problem>) -> Value {
    match outcome {
        Ok(answer) => json!(answer),
        Err(problem) => problem.body(),
    }
}

fn millis(time: SystemTime) -> u64 {
    u64::try_from(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}
