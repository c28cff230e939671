//! The comparison as a page of Markdown: the figures, the budget, what stands behind each figure, and how to repeat it.

use crate::{
    budget::{self, Row},
    campaign::{OTHERS_SHARE_MAX, Outcome, Sample},
    figure::{Figure, Spread},
    scenario::{SLICE, Scenario},
    server::Server,
};
use std::fmt::{self, Write};
use throng_bench::Report;

/// Writes the page.
pub(crate) fn write(outcome: &Outcome) -> String {
    let mut page = String::new();
    let write = |page: &mut String| -> fmt::Result {
        head(page, outcome)?;
        summary(page, outcome)?;
        check(page, budget::check(outcome))?;
        details(page, outcome)?;
        notes(page, outcome)
    };
    write(&mut page).expect("a string takes any text");
    page
}

fn head(page: &mut String, outcome: &Outcome) -> fmt::Result {
    let machine = &outcome.machine;
    let pacing = outcome.pacing;
    writeln!(page, "# Measured, side by side\n")?;
    writeln!(
        page,
        "Measured on {} UTC: {}, {} cores, {}, {}. The servers share one core, the driver has another; the same load for \
         each, over loopback, without TLS. Repetitions: {}, in each of which all servers are up and connected, and are \
         driven in slices of {} s, in an order of chance, while the others rest, until each has been measured for {} s, after \
         {} s of warm-up. Medians count, and of ratios those within a repetition. Idle sockets are measured once, with one server \
         up at a time.\n",
        machine.date,
        machine.cpu,
        machine.cores,
        machine.memory,
        machine.kernel,
        pacing.repetitions,
        SLICE.as_secs_f64(),
        pacing.duration.as_secs_f64(),
        pacing.warm_up.as_secs_f64()
    )?;
    writeln!(
        page,
        "`make bench` measures again and writes this page; `make bench ARGS=--quick` takes a short look.\n"
    )?;
    for (server, version) in &outcome.servers {
        writeln!(page, "- **{}** {version}", server.name())?;
    }
    writeln!(page)
}

/// One line per server, one column per figure.
fn summary(page: &mut String, outcome: &Outcome) -> fmt::Result {
    let figures: Vec<Figure> =
        Figure::ALL.into_iter().filter(|figure| outcome.scenarios.contains(&figure.scenario())).collect();
    write!(page, "| server |")?;
    for figure in &figures {
        write!(page, " {} |", figure.title())?;
    }
    writeln!(page, "\n|---|{}", "---:|".repeat(figures.len()))?;
    for (server, _) in &outcome.servers {
        write!(page, "| {} |", server.name())?;
        for figure in &figures {
            let value = figure.spread(outcome, *server).map(|spread| figure.show(spread.median));
            write!(page, " {} |", value.as_deref().unwrap_or("–"))?;
        }
        writeln!(page)?;
    }
    writeln!(page)
}

/// The budget, checked.
pub(crate) fn check(page: &mut String, rows: Vec<Row>) -> fmt::Result {
    writeln!(page, "## Throng's budget\n")?;
    writeln!(page, "| what | budget | measured | |\n|---|---|---:|---|")?;
    for row in rows {
        writeln!(page, "| {} | {} | {} | {} |", row.what, row.budget, row.measured, row.verdict.text())?;
    }
    writeln!(page)
}

/// What stands behind each figure: its spread, who used how much CPU, and the latencies.
fn details(page: &mut String, outcome: &Outcome) -> fmt::Result {
    for &scenario in &outcome.scenarios {
        writeln!(page, "## {}\n\n{}\n", scenario.title(), scenario.explanation(outcome.pacing))?;
        if scenario == Scenario::Idle {
            idle(page, outcome)?
        } else {
            load(page, outcome, scenario)?
        }
        writeln!(page)?;
    }
    Ok(())
}

fn load(page: &mut String, outcome: &Outcome, scenario: Scenario) -> fmt::Result {
    let figure =
        Figure::ALL.into_iter().find(|figure| figure.scenario() == scenario).expect("each has a figure");
    writeln!(
        page,
        "| server | per server CPU-second | lowest – highest | Throng does | a second | server CPU | driver CPU | others | p50 ms | p99 ms |"
    )?;
    writeln!(page, "|---|{}", "---:|".repeat(9))?;
    for &(server, _) in &outcome.servers {
        let Some(spread) = figure.spread(outcome, server) else { continue };
        let median = |value: fn(&Sample) -> f64| median(outcome, server, scenario, value);
        let millis = |micros: f64| format!("{:.2}", micros / 1000.0);
        writeln!(
            page,
            "| {} | {} | {} – {} | {} | {} | {} | {} | {} | {} | {} |",
            server.name(),
            figure.show(spread.median),
            figure.show(spread.low),
            figure.show(spread.high),
            figure
                .ratio(outcome, Server::Throng, server)
                .map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2} ×")),
            figure.show(median(|sample| sample.report.rate)),
            percent(median(|sample| sample.server_cpu_seconds / sample.report.seconds)),
            percent(median(|sample| sample.report.driver_cpu_share)),
            percent(median(|sample| sample.others_cpu_share)),
            millis(median(|sample| sample.report.latency_micros.map_or(0.0, |latency| latency.p50))),
            millis(median(|sample| sample.report.latency_micros.map_or(0.0, |latency| latency.p99))),
        )?;
    }
    Ok(())
}

