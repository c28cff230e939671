//! The machine that it was measured on.

use std::fs;
use std::process::Command;

use anyhow::Context as _;

/// What the figures depend on.
pub(crate) struct Machine {
    pub(crate) cpu: String,
    pub(crate) cores: usize,
    pub(crate) kernel: String,
    /// `YYYY-MM-DD HH:MM:SS` in UTC.
    pub(crate) date: String,
    /// How many processes wanted a core on average in the last minute.
    pub(crate) load: String,
}

impl Machine {
    pub(crate) fn look() -> anyhow::Result<Self> {
        let cpus = fs::read_to_string("/proc/cpuinfo")?;
        let cpu =
            cpus.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split_once(": "));
        let date = Command::new("date").args(["-u", "+%F %T"]).output().context("date")?.stdout;
        let load = fs::read_to_string("/proc/loadavg")?;
        Ok(Self {
            cpu: cpu.map_or("unknown CPU", |(_, model)| model).to_owned(),
            cores: std::thread::available_parallelism()?.get(),
            kernel: format!("Linux {}", fs::read_to_string("/proc/sys/kernel/osrelease")?.trim()),
            date: String::from_utf8(date)?.trim().to_owned(),
            load: load.split(' ').next().unwrap_or_default().to_owned(),
        })
    }
}
