//! A server's process: started on its own core, watched through `/proc`, and gone when dropped.

use anyhow::Context;
use rustix::{
    param::clock_ticks_per_second,
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};
use serde::Serialize;
use std::{
    fs::{self, File},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const START_MAX: Duration = Duration::from_secs(15);
const SETTLE_MAX: Duration = Duration::from_secs(10);

/// How long a process has to be at rest after its start, and before it is measured for itself.
pub(crate) const AFTER_ITS_START: Duration = Duration::from_millis(300);
/// The same between two slices: longer than a tick, by which a thread that works on is charged for that.
pub(crate) const BETWEEN_SLICES: Duration = Duration::from_millis(12);

/// Cores that a process may run on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cores {
    pub(crate) server: usize,
    pub(crate) driver: usize,
}

impl Cores {
    /// The first two cores that this process may use.
    ///
    /// # Errors
    /// When there is only one: then a driver and a server measure each other.
    pub(crate) fn choose() -> anyhow::Result<Self> {
        let allowed = sched_getaffinity(None)?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|&core| allowed.is_set(core));
        match (cores.next(), cores.next()) {
            (Some(server), Some(driver)) => Ok(Self { server, driver }),
            _ => anyhow::bail!("this needs two cores: one for the server, one for the driver"),
        }
    }
}

/// Keeps this thread, and what it starts from now on, on one core.
pub(crate) fn stay_on(core: usize) -> anyhow::Result<()> {
    let mut set = CpuSet::new();
    set.set(core);
    sched_setaffinity(None, &set).with_context(|| format!("core {core} cannot be chosen"))
}

/// Resident memory, in KiB.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Memory {
    pub(crate) rss_kib: u64,
    /// Pages shared with other processes counted by their share.
    pub(crate) pss_kib: u64,
}

/// An address of 127.0.0.1 that nobody listens on.
pub(crate) fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Process {
    /// Starts `command` on the server's core, with a free port of 127.0.0.1 as `PORT`, and waits until it listens and
    /// rests. What it prints as errors goes to `log`.
    pub(crate) fn start(mut command: Command, cores: Cores, log: &Path) -> anyhow::Result<Self> {
        let address = free_address()?;
        command.env("PORT", address.port().to_string());
        Self::start_at(address, command, cores, log)
    }

    /// The same for a command that knows its address.
    pub(crate) fn start_at(
        address: SocketAddr,
        mut command: Command,
        cores: Cores,
        log: &Path,
    ) -> anyhow::Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(log)?);
        stay_on(cores.server)?;
        let child = command.spawn();
        stay_on(cores.driver)?;
        let child = child.with_context(|| format!("{:?} cannot be started", command.get_program()))?;
        let mut process = Self { child, address };
        process.wait_until_it_listens(log)?;
        process.settle(AFTER_ITS_START)?;
        Ok(process)
    }

    fn wait_until_it_listens(&mut self, log: &Path) -> anyhow::Result<()> {
        let began = Instant::now();
        while TcpStream::connect_timeout(&self.address, Duration::from_secs(1)).is_err() {
            let gone = self.child.try_wait()?;
            if gone.is_some() || began.elapsed() > START_MAX {
                let log = fs::read_to_string(log).unwrap_or_default();
                let last =
                    log.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
                anyhow::bail!("it does not listen: {last}");
            }
            pause(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Waits until it has hardly used its core for so long: what it did before is not charged to what comes next, and does
    /// not disturb it.
    pub(crate) fn settle(&self, at_rest: Duration) -> anyhow::Result<()> {
        let began = Instant::now();
        let mut before = self.cpu_of_threads()?;
        while began.elapsed() < SETTLE_MAX {
            pause(at_rest);
            let now = self.cpu_of_threads()?;
            if now.saturating_sub(before) < at_rest / 100 {
                break;
            }
            before = now;
        }
        Ok(())
    }

    /// The CPU time of all its threads so far.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        cpu_of(self.child.id())
    }

    /// The same in nanoseconds, but only of the threads that there are: one that ends takes its own with it.
    fn cpu_of_threads(&self) -> anyhow::Result<Duration> {
        let mut nanos = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            // It may have ended since.
            let Ok(schedstat) = fs::read_to_string(thread?.path().join("schedstat")) else { continue };
            let first = schedstat.split_whitespace().next().and_then(|nanos| nanos.parse::<u64>().ok());
            nanos += first.context("/proc/PID/task/TID/schedstat has another form")?;
        }
        Ok(Duration::from_nanos(nanos))
    }

    pub(crate) fn memory(&self) -> anyhow::Result<Memory> {
        let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.child.id()))?;
        let kib = |name: &str| {
            let line = rollup.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok())
        };
        let (rss_kib, pss_kib) =
            kib("Rss:").zip(kib("Pss:")).context("/proc/PID/smaps_rollup has another form")?;
        Ok(Memory { rss_kib, pss_kib })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The CPU time of all threads of a process so far, those that are gone included; in steps of 10 ms on most systems.
pub(crate) fn cpu_of(id: u32) -> anyhow::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    let ticks = cpu_ticks(&stat).context("/proc/PID/stat has another form")?;
    Ok(Duration::from_secs_f64(ticks as f64 / clock_ticks_per_second() as f64))
}

/// User and system ticks: the 14th and 15th field, counted after the name, which may contain anything.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

#[expect(
    clippy::disallowed_methods,
    reason = "this program has one thread, and nothing else to do meanwhile"
)]
pub(crate) fn pause(duration: Duration) {
    std::thread::sleep(duration);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_found_behind_any_name() {
        let stat = "42 (a ) b) S 1 42 42 0 -1 4194304 100 0 0 0 17 25 0 0 20 0 1 0 100 1000 10";
        assert_eq!(cpu_ticks(stat), Some(42));
        assert_eq!(cpu_ticks("42 (a) S"), None);
    }
}
