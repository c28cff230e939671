//! The handle to a running node, for code outside of its handlers.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use crate::broadcast::Broadcast;
use crate::config::Origins;
use crate::limits::Limits;
use crate::node::Node;
use crate::peers::Peers;
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
        Broadcast::new(self.node().and_then(|node| {
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
        if let Some(node) = self.node() {
            node.set_tenancy(tenancy);
        }
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

    /// What the running node knows of the others of its fleet; a node that has no fleet knows nothing.
    pub fn peers(&self) -> Option<Peers> {
        Peers::of(&self.node()?)
    }

    fn node(&self) -> Option<Arc<Node>> {
        self.node.get().and_then(Weak::upgrade)
    }

    pub(crate) fn attach(&self, node: &Arc<Node>) {
        self.node.set(Arc::downgrade(node)).expect("an app runs once");
    }
}
