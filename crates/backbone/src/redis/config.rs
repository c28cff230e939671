//! How to reach Redis, and how patient to be with it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use url::Url;

use crate::backoff::Backoff;

/// Everything about a Redis store. Redis 7 or newer, or Valkey.
#[derive(Debug, Clone)]
pub struct RedisConfig {
    /// What kind of Redis it is, and where.
    pub deployment: Deployment,
    /// Whom to log in as.
    pub credentials: Option<Credentials>,
    /// Whether and how to encrypt, to servers and sentinels alike.
    pub tls: Tls,
    /// What all keys and channels begin with.
    pub prefix: KeyPrefix,
    /// Into how many partitions names are spread, 1 to 1,024. The same on every node of a fleet.
    pub partitions: u16,
    /// How long a released channel stays subscribed, in case its owner comes back.
    pub release_after: Duration,
    /// How long connecting may take, logging in included.
    pub connect_timeout: Duration,
    /// How long an answer may take.
    pub response_timeout: Duration,
    /// How often a quiet connection is asked whether it is there.
    pub ping_interval: Duration,
    /// How often each connection that hears messages must hear itself.
    pub beat_interval: Duration,
    /// How often it is asked who serves what.
    pub topology_interval: Duration,
    /// The waits between attempts to connect.
    pub backoff: Backoff,
    /// Attempts before opening gives up. A backbone that is open never does.
    pub open_attempts_max: u32,
    /// Bytes of messages that may wait to be published.
    pub publish_bytes_max: usize,
    /// Channels that may be subscribed to, those released lately included.
    pub channels_max: usize,
}

impl RedisConfig {
    /// A configuration with the defaults: no login, no TLS, prefix `throng`, 128 partitions, release after 30 s, connect
    /// within 10 s, answers within 5 s, pings every 30 s, beats every 5 s, topology every 30 s, waits of 1 to 30 s, 10
    /// attempts to open, 32 MiB waiting, 1,000,000 channels.
    pub fn new(deployment: Deployment) -> Self {
        Self {
            deployment,
            credentials: None,
            tls: Tls::Off,
            prefix: KeyPrefix(Arc::from("throng")),
            partitions: 128,
            release_after: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            response_timeout: Duration::from_secs(5),
            ping_interval: Duration::from_secs(30),
            beat_interval: Duration::from_secs(5),
            topology_interval: Duration::from_secs(30),
            backoff: Backoff::default(),
            open_attempts_max: 10,
            publish_bytes_max: 32 * 1024 * 1024,
            channels_max: 1_000_000,
        }
    }

    /// The partitions, as many as there may be.
    pub(crate) fn partitions(&self) -> u16 {
        self.partitions.clamp(1, 1024)
    }
}

/// The kinds of Redis.
#[derive(Debug, Clone)]
pub enum Deployment {
    /// One server.
    Single(Address),
    /// A primary that sentinels know.
    Sentinel {
        /// Some of the sentinels.
        sentinels: Vec<Address>,
        /// What they call the primary.
        service: String,
        /// Whom to log in to the sentinels as.
        credentials: Option<Credentials>,
    },
    /// A Redis Cluster: some of its servers.
    Cluster(Vec<Address>),
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// Its name or IP address, an IPv6 address without brackets.
    pub host: Arc<str>,
    /// Its TCP port.
    pub port: u16,
}

impl Address {
    /// An address.
    pub fn new(host: impl Into<Arc<str>>, port: u16) -> Self {
        Self { host: host.into(), port }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(formatter, "[{}]:{}", self.host, self.port)
        } else {
            write!(formatter, "{}:{}", self.host, self.port)
        }
    }
}

/// A login.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The ACL user; `default` if there is none.
    pub user: Option<String>,
    /// The password.
    pub password: SecretString,
}

/// Whether connections are encrypted.
#[derive(Debug, Clone, Default)]
pub enum Tls {
    /// They are not.
    #[default]
    Off,
    /// They are, and the system knows who signs the servers' certificates.
    System,
    /// They are, and these certificates in PEM sign those of the servers.
    Authority(Vec<u8>),
}

/// What all keys begin with: without braces, which would decide where keys lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPrefix(pub(crate) Arc<str>);

/// A prefix that is empty or has braces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key prefix is not empty and has neither {{ nor }}")]
pub struct BadKeyPrefix;

impl TryFrom<&str> for KeyPrefix {
    type Error = BadKeyPrefix;

    fn try_from(prefix: &str) -> Result<Self, BadKeyPrefix> {
        if prefix.is_empty() || prefix.contains(['{', '}']) {
            return Err(BadKeyPrefix);
        }
        Ok(Self(prefix.into()))
    }
}

/// A text that is no URL of a Redis. Not repeated here, because it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a URL such as \"redis://user:password@host:6379\"")]
pub struct BadRedisUrl;

/// One server at a URL, `rediss:` for TLS. Channels know no databases, so a number of one becomes part of the prefix.
impl FromStr for RedisConfig {
    type Err = BadRedisUrl;

    fn from_str(text: &str) -> Result<Self, BadRedisUrl> {
        let url = Url::parse(text).map_err(|_| BadRedisUrl)?;
        let host = url.host_str().ok_or(BadRedisUrl)?.trim_matches(['[', ']']);
        let decoded = |text: &str| percent_decode_str(text).decode_utf8().map(|text| text.into_owned());
        let mut config = Self::new(Deployment::Single(Address::new(host, url.port().unwrap_or(6379))));
        config.tls = match url.scheme() {
            "redis" => Tls::Off,
            "rediss" => Tls::System,
            _ => return Err(BadRedisUrl),
        };
        if let Some(password) = url.password() {
            let user = decoded(url.username()).map_err(|_| BadRedisUrl)?;
            let password = decoded(password).map_err(|_| BadRedisUrl)?.into();
            config.credentials = Some(Credentials { user: (!user.is_empty()).then_some(user), password });
        }
        match url.path().trim_matches('/') {
            "" | "0" => {}
            db => {
                let db: u8 = db.parse().map_err(|_| BadRedisUrl)?;
                config.prefix = KeyPrefix(format!("{}:{db}", config.prefix.0).into());
            }
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_url_names_a_server_and_a_login() {
        let config: RedisConfig = "rediss://u:p%40ss@[::1]:7000/2".parse().unwrap();
        let Deployment::Single(address) = &config.deployment else { panic!("{config:?}") };
        assert_eq!((address.to_string().as_str(), &*config.prefix.0), ("[::1]:7000", "throng:2"));
        let login = config.credentials.unwrap();
        assert_eq!((login.user.as_deref(), login.password.expose_secret()), (Some("u"), "p@ss"));
        assert!(matches!(config.tls, Tls::System));
        for wrong in ["", "redis", "http://x", "redis:///0", "redis://x/a", "redis://x/256"] {
            assert_eq!(wrong.parse::<RedisConfig>().err(), Some(BadRedisUrl), "{wrong}");
        }
    }
}
