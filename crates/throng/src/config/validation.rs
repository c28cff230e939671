//! What no type can say of a configuration: values that exclude each other, files that must be there, names with rules.

mod apps;

use std::fmt::Display;
use std::time::Duration;

use super::key::Key;
use super::problem::{Problem, Problems};
use super::secret::Secret;
use super::typed::redis::{address, not_an_address};
use super::typed::{Auth, Cluster, Config, Http, Limits, Redis, Socket, Tenant, TenantLimits, Tenants, Tls};
use super::values::{Origin, Values};
use super::web_origin;
use crate::log;
use crate::policy::{self, Maker};
use crate::reload::Reloadable;

/// The most shards of a node.
const SHARDS_MAX: usize = 256;
/// The least that hyper reads a request's head with.
const HEAD_BYTES_MIN: usize = 8192;
/// The shortest time between two pings that leaves time for anything else.
const PING_MIN: Duration = Duration::from_millis(10);
/// The shortest time between two signs of life.
const HEARTBEAT_MIN: Duration = Duration::from_millis(100);

/// Adds every problem that there is.
pub(super) fn judge(config: &Config, values: &Values, problems: &mut Problems) {
    let mut judge = Judge { values, problems };
    if config.shards > SHARDS_MAX {
        judge.wrong("shards", format!("more than {SHARDS_MAX}"));
    }
    if let Err(message) = log::filter(&config.log.level) {
        judge.wrong("log.level", message);
    }
    judge.origins(&Key::dotted("origins"), &config.origins);
    if config.origins.is_empty() {
        judge.wrong("origins", "no web page could connect; list its origin, or \"*\" for any");
    }
    judge.socket(&config.socket);
    judge.http(&config.http);
    judge.tls(&config.tls);
    judge.auth(&config.auth);
    judge.limits(&config.limits);
    judge.tenants(&config.tenants);
    judge.policy(config);
    if config.drain.deadline < config.drain.spread {
        judge.pair(
            "drain.deadline",
            "drain.spread",
            "drain.deadline below drain.spread would cut off sessions on schedule",
        );
    }
    if config.publish.keys.iter().any(Secret::is_empty) {
        judge.wrong("publish.keys", "an empty key is none");
    }
    judge.redis(&config.redis);
    judge.cluster(&config.cluster);
    // Any fault of Redis is named already.
    if config.cluster.enabled && matches!(config.redis.store(), Ok(None)) {
        judge.wrong("cluster.enabled", "there is no Redis to meet at: set redis.url");
    }
    if config.fleet.instances_min > config.fleet.instances_max.get() {
        judge.pair(
            "fleet.instances_min",
            "fleet.instances_max",
            "fleet.instances_min exceeds fleet.instances_max",
        );
    }
    judge.apps(config);
}

struct Judge<'a> {
    values: &'a Values,
    problems: &'a mut Problems,
}

