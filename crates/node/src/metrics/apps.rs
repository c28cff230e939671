//! What apps count, on the node's page: the statistics that every app has, and the metrics of its own that one may have.

use prometheus::proto::{LabelPair, MetricType};

use super::family::{FamilyKind, Series};
use super::histogram::Reading;
use super::page::{Page, pair};
use crate::operator::Operations;
use crate::operator::statistics::{AppStatistics, Distribution};

/// Adds the families of all apps.
pub(super) fn add(page: &mut Page, operations: &Operations) {
    let apps: Vec<_> = operations
        .statistics
        .iter()
        .filter_map(|statistics| Some((statistics.app, statistics.read(None)?)))
        .collect();
    // A family without a series would be no text at all, but a reader should not depend on that.
    if !apps.is_empty() {
        statistics(page, &apps);
    }
    for family in operations.families.iter().flat_map(|families| families.read()) {
        let kind = match family.kind {
            FamilyKind::Counter => MetricType::COUNTER,
            FamilyKind::Gauge => MetricType::GAUGE,
        };
        let series = family.series.into_iter().map(|Series { labels, value }| {
            (labels.into_iter().map(|(name, value)| pair(name, value)).collect(), value)
        });
        page.add(family.name, family.help, kind, series);
    }
}

fn statistics(page: &mut Page, apps: &[(&'static str, AppStatistics)]) {
    let each = |read: fn(&AppStatistics) -> u64| {
        apps.iter().map(move |(name, app)| (vec![of(name)], read(app) as f64)).collect::<Vec<_>>()
    };
    page.add("throng_app_rooms", "Rooms that are on.", MetricType::GAUGE, each(|app| app.rooms_active));
    let waiting = apps.iter().flat_map(|(name, app)| {
        app.waiting.iter().map(|(queue, count)| (vec![of(name), pair("queue", queue.clone())], *count as f64))
    });
    page.add("throng_app_users_waiting", "Users who wait to be paired.", MetricType::GAUGE, waiting);
    let ended = apps.iter().flat_map(|(name, app)| {
        let row = |(reason, count): (&&str, &u64)| {
            (vec![of(name), pair("reason", (*reason).to_owned())], *count as f64)
        };
        app.rooms_ended.iter().map(row)
    });
    page.add("throng_app_rooms_ended_total", "Rooms ended, by reason.", MetricType::COUNTER, ended);
    page.add(
        "throng_app_pairings_total",
        "Pairings, also those of which no room came.",
        MetricType::COUNTER,
        each(|app| app.pairings),
    );
    page.add(
        "throng_app_messages_total",
        "Messages said in rooms.",
        MetricType::COUNTER,
        each(|app| app.messages),
    );
    let waits = apps.iter().map(|(name, app)| (vec![of(name)], reading(&app.waits)));
    page.histograms("throng_app_wait_seconds", "How long those who were paired had waited.", waits);
}

fn of(app: &str) -> LabelPair {
    pair("app", app.to_owned())
}

fn reading(waits: &Distribution) -> Reading {
    Reading {
        buckets: waits.buckets().map(|(bound, count)| (bound.as_secs_f64(), count)).collect(),
        count: waits.count(),
        sum_seconds: waits.sum().as_secs_f64(),
    }
}
