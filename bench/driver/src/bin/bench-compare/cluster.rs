//! `bench-compare cluster`: two nodes and a Redis of their own, Throng beside Node's `socket.io` with both of its Redis
//! adapters, under the same loads. Every repetition takes each fleet in turn.

mod figure;
mod fleet;
mod load;
mod page;
mod verdict;

use crate::{
    Places,
    campaign::{OTHERS_SHARE_MAX, tell},
    machine::{self, Machine},
    process::{Cores, stay_on},
};
use anyhow::Context;
use fleet::{Counts, Fleet, Running, Spent};
use load::ClusterLoad;
use serde::Serialize;
use std::{
    fs,
    io::{self, Write},
    time::{Duration, Instant},
};
use throng_bench::{Moment, Report, measure};

/// Measures fleets of two nodes on one Redis.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A short look, under two minutes: one repetition, short runs
    #[arg(long)]
    quick: bool,
    /// Only these fleets
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Fleet>,
    /// Only these loads
    #[arg(long, value_enum, value_delimiter = ',')]
    load: Vec<ClusterLoad>,
}

/// How long things take.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
struct Pacing {
    repetitions: usize,
    /// How long a fresh fleet works before anything is measured: what compiles as it runs has the time to.
    rehearsal: Duration,
    warm_up: Duration,
    duration: Duration,
    /// How long all runs together may be put off, or repeated, until nobody else uses the two cores.
    patience: Duration,
}

impl Pacing {
    const FULL: Self = Self {
        repetitions: 3,
        rehearsal: Duration::from_secs(3),
        warm_up: Duration::from_secs(2),
        duration: Duration::from_secs(4),
        patience: Duration::from_secs(30),
    };
    const QUICK: Self = Self {
        repetitions: 1,
        rehearsal: Duration::from_secs(3),
        warm_up: Duration::from_secs(1),
        duration: Duration::from_secs(3),
        patience: Duration::ZERO,
    };
}

/// Everything that was found.
#[derive(Debug, Serialize)]
struct Outcome {
    machine: Machine,
    pacing: Pacing,
    /// Those that were measured, with their versions.
    fleets: Vec<(Fleet, String)>,
    redis: String,
    loads: Vec<ClusterLoad>,
    samples: Vec<Sample>,
    /// What could not be measured, and why.
    notes: Vec<String>,
}

/// One load, once, against one fleet.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Sample {
    fleet: Fleet,
    load: ClusterLoad,
    repetition: usize,
    report: Report,
    /// CPU time of the processes while it was measured.
    spent: Spent,
    /// What neither the fleet nor the driver used of the two cores, and was used all the same: 1 is one whole core.
    others_cpu_share: f64,
    /// What the nodes received from Redis, from before the first connection to the end of measuring.
    counts: Counts,
}

/// Measures, prints the page, and writes it.
pub(crate) fn run(places: &Places, arguments: Arguments) -> anyhow::Result<()> {
    let pacing = if arguments.quick { Pacing::QUICK } else { Pacing::FULL };
    let is_whole = !arguments.quick && arguments.only.is_empty() && arguments.load.is_empty();
    let (fleets, loads) = (crate::chosen(arguments.only), crate::chosen(arguments.load));
    let mut outcome = Outcome {
        machine: Machine::look()?,
        pacing,
        fleets: Vec::new(),
        redis: fleet::redis_version(places)?,
        loads,
        samples: Vec::new(),
        notes: Vec::new(),
    };
    for fleet in fleets {
        tell(&format!("building {}", fleet.name()))?;
        match fleet.build(places).and_then(|()| fleet.version(places)) {
            Ok(version) => outcome.fleets.push((fleet, version)),
            Err(error) => outcome.note(format!("{} is missing: {error:#}", fleet.name()))?,
        }
    }
    let cores = Cores::choose()?;
    stay_on(cores.driver)?;
    let mut patience = pacing.patience;
    for repetition in 1..=pacing.repetitions {
        for (fleet, _) in outcome.fleets.clone() {
            let turn = Turn { fleet, repetition, pacing, cores };
            take_in_turn(places, turn, &mut patience, &mut outcome)?;
        }
    }
    let text = page::write(&outcome);
    io::stdout().write_all(text.as_bytes())?;
    let raw = places.out.join(format!("cluster-{}.json", outcome.machine.file_stamp()));
    fs::write(&raw, serde_json::to_vec_pretty(&outcome)?)?;
    let page = if is_whole { places.root.join("bench/CLUSTER.md") } else { places.out.join("CLUSTER.md") };
    fs::write(&page, text)?;
    places.tell_written(&[&page, &raw])
}

