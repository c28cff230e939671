//! What was measured, as a page of Markdown and as a plot.

use std::fmt::{self, Write};

use hdrhistogram::Histogram;

use crate::Measured;
use crate::kept::Kept;
use crate::machine::Machine;
use crate::measure::Load;
use crate::plot::{Axis, Line, Plot};

/// Pairings in a second on one core.
const PAIRINGS_MIN: f64 = 100_000.0;
/// Milliseconds until a pair is told, at half of saturation, for 99 of 100.
const MATCHING_P99_MAX: f64 = 50.0;
/// What an arrival may cost with a hundred times as many waiting.
const GROWTH_MAX: f64 = 2.0;

/// Writes the page.
pub(crate) fn write(measured: &Measured) -> String {
    let mut page = String::new();
    let write = |page: &mut String| -> fmt::Result {
        head(page, measured)?;
        bars(page, measured)?;
        saturation(page, measured)?;
        halves(page, measured)?;
        loads(page, measured)
    };
    write(&mut page).expect("a string takes any text");
    page
}

/// The title of the last part.
const KEPT: &str = "\n## Kept in Redis\n";
/// Pairings in a second on one Redis.
const KEPT_PAIRINGS_MIN: f64 = 10_000.0;

/// The page without the part about the lobby that is kept.
pub(crate) fn before_kept(page: &str) -> String {
    page.split(KEPT).next().unwrap_or_default().to_owned()
}

/// The part about the lobby that is kept.
pub(crate) fn write_kept(machine: &Machine, kepts: &[Kept]) -> String {
    let mut part = String::new();
    let write = |part: &mut String| -> fmt::Result {
        kept_head(part, machine)?;
        kept_bars(part, kepts)?;
        kept_rows(part, kepts)
    };
    write(&mut part).expect("a string takes any text");
    part
}

fn kept_head(part: &mut String, machine: &Machine) -> fmt::Result {
    writeln!(
        part,
        "{KEPT}\nMeasured on {} UTC, load {} before. One thread for the lobby and its register, one Redis beside it without \
         persistence. Every ticket and every pairing is written before anybody is told, and so is a room of 300 bytes for each \
         pairing, which is then removed. `make bench-pairing ARGS=--redis` measures this part alone.\n",
        machine.date, machine.load
    )
}

fn kept_bars(part: &mut String, kepts: &[Kept]) -> fmt::Result {
    let verdict = |holds| if holds { "PASS" } else { "**FAIL**" };
    let slowest = least(kepts.iter().map(|kept| kept.pairings_per_second));
    let matching = most(kepts.iter().map(|kept| millis(&kept.half.matching, 0.99)));
    writeln!(
        part,
        "| what | bar | measured | |\n|---|---|---:|---|\n\
         | pairings a second on one Redis, the fewest of the table below | ≥ {} | {} | {} |\n\
         | time to match at half of that, p99, the longest | < {MATCHING_P99_MAX} ms | {matching:.3} ms | {} |\n",
        thousands(KEPT_PAIRINGS_MIN),
        thousands(slowest),
        verdict(slowest >= KEPT_PAIRINGS_MIN),
        verdict(matching < MATCHING_P99_MAX)
    )
}

