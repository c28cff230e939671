//! The configuration in types: one struct for each table of the default file, one field for each of its keys. A key's
//! meaning is written there and only there. What no type can say is judged by [`validation`](super::validation).

mod apps;
mod cluster;
mod edge;
pub(crate) mod pairing;
mod reading;
pub(crate) mod redis;
mod roles;
mod tenants;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::time::Duration;

use serde::Deserialize;
use throng_node::{MetricsAccess, PacketLimits, Recovery, TlsHandle};

use crate::config::secret::Secret;
use crate::policy::Policy;

pub(crate) use apps::{Analytics, Debate, Feature, Queue, Rooms, Roulette, Sink};
pub(crate) use cluster::Cluster;
pub(crate) use edge::{Auth, EventLimit, Guests, Http, Limits, Tls};
pub(crate) use pairing::Pairing;
pub(crate) use redis::Redis;
pub(crate) use roles::{Balancer, Fleet, Monitor};
pub(crate) use tenants::{Status, Tenant, TenantLimits, Tenants};

/// Everything that a node can be told.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) profile: Profile,
    pub(crate) name: String,
    #[serde(deserialize_with = "reading::host")]
    pub(crate) host: IpAddr,
    pub(crate) port: u16,
    pub(crate) shards: usize,
    pub(crate) connections_max: usize,
    pub(crate) origins: Vec<String>,
    pub(crate) log: Log,
    pub(crate) socket: Socket,
    pub(crate) http: Http,
    pub(crate) tls: Tls,
    pub(crate) auth: Auth,
    pub(crate) limits: Limits,
    pub(crate) tenants: Tenants,
    pub(crate) metrics: Metrics,
    pub(crate) publish: Publish,
    pub(crate) drain: Drain,
    pub(crate) pairing: Pairing,
    pub(crate) debate: Debate,
    pub(crate) roulette: Roulette,
    pub(crate) analytics: Analytics,
    pub(crate) redis: Redis,
    pub(crate) cluster: Cluster,
    pub(crate) fleet: Fleet,
    pub(crate) balancer: Balancer,
    pub(crate) monitor: Monitor,
    #[serde(default)]
    pub(crate) features: BTreeMap<String, Feature>,
}

/// What is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Profile {
    /// Everything.
    Development,
    /// Nothing that is unsafe before the internet.
    Production,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Log {
    pub(crate) level: String,
    pub(crate) format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    Auto,
    Json,
    Pretty,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Socket {
    pub(crate) path: String,
    pub(crate) parser: Parser,
    #[serde(deserialize_with = "reading::duration")]
    pub(crate) ping_interval: Duration,
    #[serde(deserialize_with = "reading::duration")]
    pub(crate) ping_timeout: Duration,
    #[serde(deserialize_with = "reading::duration")]
    pub(crate) connect_timeout: Duration,
    #[serde(deserialize_with = "reading::duration")]
    pub(crate) upgrade_timeout: Duration,
    pub(crate) payload_bytes_max: NonZeroUsize,
    pub(crate) queue_bytes_max: NonZeroUsize,
    pub(crate) backlog_bytes_max: NonZeroUsize,
    pub(crate) namespaces_max: NonZeroUsize,
    pub(crate) depth_max: NonZeroUsize,
    pub(crate) name_bytes_max: NonZeroUsize,
    pub(crate) attachments_max: usize,
    pub(crate) attachment_bytes_max: usize,
    pub(crate) compression_bytes_min: usize,
    #[serde(deserialize_with = "reading::duration")]
    pub(crate) recovery: Duration,
    pub(crate) recovery_messages_max: NonZeroUsize,
    pub(crate) recovery_bytes_max: NonZeroUsize,
}

impl Socket {
    /// What one packet may hold.
    fn packets(&self) -> PacketLimits {
        PacketLimits {
            attachments_max: self.attachments_max,
            attachment_bytes_max: self.attachment_bytes_max,
            name_bytes_max: self.name_bytes_max.get(),
            depth_max: self.depth_max.get(),
        }
    }

    /// What clients may recover, where they may.
    fn recovery(&self) -> Option<Recovery> {
        let recovery = Recovery {
            window: self.recovery,
            messages_max: self.recovery_messages_max.get(),
            bytes_max: self.recovery_bytes_max.get(),
        };
        (!recovery.window.is_zero()).then_some(recovery)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Parser {
    Default,
    Msgpack,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Metrics {
    pub(crate) token: Secret,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Publish {
    pub(crate) keys: Vec<Secret>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Drain {
    #[serde(deserialize_with = "reading::duration")]
    pub(crate) spread: Duration,
    #[serde(deserialize_with = "reading::duration")]
    pub(crate) deadline: Duration,
}

impl Config {
    /// Where to listen.
    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::new(self.host, self.port)
    }

    /// How this node is called: the host name of the machine where nobody says otherwise.
    pub(crate) fn node_name(&self) -> String {
        if self.name.is_empty() {
            rustix::system::uname().nodename().to_string_lossy().into_owned()
        } else {
            self.name.clone()
        }
    }

    /// What the node is told, with what it may be told anew later.
    pub(crate) fn node(&self, policy: Policy, tls: Option<TlsHandle>) -> throng_node::Config {
        let default = throng_node::Config::default();
        throng_node::Config {
            shards: NonZeroUsize::new(self.shards).unwrap_or(default.shards),
            path: self.socket.path.clone(),
            parser: match self.socket.parser {
                Parser::Default => throng_node::Parser::Default,
                Parser::Msgpack => throng_node::Parser::MsgPack,
            },
            ping_interval: self.socket.ping_interval,
            ping_timeout: self.socket.ping_timeout,
            upgrade_timeout: self.socket.upgrade_timeout,
            connect_timeout: self.socket.connect_timeout,
            payload_bytes_max: self.socket.payload_bytes_max.get(),
            queue_bytes_max: self.socket.queue_bytes_max.get(),
            backlog_bytes_max: self.socket.backlog_bytes_max.get(),
            namespaces_max: self.socket.namespaces_max.get(),
            packets: self.socket.packets(),
            recovery: self.socket.recovery(),
            connections_max: if self.connections_max == 0 {
                default.connections_max
            } else {
                self.connections_max
            },
            compression_bytes_min: Some(self.socket.compression_bytes_min).filter(|bytes| *bytes > 0),
            http_compression_bytes_min: self.http.compression_bytes_min,
            header_timeout: self.http.header_timeout,
            body_timeout: self.http.body_timeout,
            edge: throng_node::EdgeConfig {
                keep_alive: self.http.keep_alive,
                head_bytes_max: self.http.head_bytes_max,
                body_bytes_max: self.http.body_bytes_max.get(),
                trusted_proxies: self.http.trusted_proxies.clone(),
                proxy_protocol: self.http.proxy_protocol,
                tls,
            },
            metrics: match (self.metrics.token.expose(), self.profile) {
                ("", Profile::Development) => MetricsAccess::Anyone,
                ("", Profile::Production) => MetricsAccess::Loopback,
                (token, _) => MetricsAccess::Token(token.into()),
            },
            server_keys: self.publish.keys.iter().map(|key| key.expose().into()).collect(),
            region: self.cluster.region.clone(),
            drain: throng_node::Drain { spread: self.drain.spread, deadline: self.drain.deadline },
            tenancy: policy.tenancy,
            limits: policy.limits,
            origins: policy.origins,
        }
    }
}

/// Whether a list of origins lets every origin in.
pub(crate) fn is_any(origins: &[String]) -> bool {
    origins.iter().any(|origin| origin == "*")
}
