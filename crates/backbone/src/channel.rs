//! Where messages go: rooms, namespaces, inboxes. A channel is a value; how a store writes it down is the store's.

use std::sync::Arc;

/// A room of a namespace of a tenant. The three names are the caller's and may contain any characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Room {
    /// The tenant that it belongs to.
    pub tenant: Arc<str>,
    /// The namespace, `/` or `/chat`.
    pub namespace: Arc<str>,
    /// The name of the room.
    pub room: Arc<str>,
}

/// What can be published to and subscribed to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Channel {
    /// Those nodes that have members of the room.
    Room(Room),
    /// All nodes that serve a namespace of a tenant.
    Namespace {
        /// The tenant.
        tenant: Arc<str>,
        /// Its namespace.
        namespace: Arc<str>,
    },
    /// One node. An inbox is the fleet's and of no tenant; what lies in it says whom it concerns.
    Inbox {
        /// The node's name.
        node: Arc<str>,
    },
}

impl Channel {
    /// The channel of a room.
    pub fn room(
        tenant: impl Into<Arc<str>>,
        namespace: impl Into<Arc<str>>,
        room: impl Into<Arc<str>>,
    ) -> Self {
        Self::Room(Room { tenant: tenant.into(), namespace: namespace.into(), room: room.into() })
    }

    /// The channel of every node of a namespace.
    pub fn namespace(tenant: impl Into<Arc<str>>, namespace: impl Into<Arc<str>>) -> Self {
        Self::Namespace { tenant: tenant.into(), namespace: namespace.into() }
    }

    /// The channel of one node.
    pub fn inbox(node: impl Into<Arc<str>>) -> Self {
        Self::Inbox { node: node.into() }
    }
}
