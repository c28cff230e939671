//! Tenants: who they are, which one a connection belongs to, and what each may use. A node without a list of tenants has
//! one, `default`, and asks nobody.

mod settings;
mod usage;

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;

pub use settings::{GuestPolicy, Quotas, Status, Tenancy, TenantError, TenantName, TenantSettings};

pub(crate) use usage::TenantCounts;
use usage::Usage;

/// The one tenant of a node that has no list of them.
pub(crate) const DEFAULT: &str = "default";

/// A tenant of a running node. There is one of each name for as long as the node runs, so that two of them are the same
/// exactly when their addresses are; what it may do changes under it.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) name: TenantName,
    settings: ArcSwap<TenantSettings>,
    /// Whether these count events against anything: asked for each event, and cheaper to ask than them.
    bounds_events: AtomicBool,
    /// Held while they are changed.
    changing: Mutex<()>,
    pub(crate) usage: Usage,
}

impl Tenant {
    fn new(name: TenantName, settings: Arc<TenantSettings>, shards: usize) -> Self {
        let bounds_events = AtomicBool::new(settings.bounds_events());
        let (settings, usage) = (ArcSwap::new(settings), Usage::new(shards));
        Self { name, settings, bounds_events, changing: Mutex::default(), usage }
    }

    fn change(&self, change: impl FnOnce(&TenantSettings) -> Arc<TenantSettings>) {
        let _one_at_a_time = self.changing.lock().expect("no panic while the lock is held");
        let settings = change(&self.settings());
        let bounds_events = settings.bounds_events();
        self.settings.store(settings);
        self.bounds_events.store(bounds_events, Ordering::Relaxed);
    }

    /// What it may do now.
    pub(crate) fn settings(&self) -> arc_swap::Guard<Arc<TenantSettings>> {
        self.settings.load()
    }

    /// Whether its events are counted against anything.
    pub(crate) fn bounds_events(&self) -> bool {
        self.bounds_events.load(Ordering::Relaxed)
    }

    /// Whether its clients may be here at this time.
    pub(crate) fn open(&self, now: SystemTime) -> Result<(), TenantError> {
        let settings = self.settings();
        match settings.status {
            Status::Suspended => Err(TenantError::Suspended),
            Status::Removed => Err(TenantError::Unknown),
            Status::Active if settings.expires.is_some_and(|expires| expires <= now) => {
                Err(TenantError::Expired)
            }
            Status::Active => Ok(()),
        }
    }
}

/// A session's place among those that its tenant may have; given back when dropped.
#[derive(Debug)]
pub(crate) struct Seat(Arc<Tenant>);

impl Seat {
    /// Takes a seat at a time since the node began.
    pub(crate) fn take(tenant: &Arc<Tenant>, now: Duration) -> Result<Self, TenantError> {
        let quotas = tenant.settings().quotas;
        let usage = &tenant.usage;
        if let Some(rate) = quotas.connects_per_second {
            usage.connects.take(rate, 1, now).map_err(|wait| TenantError::Connects { wait })?;
        }
        usage
            .connections
            .take(quotas.connections_max)
            .then(|| Self(tenant.clone()))
            .ok_or(TenantError::Connections)
    }

    pub(crate) fn tenant(&self) -> &Arc<Tenant> {
        &self.0
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.usage.connections.give(1);
    }
}

/// A namespace of one tenant: the widest thing that an app can name, so that nothing of one tenant is within the reach of
/// another.
#[derive(Debug, Clone)]
pub(crate) struct Space {
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) nsp: Arc<str>,
}

impl PartialEq for Space {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.tenant, &other.tenant) && self.nsp == other.nsp
    }
}

impl Eq for Space {}

impl Hash for Space {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.tenant).hash(state);
        self.nsp.hash(state);
    }
}

/// The tenants of a node.
#[derive(Debug)]
pub(crate) struct Tenants {
    tenancy: ArcSwap<Tenancy>,
    known: ArcSwap<HashMap<TenantName, Arc<Tenant>>>,
    default: Arc<Tenant>,
    shards: usize,
}

impl Tenants {
    pub(crate) fn new(tenancy: Arc<Tenancy>, shards: usize) -> Self {
        let name = TenantName::parse(DEFAULT).expect("the name of the default tenant is one");
        let default = Arc::new(Tenant::new(name, Arc::default(), shards));
        let tenants =
            Self { tenancy: ArcSwap::new(Arc::default()), known: ArcSwap::default(), default, shards };
        tenants.replace(tenancy);
        tenants
    }

    /// Takes a new list. Tenants that are no longer on it stay as removed, so that their sockets can be ended.
    pub(crate) fn replace(&self, tenancy: Arc<Tenancy>) {
        let mut known = HashMap::clone(&self.known.load());
        for tenant in known.values().filter(|tenant| !tenancy.tenants.contains_key(&tenant.name)) {
            let removed = TenantSettings { status: Status::Removed, ..TenantSettings::default() };
            tenant.change(|_| Arc::new(removed));
        }
        for (name, settings) in &tenancy.tenants {
            match known.get(name) {
                Some(tenant) => tenant.change(|_| settings.clone()),
                None => {
                    let tenant = Tenant::new(name.clone(), settings.clone(), self.shards);
                    known.insert(name.clone(), Arc::new(tenant));
                }
            }
        }
        self.known.store(Arc::new(known));
        self.default.change(|_| tenancy.default.clone());
        self.tenancy.store(tenancy);
    }

