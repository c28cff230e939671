//! Somebody's connection as a hall knows it: a socket of this node, or one of another that is reached through the fleet.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use throng_lobby::User;
use throng_node::{Args, Broadcast, Closing, Id, IntoArgs, Io, NodeTag, Socket};

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
    Here(Socket),
    There(Home),
}

/// Where the connections of another node are.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    pub(crate) node: NodeTag,
    /// Of the tenant.
    pub(crate) io: Io,
    pub(crate) namespace: &'static str,
}

/// A connection, as nodes tell each other of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Name {
    pub(crate) id: Id,
    pub(crate) user: Box<str>,
}

impl Guest {
    /// A socket of this node.
    pub(crate) fn here(socket: &Socket) -> Self {
        Self { id: socket.id(), user: user(socket), way: Way::Here(socket.clone()) }
    }

    /// A socket of another node.
    pub(crate) fn there(name: Name, home: Home) -> Self {
        Self { id: name.id, user: User::from(name.user), way: Way::There(home) }
    }

    /// The node that it is on, when that is another.
    pub(crate) fn node(&self) -> Option<NodeTag> {
        match &self.way {
            Way::Here(_) => None,
            Way::There(home) => Some(home.node),
        }
    }

    /// Sends an event.
    pub(crate) fn emit(&self, event: &str, payload: impl IntoArgs) {
        match &self.way {
            Way::Here(socket) => socket.emit(event, payload),
            Way::There(home) => self.over(home).emit(event, payload),
        }
    }

    /// Sends an event that may be dropped when the client is not keeping up.
    pub(crate) fn emit_volatile(&self, event: &str, payload: impl IntoArgs) {
        match &self.way {
            Way::Here(socket) => socket.emit_volatile(event, payload),
            Way::There(home) => self.over(home).volatile().emit(event, payload),
        }
    }

    /// Sends an event; says whether the client has acknowledged it in time.
    pub(crate) async fn ask(&self, event: &str, payload: Args, timeout: Duration) -> bool {
        match &self.way {
            Way::Here(socket) => socket.timeout(timeout).emit_with_ack::<Args>(event, payload).await.is_ok(),
            Way::There(home) => {
                let asked = self.over(home).timeout(timeout).emit_with_ack::<Args>(event, payload).await;
                asked.is_ok_and(|answers| !answers.answers.is_empty())
            }
        }
    }

    /// Ends it.
    pub(crate) fn disconnect(&self) {
        match &self.way {
            Way::Here(socket) => socket.disconnect(Closing::Socket),
            Way::There(home) => self.over(home).disconnect_sockets(Closing::Socket),
        }
    }

    fn over(&self, home: &Home) -> Broadcast {
        home.io.of(home.namespace).to(self.id.to_string())
    }
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