/// One fleet in one repetition.
#[derive(Debug, Clone, Copy)]
struct Turn {
    fleet: Fleet,
    repetition: usize,
    pacing: Pacing,
    cores: Cores,
}

/// Measures every load, one after the other, on one fleet.
fn take_in_turn(
    places: &Places,
    turn: Turn,
    patience: &mut Duration,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let Turn { fleet, repetition, .. } = turn;
    let running = match fleet.start(places, turn.cores) {
        Ok(running) => running,
        Err(error) => return outcome.note(format!("{} did not start: {error:#}", fleet.name())),
    };
    if let Err(error) = turn.rehearse(&running) {
        return outcome.note(format!("{} does not work: {error:#}", fleet.name()));
    }
    for load in outcome.loads.clone() {
        tell(&format!("{repetition} of {}: {}, {}", turn.pacing.repetitions, fleet.name(), load.title()))?;
        match turn.calm_sample(&running, load, patience) {
            Ok(sample) => outcome.samples.push(sample),
            Err(error) => outcome.note(format!("{}, {}: {error:#}", fleet.name(), load.title()))?,
        }
    }
    Ok(())
}

impl Turn {
    /// Sends by both ways, and measures nothing.
    fn rehearse(&self, running: &Running) -> anyhow::Result<()> {
        let pacing = Pacing { warm_up: Duration::ZERO, duration: self.pacing.rehearsal / 2, ..self.pacing };
        for load in [ClusterLoad::ById, ClusterLoad::ByRoom] {
            measure(&load.plan(running.addresses(), pacing), &mut |_| {})?;
        }
        Ok(())
    }

    /// Measures again while somebody else used the two cores and there is patience left, and keeps the calmest run.
    fn calm_sample(
        &self,
        running: &Running,
        load: ClusterLoad,
        patience: &mut Duration,
    ) -> anyhow::Result<Sample> {
        let mut kept = self.sample(running, load)?;
        while kept.others_cpu_share > OTHERS_SHARE_MAX && !patience.is_zero() {
            let began = Instant::now();
            machine::wait_for_quiet(self.cores, OTHERS_SHARE_MAX, *patience / 2)?;
            let again = self.sample(running, load)?;
            if again.others_cpu_share < kept.others_cpu_share {
                kept = again;
            }
            *patience = patience.saturating_sub(began.elapsed());
        }
        Ok(kept)
    }

    fn sample(&self, running: &Running, load: ClusterLoad) -> anyhow::Result<Sample> {
        running.settle()?;
        let counts = running.counts()?;
        let (mut started, mut ended) = (None, None);
        let mark = || anyhow::Ok((running.spent()?, machine::busy(self.cores)?));
        let plan = load.plan(running.addresses(), self.pacing);
        let report = measure(&plan, &mut |moment| match moment {
            Moment::Started => started = Some(mark()),
            // The connections are still up: what arrives for sockets that have gone is nobody's fault.
            Moment::Ended => ended = Some(mark().and_then(|mark| Ok((mark, running.counts()?)))),
            Moment::Second(_) => {}
        })?;
        let (spent_before, busy_before) = started.context("measuring never began")??;
        let ((spent, busy), counts_after) = ended.context("measuring never ended")??;
        let spent = spent - spent_before;
        let ours = spent.all() + report.driver_cpu_share * report.seconds;
        let others = (busy - busy_before).as_secs_f64() - ours;
        Ok(Sample {
            fleet: self.fleet,
            load,
            repetition: self.repetition,
            spent,
            others_cpu_share: (others / report.seconds).max(0.0),
            counts: counts_after - counts,
            report,
        })
    }
}

impl Outcome {
    /// The samples of one load against one fleet.
    fn samples_of(&self, fleet: Fleet, load: ClusterLoad) -> impl Iterator<Item = &Sample> {
        self.samples.iter().filter(move |sample| sample.fleet == fleet && sample.load == load)
    }

    fn note(&mut self, note: String) -> anyhow::Result<()> {
        tell(&note)?;
        self.notes.push(note);
        Ok(())
    }
}
