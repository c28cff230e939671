//! Who publishes, and where they may: servers everywhere, users of a tenant in the namespaces that are open to their role.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;

use crate::app::Service;
use crate::identity::http::Caller;
use crate::identity::{Identity, Role};
use crate::node::Node;
use crate::operator::access::{self, Scope};
use crate::problem::Problem;
use crate::tenants::{DEFAULT, Tenant, TenantError};

/// Somebody who may publish somewhere.
#[derive(Debug)]
pub(super) enum Publisher {
    /// A program of the operator's, with a key.
    Server,
    /// Somebody with a token.
    User(Arc<Identity>, Scope),
}

/// A request came with the key of a server.
#[derive(Debug, Clone, Copy)]
struct WithServerKey;

/// Finds out who calls: a server by its key, anybody else by a token.
pub(super) async fn identify(State(node): State<Arc<Node>>, mut request: Request, next: Next) -> Response {
    let key = access::bearer(request.headers()).unwrap_or_default();
    if node.config.server_keys.have(key) {
        request.extensions_mut().insert(WithServerKey);
        return next.run(request).await;
    }
    access::identify(State(node), request, next).await
}

impl FromRequestParts<Arc<Node>> for Publisher {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, node: &Arc<Node>) -> Result<Self, Problem> {
        if parts.extensions.get::<WithServerKey>().is_some() {
            return Ok(Self::Server);
        }
        let identity = Caller::of(parts).require(Role::User)?;
        let scope = Scope::of(node, &identity);
        Ok(Self::User(identity, scope))
    }
}

impl Publisher {
    /// What tells them apart, so that nobody repeats the request of another.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Server => "server".to_owned(),
            Self::User(user, Scope::Tenant(tenant)) => format!("user {tenant} {}", user.user),
            Self::User(user, Scope::Node) => format!("user  {}", user.user),
        }
    }

    /// The tenant whose sockets are meant, if they are within reach.
    pub(super) fn tenant(&self, node: &Node, said: Option<&str>) -> Result<Arc<Tenant>, Problem> {
        let name = match self {
            Self::User(_, Scope::Tenant(own)) => match said {
                Some(said) if **own != *said => return Err(TenantError::Unknown.into()),
                _ => own,
            },
            // Nobody's user in particular: of a node with a list of tenants that is a stranger, unless they run it.
            Self::User(identity, Scope::Node)
                if !node.tenants.is_single() && !identity.is(Role::Operator) =>
            {
                return Err(TenantError::Mismatch.into());
            }
            Self::Server | Self::User(..) => said.unwrap_or(DEFAULT),
        };
        Ok(node.tenants.named(name)?)
    }

    /// Whether they may publish in a namespace of a tenant.
    pub(super) fn may(&self, node: &Node, tenant: &Tenant, namespace: &str) -> Result<(), Problem> {
        let included = tenant
            .settings()
            .namespaces
            .as_ref()
            .is_none_or(|list| list.iter().any(|one| **one == *namespace));
        if !included {
            return Err(TenantError::NotIncluded.into());
        }
        let behaviour = match &node.service {
            Service::Sockets(namespaces) => namespaces.find(namespace),
            Service::Engine(_) | Service::WebSocket(_) => None,
        };
        let Some(behaviour) = behaviour else {
            let message = "There is no such namespace.";
            return Err(Problem::new(StatusCode::NOT_FOUND, "unknown_namespace", message));
        };
        match self {
            Self::User(identity, _) if !identity.is(behaviour.publishing_role()) => {
                let message = "This needs more rights.";
                Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", message))
            }
            Self::Server | Self::User(..) => Ok(()),
        }
    }
}