fn idle(page: &mut String, outcome: &Outcome) -> fmt::Result {
    writeln!(
        page,
        "| server | KiB RSS per socket | lowest – highest | RSS before, MiB | RSS with all, MiB | PSS with all, MiB | CPU, µs/s per socket |"
    )?;
    writeln!(page, "|---|{}", "---:|".repeat(6))?;
    for &(server, _) in &outcome.servers {
        let Some(spread) = Figure::IdleMemory.spread(outcome, server) else { continue };
        let mib = |value: fn(&Sample) -> f64| {
            format!("{:.1}", median(outcome, server, Scenario::Idle, value) / 1024.0)
        };
        let cpu = Figure::IdleCpu.spread(outcome, server).map(|spread| Figure::IdleCpu.show(spread.median));
        writeln!(
            page,
            "| {} | {:.2} | {:.2} – {:.2} | {} | {} | {} | {} |",
            server.name(),
            spread.median,
            spread.low,
            spread.high,
            mib(|sample| sample.memory_before.rss_kib as f64),
            mib(|sample| sample.memory_after.rss_kib as f64),
            mib(|sample| sample.memory_after.pss_kib as f64),
            cpu.as_deref().unwrap_or("–")
        )?;
    }
    Ok(())
}

fn median(outcome: &Outcome, server: Server, scenario: Scenario, value: fn(&Sample) -> f64) -> f64 {
    Spread::of(outcome.samples_of(server, scenario).map(value).collect()).map_or(0.0, |spread| spread.median)
}

/// `0.123` as `12 %`.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// A word about other processes that used the two cores, if they did; what they used in each run.
pub(crate) fn disturbance(shares: &[f64]) -> Option<String> {
    let disturbed: Vec<f64> = shares.iter().copied().filter(|&share| share > OTHERS_SHARE_MAX).collect();
    let most = disturbed.iter().copied().max_by(f64::total_cmp)?;
    Some(format!(
        "**The machine was not quiet**: in {} of {} runs others used more than {} of a core, up to {}. Measure again.",
        disturbed.len(),
        shares.len(),
        percent(OTHERS_SHARE_MAX),
        percent(most)
    ))
}

/// What a reader must know before believing a figure.
fn notes(page: &mut String, outcome: &Outcome) -> fmt::Result {
    let mut notes = outcome.notes.clone();
    let shares: Vec<f64> = outcome.samples.iter().map(|sample| sample.others_cpu_share).collect();
    notes.extend(disturbance(&shares));
    for &scenario in &outcome.scenarios {
        for &(server, _) in &outcome.servers {
            let reports = outcome.samples_of(server, scenario).map(|sample| &sample.report);
            notes.extend(bottleneck(&format!("{} {}", server.name(), scenario.name()), reports));
        }
    }
    for sample in &outcome.samples {
        let name =
            format!("{} {}, repetition {}", sample.server.name(), sample.scenario.name(), sample.repetition);
        notes.extend(faults(&name, &sample.report));
        if sample.scenario != Scenario::Connects {
            notes.extend(absences(&name, &sample.report));
        }
    }
    list(page, &notes)
}

/// In how many repetitions the driver was the bottleneck, if it was.
pub(crate) fn bottleneck<'a>(name: &str, reports: impl Iterator<Item = &'a Report>) -> Option<String> {
    let reports: Vec<_> = reports.collect();
    let bound = reports.iter().filter(|report| report.driver_bound);
    let shares: Vec<f64> = bound.map(|report| report.driver_cpu_share).collect();
    let repetitions = format!("in {} of {} repetitions", shares.len(), reports.len());
    let Spread { low, high, .. } = Spread::of(shares)?;
    let low = format!("{:.0}", low * 100.0);
    Some(format!(
        "{name}: the driver was the bottleneck ({low} to {} of its core) {repetitions}",
        percent(high)
    ))
}

/// What the clients of a run met.
pub(crate) fn faults(name: &str, report: &Report) -> Vec<String> {
    report.faults.iter().map(|(fault, count)| format!("{name}: {fault} {count}")).collect()
}

/// How many connections a run went without, if it did.
pub(crate) fn absences(name: &str, report: &Report) -> Option<String> {
    let Report { connections, connections_wanted, .. } = report;
    (connections < connections_wanted)
        .then(|| format!("{name}: {connections} of {connections_wanted} connections"))
}

/// The notes, if there are any.
pub(crate) fn list(page: &mut String, notes: &[String]) -> fmt::Result {
    if notes.is_empty() {
        return Ok(());
    }
    writeln!(page, "## Notes\n")?;
    notes.iter().try_for_each(|note| writeln!(page, "- {note}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use throng_bench::DRIVER_SHARE_MAX;

    fn report(driver_cpu_share: f64) -> Report {
        Report {
            what: "round trips",
            connections: 1,
            connections_wanted: 1,
            seconds: 1.0,
            done: 1,
            rate: 1.0,
            sent: 1,
            under_way: 0,
            received_bytes: 1,
            latency_micros: None,
            faults: BTreeMap::new(),
            driver_cpu_share,
            driver_bound: driver_cpu_share > DRIVER_SHARE_MAX,
        }
    }

    #[track_caller]
    fn check(shares: &[f64], expected: Option<&str>) {
        let reports: Vec<Report> = shares.iter().map(|&share| report(share)).collect();
        assert_eq!(bottleneck("floor echo", reports.iter()).as_deref(), expected);
    }

    #[test]
    fn a_bottleneck_is_told_once_for_all_repetitions() {
        check(&[0.5, 0.9], None);
        check(
            &[0.95, 0.5, 0.981],
            Some("floor echo: the driver was the bottleneck (95 to 98 % of its core) in 2 of 3 repetitions"),
        );
    }
}
