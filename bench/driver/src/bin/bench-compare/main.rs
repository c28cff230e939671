//! Runs Throng and its peers side by side: the servers on one core, by turns, the driver on another, the same load for each.
//! Prints the tables, checks the performance budget, and writes them with the machine and the date. With `cluster` it does
//! the same for fleets of two nodes, one after the other.

mod budget;
mod campaign;
mod cluster;
mod figure;
mod machine;
mod page;
mod process;
mod repetition;
mod scenario;
mod server;

use anyhow::Context;
use campaign::Outcome;
use clap::Parser;
use scenario::{Pacing, Scenario};
use server::Server;
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

/// Measures Throng and its peers side by side on this machine.
#[derive(Debug, Parser)]
#[command(name = "bench-compare", args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    part: Option<Part>,
    /// A short look, about three minutes: one repetition, short runs, no idle CPU
    #[arg(long)]
    quick: bool,
    /// Only these servers
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Server>,
    /// Only these scenarios
    #[arg(long, value_enum, value_delimiter = ',')]
    scenario: Vec<Scenario>,
    /// How often each load is measured; the median counts
    #[arg(long)]
    repetitions: Option<usize>,
    /// How long each repetition may be put off, or repeated, until nobody else uses the two cores [default: 60s; quick: 0s]
    #[arg(long, value_parser = throng_bench::duration)]
    patience: Option<Duration>,
}

#[derive(Debug, clap::Subcommand)]
enum Part {
    Cluster(cluster::Arguments),
}

fn main() -> anyhow::Result<()> {
    anyhow::ensure!(!cfg!(debug_assertions), "a debug build measures nothing: build with --release");
    let arguments = Arguments::parse();
    let places = Places::new()?;
    match arguments.part {
        Some(Part::Cluster(arguments)) => cluster::run(&places, arguments),
        None => compare(&places, arguments),
    }
}

fn compare(places: &Places, arguments: Arguments) -> anyhow::Result<()> {
    let pacing = if arguments.quick { Pacing::QUICK } else { Pacing::FULL };
    let pacing = Pacing {
        repetitions: arguments.repetitions.unwrap_or(pacing.repetitions),
        patience: arguments.patience.unwrap_or(pacing.patience),
        ..pacing
    };
    let is_whole = !arguments.quick && arguments.only.is_empty() && arguments.scenario.is_empty();
    let servers = chosen(arguments.only);
    let scenarios = chosen(arguments.scenario);

    let outcome = campaign::run(places, &servers, &scenarios, pacing)?;
    let text = page::write(&outcome);
    io::stdout().write_all(text.as_bytes())?;
    keep(places, &outcome, &text, is_whole)
}

/// What was asked for, or everything.
fn chosen<T: clap::ValueEnum>(asked: Vec<T>) -> Vec<T> {
    if asked.is_empty() { T::value_variants().iter().map(T::clone).collect() } else { asked }
}

/// Where things are.
#[derive(Debug)]
struct Places {
    /// The project.
    root: PathBuf,
    /// Where cargo put this program, and puts the peers.
    built: PathBuf,
    /// Raw results and the servers' logs; not committed.
    out: PathBuf,
}

impl Places {
    fn new() -> anyhow::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
        let program = std::env::current_exe()?;
        let built = program.parent().context("this program is in no directory")?.to_owned();
        let out = root.join("bench/out");
        fs::create_dir_all(&out).with_context(|| format!("{} cannot be made", out.display()))?;
        Ok(Self { root, built, out })
    }

    /// Says what was written.
    fn tell_written(&self, paths: &[&Path]) -> anyhow::Result<()> {
        for path in paths {
            let path = path.strip_prefix(&self.root).unwrap_or(path);
            writeln!(io::stderr(), "written: {}", path.display())?;
        }
        Ok(())
    }
}

/// Writes the raw figures, and the page: to the committed place only when everything was measured in full.
fn keep(places: &Places, outcome: &Outcome, text: &str, is_whole: bool) -> anyhow::Result<()> {
    let raw = places.out.join(format!("{}.json", outcome.machine.file_stamp()));
    fs::write(&raw, serde_json::to_vec_pretty(outcome)?)?;
    let page = if is_whole { places.root.join("bench/RESULTS.md") } else { places.out.join("RESULTS.md") };
    fs::write(&page, text)?;
    places.tell_written(&[&page, &raw])
}
