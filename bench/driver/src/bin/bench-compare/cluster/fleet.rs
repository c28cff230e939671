//! The fleets that are compared: two nodes and their Redis, how they are started, and what they tell of themselves.

use crate::{
    Places,
    process::{AFTER_ITS_START, Cores, Process, free_address},
    server::{Server, build_example, example, npm_version, output, throng_version},
};
use anyhow::Context;
use serde::Serialize;
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    ops::Sub,
    path::PathBuf,
    process::Command,
    time::Duration,
};

const ANSWER_MAX: Duration = Duration::from_secs(5);
const EXAMPLE: &str = "fleet";

/// Two nodes and a Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Fleet {
    /// This project, on one shard a node
    Throng,
    /// socket.io on Node with @socket.io/redis-adapter, as it always was
    Classic,
    /// The same with sharded pub/sub
    Sharded,
}

impl Fleet {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Throng => "Throng",
            Self::Classic => "Node, classic",
            Self::Sharded => "Node, sharded",
        }
    }

    /// The name in file names and on a command line.
    fn word(self) -> &'static str {
        match self {
            Self::Throng => "throng",
            Self::Classic => "classic",
            Self::Sharded => "sharded",
        }
    }

    /// Builds or installs it.
    ///
    /// # Errors
    /// A sentence that says what is missing or did not build.
    pub(super) fn build(self, places: &Places) -> anyhow::Result<()> {
        match self {
            Self::Throng => build_example(places, EXAMPLE),
            Self::Classic | Self::Sharded => Server::Node.build(places),
        }
    }

    /// What exactly is measured, for the page.
    pub(super) fn version(self, places: &Places) -> anyhow::Result<String> {
        let modules = Server::Node.peer(places).join("node_modules");
        let of_npm = |package: &str| npm_version(&modules.join(package));
        let made_by = match self {
            Self::Throng => return throng_version(places, EXAMPLE),
            Self::Classic => "createAdapter",
            Self::Sharded => "createShardedAdapter",
        };
        Ok(format!(
            "{}, socket.io {}, @socket.io/redis-adapter {} (`{made_by}`, its defaults), redis {}, ws {}",
            output(Command::new("node").arg("--version"))?,
            of_npm("socket.io")?,
            of_npm("@socket.io/redis-adapter")?,
            of_npm("redis")?,
            of_npm("ws")?
        ))
    }

    fn node(self, places: &Places) -> Command {
        match self {
            Self::Throng => {
                let mut command = Command::new(example(places, EXAMPLE));
                command.env("THRONG_SHARDS", "1");
                command
            }
            Self::Classic | Self::Sharded => {
                let mut command = Command::new("node");
                command.args(["fleet.mjs", self.word()]).current_dir(Server::Node.peer(places));
                command.env("NODE_ENV", "production");
                command
            }
        }
    }

    /// Starts an empty Redis and two nodes, all on the servers' core, and waits until they rest.
    pub(super) fn start(self, places: &Places, cores: Cores) -> anyhow::Result<Running> {
        let log = |of: &str| places.out.join(format!("cluster-{}-{of}.log", self.word()));
        let address = free_address()?;
        let mut command = Command::new(redis_program(places));
        command.args(["--port", &address.port().to_string(), "--save", "", "--appendonly", "no"]);
        command.args(["--bind", "127.0.0.1", "--dir", "/"]);
        let redis = Process::start_at(address, command, cores, &log("redis")).context("Redis")?;
        let node = |of: &str| {
            let mut command = self.node(places);
            command.env("REDIS_URL", format!("redis://{address}"));
            Process::start(command, cores, &log(of))
        };
        let nodes = [node("one")?, node("other")?];
        Ok(Running { nodes, redis })
    }
}

/// Where Debian's package or the test suite's setup put it.
fn redis_program(places: &Places) -> PathBuf {
    let unpacked = places.root.join("e2e/.redis/redis-server");
    if unpacked.exists() { unpacked } else { PathBuf::from("redis-server") }
}

/// What Redis says of itself.
///
/// # Errors
/// A sentence that says how to get one.
pub(super) fn redis_version(places: &Places) -> anyhow::Result<String> {
    let said = output(Command::new(redis_program(places)).arg("--version"))
        .context("redis-server is needed: install it, or run scripts/setup")?;
    let version = said.split_whitespace().find_map(|word| word.strip_prefix("v="));
    Ok(version.context("redis-server has no version")?.to_owned())
}

/// A fleet that runs; it ends when dropped.
#[derive(Debug)]
pub(super) struct Running {
    nodes: [Process; 2],
    redis: Process,
}

/// CPU time, in seconds.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Spent {
    pub(super) nodes_seconds: f64,
    pub(super) redis_seconds: f64,
}

/// What the nodes received from Redis.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Counts {
    received: u64,
    /// For rooms without a member at the node that received it.
    foreign: u64,
}

impl Running {
    pub(super) fn addresses(&self) -> [SocketAddr; 2] {
        [self.nodes[0].address, self.nodes[1].address]
    }

    /// Waits until no process uses CPU time.
    pub(super) fn settle(&self) -> anyhow::Result<()> {
        self.nodes.iter().try_for_each(|node| node.settle(AFTER_ITS_START))
    }

    /// The CPU time of all processes so far.
    pub(super) fn spent(&self) -> anyhow::Result<Spent> {
        let nodes = self.nodes[0].cpu()? + self.nodes[1].cpu()?;
        Ok(Spent { nodes_seconds: nodes.as_secs_f64(), redis_seconds: self.redis.cpu()?.as_secs_f64() })
    }

    /// What the nodes have received from Redis so far, by their own count.
    pub(super) fn counts(&self) -> anyhow::Result<Counts> {
        let mut counts = Counts { received: 0, foreign: 0 };
        for node in &self.nodes {
            let page = metrics(node.address).context("a node does not tell its metrics")?;
            let count = |name: &str| {
                counter(&page, &format!("throng_backbone_messages_{name}_total"))
                    .with_context(|| format!("a node does not count `{name}`"))
            };
            counts.received += count("received")?;
            counts.foreign += count("foreign")?;
        }
        Ok(counts)
    }
}

impl Spent {
    pub(super) fn all(self) -> f64 {
        self.nodes_seconds + self.redis_seconds
    }
}

impl Sub for Spent {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            nodes_seconds: self.nodes_seconds - before.nodes_seconds,
            redis_seconds: self.redis_seconds - before.redis_seconds,
        }
    }
}

impl Counts {
    /// Of what was received, how much was for rooms without a member there; `None` when nothing was received.
    pub(super) fn foreign_share(self) -> Option<f64> {
        (self.received > 0).then(|| self.foreign as f64 / self.received as f64)
    }
}

impl Sub for Counts {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self { received: self.received - before.received, foreign: self.foreign - before.foreign }
    }
}

/// The text at `/metrics`, with its head.
fn metrics(address: SocketAddr) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, ANSWER_MAX)?;
    stream.set_read_timeout(Some(ANSWER_MAX))?;
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn counter(page: &str, name: &str) -> Option<u64> {
    let value = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
    value.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_found_by_its_whole_name() {
        let page = "# HELP sent_total x\nsent_total_more 1\nsent_total 42\r\n";
        assert_eq!(counter(page, "sent_total"), Some(42));
        assert_eq!(counter(page, "sent"), None);
    }

    #[test]
    fn nothing_received_has_no_foreign_share() {
        assert_eq!(Counts { received: 0, foreign: 0 }.foreign_share(), None);
        assert_eq!(Counts { received: 4, foreign: 1 }.foreign_share(), Some(0.25));
    }
}
