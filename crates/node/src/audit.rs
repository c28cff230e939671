//! Who did what to the node: one structured log line for each use of an operator's route, under the target `audit`.

use std::net::IpAddr;

use crate::identity::Identity;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Asked for a route without the right to it.
    Access,
    ListSockets,
    InspectSocket,
    EndSocket,
    ListRooms,
    EndRoom,
    ListMembers,
    ListUsers,
    EndUser,
    Revoke,
    ReadLimits,
    ChangeLimit,
    ReadLogLevels,
    ChangeLogLevels,
    Drain,
    ReadPerformance,
    /// Used a route that an app has for operators.
    UseAppRoute,
}

impl Action {
    const fn name(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::ListSockets => "sockets.list",
            Self::InspectSocket => "socket.inspect",
            Self::EndSocket => "socket.end",
            Self::ListRooms => "rooms.list",
            Self::EndRoom => "room.end",
            Self::ListMembers => "members.list",
            Self::ListUsers => "users.list",
            Self::EndUser => "user.end",
            Self::Revoke => "token.revoke",
            Self::ReadLimits => "limits.read",
            Self::ChangeLimit => "limit.change",
            Self::ReadLogLevels => "log.read",
            Self::ChangeLogLevels => "log.change",
            Self::Drain => "node.drain",
            Self::ReadPerformance => "performance.read",
            Self::UseAppRoute => "app.use",
        }
    }
}

/// Who asks, and from where.
#[derive(Debug, Clone)]
pub(crate) struct Actor<'a> {
    pub(crate) identity: Option<&'a Identity>,
    pub(crate) request_id: Option<&'a str>,
    pub(crate) address: Option<IpAddr>,
}

/// Writes a record. `outcome` is `ok` or the code of the refusal.
pub(crate) fn record(actor: &Actor<'_>, action: Action, object: &str, outcome: &str) {
    let identity = actor.identity;
    tracing::info!(
        target: "audit",
        who = identity.map(|identity| &*identity.user),
        role = identity.map(|identity| identity.role.name()),
        tenant = identity.and_then(|identity| identity.tenant.as_deref()),
        action = action.name(),
        object,
        outcome,
        request_id = actor.request_id,
        address = actor.address.map(tracing::field::display),
        "audit"
    );
}
