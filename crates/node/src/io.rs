//! The handle to a running node, for code outside of its handlers.

use std::sync::{Arc, OnceLock, Weak};

use crate::broadcast::Broadcast;
use crate::node::Node;

/// Reaches the sockets of a node from any thread. Cheap to clone; before the node runs, and after, it reaches nobody.
#[derive(Debug, Clone, Default)]
pub struct Io(Arc<OnceLock<Weak<Node>>>);

impl Io {
    /// The sockets of a namespace, to be narrowed down with [`Broadcast`]'s methods.
    pub fn of(&self, namespace: &str) -> Broadcast {
        Broadcast::new(self.node(), namespace.into())
    }

    pub(crate) fn attach(&self, node: &Arc<Node>) {
        self.0.set(Arc::downgrade(node)).expect("an app runs once");
    }

    fn node(&self) -> Option<Arc<Node>> {
        self.0.get().and_then(Weak::upgrade)
    }
}
