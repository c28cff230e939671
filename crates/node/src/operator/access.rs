//! Who may use an operator's routes, decided here and nowhere else.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::SystemTime;

use ::http::request::Parts;
use ::http::{HeaderMap, StatusCode, header};
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::admission::{identities_of, of_tenant};
use crate::client::{ClientAddress, is_forwarded};
use crate::config::MetricsAccess;
use crate::http::{RequestId, host, limited};
use crate::identity::http::{self, Caller};
use crate::identity::token::{TokenError, claimed_tenant};
use crate::identity::{Identity, Role, credentials};
use crate::node::Node;
use crate::problem::Problem;
use crate::shard::Shard;
use crate::tenants::{DEFAULT, Tenant};

/// Finds out who calls: the middleware of every route that somebody has to have a right to. A token is checked with the
/// keys of the tenant that the host names, else of the tenant that the token names, else of the node.
pub(crate) async fn identify(State(node): State<Arc<Node>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let identified = caller(&node, &parts).await;
    if let Err(problem) = &identified
        && let Some(limited) = refused(&node, &parts, problem)
    {
        return limited;
    }
    http::pass(identified.map(Caller), Request::from_parts(parts, body), next).await
}

/// Counts a caller who is refused; of an address with too many made-up tokens that is another refusal.
fn refused(node: &Node, parts: &Parts, problem: &Problem) -> Option<Response> {
    if let Some(shard) = Shard::here() {
        shard.metrics().refused(problem.code);
    }
    problem.is_forgery().then(|| limited::attempt(node, parts)).flatten()
}

async fn caller(node: &Node, parts: &Parts) -> Result<Option<Arc<Identity>>, Problem> {
    let tenancy = node.tenants.tenancy();
    let Some(common) = tenancy.identities.as_ref() else { return Ok(None) };
    // What changes something is not done for a cookie, which a browser sends along for whoever asks it to.
    let cookie = if parts.method.is_safe() { &*common.cookie } else { "" };
    let Some(token) = credentials::token(None, credentials::pairs(&parts.headers), cookie)? else {
        return Ok(None);
    };
    // A host that names no tenant is how operators of the node come.
    let tenant = match node.tenants.of_host(host(&parts.headers, &parts.uri)).ok().flatten() {
        Some(tenant) => Some(tenant),
        None => claimed_tenant(token)?.map(|name| node.tenants.named(&name)).transpose()?,
    };
    let Some(tenant) = tenant else { return Ok(common.identify(Some(token), None).await?) };
    let Some(identities) = identities_of(&tenancy, &tenant) else { return Ok(None) };
    let identity = identities.identify(Some(token), Some(&tenant.name)).await?;
    Ok(identity.map(|identity| of_tenant(identity, &tenant)).transpose()?)
}

/// The caller, when it has the role.
pub(crate) fn require(parts: &Parts, role: Role) -> Result<Arc<Identity>, Problem> {
    Caller::of(parts).require(role)
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

/// Lets through who may read the metrics: the middleware of their pages.
pub(crate) async fn metrics_readers(State(node): State<Arc<Node>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match may_read_metrics(&node, &parts).await {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(problem) => refused(&node, &parts, &problem).unwrap_or_else(|| problem.into_response()),
    }
}

/// Whether a request may read the metrics: by the configured rule, or as an operator. The rule comes first, because what
/// Prometheus sends need not be a token of a user.
async fn may_read_metrics(node: &Node, parts: &Parts) -> Result<(), Problem> {
    let allowed = match &node.config.metrics {
        MetricsAccess::Anyone => true,
        MetricsAccess::Loopback => is_loopback(parts),
        MetricsAccess::Token(token) => {
            bearer(&parts.headers).is_some_and(|said| same(said.as_bytes(), token.as_bytes()))
        }
    };
    if allowed {
        return Ok(());
    }
    let caller = caller(node, parts).await?;
    // On a node that asks nobody who they are, it can only have been meant for the metrics.
    if caller.is_none() && bearer(&parts.headers).is_some() {
        return Err(TokenError::Malformed.into());
    }
    let operator = Caller(caller).require(Role::Operator)?;
    Scope::of(node, &operator).node_wide()
}

/// Whether a request comes from this machine itself: the other end of the connection does, and no proxy spoke for it.
fn is_loopback(parts: &Parts) -> bool {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    peer.is_some_and(|ConnectInfo(peer)| peer.ip().to_canonical().is_loopback())
        && !is_forwarded(&parts.headers)
}

/// The address that a request comes from, and its name.
pub(crate) fn origin(parts: &Parts) -> (Option<IpAddr>, Option<RequestId>) {
    let address = parts.extensions.get::<ClientAddress>().map(|ClientAddress(address)| *address);
    (address, parts.extensions.get::<RequestId>().cloned())
}

/// What an operator takes back.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Revoked<'a> {
    /// One token, by its `jti`.
    Token(&'a str),
    /// All tokens of a user, by their `sub`.
    User(&'a str),
}

/// Revokes tokens of a tenant, or those of none, and ends the sockets that came with them.
pub(crate) fn revoke(node: &Node, tenant: Option<&Tenant>, revoked: Revoked<'_>) -> Result<(), Problem> {
    let tenancy = node.tenants.tenancy();
    let identities = match tenant {
        Some(tenant) => identities_of(&tenancy, tenant),
        None => tenancy.identities.clone(),
    };
    let identities = identities.ok_or_else(|| {
        Problem::new(StatusCode::CONFLICT, "not_available", "This tenant's users have no tokens.")
    })?;
    let (name, now) = (tenant.map(|tenant| &*tenant.name), SystemTime::now());
    match revoked {
        Revoked::Token(jti) => identities.revocations.revoke_token(jti, name, None, now),
        Revoked::User(user) => identities.revocations.revoke_user(user, name, now),
    }
    node.reexamine();
    Ok(())
}

/// What stands behind `Authorization: Bearer`.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let said = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
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
