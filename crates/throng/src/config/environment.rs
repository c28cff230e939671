//! The environment as a layer: one table says which variable means which setting, and how its text is read. Most names
//! are those that Node deployments have set for years, with the units and words that they write.

use std::collections::BTreeMap;

use toml::Value;
use url::Url;

use super::key::Key;
use super::problem::{Problem, Problems};
use super::schema::{Meaning, schema};
use super::values::{Origin, Values};
use super::{shown, web_origin};

/// One variable.
#[derive(Debug)]
pub(crate) struct Variable {
    pub(crate) name: &'static str,
    pub(crate) key: &'static str,
    pub(crate) reading: Reading,
}

/// How the text of a variable becomes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// By the type of the setting: a text, a number, a switch, a list separated by commas.
    Plain,
    /// A bare number is milliseconds; a time with a unit may stand there too.
    Milliseconds,
    /// A bare number is hours; a time with a unit may stand there too.
    Hours,
    /// A number, or `auto` for 0.
    Count,
    /// A word of the setting with `_` or `-` between its parts, in any case.
    Word,
    /// `NODE_ENV`: `production` and `staging` are production, `development` and `test` are development.
    NodeEnvironment,
    /// The levels of winston and pino.
    NodeLevel,
    /// A URL or a host, of which the host counts.
    Host,
    /// A list of origins separated by commas; a path after one is left away.
    Origins,
    /// One origin besides those that are listed already.
    OneMoreOrigin,
}

use Reading::{
    Count, Host, Hours, Milliseconds, NodeEnvironment, NodeLevel, OneMoreOrigin, Origins, Plain, Word,
};

const fn variable(name: &'static str, key: &'static str, reading: Reading) -> Variable {
    Variable { name, key, reading }
}

/// Every variable. Of two with the same key the first wins, and they must not disagree unless its name is Throng's own.
pub(crate) const VARIABLES: [Variable; 51] = [
    variable("THRONG_PROFILE", "profile", Plain),
    variable("NODE_ENV", "profile", NodeEnvironment),
    variable("THRONG_LOG", "log.level", Plain),
    variable("LOG_LEVEL", "log.level", NodeLevel),
    variable("HOSTNAME", "name", Plain),
    variable("HOST", "host", Plain),
    variable("PORT", "port", Plain),
    variable("CLUSTER_WORKERS", "shards", Count),
    variable("MAX_CONNECTIONS", "connections_max", Plain),
    variable("MAX_CONNECTIONS_PER_SERVER", "connections_max", Plain),
    variable("CORS_ORIGIN", "origins", Origins),
    variable("FRONTEND_URL", "origins", OneMoreOrigin),
    variable("DOMAIN_URL", "tenants.domain", Host),
    variable("JWT_SECRET", "auth.secret", Plain),
    variable("THRONG_PUBLISH_KEYS", "publish.keys", Plain),
    variable("THRONG_TURN_SECRET", "roulette.turn_secret", Plain),
    variable("THRONG_ANALYTICS_SECRET", "analytics.secret", Plain),
    variable("REDIS_URL", "redis.url", Plain),
    variable("REDIS_HOST", "redis.host", Plain),
    variable("REDIS_PORT", "redis.port", Plain),
    variable("REDIS_USERNAME", "redis.username", Plain),
    variable("REDIS_PASSWORD", "redis.password", Plain),
    variable("REDIS_DB", "redis.db", Plain),
    variable("REDIS_KEY_PREFIX", "redis.key_prefix", Plain),
    variable("REDIS_TLS", "redis.tls", Plain),
    variable("REDIS_CLUSTER_ENABLED", "redis.cluster", Plain),
    variable("REDIS_CLUSTER_NODES", "redis.nodes", Plain),
    variable("REDIS_SENTINELS", "redis.sentinels", Plain),
    variable("REDIS_SENTINEL_SERVICE", "redis.sentinel_service", Plain),
    variable("REDIS_SENTINEL_PASSWORD", "redis.sentinel_password", Plain),
    variable("CLUSTER_ENABLED", "cluster.enabled", Plain),
    variable("ENABLE_CLUSTERING", "cluster.enabled", Plain),
    variable("CLUSTER_ADDRESS", "cluster.address", Plain),
    variable("THRONG_CLUSTER_REGION", "cluster.region", Plain),
    variable("HEARTBEAT_INTERVAL", "cluster.heartbeat_interval", Milliseconds),
    variable("FAILURE_DETECTION_TIMEOUT", "cluster.failure_timeout", Milliseconds),
    variable("MAX_MATCHES_PER_SERVER", "cluster.matches_max", Plain),
    variable("AUTO_SCALING_ENABLED", "fleet.autoscale", Plain),
    variable("MIN_INSTANCES", "fleet.instances_min", Plain),
    variable("MAX_INSTANCES", "fleet.instances_max", Plain),
    variable("LOAD_BALANCER_ENABLED", "balancer.enabled", Plain),
    variable("LB_ALGORITHM", "balancer.algorithm", Word),
    variable("LOAD_BALANCING_STRATEGY", "balancer.algorithm", Word),
    variable("LB_STICKY_SESSION_ENABLED", "balancer.sticky", Plain),
    variable("LOAD_BALANCER_HEALTH_CHECK_INTERVAL", "balancer.health_interval", Milliseconds),
    variable("MONITORING_ENABLED", "monitor.enabled", Plain),
    variable("HEALTH_CHECKS_ENABLED", "monitor.health_checks", Plain),
    variable("METRICS_ENABLED", "monitor.metrics", Plain),
    variable("PERFORMANCE_MONITORING_INTERVAL", "monitor.interval", Milliseconds),
    variable("METRICS_RETENTION_HOURS", "monitor.retention", Hours),
    variable("MAX_METRICS_STORED", "monitor.samples_max", Plain),
];

