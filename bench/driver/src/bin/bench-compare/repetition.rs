//! One repetition of a load. All its servers are up on one core, each with its connections, and the driver takes them in
//! slices of a second, in an order of chance, over and over, while the others rest. So whatever the machine does over time
//! meets all of them alike, and their figures may be compared.

use crate::{
    Places,
    campaign::{OTHERS_SHARE_MAX, Sample, tell},
    machine,
    process::{BETWEEN_SLICES, Cores, Memory, Process, cpu_of},
    scenario::{Pacing, Scenario},
    server::Server,
};
use std::{
    process,
    time::{Duration, Instant},
};
use throng_bench::Run;

/// See the module.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Repetition<'a> {
    pub(crate) scenario: Scenario,
    pub(crate) pacing: Pacing,
    /// From 1.
    pub(crate) number: usize,
    /// In the order in which they are started.
    pub(crate) servers: &'a [Server],
}

/// What came of a repetition.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) samples: Vec<Sample>,
    /// Who could not be measured, and why.
    pub(crate) notes: Vec<String>,
    others_cpu_share: f64,
}

/// The servers that are still in it, and why others are not.
struct Field {
    contenders: Vec<Contender>,
    notes: Vec<String>,
}

/// One server's process, which has done nothing else, and the run against it.
struct Contender {
    server: Server,
    scenario: Scenario,
    repetition: usize,
    process: Process,
    run: Run,
    memory_before: Memory,
    /// Before the first connection.
    cpu_at_first: Duration,
    /// Before the first slice.
    cpu_before: Duration,
}

impl Repetition<'_> {
    /// Measures when nobody else uses the two cores, again while somebody did, and keeps the calmest. Idle sockets are
    /// measured once: they take a minute.
    pub(crate) fn take_calmly(&self, places: &Places, cores: Cores) -> anyhow::Result<Taken> {
        let began = Instant::now();
        let mut kept: Option<Taken> = None;
        loop {
            let left = self.pacing.patience.saturating_sub(began.elapsed());
            machine::wait_for_quiet(cores, OTHERS_SHARE_MAX, left)?;
            let taken = self.take(places, cores)?;
            let calmer =
                kept.take().filter(|kept| kept.others_cpu_share <= taken.others_cpu_share).unwrap_or(taken);
            let is_calm = calmer.others_cpu_share <= OTHERS_SHARE_MAX;
            if is_calm || self.scenario == Scenario::Idle || began.elapsed() >= self.pacing.patience {
                return Ok(calmer);
            }
            kept = Some(calmer);
        }
    }

    fn take(&self, places: &Places, cores: Cores) -> anyhow::Result<Taken> {
        let mut field = Field { contenders: Vec::new(), notes: Vec::new() };
        for &server in self.servers {
            tell(&format!(
                "{} of {}: {} {}",
                self.number,
                self.scenario.repetitions(self.pacing),
                server.name(),
                self.scenario.name()
            ))?;
            match self.start(server, places, cores) {
                Ok(contender) => field.contenders.push(contender),
                Err(error) => field.notes.push(format!("{} did not start: {error:#}", server.name())),
            }
        }
        field.each(Contender::warm_up);
        field.each(Contender::begin);
        let (began, before) = (Instant::now(), busy_beside_driver(cores)?);
        let (whole, slice) = (self.scenario.duration(self.pacing), self.scenario.slice(self.pacing));
        let mut until = Duration::ZERO;
        // Who comes twice in a row finds the cache warm: in a fixed order it would always be the same one.
        let mut chance = fastrand::Rng::with_seed(self.number as u64);
        while until < whole {
            until = whole.min(until + slice);
            chance.shuffle(&mut field.contenders);
            field.each(|contender| contender.measure(until));
        }
        let mut others = busy_beside_driver(cores)? - before;
        field.each(|contender| {
            others -= contender.cpu_seconds()?;
            Ok(())
        });
        let others_cpu_share = (others / began.elapsed().as_secs_f64()).max(0.0);
        let mut samples = Vec::new();
        field.each(|contender| {
            samples.push(contender.sample(others_cpu_share)?);
            Ok(())
        });
        Ok(Taken { samples, notes: field.notes, others_cpu_share })
    }

    fn start(&self, server: Server, places: &Places, cores: Cores) -> anyhow::Result<Contender> {
        let log = places.out.join(format!("{}.log", server.name().to_lowercase()));
        let process = Process::start(server.command(places), cores, &log)?;
        let cpu = process.cpu()?;
        Ok(Contender {
            server,
            scenario: self.scenario,
            repetition: self.number,
            run: Run::new(self.scenario.plan(process.address, self.pacing))?,
            memory_before: process.memory()?,
            cpu_at_first: cpu,
            cpu_before: cpu,
            process,
        })
    }
}

impl Field {
    /// Takes a step with each. Who cannot do it drops out.
    fn each(&mut self, mut step: impl FnMut(&mut Contender) -> anyhow::Result<()>) {
        self.contenders.retain_mut(|contender| match step(contender) {
            Ok(()) => true,
            Err(error) => {
                let (server, scenario) = (contender.server.name(), contender.scenario.name());
                self.notes.push(format!("{server} {scenario}: {error:#}"));
                false
            }
        });
    }
}

impl Contender {
    fn warm_up(&mut self) -> anyhow::Result<()> {
        self.run.warm_up(&mut |_| {})?;
        self.rest()
    }

    fn begin(&mut self) -> anyhow::Result<()> {
        self.cpu_before = self.process.cpu()?;
        Ok(())
    }

    /// Until it has been measured for so long in all. A slow server needs longer than a slice for what it has been sent
    /// under backlog; then it sits out until the others have caught up.
    fn measure(&mut self, until: Duration) -> anyhow::Result<()> {
        self.run.measure(until, &mut |_| {})?;
        self.rest()
    }

    /// Until the server has answered everything, and has done what it does of its own accord, as collecting garbage.
    fn rest(&mut self) -> anyhow::Result<()> {
        self.run.rest(&mut |_| {})?;
        self.process.settle(BETWEEN_SLICES)
    }

    /// The server's CPU time since the first slice.
    fn cpu_seconds(&self) -> anyhow::Result<f64> {
        Ok((self.process.cpu()? - self.cpu_before).as_secs_f64())
    }

    fn sample(&mut self, others_cpu_share: f64) -> anyhow::Result<Sample> {
        Ok(Sample {
            server: self.server,
            scenario: self.scenario,
            repetition: self.repetition,
            report: self.run.report(),
            connecting_cpu_seconds: (self.cpu_before - self.cpu_at_first).as_secs_f64(),
            server_cpu_seconds: self.cpu_seconds()?,
            others_cpu_share,
            memory_before: self.memory_before,
            memory_after: self.process.memory()?,
        })
    }
}

/// Seconds that the two cores have been busy so far, with the servers or with others.
fn busy_beside_driver(cores: Cores) -> anyhow::Result<f64> {
    Ok(machine::busy(cores)?.as_secs_f64() - cpu_of(process::id())?.as_secs_f64())
}
