//! Runs Throng and its peers side by side: each server in turn alone on one core, the driver on another, the same load
//! for each. Prints the tables, checks the performance budget, and writes them with the machine and the date.

mod budget;
mod campaign;
mod figure;
mod machine;
mod page;
mod process;
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
#[command(name = "bench-compare")]
struct Arguments {
    /// A short look, about three minutes: one repetition, short runs, no idle CPU
    #[arg(long)]
    quick: bool,
    /// Only these servers
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Server>,
    /// Only these scenarios
    #[arg(long, value_enum, value_delimiter = ',')]
    scenario: Vec<Scenario>,
    /// How often each is measured; the median counts
    #[arg(long)]
    repetitions: Option<usize>,
    /// How long each run may be put off, or repeated, until nobody else uses the two cores [default: 60s; quick: 0s]
    #[arg(long, value_parser = throng_bench::duration)]
    patience: Option<Duration>,
}

fn main() -> anyhow::Result<()> {
    anyhow::ensure!(!cfg!(debug_assertions), "a debug build measures nothing: build with --release");
    let arguments = Arguments::parse();
    let pacing = if arguments.quick { Pacing::QUICK } else { Pacing::FULL };
    let pacing = Pacing {
        repetitions: arguments.repetitions.unwrap_or(pacing.repetitions),
        patience: arguments.patience.unwrap_or(pacing.patience),
        ..pacing
    };
    let is_whole = !arguments.quick && arguments.only.is_empty() && arguments.scenario.is_empty();
    let servers = chosen(arguments.only);
    let scenarios = chosen(arguments.scenario);

    let places = Places::new()?;
    fs::create_dir_all(&places.out).with_context(|| format!("{} cannot be made", places.out.display()))?;
    let outcome = campaign::run(&places, &servers, &scenarios, pacing)?;
    let text = page::write(&outcome);
    io::stdout().write_all(text.as_bytes())?;
    keep(&places, &outcome, &text, is_whole)
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
    /// Where cargo put this program, and puts the servers.
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
        Ok(Self { root, built, out })
    }
}

/// Writes the raw figures, and the page: to the committed place only when everything was measured in full.
fn keep(places: &Places, outcome: &Outcome, text: &str, is_whole: bool) -> anyhow::Result<()> {
    let stamp = outcome.machine.date.replace([':', ' '], "-");
    let raw = places.out.join(format!("{stamp}.json"));
    fs::write(&raw, serde_json::to_vec_pretty(outcome)?)?;
    let page = if is_whole { places.root.join("bench/RESULTS.md") } else { places.out.join("RESULTS.md") };
    fs::write(&page, text)?;
    for path in [&page, &raw] {
        let path = path.strip_prefix(&places.root).unwrap_or(path);
        writeln!(io::stderr(), "written: {}", path.display())?;
    }
    Ok(())
}
