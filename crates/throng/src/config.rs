//! From file, environment and flags to a typed configuration. A wrong one is refused with every problem at once.

use std::fmt::{self, Display};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;
use throng_apps::debate;
use throng_node::{Origins, Parser};

use crate::cli::ServeFlags;

/// What `throng serve` runs with.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) address: SocketAddr,
    pub(crate) node: throng_node::Config,
    pub(crate) debate: debate::Config,
}

/// The file, as it is written. Every key may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    host: Option<IpAddr>,
    port: Option<u16>,
    shards: Option<NonZeroUsize>,
    connections_max: Option<NonZeroUsize>,
    origins: Option<Vec<String>>,
    #[serde(default)]
    socket: SocketFile,
    #[serde(default)]
    drain: DrainFile,
    #[serde(default)]
    debate: DebateFile,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SocketFile {
    path: Option<String>,
    parser: Option<ParserName>,
    ping_interval_ms: Option<u64>,
    ping_timeout_ms: Option<u64>,
    connect_timeout_ms: Option<u64>,
    upgrade_timeout_ms: Option<u64>,
    payload_bytes_max: Option<usize>,
    queue_bytes_max: Option<usize>,
    compression_bytes_min: Option<usize>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ParserName {
    Default,
    Msgpack,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct DrainFile {
    spread_ms: Option<u64>,
    deadline_ms: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct DebateFile {
    duration_ms: Option<u64>,
    grace_ms: Option<u64>,
    waiting_max: Option<usize>,
}

/// Everything that is wrong with a configuration.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Problems(Vec<String>);

impl Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "throng: the configuration is wrong")?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

/// Reads the configuration of `throng serve`.
pub(crate) fn load(flags: &ServeFlags) -> Result<Config, Problems> {
    merge(flags, |name| std::env::var(name).ok())
}

fn merge(flags: &ServeFlags, environment: impl Fn(&str) -> Option<String>) -> Result<Config, Problems> {
    let mut problems = Problems::default();
    let file =
        flags.config.as_deref().map(read).unwrap_or_else(|| Ok(File::default())).unwrap_or_else(|problem| {
            problems.0.push(problem);
            File::default()
        });
    let variable = |name| Variable { name, text: environment(name) };
    let (host, port, most) = (variable("HOST"), variable("PORT"), variable("MAX_CONNECTIONS"));
    let host = flags.host.or(host.parse("an IP address", &mut problems));
    let port = flags.port.or(port.parse("a port from 0 to 65535", &mut problems));
    let most: Option<NonZeroUsize> = most.parse("a number from 1", &mut problems);

    let mut node = throng_node::Config::default();
    set(&mut node.shards, file.shards);
    set(&mut node.connections_max, most.or(file.connections_max).map(NonZeroUsize::get));
    set(&mut node.origins, file.origins.map(Origins::Listed));
    socket(&mut node, file.socket);
    set(&mut node.drain.spread, file.drain.spread_ms.map(Duration::from_millis));
    set(&mut node.drain.deadline, file.drain.deadline_ms.map(Duration::from_millis));
    let mut debate = debate::Config::default();
    set(&mut debate.duration, file.debate.duration_ms.map(Duration::from_millis));
    set(&mut debate.grace, file.debate.grace_ms.map(Duration::from_millis));
    set(&mut debate.waiting_max, file.debate.waiting_max);
    check(&node, &mut problems);

    let host = host.or(file.host).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let address = SocketAddr::new(host, port.or(file.port).unwrap_or(3000));
    if problems.0.is_empty() { Ok(Config { address, node, debate }) } else { Err(problems) }
}

fn read(path: &Path) -> Result<File, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    toml::from_str(&text).map_err(|error| format!("{}: {}", path.display(), error.to_string().trim_end()))
}

fn socket(node: &mut throng_node::Config, file: SocketFile) {
    set(&mut node.path, file.path);
    let parser = file.parser.map(|parser| match parser {
        ParserName::Default => Parser::Default,
        ParserName::Msgpack => Parser::MsgPack,
    });
    set(&mut node.parser, parser);
    set(&mut node.ping_interval, file.ping_interval_ms.map(Duration::from_millis));
    set(&mut node.ping_timeout, file.ping_timeout_ms.map(Duration::from_millis));
    set(&mut node.connect_timeout, file.connect_timeout_ms.map(Duration::from_millis));
    set(&mut node.upgrade_timeout, file.upgrade_timeout_ms.map(Duration::from_millis));
    set(&mut node.payload_bytes_max, file.payload_bytes_max);
    set(&mut node.queue_bytes_max, file.queue_bytes_max);
    set(&mut node.compression_bytes_min, file.compression_bytes_min.map(Some));
}

/// What no type can say.
fn check(node: &throng_node::Config, problems: &mut Problems) {
    if !node.path.starts_with('/') {
        problems.0.push(format!("socket.path: {:?} does not begin with a slash", node.path));
    }
    for (name, time) in [("ping_interval_ms", node.ping_interval), ("ping_timeout_ms", node.ping_timeout)] {
        if time < Duration::from_millis(10) {
            problems.0.push(format!("socket.{name}: less than 10 ms leaves no time for anything else"));
        }
    }
    if node.drain.deadline < node.drain.spread {
        problems
            .0
            .push("drain.deadline_ms: less than drain.spread_ms would cut off sessions on schedule".into());
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

struct Variable {
    name: &'static str,
    text: Option<String>,
}

impl Variable {
    fn parse<T: FromStr>(self, expected: &str, problems: &mut Problems) -> Option<T> {
        let text = self.text.filter(|text| !text.is_empty())?;
        let parsed = text.parse().ok();
        if parsed.is_none() {
            problems.0.push(format!("{}: {text:?} is not {expected}", self.name));
        }
        parsed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        |name| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn nothing_said_means_localhost_3000() {
        let config = merge(&ServeFlags::default(), environment(&[])).unwrap();
        assert_eq!(config.address, ([127, 0, 0, 1], 3000).into());
    }

    #[test]
    fn flags_win_over_the_environment() {
        let flags = ServeFlags { port: Some(1), ..ServeFlags::default() };
        let config =
            merge(&flags, environment(&[("PORT", "2"), ("HOST", "0.0.0.0"), ("MAX_CONNECTIONS", "7")]))
                .unwrap();
        assert_eq!((config.address, config.node.connections_max), (([0, 0, 0, 0], 1).into(), 7));
    }

    #[test]
    fn every_problem_is_reported_at_once() {
        let flags = ServeFlags { config: Some("/nonexistent/throng.toml".into()), ..ServeFlags::default() };
        let problems = merge(&flags, environment(&[("PORT", "x"), ("MAX_CONNECTIONS", "0")])).unwrap_err();
        let text = problems.to_string();
        for part in ["/nonexistent/throng.toml", "PORT: \"x\" is not a port", "MAX_CONNECTIONS: \"0\" is not"]
        {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn unknown_keys_are_refused_by_name() {
        let error = toml::from_str::<File>("prot = 1").unwrap_err().to_string();
        assert!(error.contains("unknown field `prot`"), "{error}");
    }
}
