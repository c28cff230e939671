//! The system under the node, looked at by one task every few seconds and never for a request: processor, memory, load,
//! descriptors, and the rate of messages.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use procfs::{Current as _, LoadAverage, Meminfo, ProcResult, Uptime, process};

use crate::node::Node;

/// Time between two looks.
const INTERVAL: Duration = Duration::from_secs(5);

/// One look. All zero until the first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sample {
    pub(crate) taken: Option<Instant>,
    pub(crate) process: Process,
    pub(crate) host: Host,
    /// Processor use of the process since the look before, in percent of one core.
    pub(crate) cpu_percent: f64,
    /// Socket.IO packets received a second since the look before.
    pub(crate) packets_per_second: f64,
    packets: u64,
    /// What is said in the rooms of the apps.
    pub(crate) messages: Messages,
}

/// How many messages there were in each app, and how many a second since the look before.
#[derive(Debug, Clone, Default)]
pub(crate) struct Messages(Vec<(&'static str, u64, f64)>);

impl Messages {
    /// What each app has counted `passed` after the look before. An app that is new, or has no numbers, has no rate.
    fn count(&self, counts: impl Iterator<Item = (&'static str, u64)>, passed: Duration) -> Self {
        let rate = |app, count: u64| {
            let (_, before, _) = self.0.iter().find(|(known, ..)| *known == app)?;
            Some(count.saturating_sub(*before) as f64 / passed.as_secs_f64()).filter(|rate| rate.is_finite())
        };
        Self(counts.map(|(app, count)| (app, count, rate(app, count).unwrap_or_default())).collect())
    }

    /// Messages a second of an app.
    pub(crate) fn rate(&self, app: &str) -> f64 {
        self.0.iter().find(|(known, ..)| *known == app).map_or(0.0, |(_, _, rate)| *rate)
    }
}

/// This process.
#[derive(Debug, Clone, Default)]
pub(crate) struct Process {
    pub(crate) cpu_seconds: f64,
    pub(crate) resident_bytes: u64,
    pub(crate) virtual_bytes: u64,
    pub(crate) threads: u64,
    pub(crate) open_files: u64,
    pub(crate) open_files_max: u64,
    /// Since the epoch.
    pub(crate) started_seconds: f64,
}

/// The machine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Host {
    /// Over 1, 5 and 15 minutes.
    pub(crate) load: [f64; 3],
    pub(crate) memory_bytes: u64,
    pub(crate) memory_available_bytes: u64,
    pub(crate) uptime: Duration,
}

/// Looks for as long as it is polled.
pub(crate) async fn watch(node: &Node) -> Infallible {
    let mut interval = tokio::time::interval(INTERVAL);
    loop {
        interval.tick().await;
        let sample = Sample::take(node, &node.operations.sample.load());
        node.operations.sample.store(sample.into());
    }
}

impl Sample {
    fn take(node: &Node, before: &Self) -> Self {
        let now = Instant::now();
        let packets = node.ports.iter().map(|port| port.metrics.packets_received.get()).sum();
        // What a locked-down machine does not show stays as it was.
        let process = Process::look().unwrap_or_else(|error| {
            tracing::debug!(%error, "process not readable");
            before.process.clone()
        });
        let host = Host::look().unwrap_or_else(|error| {
            tracing::debug!(%error, "machine not readable");
            before.host.clone()
        });
        let since = before.taken.map_or(Duration::ZERO, |taken| now.duration_since(taken));
        let statistics = node.operations.statistics.iter();
        let counts = statistics.filter_map(|of| Some((of.app, of.read(None)?.messages)));
        let messages = before.messages.count(counts, since);
        let passed = since.as_secs_f64();
        let rate = |new: f64, old: f64| if passed > 0.0 { (new - old).max(0.0) / passed } else { 0.0 };
        Self {
            taken: Some(now),
            cpu_percent: 100.0 * rate(process.cpu_seconds, before.process.cpu_seconds),
            packets_per_second: rate(packets as f64, before.packets as f64),
            process,
            host,
            packets,
            messages,
        }
    }
}

impl Process {
    fn look() -> ProcResult<Self> {
        let process = process::Process::myself()?;
        let stat = process.stat()?;
        let ticks = procfs::ticks_per_second() as f64;
        let open_files_max = match process.limits()?.max_open_files.soft_limit {
            process::LimitValue::Value(value) => value,
            process::LimitValue::Unlimited => u64::MAX,
        };
        let booted = procfs::boot_time_secs()? as f64;
        Ok(Self {
            cpu_seconds: (stat.utime + stat.stime) as f64 / ticks,
            resident_bytes: stat.rss * procfs::page_size(),
            virtual_bytes: stat.vsize,
            threads: u64::try_from(stat.num_threads).unwrap_or_default(),
            open_files: open_files(&process)?,
            open_files_max,
            started_seconds: booted + stat.starttime as f64 / ticks,
        })
    }
}

/// Linux 6.2 and later say the number in the size of the directory; before, they are counted.
fn open_files(process: &process::Process) -> ProcResult<u64> {
    match std::fs::metadata("/proc/self/fd").map(|directory| directory.len()) {
        Ok(count) if count > 0 => Ok(count),
        _ => Ok(process.fd_count()? as u64),
    }
}

impl Host {
    fn look() -> ProcResult<Self> {
        let (load, memory) = (LoadAverage::current()?, Meminfo::current()?);
        Ok(Self {
            load: [load.one, load.five, load.fifteen].map(f64::from),
            memory_bytes: memory.mem_total,
            memory_available_bytes: memory.mem_available.unwrap_or(memory.mem_free),
            uptime: Uptime::current()?.uptime_duration(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_a_rate_from_the_second_look_on() {
        let look = |before: &Messages, counts: &[(&'static str, u64)], seconds| {
            before.count(counts.iter().copied(), Duration::from_secs(seconds))
        };
        let first = look(&Messages::default(), &[("debate", 100)], 0);
        let second = look(&first, &[("debate", 120), ("roulette", 7)], 5);
        let third = look(&second, &[("debate", 120), ("roulette", 17)], 5);
        let back = look(&third, &[("roulette", 3)], 5);
        let rates = [&first, &second, &third, &back].map(|m| (m.rate("debate"), m.rate("roulette")));
        assert_eq!(rates, [(0.0, 0.0), (4.0, 0.0), (0.0, 2.0), (0.0, 0.0)]);
    }

    #[test]
    fn this_process_and_machine_are_readable() {
        let (process, host) = (Process::look().unwrap(), Host::look().unwrap());
        assert!(process.resident_bytes > 1 << 20 && process.threads >= 1);
        assert!((1..process.open_files_max).contains(&process.open_files));
        assert!(host.memory_available_bytes < host.memory_bytes && !host.uptime.is_zero());
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
        assert!(process.started_seconds <= now && process.started_seconds > now - 7.0 * 86_400.0);
    }
}