/// What the names of feature switches begin with; `FEATURE_LIVE_CHAT` is `features.live_chat.on`.
pub(crate) const FEATURE: &str = "FEATURE_";

/// What the names of Throng's own variables begin with.
const OWN: &str = "THRONG_";

/// Adds the environment's layer. An empty variable counts as unset.
pub(crate) fn add(values: &mut Values, environment: &BTreeMap<String, String>, problems: &mut Problems) {
    let mut said: BTreeMap<&str, (&str, Value)> = BTreeMap::new();
    for variable in &VARIABLES {
        let key = Key::dotted(variable.key);
        // A secret is what its bytes are: Node's libraries do not trim it either.
        let trimmed =
            |text: &'_ String| if shown::is_secret(&key) { text.clone() } else { text.trim().to_owned() };
        let Some(text) = environment.get(variable.name).map(trimmed).filter(|text| !text.is_empty()) else {
            continue;
        };
        let origin = Origin::Environment(variable.name.to_owned());
        let value = match read(&text, &key, variable.reading) {
            Ok(value) => value,
            Err(message) => {
                problems.add(Problem::of(origin, &key, message));
                continue;
            }
        };
        if variable.reading == OneMoreOrigin {
            let (value, origin) = one_more(value, origin, values);
            values.put(key, value, origin, problems);
            continue;
        }
        match said.get(variable.key) {
            Some((first, earlier)) if *earlier != value && !first.starts_with(OWN) => {
                let (mine, theirs) = (shown::shown(&key, &value), shown::shown(&key, earlier));
                problems.add(Problem::of(origin, &key, format!("{mine} disagrees with {theirs} of {first}")));
            }
            Some(_) => {}
            None => {
                said.insert(variable.key, (variable.name, value.clone()));
                values.put(key, value, origin, problems);
            }
        }
    }
    for (name, text) in environment.iter().filter(|(_, text)| !text.trim().is_empty()) {
        let Some(feature) = name.strip_prefix(FEATURE).filter(|feature| !feature.is_empty()) else {
            continue;
        };
        let key = Key::dotted("features").child(&feature.to_ascii_lowercase()).child("on");
        let origin = Origin::Environment(name.clone());
        match read(text.trim(), &key, Plain) {
            Ok(value) => values.put(key, value, origin, problems),
            Err(message) => problems.add(Problem::of(origin, &key, message)),
        }
    }
    for name in environment.keys() {
        if let Some(meant) = misspelt(name) {
            let origin = Origin::Environment(name.clone());
            problems.add(Problem::elsewhere(origin, format!("unknown variable; did you mean {meant}?")));
        }
    }
}

