//! From the part of the configuration that may change to what the node keeps to: tenants, keys, limits, origins, and the
//! certificate. Keys that have not changed are kept as they are, with the key sets that were fetched for them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use throng_node::identity::guest::Guests;
use throng_node::identity::identities::Identities;
use throng_node::identity::keys::{Keys, KeysConfig};
use throng_node::identity::revocation::{ENTRIES_MAX, Revocations};
use throng_node::{
    EventLimits, GuestPolicy, Io, Limits, NamedRates, Origins, Quotas, Rate, Status, Tenancy, TenantName,
    TenantSettings, TlsHandle,
};

use crate::config::key::Key;
use crate::config::secret::Secret;
use crate::config::typed::{self, Auth, EventLimit, Tenant, is_any};
use crate::reload::Reloadable;

/// How long a revocation is kept that names no end, at least: longer than tokens live that others make.
const REVOCATION_LIFETIME: Duration = Duration::from_secs(90 * 24 * 3600);

/// What a node keeps to, and may be told anew while it runs.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) tenancy: Arc<Tenancy>,
    pub(crate) limits: Limits,
    pub(crate) origins: Origins,
}

impl Policy {
    /// Makes a running node keep to it.
    pub(crate) fn apply(self, io: &Io) {
        io.set_limits(self.limits);
        io.set_origins(self.origins);
        io.set_tenancy(self.tenancy);
    }
}

/// What is wrong with a setting, in the words of whoever would use it.
pub(crate) type Fault = (Key, String);

/// Makes policies, one after the other, of one process.
#[derive(Debug)]
pub(crate) struct Maker {
    revocations: Arc<Revocations>,
    /// The issuers of the policy made last, and what checks their tokens.
    issuers: Vec<(Issuer, Arc<Identities>)>,
}

/// All that the keys of an issuer are made of.
#[derive(Debug, PartialEq)]
struct Issuer {
    secret: Secret,
    public_keys: Vec<String>,
    auth: Auth,
}

impl Maker {
    /// For a node whose guests have tokens of a lifetime.
    pub(crate) fn new(guest_lifetime: Duration) -> Self {
        let lifetime_max = guest_lifetime.max(REVOCATION_LIFETIME);
        Self { revocations: Arc::new(Revocations::new(ENTRIES_MAX, lifetime_max)), issuers: Vec::new() }
    }

