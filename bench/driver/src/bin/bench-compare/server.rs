//! The servers that are compared: how each is built, started, and named with its version.

use crate::Places;
use anyhow::Context;
use serde::Serialize;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A server that speaks the echo contract on 127.0.0.1 and the port in `PORT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Server {
    /// This project, on one shard
    Throng,
    /// The same behind the whole edge: identities, limits and quotas
    Guarded,
    /// Our bare epoll server without any protocol: the upper bound
    Floor,
    /// socketioxide on axum, with mimalloc
    Socketioxide,
    /// socket.io on Bun's engine
    Bun,
    /// socket.io on Node
    Node,
}

impl Server {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Throng => "Throng",
            Self::Guarded => "Throng, guarded",
            Self::Floor => "floor",
            Self::Socketioxide => "socketioxide",
            Self::Bun => "Bun",
            Self::Node => "Node",
        }
    }

    pub(crate) fn peer(self, places: &Places) -> PathBuf {
        places.root.join("bench/peers").join(self.name().to_lowercase())
    }

    /// Builds or installs it.
    ///
    /// # Errors
    /// A sentence that says what is missing or did not build.
    pub(crate) fn build(self, places: &Places) -> anyhow::Result<()> {
        match self {
            Self::Throng | Self::Guarded => build_example(places, self.example()),
            Self::Floor | Self::Socketioxide => {
                let words = ["build", "--release", "--locked", "--target-dir"];
                complete(
                    Command::new("cargo").args(words).arg(self.target(places)).current_dir(self.peer(places)),
                )
            }
            Self::Bun | Self::Node => {
                let peer = self.peer(places);
                if is_newer(&peer.join("node_modules/.package-lock.json"), &peer.join("package-lock.json")) {
                    return Ok(());
                }
                complete(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(peer))
            }
        }
    }

    /// The example of this project that is measured.
    fn example(self) -> &'static str {
        if self == Self::Guarded { "guarded" } else { "echo" }
    }

    fn target(self, places: &Places) -> PathBuf {
        places.built.join("peers").join(self.name())
    }

    /// The command that starts it; it becomes the server itself, so that its process is the one to look at.
    pub(crate) fn command(self, places: &Places) -> Command {
        let peer = self.peer(places);
        let program = match self {
            Self::Throng | Self::Guarded => example(places, self.example()),
            Self::Floor | Self::Socketioxide => {
                self.target(places).join("release").join(format!("throng-bench-{}", self.name()))
            }
            Self::Node => PathBuf::from("node"),
            Self::Bun => peer.join("node_modules/.bin/bun"),
        };
        let mut command = Command::new(program);
        match self {
            Self::Throng | Self::Guarded => {
                command.env("THRONG_SHARDS", "1");
            }
            Self::Floor | Self::Socketioxide => {}
            Self::Node | Self::Bun => {
                command.arg("server.mjs").current_dir(peer).env("NODE_ENV", "production");
            }
        }
        command
    }

    /// What exactly is measured, for the page.
    pub(crate) fn version(self, places: &Places) -> anyhow::Result<String> {
        let peer = self.peer(places);
        let of_npm = |package: &str| npm_version(&peer.join("node_modules").join(package));
        Ok(match self {
            Self::Throng | Self::Guarded => throng_version(places, self.example())?,
            Self::Floor => "bare epoll, no HTTP, no protocol: the upper bound".to_owned(),
            Self::Socketioxide => {
                let of_cargo = |package: &str| cargo_version(&peer.join("Cargo.lock"), package);
                format!(
                    "{} on axum {}, tokio {} `current_thread`, mimalloc {}",
                    of_cargo("socketioxide")?,
                    of_cargo("axum")?,
                    of_cargo("tokio")?,
                    of_cargo("mimalloc")?
                )
            }
            Self::Bun => {
                let bun = output(Command::new(peer.join("node_modules/.bin/bun")).arg("--version"))?;
                let (io, engine) = (of_npm("socket.io")?, of_npm("@socket.io/bun-engine")?);
                format!("{bun}, socket.io {io}, @socket.io/bun-engine {engine}")
            }
            Self::Node => {
                let node = output(Command::new("node").arg("--version"))?;
                format!(
                    "{node}, socket.io {}, ws {}, without permessage-deflate",
                    of_npm("socket.io")?,
                    of_npm("ws")?
                )
            }
        })
    }
}

/// What this project is deployed with; the peers in Rust are built alike.
const PROFILE: &str = "dist";

/// Where an example of this project is built.
pub(crate) fn example(places: &Places, example: &str) -> PathBuf {
    places.built.with_file_name(PROFILE).join("examples").join(example)
}

/// Builds it.
pub(crate) fn build_example(places: &Places, example: &str) -> anyhow::Result<()> {
    let words = ["build", "--profile", PROFILE, "--package", "throng", "--example", example];
    complete(Command::new("cargo").args(words).current_dir(&places.root))
}

/// What of this project is measured, for the page.
pub(crate) fn throng_version(places: &Places, example: &str) -> anyhow::Result<String> {
    let words = ["describe", "--always", "--dirty", "--abbrev=10"];
    let commit = output(Command::new("git").args(words).current_dir(&places.root))?;
    let version = env!("CARGO_PKG_VERSION");
    Ok(format!("{version} (commit {commit}), example `{example}`, profile `{PROFILE}`, one shard"))
}

/// A command as one would type it, without the place where it runs.
fn name(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Runs a command to its end; what it prints goes to this program's standard error.
fn complete(command: &mut Command) -> anyhow::Result<()> {
    let name = name(command);
    let status = command
        .stdin(Stdio::null())
        .stdout(std::io::stderr())
        .status()
        .with_context(|| format!("{name} cannot be run"))?;
    anyhow::ensure!(status.success(), "{name} failed");
    Ok(())
}

/// What a command prints, trimmed.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let name = name(command);
    let output = command.stderr(Stdio::null()).output().with_context(|| format!("{name} cannot be run"))?;
    anyhow::ensure!(output.status.success(), "{name} failed");
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn is_newer(one: &Path, other: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    matches!((changed(one), changed(other)), (Some(one), Some(other)) if one >= other)
}

pub(crate) fn npm_version(package: &Path) -> anyhow::Result<String> {
    let manifest: serde_json::Value = serde_json::from_slice(&fs::read(package.join("package.json"))?)?;
    Ok(manifest["version"].as_str().context("a package without version")?.to_owned())
}

/// The version in a `Cargo.lock`, whose entries have their name and version on consecutive lines.
fn cargo_version(lock: &Path, package: &str) -> anyhow::Result<String> {
    let lock = fs::read_to_string(lock)?;
    let (_, rest) =
        lock.split_once(&format!("name = \"{package}\"\nversion = \"")).context("not in the lock file")?;
    Ok(rest.split('"').next().unwrap_or_default().to_owned())
}
