//! The comparison of fleets as a page of Markdown.

use super::{
    Outcome, Sample,
    figure::Figure,
    fleet::Fleet,
    load::{ClusterLoad, RATE},
    verdict,
};
use crate::{
    figure::{Spread, thousands},
    page::{absences, bottleneck, check, disturbance, faults, list, percent},
};
use std::fmt::{self, Write};

/// Writes the page.
pub(super) fn write(outcome: &Outcome) -> String {
    let mut page = String::new();
    let write = |page: &mut String| -> fmt::Result {
        head(page, outcome)?;
        summary(page, outcome)?;
        check(page, verdict::check(outcome))?;
        outcome.loads.iter().try_for_each(|load| details(page, outcome, *load))?;
        notes(page, outcome)
    };
    write(&mut page).expect("a string takes any text");
    page
}

fn head(page: &mut String, outcome: &Outcome) -> fmt::Result {
    let (machine, pacing) = (&outcome.machine, outcome.pacing);
    writeln!(page, "# Two nodes, side by side\n")?;
    writeln!(
        page,
        "Measured on {} UTC: {}, {} cores, {}, {}. Two nodes and a Redis {} that nobody else uses share one core, the driver has \
         another; the same load for each, over loopback, without TLS. A CPU-second is one of all three processes, Redis \
         included. Repetitions: {}, of which the median counts; {} s are measured after {} s of warm-up, on processes that \
         have worked for {} s before.\n",
        machine.date,
        machine.cpu,
        machine.cores,
        machine.memory,
        machine.kernel,
        outcome.redis,
        pacing.repetitions,
        pacing.duration.as_secs_f64(),
        pacing.warm_up.as_secs_f64(),
        pacing.rehearsal.as_secs_f64()
    )?;
    writeln!(
        page,
        "`make bench-cluster` measures again and writes this page; `make bench-cluster ARGS=--quick` takes a short look.\n"
    )?;
    for (fleet, version) in &outcome.fleets {
        writeln!(page, "- **{}** {version}", fleet.name())?;
    }
    writeln!(page)
}

/// One line per figure, one column per fleet.
fn summary(page: &mut String, outcome: &Outcome) -> fmt::Result {
    write!(page, "| |")?;
    for (fleet, _) in &outcome.fleets {
        write!(page, " {} |", fleet.name())?;
    }
    writeln!(page, "\n|---|{}", "---:|".repeat(outcome.fleets.len()))?;
    for figure in Figure::ALL.into_iter().filter(|figure| outcome.loads.contains(&figure.load())) {
        write!(page, "| {} |", figure.title())?;
        for (fleet, _) in &outcome.fleets {
            let value = figure.spread(outcome, *fleet).map(|spread| figure.show(spread.median));
            write!(page, " {} |", value.as_deref().unwrap_or("–"))?;
        }
        writeln!(page)?;
    }
    writeln!(page)
}

/// What stands behind the figures of a load: the spread, who used how much CPU, and the latencies.
fn details(page: &mut String, outcome: &Outcome, load: ClusterLoad) -> fmt::Result {
    writeln!(page, "## {}\n\n{}\n", load.title(), load.explanation())?;
    writeln!(
        page,
        "| fleet | per CPU-second | lowest – highest | Throng does | a second | nodes' CPU | Redis' CPU | driver CPU | others | \
         p50 ms | p99 ms | for rooms not hosted |"
    )?;
    writeln!(page, "|---|{}", "---:|".repeat(11))?;
    let done = |fleet| Figure::Done(load).spread(outcome, fleet);
    let throng = done(Fleet::Throng).map(|spread| spread.median);
    for &(fleet, _) in &outcome.fleets {
        let Some(spread) = done(fleet) else { continue };
        let median = |value: fn(&Sample) -> f64| {
            let values = outcome.samples_of(fleet, load).map(value).collect();
            Spread::of(values).map_or(0.0, |spread| spread.median)
        };
        let shown = |figure: Figure| {
            let spread = figure.spread(outcome, fleet);
            spread.map_or_else(|| "–".to_owned(), |spread| figure.show(spread.median))
        };
        writeln!(
            page,
            "| {} | {} | {} – {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            fleet.name(),
            thousands(spread.median),
            thousands(spread.low),
            thousands(spread.high),
            throng.map_or_else(|| "–".to_owned(), |throng| format!("{:.2} ×", throng / spread.median)),
            thousands(median(|sample| sample.report.rate)),
            percent(median(|sample| sample.spent.nodes_seconds / sample.report.seconds)),
            percent(median(|sample| sample.spent.redis_seconds / sample.report.seconds)),
            percent(median(|sample| sample.report.driver_cpu_share)),
            percent(median(|sample| sample.others_cpu_share)),
            shown(Figure::P50(load)),
            shown(Figure::P99(load)),
            shown(Figure::Foreign(load)),
        )?;
    }
    writeln!(page)
}

/// What a reader must know before believing a figure.
fn notes(page: &mut String, outcome: &Outcome) -> fmt::Result {
    let mut notes = outcome.notes.clone();
    notes.extend(saturation(outcome));
    let shares: Vec<f64> = outcome.samples.iter().map(|sample| sample.others_cpu_share).collect();
    notes.extend(disturbance(&shares));
    for &load in &outcome.loads {
        for &(fleet, _) in &outcome.fleets {
            let reports = outcome.samples_of(fleet, load).map(|sample| &sample.report);
            notes.extend(bottleneck(&format!("{}, {}", fleet.name(), load.title()), reports));
        }
    }
    for sample in &outcome.samples {
        let name =
            format!("{}, {}, repetition {}", sample.fleet.name(), sample.load.title(), sample.repetition);
        notes.extend(faults(&name, &sample.report));
        notes.extend(absences(&name, &sample.report));
    }
    list(page, &notes)
}

/// How far below the slowest fleet's best the common rate is.
fn saturation(outcome: &Outcome) -> Option<String> {
    let closed = [ClusterLoad::ById, ClusterLoad::ByRoom];
    let samples = outcome.samples.iter().filter(|sample| closed.contains(&sample.load));
    let slowest = samples.min_by(|one, other| one.report.rate.total_cmp(&other.report.rate))?;
    Some(format!(
        "Latencies are compared at {} messages a second; the slowest run in a closed loop was {}, with {}.",
        thousands(RATE.into()),
        slowest.fleet.name(),
        thousands(slowest.report.rate)
    ))
}
