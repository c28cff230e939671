//! `bench-pairing`: what the lobby can do on one core, in memory and kept in Redis, and how long people wait at which load. Writes `bench/PAIRING.md`
//! and `docs/images/pairing-wait.svg`.

mod arena;
mod crowd;
mod kept;
mod machine;
mod measure;
mod page;
mod plot;
mod server;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use machine::Machine;
use measure::{Load, Rate, Saturation};

/// Tickets die on another core than they were made on, as in the server: the server's allocator is measured with them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const WAITING: [usize; 3] = [1_000, 10_000, 100_000];
const QUEUES: [usize; 2] = [1, 100];
/// Arrivals in a second, and at last the shares of what is possible.
const RATES: [f64; 7] = [100.0, 300.0, 1_000.0, 3_000.0, 10_000.0, 30_000.0, 100_000.0];
const SHARES: [f64; 4] = [0.5, 0.7, 0.9, 1.1];

/// How often what one core can is measured, all of it in turns. The best counts: whatever else a machine does, seen or not, only
/// ever makes it slower.
const ROUNDS: usize = 5;

/// How often the time to match is measured. The shortest counts, for the same reason.
const CALM_ROUNDS: usize = 3;

/// Rates up to this are watched for longer.
const SLOW: f64 = 3_000.0;

/// Measures the lobby and writes the page.
#[derive(Parser)]
struct Args {
    /// A short look, printed instead of written.
    #[arg(long)]
    quick: bool,
    /// Measures only the lobby that is kept in Redis, and replaces its part of the page.
    #[arg(long)]
    redis: bool,
}

/// How many wait in the lobby that is kept in Redis.
const KEPT_WAITING: [usize; 2] = [1_000, 10_000];

/// All that was measured in memory.
struct Measured {
    machine: Machine,
    saturations: Vec<Saturation>,
    /// Half of saturation with each number waiting.
    halves: Vec<Load>,
    /// From few arrivals to too many, with nobody waiting at first.
    loads: Vec<Load>,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let lasts = Duration::from_secs(if args.quick { 1 } else { 4 });
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let pairing = root.join("bench/PAIRING.md");
    let memory = if args.redis {
        page::before_kept(&fs::read_to_string(&pairing)?)
    } else {
        let measured = measure_memory(lasts)?;
        if !args.quick {
            fs::write(root.join("docs/images/pairing-wait.svg"), page::plot(&measured).svg())?;
        }
        page::write(&measured)
    };
    let machine = Machine::look()?;
    let mut kepts = Vec::new();
    for waiting in KEPT_WAITING {
        let kept = kept::measure(waiting, lasts)?;
        eprintln!("{waiting} waiting, in Redis: {:.0} pairings/s", kept.pairings_per_second);
        kepts.push(kept);
    }
    let page = memory + &page::write_kept(&machine, &kepts);
    if args.quick {
        io::stdout().write_all(page.as_bytes())?;
        return Ok(());
    }
    fs::write(pairing, page)?;
    Ok(())
}

fn measure_memory(lasts: Duration) -> anyhow::Result<Measured> {
    let mut measured = Measured {
        machine: Machine::look()?,
        saturations: Vec::new(),
        halves: Vec::new(),
        loads: Vec::new(),
    };
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        for (queues, waiting) in
            QUEUES.into_iter().flat_map(|queues| WAITING.map(|waiting| (queues, waiting)))
        {
            let saturation = measure::saturation(waiting, queues, lasts)?;
            eprintln!(
                "{waiting} waiting, {queues} queues: {:.0} pairings/s, {:.2} µs an arrival",
                saturation.pairings_per_second, saturation.micros_per_arrival
            );
            rounds.push(saturation);
        }
    }
    measured.saturations = best(rounds);
    for Saturation { waiting, queues, arrivals_per_second: saturation, .. } in &measured.saturations {
        let half = Rate { arrivals_per_second: saturation / 2.0, saturation: *saturation };
        let rounds = (0..CALM_ROUNDS).map(|_| measure::load(*waiting, *queues, half, lasts));
        let rounds = rounds.collect::<anyhow::Result<Vec<_>>>()?;
        measured
            .halves
            .extend(rounds.into_iter().min_by_key(|load| load.tally.matching.value_at_quantile(0.99)));
    }
    let saturation = measure::saturation(0, 1, lasts)?.arrivals_per_second;
    let rates = RATES.into_iter().filter(|rate| *rate < saturation / 2.0);
    for arrivals_per_second in rates.chain(SHARES.map(|share| share * saturation)) {
        // Where few come, many wait until their demands have fallen.
        let lasts = if arrivals_per_second <= SLOW { lasts * 8 } else { lasts };
        let load = measure::load(0, 1, Rate { arrivals_per_second, saturation }, lasts)?;
        eprintln!(
            "{arrivals_per_second:.0} arrivals/s: waits {:?} ns",
            load.tally.waits.value_at_quantile(0.5)
        );
        measured.loads.push(load);
    }
    Ok(measured)
}

/// The cheapest arrivals of each crowd.
fn best(rounds: Vec<Saturation>) -> Vec<Saturation> {
    let mut best = BTreeMap::new();
    for round in rounds {
        match best.entry((round.queues, round.waiting)) {
            Entry::Vacant(free) => drop(free.insert(round)),
            Entry::Occupied(mut held) if round.micros_per_arrival < held.get().micros_per_arrival => {
                held.insert(round);
            }
            Entry::Occupied(_) => {}
        }
    }
    best.into_values().collect()
}