fn kept_rows(part: &mut String, kepts: &[Kept]) -> fmt::Result {
    writeln!(
        part,
        "As fast as it can, with 2,000 joins under way; then arrivals by a Poisson process at half of that rate. From when somebody \
         was to arrive who was paired by that, until both were told.\n\n\
         | waiting | pairings a second | arrivals a second | lobby busy | Redis busy | arrivals at half | p50 ms | p99 ms | p99.9 ms |\n\
         |---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    )?;
    for kept in kepts {
        writeln!(
            part,
            "| {} | {} | {} | {:.0} % | {:.0} % | {} | {:.3} | {:.3} | {:.3} |",
            thousands(kept.waiting as f64),
            thousands(kept.pairings_per_second),
            thousands(kept.arrivals_per_second),
            kept.lobby_busy * 100.0,
            kept.redis_busy * 100.0,
            thousands(kept.half_arrivals_per_second),
            millis(&kept.half.matching, 0.5),
            millis(&kept.half.matching, 0.99),
            millis(&kept.half.matching, 0.999)
        )?;
    }
    Ok(())
}

fn head(page: &mut String, measured: &Measured) -> fmt::Result {
    let machine = &measured.machine;
    writeln!(
        page,
        "# Pairing, measured\n\nMeasured on {} UTC: {}, {} cores, {}, load {} before. One thread, the store in memory.\n\n\
         `make bench-pairing` measures again and writes this page and the plot in [docs/lobby.md](../docs/lobby.md); \
         `make bench-pairing ARGS=--quick` takes a short look.\n\n\
         The crowd: debaters for, against or (one in ten) on any side; 100 topics over all queues, one to three of 20 tags, half of them \
         with a language, one in ten has blocked somebody, one in four has met somebody lately. The policy is the default: \
         the same topic and a shared tag, after 5 s the same topic, after 15 s any topic that both allow. Whoever is paired \
         confirms at once. All of that is counted but making the wishes.\n",
        machine.date, machine.cpu, machine.cores, machine.kernel, machine.load
    )
}

fn bars(page: &mut String, measured: &Measured) -> fmt::Result {
    writeln!(page, "| what | bar | measured | |\n|---|---|---:|---|")?;
    let slowest = least(measured.saturations.iter().map(|saturation| saturation.pairings_per_second));
    let verdict = |holds| if holds { "PASS" } else { "**FAIL**" };
    writeln!(
        page,
        "| pairings a second on one core, the fewest of the table below | ≥ {} | {} | {} |",
        thousands(PAIRINGS_MIN),
        thousands(slowest),
        verdict(slowest >= PAIRINGS_MIN)
    )?;
    let matching = most(measured.halves.iter().map(|load| millis(&load.tally.matching, 0.99)));
    writeln!(
        page,
        "| time to match at half of saturation, p99, the longest | < {MATCHING_P99_MAX} ms | {matching:.3} ms | {} |",
        verdict(matching < MATCHING_P99_MAX)
    )?;
    for queues in crate::QUEUES {
        let costs = measured.saturations.iter().filter(|saturation| saturation.queues == queues);
        let costs: Vec<f64> = costs.map(|saturation| saturation.micros_per_arrival).collect();
        let growth = most(costs.iter().copied()) / least(costs.iter().copied());
        writeln!(
            page,
            "| cost of an arrival, the dearest to the cheapest from 1,000 to 100,000 waiting, queues: {queues} | ≤ {GROWTH_MAX} × | {growth:.2} × | {} |",
            verdict(growth <= GROWTH_MAX)
        )?;
    }
    writeln!(page)
}

fn saturation(page: &mut String, measured: &Measured) -> fmt::Result {
    writeln!(
        page,
        "## As fast as one core can\n\nSo many wait who are all for their topics; then people arrive for and against in turns, \
         one after the other. By the CPU time of the thread; the best of {} rounds, all rows in turns.\n\n\
         | waiting | queues | pairings a second | arrivals a second | µs an arrival | waiting at the end |\n|---:|---:|---:|---:|---:|---:|",
        crate::ROUNDS
    )?;
    for saturation in &measured.saturations {
        writeln!(
            page,
            "| {} | {} | {} | {} | {:.2} | {} |",
            thousands(saturation.waiting as f64),
            saturation.queues,
            thousands(saturation.pairings_per_second),
            thousands(saturation.arrivals_per_second),
            saturation.micros_per_arrival,
            thousands(saturation.waiting_at_end as f64)
        )?;
    }
    writeln!(page)
}

fn halves(page: &mut String, measured: &Measured) -> fmt::Result {
    writeln!(
        page,
        "## Time to match at half of saturation\n\nArrivals by a Poisson process. From when somebody was to arrive \
         (or was to ask for less) who was paired by that, until both were told: what the lobby adds to waiting for the right person. The best of \
         {} rounds.\n\n\
         | waiting | queues | arrivals a second | pairings | p50 ms | p99 ms | p99.9 ms | core busy |\n|---:|---:|---:|---:|---:|---:|---:|---:|",
        crate::CALM_ROUNDS
    )?;
    for load in &measured.halves {
        let matching = &load.tally.matching;
        writeln!(
            page,
            "| {} | {} | {} | {} | {:.3} | {:.3} | {:.3} | {:.0} % |",
            thousands(load.waiting as f64),
            load.queues,
            thousands(load.arrivals_per_second),
            thousands(load.tally.pairings as f64),
            millis(matching, 0.5),
            millis(matching, 0.99),
            millis(matching, 0.999),
            load.busy * 100.0
        )?;
    }
    writeln!(page)
}

fn loads(page: &mut String, measured: &Measured) -> fmt::Result {
    writeln!(
        page,
        "## Wait against load\n\nNobody waits at first. How long everybody waited who was paired, with the wait for the right person: \
         the more come, the sooner there is one, until there are more than the core can pair.\n\n\
         | arrivals a second | of saturation | pairings | wait p50 ms | wait p99 ms | to match p99 ms | core busy |\n|---:|---:|---:|---:|---:|---:|---:|"
    )?;
    for load in &measured.loads {
        writeln!(
            page,
            "| {} | {:.1} % | {} | {:.3} | {:.3} | {:.3} | {:.0} % |",
            thousands(load.arrivals_per_second),
            load.arrivals_per_second / load.saturation * 100.0,
            thousands(load.tally.pairings as f64),
            millis(&load.tally.waits, 0.5),
            millis(&load.tally.waits, 0.99),
            millis(&load.tally.matching, 0.99),
            load.busy * 100.0
        )?;
    }
    Ok(())
}

/// Wait against load.
pub(crate) fn plot(measured: &Measured) -> Plot<'static> {
    let line = |title, colour, value: fn(&Load) -> f64| Line {
        title,
        colour,
        points: measured.loads.iter().map(|load| (load.arrivals_per_second, value(load))).collect(),
    };
    Plot {
        title: "Wait against load, one core",
        across: Axis {
            title: "arrivals a second",
            marks: vec![
                (100.0, "100"),
                (1e3, "1,000"),
                (1e4, "10,000"),
                (1e5, "100,000"),
                (1e6, "1,000,000"),
            ],
        },
        up: Axis {
            title: "milliseconds",
            marks: vec![
                (0.001, "0.001"),
                (0.01, "0.01"),
                (0.1, "0.1"),
                (1.0, "1"),
                (10.0, "10"),
                (100.0, "100"),
                (1e3, "1,000"),
                (1e4, "10,000"),
            ],
        },
        lines: vec![
            line("wait, p99", "#c2410c", |load| millis(&load.tally.waits, 0.99)),
            line("wait, p50", "#f59e0b", |load| millis(&load.tally.waits, 0.5)),
            line("time to match, p99", "#2563eb", |load| millis(&load.tally.matching, 0.99)),
            line("time to match, p50", "#60a5fa", |load| millis(&load.tally.matching, 0.5)),
        ],
    }
}

fn millis(histogram: &Histogram<u64>, quantile: f64) -> f64 {
    histogram.value_at_quantile(quantile) as f64 / 1e6
}

fn least(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(f64::INFINITY, f64::min)
}

fn most(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, f64::max)
}

/// `169400.2` as `169,400`.
fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!([0.4, 999.0, 169_400.2].map(thousands), ["0", "999", "169,400"]);
    }
}
