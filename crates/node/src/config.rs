//! What a node can be told. Every limit is on by default; the defaults of the protocol are Node's.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
pub use throng_protocol::socket::codec::Parser;
pub use throng_protocol::socket::packet::Limits as PacketLimits;

use crate::http::EdgeConfig;
use crate::limits::Limits;
use crate::recovery::Recovery;
use crate::tenants::Tenancy;

/// The configuration of a node.
#[derive(Debug, Clone)]
pub struct Config {
    /// Shards, one thread each. Default: one per core.
    pub shards: NonZeroUsize,
    /// Where the handlers above a WebSocket begin.
    pub path: String,
    /// The packet encoding. Default: JSON.
    pub parser: Parser,
    /// Limits on incoming packets.
    pub packets: PacketLimits,
    /// How much a client address may do, to begin with.
    pub limits: Limits,
    /// Time between two pings of a session. Default 25 s.
    pub ping_interval: Duration,
    /// Time a pong may take. Default 20 s.
    pub ping_timeout: Duration,
    /// Time an upgrade from polling may take. Default 30 s.
    pub upgrade_timeout: Duration,
    /// Time until a session must have joined a namespace. Default 45 s.
    pub connect_timeout: Duration,
    /// The largest message, in bytes, in either transport. Default 1 MB.
    pub payload_bytes_max: usize,
    /// Bytes that may wait for one slow client before it is closed. Default 1 MiB.
    pub queue_bytes_max: usize,
    /// Bytes of events that may wait for one socket's handlers before its connection is read no further. Default 256 KiB.
    pub backlog_bytes_max: usize,
    /// Namespaces that one session may join. Default 64.
    pub namespaces_max: usize,
    /// TCP connections of the whole node; beyond it 503. Default, and at most: derived from the file descriptor limit.
    pub connections_max: usize,
    /// permessage-deflate: off, or for messages of at least so many bytes. Default off.
    pub compression_bytes_min: Option<usize>,
    /// Polling answers of at least so many bytes are compressed when the client allows it. Default 1 KiB.
    pub http_compression_bytes_min: u64,
    /// Which web origins may talk to the node, to begin with.
    pub origins: Origins,
    /// Time a request's head may take, and before it a PROXY protocol header and a TLS handshake. Default 10 s each.
    pub header_timeout: Duration,
    /// Time a request's body may take. Default 30 s.
    pub body_timeout: Duration,
    /// What clients may recover after they have lost their connection; needs a fleet, be it of one. Default: nothing.
    pub recovery: Option<Recovery>,
    /// The list of tenants. Default: none, and the node has a single one.
    pub tenancy: Arc<Tenancy>,
    /// How the HTTP edge meets the world.
    pub edge: EdgeConfig,
    /// Who may read `/metrics` and `/tenant-metrics`. Default: anyone.
    pub metrics: MetricsAccess,
    /// What other programs publish with. Default: none.
    pub server_keys: ServerKeys,
    /// Where the node runs, for whoever looks at the members of its fleet. Default: nothing said.
    pub region: String,
    /// How a stop goes.
    pub drain: Drain,
}

/// Who may read the metrics, beside operators.
#[derive(Clone, PartialEq, Eq)]
pub enum MetricsAccess {
    /// Everyone.
    Anyone,
    /// Clients on the same machine that come through no proxy.
    Loopback,
    /// Whoever sends `Authorization: Bearer` with this token.
    Token(Box<str>),
}

impl std::fmt::Debug for MetricsAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Anyone => "Anyone",
            Self::Loopback => "Loopback",
            // What is kept secret is not shown.
            Self::Token(_) => "Token",
        })
    }
}

/// Keys of programs that may publish anywhere, as bearer tokens. One may follow another: each is good.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ServerKeys(Vec<Box<str>>);

impl ServerKeys {
    /// Whether a text is one of them. An empty one never is.
    pub(crate) fn have(&self, said: &str) -> bool {
        let same = |key: &str| {
            aws_lc_rs::constant_time::verify_slices_are_equal(key.as_bytes(), said.as_bytes()).is_ok()
        };
        // All of them are looked at, so that time does not tell which one it was.
        self.0.iter().filter(|key| same(key)).count() > 0 && !said.is_empty()
    }
}

impl FromIterator<Box<str>> for ServerKeys {
    fn from_iter<T: IntoIterator<Item = Box<str>>>(keys: T) -> Self {
        Self(keys.into_iter().collect())
    }
}

