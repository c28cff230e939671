//! The handle to a running node, for code outside of its handlers.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use crate::broadcast::Broadcast;
use crate::config::Origins;
use crate::limits::Limits;
use crate::node::Node;

/// Reaches the sockets of a node from any thread. Cheap to clone; before the node runs, and after, it reaches nobody.
#[derive(Debug, Clone, Default)]
pub struct Io(Arc<OnceLock<Weak<Node>>>);

impl Io {
    /// The sockets of a namespace, to be narrowed down with [`Broadcast`]'s methods.
    pub fn of(&self, namespace: &str) -> Broadcast {
        Broadcast::new(self.node(), namespace.into())
    }

    /// Replaces the limits of the running node; a node that does not run has none to replace.
    pub fn set_limits(&self, limits: Limits) {
        if let Some(node) = self.node() {
            node.limiter.replace(limits);
        }
    }

    /// The limits of the running node.
    pub fn limits(&self) -> Option<Limits> {
        Some(Limits::clone(&self.node()?.limiter.limits()))
    }

    /// Replaces the web origins that may talk to the running node. Open sockets stay.
    pub fn set_origins(&self, origins: Origins) {
        if let Some(node) = self.node() {
            node.origins.store(Arc::new(origins));
        }
    }

    /// Answers new sessions of a client address with 429 for a time, at no further cost. Open sockets stay.
    pub fn hold_off(&self, address: IpAddr, time: Duration) {
        if let Some(node) = self.node() {
            node.limiter.hold_off(address, time);
        }
    }

    pub(crate) fn attach(&self, node: &Arc<Node>) {
        self.0.set(Arc::downgrade(node)).expect("an app runs once");
    }

    fn node(&self) -> Option<Arc<Node>> {
        self.0.get().and_then(Weak::upgrade)
    }
}
