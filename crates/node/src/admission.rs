//! Who may join a namespace, decided before the app's own middleware is asked: of which tenant the client is, who it is,
//! and whether that tenant and that namespace are open to it.

use std::sync::Arc;
use std::time::SystemTime;

use serde_json::Value;

use crate::handler::Refusal;
use crate::handshake::Handshake;
use crate::identity::credentials;
use crate::identity::identities::{Identities, Lookup};
use crate::identity::token::{TokenError, claimed_tenant};
use crate::identity::{Identity, Role};
use crate::namespace::Namespace;
use crate::node::Node;
use crate::tenants::{Tenancy, Tenant, TenantError};

/// Someone who may join.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) tenant: Arc<Tenant>,
    /// Nobody in particular on a node that does not ask for tokens.
    pub(crate) identity: Option<Arc<Identity>>,
}

/// Why someone may not join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    /// The token is missing, or not accepted.
    Token(TokenError),
    /// The tenant is unknown, closed, full, or another.
    Tenant(TenantError),
    /// The web origin is not on the tenant's list.
    Origin,
    /// The namespace asks for a higher role.
    Role,
}

impl From<TokenError> for Denied {
    fn from(error: TokenError) -> Self {
        Self::Token(error)
    }
}

impl From<TenantError> for Denied {
    fn from(error: TenantError) -> Self {
        Self::Tenant(error)
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Token(error) => Self::coded(error.code(), error.message()),
            Denied::Tenant(error) => Self::coded(error.code(), error.to_string()),
            Denied::Origin => Self::coded("origin", "This origin may not connect."),
            Denied::Role => Self::coded("forbidden", "This needs more rights."),
        }
    }
}

/// Someone at the door.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Applicant<'a> {
    /// The tenant of the session, when its host or an earlier socket has named it.
    pub(crate) seated: Option<&'a Arc<Tenant>>,
    pub(crate) handshake: &'a Handshake,
    pub(crate) auth: Option<&'a Value>,
    pub(crate) nsp: &'a str,
    pub(crate) behaviour: &'a Namespace,
}

/// What is known of an applicant at once.
#[derive(Debug)]
pub(crate) enum Admission {
    /// The decision.
    Decided(Result<Admitted, Denied>),
    /// The issuer's keys have to be fetched before: wait for [`Pending::decide`].
    Pending(Pending),
}

/// An applicant whose token cannot be checked yet.
#[derive(Debug)]
pub(crate) struct Pending {
    tenant: Arc<Tenant>,
    identities: Arc<Identities>,
    token: String,
    least: Role,
}

/// Decides, if nothing has to be waited for.
pub(crate) fn admit(node: &Node, applicant: Applicant<'_>) -> Admission {
    match begin(node, applicant) {
        Ok(admission) => admission,
        Err(denied) => Admission::Decided(Err(denied)),
    }
}

fn begin(node: &Node, applicant: Applicant<'_>) -> Result<Admission, Denied> {
    let tenancy = node.tenants.tenancy();
    let token = match &tenancy.identities {
        Some(identities) => {
            credentials::token(applicant.auth, applicant.handshake.headers(), &identities.cookie)?
        }
        None => None,
    };
    let tenant = match applicant.seated {
        Some(tenant) => tenant.clone(),
        None => {
            let name = token.map(claimed_tenant).transpose()?.flatten().ok_or(TenantError::Unknown)?;
            node.tenants.named(&name)?
        }
    };
    open_to(&tenant, applicant)?;
    let Some(identities) = identities_of(&tenancy, &tenant) else {
        let admitted = Admitted { tenant, identity: None };
        return Ok(Admission::Decided(Ok(admitted)));
    };
    let least = tenancy.guests.least(applicant.behaviour.least_role);
    Ok(match identities.identify_now(token, Some(&tenant.name)) {
        Lookup::Known(known) => Admission::Decided(decide(tenant, &identities, least, known)),
        Lookup::NeedsKeys => {
            let token = token.unwrap_or_default().to_owned();
            Admission::Pending(Pending { tenant, identities, token, least })
        }
    })
}

/// How the users of a tenant prove who they are.
pub(crate) fn identities_of(tenancy: &Tenancy, tenant: &Tenant) -> Option<Arc<Identities>> {
    tenant.settings().identities.clone().or_else(|| tenancy.identities.clone())
}

impl Pending {
    /// Fetches the keys, and decides.
    pub(crate) async fn decide(self) -> Result<Admitted, Denied> {
        let known = self.identities.identify(Some(&self.token), Some(&self.tenant.name)).await;
        decide(self.tenant, &self.identities, self.least, known)
    }
}

/// Whether the tenant is open to the applicant, whoever it is.
fn open_to(tenant: &Tenant, applicant: Applicant<'_>) -> Result<(), Denied> {
    tenant.open(SystemTime::now())?;
    let settings = tenant.settings();
    if settings.namespaces.as_ref().is_some_and(|list| !list.iter().any(|listed| **listed == *applicant.nsp))
    {
        return Err(TenantError::NotIncluded.into());
    }
    if settings.origins.as_ref().is_some_and(|origins| !origins.allow(applicant.handshake.header("origin"))) {
        return Err(Denied::Origin);
    }
    Ok(())
}

fn decide(
    tenant: Arc<Tenant>,
    identities: &Identities,
    least: Role,
    known: Result<Option<Arc<Identity>>, TokenError>,
) -> Result<Admitted, Denied> {
    let identity = match known? {
        Some(identity) => of_tenant(identity, &tenant)?,
        None => identities
            .guests
            .as_ref()
            .filter(|_| least == Role::Guest)
            .map(|guests| Arc::new(guests.name(SystemTime::now(), Some(&tenant.name))))
            .ok_or(TokenError::Missing)?,
    };
    if !identity.is(least) {
        return Err(Denied::Role);
    }
    Ok(Admitted { tenant, identity: Some(identity) })
}

/// A token that names a tenant is good at that one only. One that names none is good where its key is, which is nowhere
/// else when the key is the tenant's own.
pub(crate) fn of_tenant(identity: Arc<Identity>, tenant: &Tenant) -> Result<Arc<Identity>, TenantError> {
    match &identity.tenant {
        Some(named) if **named != *tenant.name => Err(TenantError::Mismatch),
        Some(_) | None => Ok(identity),
    }
}
