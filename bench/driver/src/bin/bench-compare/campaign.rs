//! The whole comparison: every repetition of a scenario takes each server in turn, one right after the other, and the next
//! one takes them in the opposite order, so that whatever the machine does over time meets all of them. What cannot be
//! measured becomes a note, and the rest goes on.

use crate::{
    Places,
    machine::{self, Machine},
    process::{Cores, Memory, Process, stay_on},
    scenario::{Pacing, Scenario},
    server::Server,
};
use anyhow::Context;
use serde::Serialize;
use std::{
    io::{self, Write},
    time::Instant,
};
use throng_bench::{Moment, Report, allow_files, measure};

/// The most sockets that a server holds, and some for itself.
const SERVER_FILES: usize = 10_500;

/// More of the two cores than this, used by others, is a run to repeat.
pub(crate) const OTHERS_SHARE_MAX: f64 = 0.05;

/// Everything that was found.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    pub(crate) machine: Machine,
    pub(crate) pacing: Pacing,
    /// Those that were measured, with their versions.
    pub(crate) servers: Vec<(Server, String)>,
    pub(crate) scenarios: Vec<Scenario>,
    pub(crate) samples: Vec<Sample>,
    /// What could not be measured, and why.
    pub(crate) notes: Vec<String>,
}

/// One scenario, once, against one server.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Sample {
    pub(crate) server: Server,
    pub(crate) scenario: Scenario,
    pub(crate) repetition: usize,
    pub(crate) report: Report,
    /// The server's CPU time until all were connected and warm.
    pub(crate) connecting_cpu_seconds: f64,
    /// The server's CPU time while it was measured.
    pub(crate) server_cpu_seconds: f64,
    /// What neither the server nor the driver used of the two cores, and was used all the same: 1 is one whole core.
    pub(crate) others_cpu_share: f64,
    /// Before the first connection, and with all connections up when measuring ended.
    pub(crate) memory_before: Memory,
    pub(crate) memory_after: Memory,
}

/// One server's process, for one scenario in one repetition: idle memory is that of a process that has done nothing else.
struct Turn {
    server: Server,
    repetition: usize,
    process: Process,
    pacing: Pacing,
    cores: Cores,
}

pub(crate) fn run(
    places: &Places,
    servers: &[Server],
    scenarios: &[Scenario],
    pacing: Pacing,
) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome {
        machine: Machine::look()?,
        pacing,
        servers: Vec::new(),
        scenarios: scenarios.to_vec(),
        samples: Vec::new(),
        notes: Vec::new(),
    };
    for &server in servers {
        tell(&format!("building {}", server.name()))?;
        match server.build(places).and_then(|()| server.version(places)) {
            Ok(version) => outcome.servers.push((server, version)),
            Err(error) => outcome.note(format!("{} is missing: {error:#}", server.name()))?,
        }
    }
    let cores = Cores::choose()?;
    allow_files(SERVER_FILES)?;
    stay_on(cores.driver)?;
    for &scenario in scenarios {
        let repetitions = scenario.repetitions(pacing);
        let mut servers: Vec<Server> = outcome.servers.iter().map(|(server, _)| *server).collect();
        for repetition in 1..=repetitions {
            for &server in &servers {
                let name = format!("{} {}", server.name(), scenario.name());
                tell(&format!("{repetition} of {repetitions}: {name}"))?;
                match Turn::begin(places, server, (repetition, pacing), cores) {
                    Ok(turn) => match turn.calm_sample(scenario) {
                        Ok(sample) => outcome.samples.push(sample),
                        Err(error) => outcome.note(format!("{name}: {error:#}"))?,
                    },
                    Err(error) => outcome.note(format!("{} did not start: {error:#}", server.name()))?,
                }
            }
            servers.reverse();
        }
    }
    Ok(outcome)
}

impl Turn {
    fn begin(
        places: &Places,
        server: Server,
        (repetition, pacing): (usize, Pacing),
        cores: Cores,
    ) -> anyhow::Result<Self> {
        let log = places.out.join(format!("{}.log", server.name().to_lowercase()));
        let process = Process::start(server.command(places), cores, &log)?;
        Ok(Self { server, repetition, process, pacing, cores })
    }

    /// Measures when nobody else uses the two cores, again while somebody did, and keeps the calmest run. Idle memory is
    /// measured once: it is that of a process that has held no socket before.
    fn calm_sample(&self, scenario: Scenario) -> anyhow::Result<Sample> {
        let began = Instant::now();
        let mut kept: Option<Sample> = None;
        loop {
            let left = self.pacing.patience.saturating_sub(began.elapsed());
            machine::wait_for_quiet(self.cores, OTHERS_SHARE_MAX, left)?;
            let sample = self.sample(scenario)?;
            let calmer =
                kept.take().filter(|kept| kept.others_cpu_share <= sample.others_cpu_share).unwrap_or(sample);
            let is_calm = calmer.others_cpu_share <= OTHERS_SHARE_MAX;
            if is_calm || scenario == Scenario::Idle || began.elapsed() >= self.pacing.patience {
                return Ok(calmer);
            }
            kept = Some(calmer);
        }
    }

    fn sample(&self, scenario: Scenario) -> anyhow::Result<Sample> {
        self.process.settle()?;
        let memory_before = self.process.memory()?;
        let cpu_at_first = self.process.cpu()?;
        let (mut started, mut ended) = (None, None);
        let mark = || anyhow::Ok((self.process.cpu()?, machine::busy(self.cores)?));
        let report =
            measure(&scenario.plan(self.process.address, self.pacing), &mut |moment| match moment {
                Moment::Started => started = Some(mark()),
                Moment::Ended => ended = Some(mark().and_then(|mark| Ok((mark, self.process.memory()?)))),
                Moment::Second(_) => {}
            })?;
        let (cpu_before, busy_before) = started.context("measuring never began")??;
        let ((cpu, busy), memory_after) = ended.context("measuring never ended")??;
        let server_cpu_seconds = (cpu - cpu_before).as_secs_f64();
        let ours = server_cpu_seconds + report.driver_cpu_share * report.seconds;
        let others = (busy - busy_before).as_secs_f64() - ours;
        Ok(Sample {
            server: self.server,
            scenario,
            repetition: self.repetition,
            connecting_cpu_seconds: (cpu_before - cpu_at_first).as_secs_f64(),
            server_cpu_seconds,
            others_cpu_share: (others / report.seconds).max(0.0),
            report,
            memory_before,
            memory_after,
        })
    }
}

impl Outcome {
    /// The samples of one scenario against one server.
    pub(crate) fn samples_of(&self, server: Server, scenario: Scenario) -> impl Iterator<Item = &Sample> {
        self.samples.iter().filter(move |sample| sample.server == server && sample.scenario == scenario)
    }

    fn note(&mut self, note: String) -> anyhow::Result<()> {
        tell(&note)?;
        self.notes.push(note);
        Ok(())
    }
}

/// A line about how it goes on.
pub(crate) fn tell(line: &str) -> anyhow::Result<()> {
    Ok(writeln!(io::stderr(), "{line}")?)
}
