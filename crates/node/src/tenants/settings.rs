//! What is said of tenants before they run: their names, the domain under which they live, what each may use.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::StatusCode;

use crate::config::Origins;
use crate::identity::Role;
use crate::identity::identities::Identities;
use crate::limits::Limits;
use crate::problem::Problem;
use crate::throttle::EventLimits;

/// A tenant's name: one DNS label of 1 to 63 lower-case letters, digits and inner hyphens.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantName(Arc<str>);

impl TenantName {
    /// Reads a name; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let fits = (1..=63).contains(&text.len()) && text.bytes().all(inner);
        (fits && !text.starts_with('-') && !text.ends_with('-')).then(|| Self(text.into()))
    }

    /// The one copy of the text.
    pub(crate) fn shared(&self) -> Arc<str> {
        self.0.clone()
    }
}

impl Deref for TenantName {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for TenantName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for TenantName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The list of tenants. Empty, and the node has a single one.
#[derive(Debug, Clone, Default)]
pub struct Tenancy {
    /// The domain whose sub-domains are the tenants, such as `example.com`; without one, tokens name the tenant.
    pub domain: Option<Box<str>>,
    /// Sub-domains that are no tenant, such as `www`.
    pub reserved: Vec<Box<str>>,
    /// How users prove who they are, where a tenant has no way of its own; without it nobody is asked.
    pub identities: Option<Arc<Identities>>,
    /// Who may come without a token.
    pub guests: GuestPolicy,
    /// What holds for the single tenant of a node without a list.
    pub default: Arc<TenantSettings>,
    /// Who there is.
    pub tenants: BTreeMap<TenantName, Arc<TenantSettings>>,
}

impl Tenancy {
    /// One tenant that nothing bounds: for tests and for servers that exist to be loaded.
    pub fn unlimited() -> Self {
        let settings = TenantSettings { events: EventLimits::off(), ..TenantSettings::default() };
        Self { default: Arc::new(settings), ..Self::default() }
    }

    /// The name that a `Host` header holds; `None` when hosts name no tenants here.
    pub(super) fn named_by(&self, host: Option<&str>) -> Result<Option<TenantName>, TenantError> {
        let Some(domain) = &self.domain else { return Ok(None) };
        let host = host.ok_or(TenantError::Unknown)?.to_ascii_lowercase();
        let host = host.rsplit_once(':').map_or(host.as_str(), |(host, _)| host);
        let label = host.strip_suffix(&**domain).and_then(|front| front.strip_suffix('.'));
        let name = label.and_then(TenantName::parse).ok_or(TenantError::Unknown)?;
        if self.reserved.iter().any(|reserved| **reserved == *name) {
            return Err(TenantError::Unknown);
        }
        Ok(Some(name))
    }
}

/// Who may come without a token, on a node that asks for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GuestPolicy {
    /// Guests may join the namespaces that are open to them.
    #[default]
    WhereAllowed,
    /// Guests may also join the namespaces that do not say for whom they are.
    Everywhere,
    /// Nobody.
    Never,
}

impl GuestPolicy {
    /// The least role that a namespace asks for, given the one that it says.
    pub(crate) fn least(self, said: Option<Role>) -> Role {
        match (self, said) {
            (Self::Everywhere, None) => Role::Guest,
            (_, None) | (Self::Never, Some(Role::Guest)) => Role::User,
            (_, Some(role)) => role,
        }
    }
}

/// What a tenant may do.
#[derive(Debug, Clone, Default)]
pub struct TenantSettings {
    /// Whether its clients are served.
    pub status: Status,
    /// When its licence ends.
    pub expires: Option<SystemTime>,
    /// Its web origins; without them the node's.
    pub origins: Option<Arc<Origins>>,
    /// The namespaces that it may use; without a list all.
    pub namespaces: Option<Vec<Box<str>>>,
    /// How its users prove who they are; without it as everywhere.
    pub identities: Option<Arc<Identities>>,
    /// What its client addresses may do, where that differs from the node's. What these say of hold-offs and of how many
    /// addresses are remembered has no effect: there is one table for all.
    pub limits: Option<Limits>,
    /// How much it may use.
    pub quotas: Quotas,
    /// How much each of its sockets may send.
    pub events: EventLimits,
}