    /// The list as it is now.
    pub(crate) fn tenancy(&self) -> arc_swap::Guard<Arc<Tenancy>> {
        self.tenancy.load()
    }

    /// The tenant that a request's `Host` names, or `None` when a token is to name it.
    pub(crate) fn of_host(&self, host: Option<&str>) -> Result<Option<Arc<Tenant>>, TenantError> {
        let tenancy = self.tenancy.load();
        if tenancy.tenants.is_empty() {
            return Ok(Some(self.default.clone()));
        }
        let Some(name) = tenancy.named_by(host)? else { return Ok(None) };
        self.named(&name).map(Some)
    }

    /// The tenant on the list that a request's host names, open or not.
    pub(crate) fn at_host(&self, host: Option<&str>) -> Option<Arc<Tenant>> {
        let name = self.tenancy.load().named_by(host).ok().flatten()?;
        self.find(&name)
    }

    /// A tenant by its name, if it is open.
    pub(crate) fn named(&self, name: &str) -> Result<Arc<Tenant>, TenantError> {
        let tenant = self.find(name).ok_or(TenantError::Unknown)?;
        tenant.open(SystemTime::now()).map(|()| tenant)
    }

    /// A tenant by its name, open or not.
    pub(crate) fn find(&self, name: &str) -> Option<Arc<Tenant>> {
        if self.tenancy.load().tenants.is_empty() {
            return (name == DEFAULT).then(|| self.default.clone());
        }
        self.known.load().get(name).cloned()
    }

    /// Whether there is no list of tenants, and `default` is all there is.
    pub(crate) fn is_single(&self) -> bool {
        self.tenancy.load().tenants.is_empty()
    }

    /// The tenant of a node that has no list of them.
    pub(crate) fn default(&self) -> &Arc<Tenant> {
        &self.default
    }

    /// Every tenant that is open or was.
    pub(crate) fn all(&self) -> Vec<Arc<Tenant>> {
        let known = self.known.load();
        let default = std::iter::once(&self.default).filter(|_| known.is_empty());
        let mut tenants: Vec<_> = default.chain(known.values()).cloned().collect();
        tenants.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        tenants
    }

    /// Changes what a tenant may, until its settings are replaced; `false` when there is no such tenant.
    pub(crate) fn change(&self, name: &str, change: impl FnOnce(&mut TenantSettings)) -> bool {
        let tenant = self.find(name);
        if let Some(tenant) = &tenant {
            tenant.change(|settings| {
                let mut settings = settings.clone();
                change(&mut settings);
                Arc::new(settings)
            });
        }
        tenant.is_some()
    }

    /// Whether any tenant's licence ends some time.
    pub(crate) fn any_ends(&self) -> bool {
        self.tenancy.load().tenants.values().any(|settings| settings.expires.is_some())
    }

    /// What every tenant uses now, and has used since the node began.
    pub(crate) fn counts(&self) -> Vec<TenantCounts> {
        let known = self.known.load();
        let tenants = std::iter::once(&self.default).filter(|_| known.is_empty()).chain(known.values());
        tenants.map(|tenant| tenant.usage.counts(tenant.name.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(names: &[&str]) -> Arc<Tenancy> {
        let tenants = names.iter().map(|name| (TenantName::parse(name).unwrap(), Arc::default())).collect();
        Arc::new(Tenancy { domain: Some("example.com".into()), tenants, ..Tenancy::default() })
    }

    #[test]
    fn without_a_list_there_is_one_tenant_whatever_the_host() {
        let tenants = Tenants::new(Arc::default(), 1);
        let tenant = tenants.of_host(Some("anything.example")).unwrap().unwrap();
        assert_eq!(&*tenant.name, DEFAULT);
    }

    #[test]
    fn a_tenant_that_leaves_the_list_is_closed_and_comes_back_as_itself() {
        let tenants = Tenants::new(listed(&["acme", "other"]), 1);
        let acme = tenants.of_host(Some("acme.example.com:443")).unwrap().unwrap();
        tenants.replace(listed(&["other"]));
        assert_eq!(acme.open(SystemTime::now()), Err(TenantError::Unknown));
        assert_eq!(tenants.named("acme").unwrap_err(), TenantError::Unknown);
        tenants.replace(listed(&["acme"]));
        assert!(Arc::ptr_eq(&acme, &tenants.named("acme").unwrap()));
    }

    #[test]
    fn an_expired_licence_closes_a_tenant() {
        let tenants = Tenants::new(Arc::default(), 1);
        let soon = SystemTime::now() + std::time::Duration::from_secs(60);
        let settings = TenantSettings { expires: Some(soon), ..TenantSettings::default() };
        let tenant = Tenant::new(TenantName::parse("acme").unwrap(), Arc::new(settings), tenants.shards);
        assert_eq!(tenant.open(SystemTime::now()), Ok(()));
        assert_eq!(tenant.open(soon), Err(TenantError::Expired));
    }
}