impl std::fmt::Debug for ServerKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // What is kept secret is not shown.
        write!(f, "ServerKeys({})", self.0.len())
    }
}

/// Which web origins may talk to the node, for CORS and for WebSocket upgrades alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// Every origin.
    Any,
    /// The listed ones, such as `https://app.example.com`; requests without an `Origin` header pass.
    Listed(Vec<String>),
}

impl Origins {
    /// Whether a request with this header may come in. What is not text is no origin of anybody's list.
    pub(crate) fn allow_header(&self, origin: Option<&HeaderValue>) -> bool {
        self.allow(origin.map(|origin| origin.to_str().unwrap_or_default()))
    }

    /// Whether a request with this `Origin` header may come in.
    pub fn allow(&self, origin: Option<&str>) -> bool {
        match (self, origin) {
            (Self::Any, _) | (_, None) => true,
            (Self::Listed(list), Some(origin)) => list.iter().any(|allowed| allowed == origin),
        }
    }
}

/// How a node leaves: it closes its sessions spread over a time, and the rest at a deadline.
#[derive(Debug, Clone, Copy)]
pub struct Drain {
    /// The longest time over which sessions are closed; few sessions take less (10 ms each). Default 10 s.
    pub spread: Duration,
    /// When what is left is cut off. Default 30 s.
    pub deadline: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            shards: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            path: "/socket.io/".into(),
            parser: Parser::Default,
            packets: PacketLimits::default(),
            limits: Limits::default(),
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            upgrade_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(45),
            payload_bytes_max: 1_000_000,
            queue_bytes_max: 1 << 20,
            backlog_bytes_max: 256 << 10,
            namespaces_max: 64,
            connections_max: connections_from_descriptors(),
            compression_bytes_min: None,
            http_compression_bytes_min: 1024,
            origins: Origins::Any,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            recovery: None,
            tenancy: Arc::default(),
            edge: EdgeConfig::default(),
            metrics: MetricsAccess::Anyone,
            server_keys: ServerKeys::default(),
            region: String::new(),
            drain: Drain { spread: Duration::from_secs(10), deadline: Duration::from_secs(30) },
        }
    }
}

impl Config {
    /// The defaults without the limits on what clients may send: for tests, and for servers that exist to be loaded.
    pub fn unlimited() -> Self {
        Self { limits: Limits::off(), tenancy: Arc::new(Tenancy::unlimited()), ..Self::default() }
    }

    /// Descriptors that a WebSocket over TLS takes: its connection, and both ends of the bridge to its shard.
    const DESCRIPTORS_WITH_TLS: usize = 3;

    /// Takes `connections_max` down to what there are descriptors for, and warns when that is less. Every start does; whoever
    /// wants to say so before calls it first.
    pub fn bound_connections(&mut self) {
        let each = if self.edge.tls.is_some() { Self::DESCRIPTORS_WITH_TLS } else { 1 };
        let bound = connections_from_descriptors() / each;
        if bound < self.connections_max {
            tracing::warn!(connections_max = bound, "the descriptor limit leaves room for fewer connections");
            self.connections_max = bound;
        }
    }
}

/// Every connection takes one descriptor; a few stay back for listeners, logs, upstreams and the runtime itself.
fn connections_from_descriptors() -> usize {
    const RESERVED: u64 = 128;
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(1 << 20);
    usize::try_from(limit.saturating_sub(RESERVED).max(RESERVED)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_keys_are_exact_and_not_shown() {
        let keys = ServerKeys::from_iter(["one".into(), "another".into(), "".into()]);
        assert!(keys.have("one") && keys.have("another"));
        for other in ["", "on", "one ", "ONE"] {
            assert!(!keys.have(other), "{other:?}");
        }
        assert_eq!(format!("{keys:?}"), "ServerKeys(3)");
    }

    #[test]
    fn there_are_no_more_connections_than_descriptors() {
        let most = connections_from_descriptors();
        for (asked, expect) in [(1, 1), (most, most), (most + 1, most), (usize::MAX, most)] {
            let mut config = Config { connections_max: asked, ..Config::default() };
            config.bound_connections();
            assert_eq!(config.connections_max, expect, "{asked}");
        }
    }

    #[test]
    fn listed_origins_are_exact() {
        let origins = Origins::Listed(vec!["https://a.example".into()]);
        assert!(origins.allow(Some("https://a.example")));
        assert!(origins.allow(None));
        for other in ["http://a.example", "https://a.example.evil", "https://a.example:8443", "null"] {
            assert!(!origins.allow(Some(other)), "{other}");
        }
    }
}