/// The variable of Throng's own that an unknown name nearly is. What begins alike and is nothing like one of them is
/// somebody else's: Kubernetes sets `THRONG_PORT` and more for a service that is called so.
fn misspelt(name: &str) -> Option<&'static str> {
    let rest = name.strip_prefix(OWN)?;
    let own = VARIABLES.iter().filter_map(|known| Some((known.name, known.name.strip_prefix(OWN)?)));
    let near = own.map(|(known, meant)| (strsim::osa_distance(rest, meant), meant.len(), known)).min();
    let (edits, length, meant) = near?;
    (edits > 0 && edits * 3 <= length).then_some(meant)
}

/// The list of origins with one more. Where nobody listed any, it is the only one: any other would make it pointless.
fn one_more(value: Value, origin: Origin, values: &Values) -> (Value, Origin) {
    let listed = values.get(&Key::dotted("origins")).filter(|setting| setting.origin != Origin::Default);
    let Some((setting, list)) = listed.and_then(|setting| Some((setting, setting.value.as_array()?))) else {
        return (Value::Array(vec![value]), origin);
    };
    if list.contains(&value) || list.iter().any(|one| one.as_str() == Some("*")) {
        return (setting.value.clone(), setting.origin.clone());
    }
    let list = list.iter().cloned().chain([value]).collect();
    (Value::Array(list), Origin::Both(Box::new((setting.origin.clone(), origin))))
}

fn read(text: &str, key: &Key, reading: Reading) -> Result<Value, String> {
    let word = || text.to_ascii_lowercase().replace('_', "-");
    let value = match reading {
        Plain => return plain(text, key),
        Milliseconds => time(text, "ms"),
        Hours => time(text, "h"),
        Count if text.eq_ignore_ascii_case("auto") => return Ok(Value::Integer(0)),
        Count => return plain(text, key),
        Word => word(),
        NodeEnvironment => match text.to_ascii_lowercase().as_str() {
            "production" | "prod" | "staging" => "production".into(),
            "development" | "dev" | "test" => "development".into(),
            _ => return Err(format!("{text:?} is neither \"production\" nor \"development\"")),
        },
        NodeLevel => match text.to_ascii_lowercase().as_str() {
            "fatal" => "error".into(),
            "warning" => "warn".into(),
            "http" | "verbose" => "debug".into(),
            "silly" => "trace".into(),
            "silent" => "off".into(),
            level => level.to_owned(),
        },
        Host => return host(text).map(Value::String),
        Origins => {
            let list = text.split(',').map(str::trim).filter(|one| !one.is_empty());
            return Ok(Value::Array(list.map(|one| Value::String(origin_or_text(one))).collect()));
        }
        OneMoreOrigin => origin_or_text(text),
    };
    Ok(Value::String(value))
}

/// A text by the type of the setting's default.
pub(super) fn plain(text: &str, key: &Key) -> Result<Value, String> {
    let Meaning::Setting(known) = schema().meaning(key) else { return Err("no such setting".into()) };
    match known.default {
        Value::Integer(_) => {
            text.parse().map(Value::Integer).map_err(|_| format!("{text:?} is not a whole number"))
        }
        Value::Boolean(_) => match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(Value::Boolean(true)),
            "false" | "0" | "no" | "off" => Ok(Value::Boolean(false)),
            _ => Err(format!("{text:?} is neither true nor false")),
        },
        Value::Array(_) => {
            let list = text.split(',').map(str::trim).filter(|one| !one.is_empty());
            Ok(Value::Array(list.map(|one| Value::String(one.to_owned())).collect()))
        }
        _ => Ok(Value::String(text.to_owned())),
    }
}

/// A bare number gets the unit that the variable always had.
fn time(text: &str, unit: &str) -> String {
    let bare = text.bytes().all(|byte| byte.is_ascii_digit());
    if bare { format!("{text}{unit}") } else { text.to_owned() }
}

fn host(text: &str) -> Result<String, String> {
    let url = if text.contains("://") { Url::parse(text) } else { Url::parse(&format!("http://{text}")) };
    let host = url.ok().and_then(|url| url.host_str().map(str::to_owned));
    host.ok_or_else(|| format!("{:?} names no host", shown::without_password(text)))
}

/// What is no origin is left to the validation.
fn origin_or_text(text: &str) -> String {
    web_origin::of(text).unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests;