    /// A policy, or everything that is wrong with what it is made of.
    pub(crate) fn make(&mut self, from: &Reloadable) -> Result<Policy, Vec<Fault>> {
        let (mut faults, mut issuers) = (Vec::new(), Vec::new());
        let auth = &from.auth;
        let root = self.identities(auth, &Key::dotted("auth"), auth, &mut issuers, &mut faults);
        let mut tenants = BTreeMap::new();
        for (name, tenant) in &from.tenants.list {
            let key = Key::dotted("tenants.list").child(name);
            // A name that is none was refused by whoever judged the configuration.
            let Some(name) = TenantName::parse(name) else { continue };
            let own = Auth {
                secret: tenant.secret.clone(),
                public_keys: tenant.public_keys.clone(),
                jwks_url: tenant.jwks_url.clone(),
                ..auth.clone()
            };
            let has_own = !own.secret.is_empty() || !own.public_keys.is_empty() || own.jwks_url.is_some();
            let identities =
                has_own.then(|| self.identities(&own, &key, auth, &mut issuers, &mut faults)).flatten();
            tenants.insert(name, Arc::new(settings(tenant, identities, &from.limits)));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        self.issuers = issuers;
        let default = TenantSettings {
            events: events(&from.limits, &tenant_limits(None)),
            ..TenantSettings::default()
        };
        let tenancy = Tenancy {
            domain: Some(&*from.tenants.domain).filter(|domain| !domain.is_empty()).map(Into::into),
            reserved: from.tenants.reserved.iter().map(|name| name.as_str().into()).collect(),
            identities: root,
            guests: match auth.guests {
                typed::Guests::WhereAllowed => GuestPolicy::WhereAllowed,
                typed::Guests::Everywhere => GuestPolicy::Everywhere,
                typed::Guests::Never => GuestPolicy::Never,
            },
            default: Arc::new(default),
            tenants,
        };
        let limits = limits(&from.limits, &tenant_limits(None));
        Ok(Policy { tenancy: Arc::new(tenancy), limits, origins: origins(&from.origins) })
    }

    /// What checks the tokens of an issuer: what did so before, if nothing about it has changed.
    fn identities(
        &self,
        auth: &Auth,
        key: &Key,
        root: &Auth,
        issuers: &mut Vec<(Issuer, Arc<Identities>)>,
        faults: &mut Vec<Fault>,
    ) -> Option<Arc<Identities>> {
        let read = |path: &PathBuf| std::fs::read_to_string(path).map_err(|error| unreadable(path, &error));
        let public_keys = match auth.public_keys.iter().map(read).collect::<Result<Vec<_>, _>>() {
            Ok(keys) => keys,
            Err(fault) => {
                faults.push((key.child("public_keys"), fault));
                return None;
            }
        };
        let issuer = Issuer { secret: root.secret.clone(), public_keys, auth: auth.clone() };
        let known = self.issuers.iter().find(|(known, _)| *known == issuer).map(|(_, made)| made.clone());
        let made = known.or_else(|| self.fresh(&issuer, key, faults))?;
        issuers.push((issuer, made.clone()));
        Some(made)
    }

    fn fresh(&self, issuer: &Issuer, key: &Key, faults: &mut Vec<Fault>) -> Option<Arc<Identities>> {
        let Issuer { secret, public_keys, auth } = issuer;
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let jwks_url = auth.jwks_url.as_ref().map(|url| url.as_str().parse()).transpose();
        let config = KeysConfig {
            secret: some(auth.secret.expose()).map(Into::into),
            // What is long enough for production is judged where production is.
            secret_bytes_min: 1,
            public_keys: public_keys.clone(),
            jwks_url: match jwks_url {
                Ok(url) => url,
                Err(error) => {
                    faults.push((key.child("jwks_url"), error.to_string()));
                    return None;
                }
            },
            issuer: some(&auth.issuer),
            audience: some(&auth.audience),
            leeway: auth.leeway,
        };
        let keys = match Keys::new(config) {
            Ok(keys) => keys,
            Err(errors) => {
                faults.extend(errors.into_iter().map(|error| (key.clone(), error.to_string())));
                return None;
            }
        };
        let guests = (auth.guests != typed::Guests::Never)
            .then(|| Guests::new(&secret.expose().into(), auth.guest_lifetime, auth.leeway));
        let (revocations, cookie) = (self.revocations.clone(), auth.cookie.as_str().into());
        Some(Arc::new(Identities { keys, guests, revocations, cookie }))
    }
}

/// The certificate of a configuration that has one.
pub(crate) fn certificate(tls: &typed::Tls) -> Result<Option<TlsHandle>, Fault> {
    if !tls.is_on() {
        return Ok(None);
    }
    let (certificate, key) = pem(tls)?;
    let made = TlsHandle::new(&certificate, &key);
    made.map(Some).map_err(|error| (Key::dotted("tls.certificate"), error.to_string()))
}

/// Replaces the certificate by what the files hold now.
pub(crate) fn renew(handle: &TlsHandle, tls: &typed::Tls) -> Result<(), Fault> {
    let (certificate, key) = pem(tls)?;
    let renewed = handle.replace(&certificate, &key);
    renewed.map_err(|error| (Key::dotted("tls.certificate"), error.to_string()))
}

fn pem(tls: &typed::Tls) -> Result<(Vec<u8>, Vec<u8>), Fault> {
    let read = |key: &str, path: &Path| {
        std::fs::read(path).map_err(|error| (Key::dotted(key), unreadable(path, &error)))
    };
    Ok((read("tls.certificate", &tls.certificate)?, read("tls.key", &tls.key)?))
}

fn unreadable(path: &Path, error: &std::io::Error) -> String {
    format!("cannot read {path:?}: {error}")
}

pub(crate) fn origins(list: &[String]) -> Origins {
    if is_any(list) { Origins::Any } else { Origins::Listed(list.to_vec()) }
}

fn settings(tenant: &Tenant, identities: Option<Arc<Identities>>, common: &typed::Limits) -> TenantSettings {
    let quota = |count: u32| Some(count).filter(|count| *count > 0);
    let most = |count: usize| u64::try_from(count).ok().filter(|count| *count > 0);
    let own = tenant_limits(Some(tenant));
    TenantSettings {
        status: match tenant.status {
            typed::Status::Active => Status::Active,
            typed::Status::Suspended => Status::Suspended,
        },
        expires: tenant.expires,
        origins: (!tenant.origins.is_empty()).then(|| Arc::new(origins(&tenant.origins))),
        namespaces: (!tenant.namespaces.is_empty())
            .then(|| tenant.namespaces.iter().map(|name| name.as_str().into()).collect()),
        identities,
        limits: Some(limits(common, &own)),
        quotas: Quotas {
            connections_max: most(tenant.connections_max),
            connects_per_second: quota(tenant.connects_per_second),
            events_per_second: quota(tenant.events_per_second),
            rooms_max: most(tenant.rooms_max),
            bytes_per_second: quota(tenant.bytes_per_second),
        },
        events: events(common, &own),
    }
}

/// A tenant's own limits; for nobody's, none.
fn tenant_limits(tenant: Option<&Tenant>) -> typed::TenantLimits {
    tenant.map(|tenant| tenant.limits.clone()).unwrap_or_default()
}

fn limits(common: &typed::Limits, own: &typed::TenantLimits) -> Limits {
    let auth = own.auth_per_minute.unwrap_or(common.auth_per_minute);
    Limits {
        api: Rate::per_second(
            own.api_per_second.unwrap_or(common.api_per_second),
            own.api_burst.unwrap_or(common.api_burst),
        ),
        authentication: Rate::per_minute(auth, auth),
        handshakes: Rate::per_second(
            own.handshakes_per_second.unwrap_or(common.handshakes_per_second),
            own.handshakes_burst.unwrap_or(common.handshakes_burst),
        ),
        hold_off: common.hold_off,
        addresses_max: common.addresses_max,
    }
}

fn events(common: &typed::Limits, own: &typed::TenantLimits) -> EventLimits {
    let per_second = own.events_per_second.unwrap_or(common.events_per_second);
    let burst = own.events_burst.unwrap_or(common.events_burst);
    // What a tenant says of an event goes before what is said of it for everybody, number by number.
    let mut named: BTreeMap<&String, EventLimit> = BTreeMap::new();
    for (name, limit) in common.events.iter().chain(&own.events) {
        let known = named.entry(name).or_default();
        known.per_second = limit.per_second.or(known.per_second);
        known.burst = limit.burst.or(known.burst);
    }
    let rate = |limit: &EventLimit| {
        Rate::per_second(limit.per_second.unwrap_or(per_second), limit.burst.unwrap_or(burst))
    };
    EventLimits {
        each: Rate::per_second(per_second, burst),
        named: named.iter().map(|(name, limit)| ((*name).clone(), rate(limit))).collect::<NamedRates>(),
        flood: own.flood_events.unwrap_or(common.flood_events),
    }
}
