//! Where Redis is, whom to log in as, and how to encrypt: from settings to what the backbone is opened with.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Deserialize;
use throng_backbone::{Address, Credentials, Deployment, KeyPrefix, RedisConfig, Tls};
use url::Url;

use super::reading;
use crate::config::key::Key;
use crate::config::secret::Secret;
use crate::policy::Fault;

/// The port of a Redis whose URL names none.
const PORT: u16 = 6379;

/// Where Redis is: a URL, its parts, the servers of a cluster, or sentinels.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Redis {
    #[serde(deserialize_with = "reading::redis_address")]
    pub(crate) url: Option<Url>,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) username: String,
    pub(crate) password: Secret,
    pub(crate) db: u8,
    pub(crate) key_prefix: String,
    pub(crate) tls: bool,
    pub(crate) ca: PathBuf,
    pub(crate) cluster: bool,
    pub(crate) nodes: Vec<String>,
    pub(crate) sentinels: Vec<String>,
    pub(crate) sentinel_service: String,
    pub(crate) sentinel_password: Secret,
}

impl Redis {
    /// What the backbone is opened with; nothing without Redis.
    ///
    /// # Errors
    /// The first setting that cannot be used.
    pub(crate) fn store(&self) -> Result<Option<RedisConfig>, Fault> {
        let Some(deployment) = self.deployment()? else { return Ok(None) };
        let mut config = RedisConfig::new(deployment);
        config.credentials = self.credentials()?;
        config.tls = self.encryption()?;
        config.prefix = self.prefix()?;
        Ok(Some(config))
    }

    fn deployment(&self) -> Result<Option<Deployment>, Fault> {
        if !self.sentinels.is_empty() {
            return Ok(Some(Deployment::Sentinel {
                sentinels: addresses("redis.sentinels", &self.sentinels)?,
                service: self.sentinel_service.clone(),
                credentials: login("", self.sentinel_password.expose()),
            }));
        }
        let single = self.single()?;
        if !self.cluster {
            return Ok(single.map(Deployment::Single));
        }
        let servers: Vec<_> = single.into_iter().chain(addresses("redis.nodes", &self.nodes)?).collect();
        if servers.is_empty() {
            return Err(wrong(
                "redis.cluster",
                "no node to begin with: set redis.nodes, redis.url or redis.host",
            ));
        }
        Ok(Some(Deployment::Cluster(servers)))
    }

    /// The server that the URL or its parts name.
    fn single(&self) -> Result<Option<Address>, Fault> {
        if let Some(url) = &self.url {
            let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
            return Ok(Some(Address::new(host, url.port().unwrap_or(PORT))));
        }
        if self.host.is_empty() {
            return Ok(None);
        }
        let host = self.host.trim_matches(['[', ']']);
        let text = Address::new(host, self.port).to_string();
        address(&text).map(Some).ok_or_else(|| wrong("redis.host", format!("{:?} is no host", self.host)))
    }

    fn credentials(&self) -> Result<Option<Credentials>, Fault> {
        let url = self.url.as_ref();
        let user = decoded(url.map(Url::username).filter(|user| !user.is_empty()))?;
        let password = decoded(url.and_then(Url::password))?;
        Ok(login(
            user.as_deref().unwrap_or(&self.username),
            password.as_deref().unwrap_or(self.password.expose()),
        ))
    }

    fn encryption(&self) -> Result<Tls, Fault> {
        let on = self.tls || self.url.as_ref().is_some_and(|url| url.scheme() == "rediss");
        match (on, self.ca.as_os_str().is_empty()) {
            (false, true) => Ok(Tls::Off),
            (false, false) => {
                Err(wrong("redis.ca", "nothing is encrypted: set redis.tls, or a redis.url with rediss:"))
            }
            (true, true) => Ok(Tls::System),
            (true, false) => self.authority().map(Tls::Authority),
        }
    }

