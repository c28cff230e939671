//! Somebody's connection as a hall knows it: a socket of this node, or one of another that is reached through the fleet.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use throng_lobby::User;
use throng_node::{Args, Closing, EncodeError, Id, IntoArgs, Io, NodeTag, Socket, TenantName};

use super::contact::{Contact, Meaning};
use super::letter::TELLING;
use super::roll::Rolled;
use super::tenure::Tenure;

/// A connection, and whose it is.
#[derive(Debug, Clone)]
pub(crate) struct Guest {
    pub(crate) id: Id,
    pub(crate) user: User,
    way: Way,
}

/// How it is reached.
#[derive(Debug, Clone)]
enum Way {
    Here(Arc<Contact>),
    There(Arc<Route>),
}

/// The way to the connections of another node, since it called its roll. What goes there is counted, so that the node
/// notices when something is lost.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) node: NodeTag,
    /// Which of its rolls.
    pub(crate) roll: u32,
    /// Of the tenant.
    pub(crate) io: Io,
    pub(crate) namespace: &'static str,
    pub(crate) tenant: TenantName,
    /// The right by which something is said.
    pub(crate) tenure: Tenure,
    pub(crate) told: AtomicU64,
}

/// Something for a client of another node: its event and payload go beside it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Telling {
    pub(crate) tenant: Box<str>,
    /// Of the keeper that says it.
    pub(crate) fence: u64,
    pub(crate) roll: u32,
    /// Counts those since the roll, but for what may be lost.
    pub(crate) number: Option<u64>,
    pub(crate) id: Id,
    pub(crate) event: Box<str>,
    pub(crate) meaning: Meaning,
}

/// A connection, as nodes tell each other of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Name {
    pub(crate) id: Id,
    pub(crate) user: Box<str>,
}

impl Guest {
    /// A socket of this node.
    pub(crate) fn here(contact: Arc<Contact>) -> Self {
        Self { id: contact.id(), user: contact.user(), way: Way::Here(contact) }
    }

    /// A socket of another node.
    pub(crate) fn there(name: Name, route: Arc<Route>) -> Self {
        Self { id: name.id, user: User::from(name.user), way: Way::There(route) }
    }

    /// The node that it is on, when that is another.
    pub(crate) fn node(&self) -> Option<NodeTag> {
        match &self.way {
            Way::Here(_) => None,
            Way::There(route) => Some(route.node),
        }
    }

    /// Sends an event.
    pub(crate) fn tell(&self, event: &str, payload: impl IntoArgs, meaning: Meaning) {
        match &self.way {
            Way::Here(contact) => contact.tell(event, payload, &meaning),
            Way::There(route) => route.tell((self.id, event), payload, meaning),
        }
    }

    /// Ends it.
    pub(crate) fn disconnect(&self) {
        match &self.way {
            Way::Here(contact) => contact.disconnect(),
            Way::There(route) => {
                route.io.of(route.namespace).to(self.id.to_string()).disconnect_sockets(Closing::Socket);
            }
        }
    }
}

impl Route {
    fn tell(&self, (id, event): (Id, &str), payload: impl IntoArgs, meaning: Meaning) {
        let all = self.io.of(self.namespace);
        let (all, number) = match meaning {
            Meaning::Fleeting => (all.volatile(), None),
            _ => (all, Some(self.told.fetch_add(1, Ordering::Relaxed))),
        };
        let telling = Telling {
            tenant: (&*self.tenant).into(),
            fence: self.tenure.fence(),
            roll: self.roll,
            number,
            id,
            event: event.into(),
            meaning,
        };
        match with_payload(telling, payload) {
            Ok(both) => all.tell_node(self.node, TELLING, both),
            Err(error) => tracing::error!(event, %error, "event not sent"),
        }
    }

    /// What that node has been told since its roll.
    pub(crate) fn rolled(&self) -> Rolled {
        Rolled { node: self.node, roll: self.roll, told: self.told.load(Ordering::Relaxed) }
    }
}

/// A telling as first argument, and its payload, if there is one, as second. No payload here holds binary.
fn with_payload(telling: Telling, payload: impl IntoArgs) -> Result<Args, EncodeError> {
    Ok(match (telling.into_args()?, payload.into_args()?) {
        (Args::Json(telling), Args::Json(payload)) if !payload.is_empty() => {
            Args::Json(format!("{telling},{payload}").into())
        }
        (telling, _) => telling,
    })
}

impl Name {
    pub(crate) fn of(socket: &Socket) -> Self {
        Self { id: socket.id(), user: user(socket).as_str().into() }
    }
}

/// Whoever is behind a socket: the user, or the socket itself where nobody is asked who they are.
pub(crate) fn user(socket: &Socket) -> User {
    match socket.identity() {
        Some(identity) => User::from(&*identity.user),
        None => User::from(socket.id().to_string()),
    }
}
