//! Settings of roles that this version does not have yet. They are read and judged, so that a deployment that sets them
//! may move over before the roles arrive.

use std::num::NonZeroUsize;
use std::time::Duration;

use serde::Deserialize;

use super::reading;

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