impl Judge<'_> {
    fn wrong(&mut self, key: &str, message: impl Display) {
        self.at(&Key::dotted(key), message);
    }

    /// Two settings that do not go together: the one that somebody said is named.
    fn pair(&mut self, first: &str, second: &str, message: &str) {
        self.wrong(if self.is_said(first) { first } else { second }, message);
    }

    fn at(&mut self, key: &Key, message: impl Display) {
        self.problems.add(Problem::of(self.values.origin(key), key, message));
    }

    fn is_said(&self, key: &str) -> bool {
        self.values.origin(&Key::dotted(key)) != Origin::Default
    }

    fn origins(&mut self, key: &Key, origins: &[String]) {
        for origin in origins.iter().filter(|origin| *origin != "*") {
            match web_origin::of(origin) {
                Some(canonical) if canonical == *origin => {}
                Some(canonical) => {
                    self.at(key, format!("{origin:?} never matches; browsers send {canonical:?}"))
                }
                None => self.at(key, format!("{origin:?} is no origin such as \"https://app.example\"")),
            }
        }
    }

    fn socket(&mut self, socket: &Socket) {
        if !is_path(&socket.path) {
            self.wrong("socket.path", format!("{:?} is no path such as \"/socket.io/\"", socket.path));
        }
        for (key, time) in
            [("socket.ping_interval", socket.ping_interval), ("socket.ping_timeout", socket.ping_timeout)]
        {
            if time < PING_MIN {
                self.wrong(key, "less than 10 ms leaves no time for anything else");
            }
        }
        self.times(&[
            ("socket.connect_timeout", socket.connect_timeout),
            ("socket.upgrade_timeout", socket.upgrade_timeout),
        ]);
    }

    fn times(&mut self, times: &[(&str, Duration)]) {
        for (key, _) in times.iter().filter(|(_, time)| time.is_zero()) {
            self.wrong(key, "no time at all");
        }
    }

    fn http(&mut self, http: &Http) {
        if http.head_bytes_max < HEAD_BYTES_MIN {
            self.wrong("http.head_bytes_max", format!("less than {HEAD_BYTES_MIN}"));
        }
        self.times(&[
            ("http.header_timeout", http.header_timeout),
            ("http.body_timeout", http.body_timeout),
            ("http.keep_alive", http.keep_alive),
        ]);
    }

    fn tls(&mut self, tls: &Tls) {
        let (certificate, key) = (&tls.certificate, &tls.key);
        match (certificate.as_os_str().is_empty(), key.as_os_str().is_empty()) {
            (true, true) => {}
            (true, false) => self.wrong("tls.key", "set without tls.certificate"),
            (false, true) => self.wrong("tls.certificate", "set without tls.key"),
            (false, false) => {
                if let Err((key, message)) = policy::certificate(tls) {
                    self.at(&key, message);
                }
            }
        }
    }

    /// Whatever only shows when it is made: keys that are none, files that cannot be read.
    fn policy(&mut self, config: &Config) {
        let spare = Secret::from("in the place of one that is not set");
        if let Err(faults) = Maker::new(config.auth.guest_lifetime).make(&Reloadable::of(config, &spare)) {
            for (key, message) in faults {
                self.at(&key, message);
            }
        }
    }

    fn auth(&mut self, auth: &Auth) {
        let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if !auth.cookie.bytes().all(fine) {
            self.wrong("auth.cookie", format!("{:?} cannot be the name of a cookie", auth.cookie));
        }
    }

    fn limits(&mut self, limits: &Limits) {
        for (key, rate, burst) in [
            ("limits.api_burst", limits.api_per_second, limits.api_burst),
            ("limits.handshakes_burst", limits.handshakes_per_second, limits.handshakes_burst),
            ("limits.events_burst", limits.events_per_second, limits.events_burst),
        ] {
            if rate > 0 && burst == 0 {
                self.wrong(key, NOTHING_AT_ONCE);
            }
        }
        for (event, limit) in &limits.events {
            if limit.burst == Some(0) {
                self.at(&Key::dotted("limits.events").child(event).child("burst"), NOTHING_AT_ONCE);
            }
        }
    }

    fn tenants(&mut self, tenants: &Tenants) {
        if !tenants.domain.is_empty() && !tenants.domain.split('.').all(is_label) {
            self.wrong(
                "tenants.domain",
                format!("{:?} is no domain such as \"example.com\"", tenants.domain),
            );
        }
        for (name, tenant) in &tenants.list {
            let key = Key::dotted("tenants.list").child(name);
            if !is_label(name) {
                self.at(&key, "a tenant's name is a DNS label: a to z, 0 to 9 and inner hyphens, at most 63");
            } else if tenants.reserved.contains(name) {
                self.at(&key, "reserved by tenants.reserved");
            }
            self.tenant(&key, tenant);
        }
    }

    fn tenant(&mut self, key: &Key, tenant: &Tenant) {
        self.origins(&key.child("origins"), &tenant.origins);
        for namespace in tenant.namespaces.iter().filter(|namespace| !namespace.starts_with('/')) {
            self.at(&key.child("namespaces"), format!("{namespace:?} does not begin with a slash"));
        }
        let key = key.child("limits");
        let TenantLimits { api_burst, handshakes_burst, events_burst, events, .. } = &tenant.limits;
        let bursts = [
            ("api_burst", api_burst),
            ("handshakes_burst", handshakes_burst),
            ("events_burst", events_burst),
        ];
        for (name, _) in bursts.iter().filter(|(_, burst)| **burst == Some(0)) {
            self.at(&key.child(name), NOTHING_AT_ONCE);
        }
        for (event, _) in events.iter().filter(|(_, limit)| limit.burst == Some(0)) {
            self.at(&key.child("events").child(event).child("burst"), NOTHING_AT_ONCE);
        }
    }

    fn cluster(&mut self, cluster: &Cluster) {
        if cluster.heartbeat_interval < HEARTBEAT_MIN {
            self.wrong("cluster.heartbeat_interval", "less than 100 ms keeps Redis busy with nothing else");
        }
        if cluster.failure_timeout < cluster.heartbeat_interval.saturating_mul(2) {
            self.pair(
                "cluster.failure_timeout",
                "cluster.heartbeat_interval",
                "cluster.failure_timeout must be at least twice cluster.heartbeat_interval",
            );
        }
        if !cluster.address.is_empty() && cluster.announced(1).is_none() {
            self.wrong(
                "cluster.address",
                format!("{:?} is neither \"host\" nor \"host:port\"", cluster.address),
            );
        }
    }

    fn redis(&mut self, redis: &Redis) {
        for (key, list) in [("redis.nodes", &redis.nodes), ("redis.sentinels", &redis.sentinels)] {
            for text in list.iter().filter(|text| address(text).is_none()) {
                self.wrong(key, not_an_address(text));
            }
        }
        let found = redis.store();
        let listed = |key: &Key| key.is_in("redis.nodes") || key.is_in("redis.sentinels");
        if let Err((key, message)) = found
            && !listed(&key)
        {
            self.at(&key, message);
        }
        if !redis.sentinels.is_empty() {
            for (key, said) in [
                ("redis.url", redis.url.is_some()),
                ("redis.host", !redis.host.is_empty()),
                ("redis.cluster", redis.cluster),
            ] {
                if said {
                    self.wrong(key, "redis.sentinels know where Redis is; one of the two has to go");
                }
            }
            if redis.sentinel_service.is_empty() {
                self.wrong("redis.sentinel_service", "sentinels are asked for a primary by its name");
            }
        }
        if !redis.nodes.is_empty() && !redis.cluster && redis.url.is_none() && redis.host.is_empty() {
            self.wrong("redis.nodes", "are those of a cluster: set redis.cluster");
        }
        let Some(url) = &redis.url else { return };
        let db = url.path().trim_start_matches('/');
        let mut other = url.clone();
        let encoded = other.set_password(Some(redis.password.expose())).is_ok();
        let mut named = url.clone();
        let named = named.set_username(&redis.username).is_ok() && named == *url;
        for (key, disagrees) in [
            ("redis.host", url.host_str() != Some(redis.host.trim_matches(['[', ']']))),
            ("redis.port", url.port().unwrap_or(6379) != redis.port),
            ("redis.db", (if db.is_empty() { "0" } else { db }) != redis.db.to_string()),
            ("redis.username", !url.username().is_empty() && !named),
            ("redis.password", url.password().is_some() && !(encoded && other == *url)),
        ] {
            if self.is_said(key) && disagrees {
                self.wrong(key, "disagrees with redis.url");
            }
        }
    }
}

const NOTHING_AT_ONCE: &str = "0 at once lets nothing through; at least 1";

/// Whether a text is a path of one segment or more that mean what they say, of letters, digits and `-._~`. The slash at the
/// end may be missing.
fn is_path(text: &str) -> bool {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let segments = text.strip_prefix('/').map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    segments
        .is_some_and(|text| text.split('/').all(|segment| !segment.is_empty() && segment.bytes().all(fine)))
}

/// Whether a text is one strict DNS label.
fn is_label(text: &str) -> bool {
    let fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(fine) && !text.starts_with('-') && !text.ends_with('-')
}
