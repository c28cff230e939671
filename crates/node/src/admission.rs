//! Who may join a namespace, decided before the app's own middleware is asked: which tenant the client is of, and whether
//! that tenant is open to it.

use std::sync::Arc;
use std::time::SystemTime;

use crate::handler::Refusal;
use crate::handshake::Handshake;
use crate::node::Node;
use crate::tenants::{Tenant, TenantError};

/// Someone who may join.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) tenant: Arc<Tenant>,
}

/// Decides about a client whose session may belong to a tenant already.
pub(crate) fn admit(
    _node: &Node,
    seated: Option<Arc<Tenant>>,
    handshake: &Handshake,
    nsp: &str,
) -> Result<Admitted, Refusal> {
    let tenant = seated.ok_or(TenantError::Unknown)?;
    tenant.open(SystemTime::now())?;
    let settings = tenant.settings();
    if settings.namespaces.as_ref().is_some_and(|list| !list.iter().any(|listed| **listed == *nsp)) {
        return Err(TenantError::NotIncluded.into());
    }
    if settings.origins.as_ref().is_some_and(|origins| !origins.allow(handshake.header("origin"))) {
        return Err(Refusal::coded("origin", "This origin may not connect."));
    }
    drop(settings);
    Ok(Admitted { tenant })
}
