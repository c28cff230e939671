//! The tenants and what each may do.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::SystemTime;

use serde::Deserialize;
use url::Url;

use super::{EventLimit, reading};
use crate::config::secret::Secret;

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tenants {
    pub(crate) domain: String,
    pub(crate) reserved: Vec<String>,
    /// By name.
    #[serde(default)]
    pub(crate) list: BTreeMap<String, Tenant>,
}

/// One tenant; 0 of anything is no quota.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Tenant {
    pub(crate) status: Status,
    /// The end of the licence's last day (UTC).
    #[serde(deserialize_with = "reading::last_day")]
    pub(crate) expires: Option<SystemTime>,
    /// Empty: those of the node.
    pub(crate) origins: Vec<String>,
    /// Empty: that of the node.
    pub(crate) secret: Secret,
    pub(crate) public_keys: Vec<PathBuf>,
    #[serde(deserialize_with = "reading::web_address")]
    pub(crate) jwks_url: Option<Url>,
    /// Empty: all.
    pub(crate) namespaces: Vec<String>,
    pub(crate) connections_max: usize,
    pub(crate) connects_per_second: u32,
    pub(crate) events_per_second: u32,
    pub(crate) rooms_max: usize,
    pub(crate) bytes_per_second: u32,
    pub(crate) limits: TenantLimits,
}

/// Whether a tenant is served.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    #[default]
    Active,
    Suspended,
}

/// What differs from [`Limits`](super::Limits); what is left out is as for everybody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TenantLimits {
    pub(crate) api_per_second: Option<u32>,
    pub(crate) api_burst: Option<u32>,
    pub(crate) auth_per_minute: Option<u32>,
    pub(crate) handshakes_per_second: Option<u32>,
    pub(crate) handshakes_burst: Option<u32>,
    pub(crate) events_per_second: Option<u32>,
    pub(crate) events_burst: Option<u32>,
    pub(crate) flood_events: Option<u32>,
    /// By the name of the event.
    pub(crate) events: BTreeMap<String, EventLimit>,
}
