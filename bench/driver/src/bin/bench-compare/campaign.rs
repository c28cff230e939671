//! The whole comparison: every scenario in its repetitions, each of which begins with the server that the last one ended
//! with. What cannot be measured becomes a note, and the rest goes on.

use crate::{
    Places,
    machine::Machine,
    process::{Cores, Memory, stay_on},
    repetition::Repetition,
    scenario::{Pacing, Scenario},
    server::Server,
};
use serde::Serialize;
use std::io::{self, Write};
use throng_bench::{Report, allow_files};

/// The most sockets that a server holds, and some for itself; more than the driver holds of all servers at once.
const FILES: usize = 10_500;

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
    /// What neither the servers nor the driver used of the two cores in this repetition, and was used all the same: 1 is
    /// one whole core.
    pub(crate) others_cpu_share: f64,
    /// Before the first connection, and with all connections up when measuring ended.
    pub(crate) memory_before: Memory,
    pub(crate) memory_after: Memory,
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
    allow_files(FILES)?;
    stay_on(cores.driver)?;
    for &scenario in scenarios {
        let mut servers: Vec<Server> = outcome.servers.iter().map(|(server, _)| *server).collect();
        for number in 1..=scenario.repetitions(pacing) {
            for servers in servers.chunks(scenario.servers_at_once()) {
                let repetition = Repetition { scenario, pacing, number, servers };
                let taken = repetition.take_calmly(places, cores)?;
                outcome.samples.extend(taken.samples);
                taken.notes.into_iter().try_for_each(|note| outcome.note(note))?;
            }
            servers.reverse();
        }
    }
    Ok(outcome)
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
