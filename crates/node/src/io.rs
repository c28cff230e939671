//! The handle to a running node, for code outside of its handlers.

use std::sync::{Arc, OnceLock, Weak};

use crate::broadcast::Broadcast;
use crate::node::Node;
use crate::tenants::{Space, Tenancy, TenantName};

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

    /// Replaces the list of tenants while the node runs. Sockets of tenants that are closed by it end with
    /// `tenant_closed`; limits and quotas hold from the next event on. Does nothing before the node runs.
    pub fn set_tenancy(&self, tenancy: Arc<Tenancy>) {
        if let Some(node) = self.node.get().and_then(Weak::upgrade) {
            node.set_tenancy(tenancy);
        }
    }

    pub(crate) fn attach(&self, node: &Arc<Node>) {
        self.node.set(Arc::downgrade(node)).expect("an app runs once");
    }
}