impl TenantSettings {
    /// Whether events are counted against anything.
    pub(crate) fn bounds_events(&self) -> bool {
        self.events.bounds()
            || self.quotas.events_per_second.is_some()
            || self.quotas.bytes_per_second.is_some()
    }
}

/// Whether a tenant's clients are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Status {
    /// They are.
    #[default]
    Active,
    /// Not for now.
    Suspended,
    /// It is no longer on the list.
    Removed,
}

/// How much a tenant may use on one node; what is not said is not bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quotas {
    /// Sessions at the same time.
    pub connections_max: Option<u64>,
    /// New sessions.
    pub connects_per_second: Option<u32>,
    /// Events from all of its sockets.
    pub events_per_second: Option<u32>,
    /// Rooms with members.
    pub rooms_max: Option<u64>,
    /// Bytes of events from all of its sockets.
    pub bytes_per_second: Option<u32>,
}

/// Why a connection has no place at a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TenantError {
    /// There is no such tenant, or none was named.
    #[error("There is no such tenant.")]
    Unknown,
    /// It is suspended.
    #[error("This tenant is suspended.")]
    Suspended,
    /// Its licence has run out.
    #[error("The licence of this tenant has expired.")]
    Expired,
    /// The host and the token name different tenants.
    #[error("{}", Self::MISMATCH)]
    Mismatch,
    /// It does not use this namespace.
    #[error("This tenant does not use that.")]
    NotIncluded,
    /// It has all the connections that it may.
    #[error("This tenant has reached its limit of connections.")]
    Connections,
    /// It makes more connections a second than it may.
    #[error("This tenant connects too fast.")]
    Connects {
        /// Until it may make another.
        wait: Duration,
    },
}

impl TenantError {
    /// The sentence of [`TenantError::Mismatch`], which the documents have too.
    pub(crate) const MISMATCH: &str = "The token is for another tenant.";

    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unknown => "tenant_unknown",
            Self::Suspended => "tenant_suspended",
            Self::Expired => "tenant_expired",
            Self::Mismatch => "tenant_mismatch",
            Self::NotIncluded => "tenant_not_included",
            Self::Connections => "tenant_connections",
            Self::Connects { .. } => "tenant_connects",
        }
    }
}

/// When to ask again for a seat that is only free once somebody has left.
const SEAT_WAIT: Duration = Duration::from_secs(5);

impl From<TenantError> for Problem {
    fn from(error: TenantError) -> Self {
        let status = match error {
            TenantError::Unknown => StatusCode::NOT_FOUND,
            TenantError::Connections | TenantError::Connects { .. } => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::FORBIDDEN,
        };
        let problem = Self::new(status, error.code(), error.to_string());
        match error {
            TenantError::Connections => problem.retry_after(SEAT_WAIT),
            TenantError::Connects { wait } => problem.retry_after(wait),
            _ => problem,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_strict_label() {
        for good in ["a", "acme", "a-1", &"x".repeat(63)] {
            assert!(TenantName::parse(good).is_some(), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a.b", "a_b", "ä", "a b", &"x".repeat(64)] {
            assert!(TenantName::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn only_a_direct_sub_domain_names_a_tenant() {
        let tenancy = Tenancy {
            domain: Some("example.com".into()),
            reserved: vec!["www".into()],
            ..Tenancy::default()
        };
        let named = |host| tenancy.named_by(host).map(|name| name.map(|name| name.to_string()));
        assert_eq!(named(Some("acme.example.com")), Ok(Some("acme".into())));
        assert_eq!(named(Some("ACME.Example.com:8443")), Ok(Some("acme".into())));
        let strangers = [
            "example.com",
            "www.example.com",
            "a.b.example.com",
            "acmeexample.com",
            "acme.example.com.evil.test",
            "acme.example.org",
            "-a.example.com",
            "127.0.0.1:3000",
            "[::1]:3000",
            "",
        ];
        for host in strangers {
            assert_eq!(named(Some(host)), Err(TenantError::Unknown), "{host}");
        }
        assert_eq!(named(None), Err(TenantError::Unknown));
        assert_eq!(Tenancy::default().named_by(Some("x")), Ok(None));
    }
}
