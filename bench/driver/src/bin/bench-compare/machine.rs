//! The machine that it was measured on, and what else its cores did meanwhile.

use crate::{
    process::{Cores, pause},
    server::output,
};
use rustix::param::clock_ticks_per_second;
use serde::Serialize;
use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

/// What the figures depend on.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Machine {
    pub(crate) cpu: String,
    pub(crate) cores: usize,
    pub(crate) memory: String,
    pub(crate) kernel: String,
    /// `YYYY-MM-DD HH:MM:SS` in UTC.
    pub(crate) date: String,
}

impl Machine {
    pub(crate) fn look() -> anyhow::Result<Self> {
        let cpus = fs::read_to_string("/proc/cpuinfo")?;
        let cpu =
            cpus.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split_once(": "));
        let memory = fs::read_to_string("/proc/meminfo")?;
        let kib: u64 = memory.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or_default();
        Ok(Self {
            cpu: cpu.map_or("unknown CPU", |(_, model)| model).to_owned(),
            cores: std::thread::available_parallelism()?.get(),
            memory: format!("{:.0} GiB", kib as f64 / (1 << 20) as f64),
            kernel: format!("Linux {}", fs::read_to_string("/proc/sys/kernel/osrelease")?.trim()),
            date: output(Command::new("date").args(["-u", "+%F %T"]))?,
        })
    }

    /// The date as a part of a file's name.
    pub(crate) fn file_stamp(&self) -> String {
        self.date.replace([':', ' '], "-")
    }
}

/// How long the two cores have not been idle so far, whoever used them.
pub(crate) fn busy(cores: Cores) -> anyhow::Result<Duration> {
    let stat = fs::read_to_string("/proc/stat")?;
    let ticks = busy_ticks(&stat, cores.server) + busy_ticks(&stat, cores.driver);
    Ok(Duration::from_secs_f64(ticks as f64 / clock_ticks_per_second() as f64))
}

/// Waits until both cores together are busy for at most `share` of one, but no longer than so long.
pub(crate) fn wait_for_quiet(cores: Cores, share: f64, at_most: Duration) -> anyhow::Result<()> {
    const LOOK: Duration = Duration::from_secs(1);
    let began = Instant::now();
    while began.elapsed() < at_most {
        let before = busy(cores)?;
        pause(LOOK);
        if (busy(cores)? - before).as_secs_f64() <= share * LOOK.as_secs_f64() {
            break;
        }
    }
    Ok(())
}

/// User, nice, system, interrupts, and what the hypervisor took: all but idle and waiting for disks.
fn busy_ticks(stat: &str, core: usize) -> u64 {
    let name = format!("cpu{core} ");
    let Some(line) = stat.lines().find_map(|line| line.strip_prefix(&name)) else { return 0 };
    let ticks: Vec<u64> = line.split_whitespace().filter_map(|field| field.parse().ok()).collect();
    [0, 1, 2, 5, 6, 7].into_iter().filter_map(|index| ticks.get(index)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_is_not_busy() {
        let stat = "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 1 2 4 1000 1000 8 16 32 5 5\ncpu1 1 0 0 0 0 0 0 0 0 0\n";
        assert_eq!((busy_ticks(stat, 0), busy_ticks(stat, 1), busy_ticks(stat, 2)), (63, 1, 0));
    }
}