    /// The certificates of `redis.ca`, as they are in the file.
    fn authority(&self) -> Result<Vec<u8>, Fault> {
        let pem = std::fs::read(&self.ca)
            .map_err(|error| wrong("redis.ca", format!("cannot read {:?}: {error}", self.ca)))?;
        let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
        match all {
            Ok(certificates) if !certificates.is_empty() => Ok(pem),
            _ => Err(wrong("redis.ca", format!("{:?} holds no certificate", self.ca))),
        }
    }

    /// Channels know no databases, so the number of one becomes part of the prefix.
    fn prefix(&self) -> Result<KeyPrefix, Fault> {
        let of_url = self.url.as_ref().map(|url| url.path().trim_matches('/')).filter(|db| !db.is_empty());
        let db = of_url.map_or(Ok(self.db), |db| {
            db.parse().map_err(|_| wrong("redis.url", format!("{db:?} is no number of a database")))
        })?;
        let mut prefix = self.key_prefix.trim_end_matches(':').to_owned();
        if db != 0 {
            prefix = format!("{prefix}:{db}");
        }
        KeyPrefix::try_from(prefix.as_str()).map_err(|error| wrong("redis.key_prefix", error.to_string()))
    }
}

/// Nothing of it: the URL may hold a password.
impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").finish_non_exhaustive()
    }
}

/// A part of the URL's login.
fn decoded(said: Option<&str>) -> Result<Option<Cow<'_, str>>, Fault> {
    let text = said.map(|text| percent_decode_str(text).decode_utf8()).transpose();
    text.map_err(|_| wrong("redis.url", "the login is not UTF-8"))
}

fn login(user: &str, password: &str) -> Option<Credentials> {
    let user = Some(user.to_owned()).filter(|user| !user.is_empty());
    (user.is_some() || !password.is_empty()).then(|| Credentials { user, password: password.into() })
}

/// Each of a list of `host:port`.
fn addresses(key: &str, list: &[String]) -> Result<Vec<Address>, Fault> {
    let one = |text: &String| address(text).ok_or_else(|| wrong(key, not_an_address(text)));
    list.iter().map(one).collect()
}

/// What is wrong with a text that is no `host:port`.
pub(crate) fn not_an_address(text: &str) -> String {
    // Nothing of a login that somebody put before the host.
    let text = text.rsplit_once('@').map_or(text, |(_, rest)| rest);
    format!("{text:?} is not \"host:port\"")
}

/// Reads `host:port`, an IPv6 address in brackets.
pub(crate) fn address(text: &str) -> Option<Address> {
    let url = Url::parse(&format!("redis://{text}")).ok()?;
    let host = url.host_str().filter(|host| !host.is_empty() && !host.contains('%'))?;
    let bare = url.username().is_empty() && url.password().is_none() && url.path().is_empty();
    let rest = url.query().is_none() && url.fragment().is_none();
    Some(Address::new(host.trim_matches(['[', ']']), url.port()?)).filter(|_| bare && rest)
}

