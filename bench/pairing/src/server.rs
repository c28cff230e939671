//! A Redis server of the benchmark's own, on a free port of the loopback. It keeps nothing on disk, and ends with this.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use throng_backbone::{Address, Deployment};

pub(crate) struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// Starts it. Whoever connects tries until it is there.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let child = Command::new(program()?)
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
            .args(["--maxmemory-policy", "noeviction"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .context("redis-server")?;
        Ok(Self { child, port })
    }

    pub(crate) fn deployment(&self) -> Deployment {
        Deployment::Single(Address::new("127.0.0.1", self.port))
    }

    /// How long its thread has computed.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let times = fs::read_to_string(format!("/proc/{}/schedstat", self.child.id()))?;
        let nanos = times.split(' ').next().unwrap_or_default().parse()?;
        Ok(Duration::from_nanos(nanos))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has nothing to lose.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> anyhow::Result<PathBuf> {
    let unpacked = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../e2e/.redis/redis-server");
    let installed = || {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).map(|folder| folder.join("redis-server")).find(|file| file.exists())
    };
    let found = unpacked.exists().then_some(unpacked).or_else(installed);
    found.context(
        "redis-server is missing: scripts/setup fetches it, or install the package redis-server, version 7",
    )
}
