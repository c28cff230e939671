//! Who may use an operator's routes, decided here and nowhere else.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::ConnectInfo;
use http::request::Parts;
use http::{StatusCode, header};

use crate::config::MetricsAccess;
use crate::identity::{Identity, Role};
use crate::node::Node;
use crate::problem::Problem;
use crate::socket::SocketInner;
use crate::tenants::DEFAULT;

/// Who calls, when it is known; an extension of the request.
pub(crate) type Caller = Option<Arc<Identity>>;

/// The caller, when it has the role.
pub(crate) fn require(parts: &Parts, role: Role) -> Result<Arc<Identity>, Problem> {
    let caller = parts.extensions.get::<Caller>().cloned().flatten();
    let Some(identity) = caller else {
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", "A token is needed."));
    };
    if !identity.is(role) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", "The token's role is not enough."));
    }
    Ok(identity)
}

/// What of the node an operator may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All of it.
    Node,
    /// One tenant, which the token names.
    Tenant(Box<str>),
}

impl Scope {
    /// The scope of a caller: a token for a tenant reaches no other.
    pub(crate) fn of(node: &Node, identity: &Identity) -> Self {
        match &identity.tenant {
            Some(tenant) if !(**tenant == *DEFAULT && node.tenants.is_single()) => {
                Self::Tenant(tenant.clone())
            }
            _ => Self::Node,
        }
    }

    /// Whether a tenant lies within.
    pub(crate) fn holds(&self, tenant: &str) -> bool {
        match self {
            Self::Node => true,
            Self::Tenant(own) => **own == *tenant,
        }
    }

    /// Refuses what concerns the node as a whole to whoever may see a part of it.
    pub(crate) fn node_wide(&self) -> Result<(), Problem> {
        match self {
            Self::Node => Ok(()),
            Self::Tenant(_) => {
                Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", "This concerns more than one tenant."))
            }
        }
    }
}

/// Whether a request may read the metrics: by the configured rule, or as an operator.
pub(crate) fn may_read_metrics(node: &Node, parts: &Parts) -> Result<(), Problem> {
    let allowed = match &node.config.metrics {
        MetricsAccess::Anyone => true,
        MetricsAccess::Loopback => address(parts).is_some_and(|address| address.is_loopback()),
        MetricsAccess::Token(token) => {
            bearer(parts).is_some_and(|said| same(said.as_bytes(), token.as_bytes()))
        }
    };
    if allowed { Ok(()) } else { Scope::of(node, &*require(parts, Role::Operator)?).node_wide() }
}

/// The address that a request comes from.
pub(crate) fn address(parts: &Parts) -> Option<IpAddr> {
    parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip())
}

/// The identifier of the request.
pub(crate) fn request_id(parts: &Parts) -> Option<String> {
    parts.headers.get("x-request-id").and_then(|id| id.to_str().ok()).map(str::to_owned)
}

/// Who is behind a socket. Sockets carry no identity yet.
pub(crate) fn identity_of(_socket: &SocketInner) -> Option<Arc<Identity>> {
    None
}

/// Revokes one token. There is no list of revoked tokens yet.
pub(crate) fn revoke_token(_node: &Node, _scope: &Scope, _jti: &str) -> Result<(), Problem> {
    Err(no_tokens())
}

/// Revokes all tokens of a user. There is no list of revoked tokens yet.
pub(crate) fn revoke_user(_node: &Node, _scope: &Scope, _user: &str) -> Result<(), Problem> {
    Err(no_tokens())
}

fn no_tokens() -> Problem {
    Problem::new(StatusCode::CONFLICT, "not_available", "This node reads no tokens.")
}

fn bearer(parts: &Parts) -> Option<&str> {
    let said = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = said.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

/// Compares in a time that does not tell how much is right.
fn same(said: &[u8], token: &[u8]) -> bool {
    let differ = said.iter().zip(token).fold(0, |differ, (one, other)| differ | (one ^ other));
    said.len() == token.len() && std::hint::black_box(differ) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(caller: Caller) -> Parts {
        let (mut parts, ()) = http::Request::new(()).into_parts();
        parts.extensions.insert(caller);
        parts
    }

    fn identity(role: Role, tenant: Option<&str>) -> Arc<Identity> {
        let (user, tenant) = ("ada".into(), tenant.map(Into::into));
        Arc::new(Identity { user, role, tenant, jti: None, issued: None, expires: None })
    }

    #[test]
    fn nobody_is_401_and_too_little_is_403() {
        let refused =
            |caller| require(&parts(caller), Role::Operator).map_err(|problem| problem.status.as_u16());
        assert_eq!(refused(None), Err(401));
        assert_eq!(refused(Some(identity(Role::Moderator, None))), Err(403));
        assert!(refused(Some(identity(Role::Operator, None))).is_ok());
        assert!(refused(Some(identity(Role::Admin, None))).is_ok());
    }

    #[test]
    fn tokens_are_compared_whole() {
        for (said, expect) in [("abc", true), ("abd", false), ("ab", false), ("abcd", false), ("", false)] {
            assert_eq!(same(said.as_bytes(), b"abc"), expect, "{said}");
        }
    }

    #[test]
    fn a_tenants_operator_reaches_no_other_tenant() {
        let scope = Scope::Tenant("acme".into());
        assert!(scope.holds("acme") && !scope.holds("other") && scope.node_wide().is_err());
        assert!(Scope::Node.holds("other") && Scope::Node.node_wide().is_ok());
    }
}
