//! The handle to a running node, for code outside of its handlers.

use std::sync::{Arc, OnceLock, Weak};

use crate::broadcast::Broadcast;
use crate::node::Node;
use crate::tenants::{Space, TenantName};

/// Reaches the sockets of a node from any thread, those of one tenant: [`Io::tenant`] says which, `default` until then.
/// Cheap to clone; before the node runs, and after, it reaches nobody.
#[derive(Debug, Clone, Default)]
pub struct Io {
    node: Arc<OnceLock<Weak<Node>>>,
    tenant: Option<TenantName>,
}

impl Io {
    /// The same for another tenant; one that the node does not know has no sockets.
    pub fn tenant(&self, name: &TenantName) -> Self {
        Self { node: self.node.clone(), tenant: Some(name.clone()) }
    }

    /// The sockets of a namespace, to be narrowed down with [`Broadcast`]'s methods.
    pub fn of(&self, namespace: &str) -> Broadcast {
        Broadcast::new(self.node.get().and_then(Weak::upgrade).and_then(|node| {
            let tenant = match &self.tenant {
                Some(name) => node.tenants.find(name)?,
                None => node.tenants.default().clone(),
            };
            Some((node, Space { tenant, nsp: namespace.into() }))
        }))
    }

    pub(crate) fn attach(&self, node: &Arc<Node>) {
        self.node.set(Arc::downgrade(node)).expect("an app runs once");
    }
}
