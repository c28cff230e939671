//! What guards the node: HTTP, TLS, who may come, and how much anybody may do.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use serde::Deserialize;
use url::Url;

use super::reading;
use crate::config::secret::Secret;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Http {
    #[serde(deserialize_with = "reading::duration")]
    pub(crate) header_timeout: Duration,
    #[serde(deserialize_with = "reading::duration")]
    pub(crate) body_timeout: Duration,
    #[serde(deserialize_with = "reading::duration")]
    pub(crate) keep_alive: Duration,
    pub(crate) head_bytes_max: usize,
    pub(crate) body_bytes_max: NonZeroUsize,
    #[serde(deserialize_with = "reading::networks")]
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) proxy_protocol: bool,
    pub(crate) compression_bytes_min: u64,
}

/// Both paths are set, or both are empty.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tls {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Tls {
    /// Whether the node speaks TLS itself.
    pub(crate) fn is_on(&self) -> bool {
        !self.certificate.as_os_str().is_empty()
    }
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Auth {
    pub(crate) secret: Secret,
    pub(crate) public_keys: Vec<PathBuf>,
    #[serde(deserialize_with = "reading::web_address")]
    pub(crate) jwks_url: Option<Url>,
    pub(crate) issuer: String,
    pub(crate) audience: String,
    #[serde(deserialize_with = "reading::duration")]
    pub(crate) leeway: Duration,
    pub(crate) cookie: String,
    pub(crate) guests: Guests,
    #[serde(deserialize_with = "reading::duration")]
    pub(crate) guest_lifetime: Duration,
}

/// Who may come without a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Guests {
    WhereAllowed,
    Everywhere,
    Never,
}

/// Limits; 0 of anything in a time is no limit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    pub(crate) api_per_second: u32,
    pub(crate) api_burst: u32,
    pub(crate) auth_per_minute: u32,
    pub(crate) handshakes_per_second: u32,
    pub(crate) handshakes_burst: u32,
    pub(crate) events_per_second: u32,
    pub(crate) events_burst: u32,
    pub(crate) flood_events: u32,
    #[serde(deserialize_with = "reading::duration")]
    pub(crate) hold_off: Duration,
    pub(crate) addresses_max: NonZeroUsize,
    /// By the name of the event.
    #[serde(default)]
    pub(crate) events: BTreeMap<String, EventLimit>,
}

/// What differs for one event; what is left out is as for every event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct EventLimit {
    pub(crate) per_second: Option<u32>,
    pub(crate) burst: Option<u32>,
}
