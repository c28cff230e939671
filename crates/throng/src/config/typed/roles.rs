//! Settings of roles that this version does not have yet. They are read and judged, so that a deployment that sets them
//! may move over before the roles arrive.

use std::fmt;
use std::num::NonZeroUsize;
use std::time::Duration;

use serde::Deserialize;
use url::Url;

use super::reading;
use crate::config::secret::Secret;

/// Where Redis is: a URL, or its parts.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Redis {
    #[serde(deserialize_with = "reading::redis_address")]
    pub(crate) url: Option<Url>,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) password: Secret,
    pub(crate) db: u8,
    pub(crate) key_prefix: String,
    pub(crate) cluster: bool,
    pub(crate) nodes: Vec<String>,
}

impl Redis {
    /// The URL, composed of its parts where none is given, with the password where it has none; nothing without Redis.
    pub(crate) fn address(&self) -> Option<Url> {
        let mut url = match &self.url {
            Some(url) => url.clone(),
            None if self.host.is_empty() => return None,
            None => {
                let host =
                    if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
                Url::parse(&format!("redis://{host}:{}/{}", self.port, self.db)).ok()?
            }
        };
        if url.password().is_none() && !self.password.is_empty() {
            url.set_password(Some(self.password.expose())).ok()?;
        }
        Some(url)
    }
}

/// Nothing of it: the URL may hold a password.
impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cluster {
    pub(crate) enabled: bool,
    #[serde(deserialize_with = "reading::duration")]
    pub(crate) heartbeat_interval: Duration,
    #[serde(deserialize_with = "reading::duration")]
    pub(crate) failure_timeout: Duration,
    pub(crate) matches_max: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fleet {
    pub(crate) autoscale: bool,
    pub(crate) instances_min: usize,
    pub(crate) instances_max: NonZeroUsize,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Balancer {
    pub(crate) enabled: bool,
    pub(crate) algorithm: Algorithm,
    pub(crate) sticky: bool,
    #[serde(deserialize_with = "reading::duration")]
    pub(crate) health_interval: Duration,
}

/// How a node is picked. The aliases are the words of other balancers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Algorithm {
    #[serde(alias = "least-connection", alias = "leastconn")]
    LeastConnections,
    #[serde(alias = "roundrobin")]
    RoundRobin,
    #[serde(alias = "weighted-round-robin")]
    Weighted,
    Random,
    #[serde(alias = "iphash", alias = "consistent-hash")]
    IpHash,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Monitor {
    pub(crate) enabled: bool,
    pub(crate) health_checks: bool,
    pub(crate) metrics: bool,
    #[serde(deserialize_with = "reading::duration")]
    pub(crate) interval: Duration,
    #[serde(deserialize_with = "reading::duration")]
    pub(crate) retention: Duration,
    pub(crate) samples_max: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redis(url: &str, host: &str, password: &str) -> Redis {
        let url = Url::parse(url).ok();
        let (port, db, key_prefix, nodes) = (6380, 2, String::new(), Vec::new());
        Redis {
            url,
            host: host.into(),
            port,
            password: password.into(),
            db,
            key_prefix,
            cluster: false,
            nodes,
        }
    }

    #[test]
    fn the_address_of_redis_is_its_url_or_its_parts() {
        for (parts, expect) in [
            (redis("", "", ""), None),
            (redis("", "db.example", ""), Some("redis://db.example:6380/2")),
            (redis("", "::1", "p@ss"), Some("redis://:p%40ss@[::1]:6380/2")),
            (redis("rediss://u@db.example/1", "", "pass"), Some("rediss://u:pass@db.example/1")),
        ] {
            assert_eq!(parts.address().map(String::from).as_deref(), expect);
        }
    }
}
