//! How a node stands among the others of its fleet.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde::Deserialize;

use super::redis::address;
use super::{Config, reading};

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cluster {
    pub(crate) enabled: bool,
    #[serde(deserialize_with = "reading::some_host")]
    pub(crate) host: Option<IpAddr>,
    pub(crate) port: u16,
    pub(crate) address: String,
    pub(crate) region: String,
    #[serde(deserialize_with = "reading::duration")]
    pub(crate) heartbeat_interval: Duration,
    #[serde(deserialize_with = "reading::duration")]
    pub(crate) failure_timeout: Duration,
    pub(crate) matches_max: usize,
}

impl Cluster {
    /// What `cluster.address` says, with this port where it says none; `None` when it is no `host` or `host:port`.
    pub(crate) fn announced(&self, port: u16) -> Option<String> {
        let with_port = || format!("{}:{port}", self.address);
        address(&self.address).or_else(|| address(&with_port())).map(|address| address.to_string())
    }
}

impl Config {
    /// Where to take requests of the other nodes.
    pub(crate) fn peer_address(&self) -> SocketAddr {
        SocketAddr::new(self.cluster.host.unwrap_or(self.host), self.cluster.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_leave_its_port_to_the_listener() {
        for (said, expect) in [
            ("node-1", Some("node-1:7000")),
            ("node-1:8000", Some("node-1:8000")),
            ("10.0.0.1", Some("10.0.0.1:7000")),
            ("[::1]", Some("[::1]:7000")),
            ("[::1]:8000", Some("[::1]:8000")),
            ("::1", None),
            ("", None),
            ("a b", None),
            ("http://a", None),
            ("a/b", None),
        ] {
            let cluster = Cluster {
                enabled: false,
                host: None,
                port: 0,
                address: said.into(),
                region: String::new(),
                heartbeat_interval: Duration::ZERO,
                failure_timeout: Duration::ZERO,
                matches_max: 0,
            };
            assert_eq!(cluster.announced(7000).as_deref(), expect, "{said}");
        }
    }
}