fn wrong(key: &str, message: impl Into<String>) -> Fault {
    (Key::dotted(key), message.into())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn redis() -> Redis {
        Redis {
            url: None,
            host: String::new(),
            port: 6380,
            username: String::new(),
            password: Secret::default(),
            db: 0,
            key_prefix: "throng:".into(),
            tls: false,
            ca: PathBuf::new(),
            cluster: false,
            nodes: Vec::new(),
            sentinels: Vec::new(),
            sentinel_service: "mymaster".into(),
            sentinel_password: Secret::default(),
        }
    }

    fn at(url: &str) -> Redis {
        Redis { url: Some(Url::parse(url).unwrap()), ..redis() }
    }

    /// Where it is, as whom, and what keys begin with.
    fn check(redis: Redis, expect: Option<(&str, &str, &str)>) {
        let Some(config) = redis.store().unwrap() else { return assert_eq!(None, expect) };
        let place = match &config.deployment {
            Deployment::Single(address) => address.to_string(),
            Deployment::Sentinel { sentinels, service, .. } => format!("{service} of {}", listed(sentinels)),
            Deployment::Cluster(servers) => format!("cluster {}", listed(servers)),
        };
        let login = config.credentials.map_or(String::new(), |login| {
            format!("{}:{}", login.user.unwrap_or_default(), login.password.expose_secret())
        });
        let prefix = format!("{:?}", config.prefix);
        let (expect_place, expect_login, expect_prefix) = expect.unwrap();
        assert_eq!((place.as_str(), login.as_str()), (expect_place, expect_login));
        assert_eq!(prefix, format!("KeyPrefix({expect_prefix:?})"));
    }

    fn listed(addresses: &[Address]) -> String {
        addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn redis_is_where_its_settings_say() {
        check(redis(), None);
        check(
            Redis { host: "db.example".into(), db: 2, ..redis() },
            Some(("db.example:6380", "", "throng:2")),
        );
        check(
            Redis { host: "::1".into(), password: "p@ss".into(), ..redis() },
            Some(("[::1]:6380", ":p@ss", "throng")),
        );
        check(at("redis://db.example"), Some(("db.example:6379", "", "throng")));
        check(at("redis://u:p%40ss@[::1]:1/3"), Some(("[::1]:1", "u:p@ss", "throng:3")));
        let part =
            Redis { password: "pass".into(), key_prefix: "mine".into(), ..at("redis://u@db.example/0") };
        check(part, Some(("db.example:6379", "u:pass", "mine")));
        let cluster = Redis { cluster: true, nodes: vec!["a:1".into(), "[::1]:2".into()], ..redis() };
        check(cluster.clone(), Some(("cluster a:1 [::1]:2", "", "throng")));
        check(
            Redis { host: "first".into(), ..cluster },
            Some(("cluster first:6380 a:1 [::1]:2", "", "throng")),
        );
        let sentinels = Redis { sentinels: vec!["s:26379".into()], username: "u".into(), ..redis() };
        check(sentinels, Some(("mymaster of s:26379", "u:", "throng")));
    }

    #[test]
    fn what_cannot_be_used_is_named_without_its_secrets() {
        let nodes = |node: &str| Redis { cluster: true, nodes: vec![node.into()], ..redis() };
        for (redis, expect) in [
            (Redis { host: "a b".into(), ..redis() }, ("redis.host", "\"a b\" is no host")),
            (nodes("a"), ("redis.nodes", "\"a\" is not \"host:port\"")),
            (nodes("u:hunter2@a:1"), ("redis.nodes", "\"a:1\" is not \"host:port\"")),
            (nodes("a:1/2"), ("redis.nodes", "\"a:1/2\" is not \"host:port\"")),
            (at("redis://db.example/x"), ("redis.url", "\"x\" is no number of a database")),
            (at("redis://db.example/256"), ("redis.url", "\"256\" is no number of a database")),
            (at("redis://u:%ff@db.example"), ("redis.url", "the login is not UTF-8")),
            (
                Redis { key_prefix: "{x}".into(), ..at("redis://h") },
                ("redis.key_prefix", "a key prefix is not empty and has neither { nor }"),
            ),
            (
                Redis { ca: "x.pem".into(), ..at("redis://h") },
                ("redis.ca", "nothing is encrypted: set redis.tls, or a redis.url with rediss:"),
            ),
            (
                Redis { ca: "no such file".into(), ..at("rediss://h") },
                ("redis.ca", "cannot read \"no such file\": No such file or directory (os error 2)"),
            ),
            (
                Redis { ca: "/dev/null".into(), tls: true, ..at("redis://h") },
                ("redis.ca", "\"/dev/null\" holds no certificate"),
            ),
        ] {
            let (key, message) = redis.store().unwrap_err();
            assert_eq!((key.to_string().as_str(), message.as_str()), expect);
        }
    }

    #[test]
    fn an_authority_is_read_from_its_file() {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::default().self_signed(&key).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, certificate.pem()).unwrap();
        let config = Redis { ca: file.path().into(), ..at("rediss://h") }.store().unwrap().unwrap();
        assert!(matches!(config.tls, Tls::Authority(pem) if pem == certificate.pem().as_bytes()));
        assert!(matches!(at("rediss://h").store().unwrap().unwrap().tls, Tls::System));
    }
}
