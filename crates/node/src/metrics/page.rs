//! The pages that Prometheus reads: `/metrics` for the node, `/tenant-metrics` for its tenants. The numbers are added up
//! here, when someone asks; the text is the business of the `prometheus` crate.

use std::sync::atomic::Ordering;

use prometheus::proto::{self, LabelPair, Metric, MetricFamily, MetricType};
use prometheus::{Encoder as _, TextEncoder};
use throng_protocol::end::End;
use throng_protocol::engine::handshake::{RequestError, Transport};

use super::histogram::{Histogram, Reading};
use super::{Counter, Metrics, Overdue, apps, fleet, process};
use crate::identity::token::TokenError;
use crate::limits::Class;
use crate::node::Node;
use crate::tenants::TenantCounts;

/// Tenants with series of their own; the rest are one, `other`.
const TENANTS_MAX: usize = 20;
/// The name of the rest. A tenant of that name comes last and so is among them, or they are none.
const OTHER: &str = "other";

/// A page in the making.
#[derive(Debug, Default)]
pub(super) struct Page(Vec<MetricFamily>);

impl Page {
    pub(super) fn counter(&mut self, name: &str, help: &str, value: f64) {
        self.add(name, help, MetricType::COUNTER, [(Vec::new(), value)]);
    }

    pub(super) fn gauge(&mut self, name: &str, help: &str, value: f64) {
        self.add(name, help, MetricType::GAUGE, [(Vec::new(), value)]);
    }

    /// One family with a label.
    fn by(
        &mut self,
        kind: MetricType,
        (name, help): (&str, &str),
        label: &str,
        rows: impl IntoIterator<Item = (String, f64)>,
    ) {
        let rows = rows.into_iter().map(|(value, count)| (vec![pair(label, value)], count));
        self.add(name, help, kind, rows);
    }

    pub(super) fn add(
        &mut self,
        name: &str,
        help: &str,
        kind: MetricType,
        rows: impl IntoIterator<Item = (Vec<LabelPair>, f64)>,
    ) {
        let metrics = rows.into_iter().map(|(labels, value)| {
            let mut metric = Metric::from_label(labels);
            if kind == MetricType::COUNTER {
                let mut counter = proto::Counter::default();
                counter.set_value(value);
                metric.set_counter(counter);
            } else {
                let mut gauge = proto::Gauge::default();
                gauge.set_value(value);
                metric.set_gauge(gauge);
            }
            metric
        });
        self.family(name, help, kind, metrics.collect());
    }

    fn histogram(&mut self, name: &str, help: &str, reading: Reading) {
        self.histograms(name, help, [(Vec::new(), reading)]);
    }

    pub(super) fn histograms(
        &mut self,
        name: &str,
        help: &str,
        rows: impl IntoIterator<Item = (Vec<LabelPair>, Reading)>,
    ) {
        let metrics = rows.into_iter().map(|(labels, reading)| {
            let mut metric = Metric::from_label(labels);
            metric.set_histogram(histogram(&reading));
            metric
        });
        self.family(name, help, MetricType::HISTOGRAM, metrics.collect());
    }

    fn family(&mut self, name: &str, help: &str, kind: MetricType, metrics: Vec<Metric>) {
        let mut family = MetricFamily::default();
        family.set_name(name.to_owned());
        family.set_help(help.to_owned());
        family.set_field_type(kind);
        family.set_metric(metrics);
        self.0.push(family);
    }

    /// The text, in the format that [`CONTENT_TYPE`] names.
    fn encode(self) -> String {
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.0, &mut text) {
            tracing::error!(%error, "metrics not encoded");
        }
        String::from_utf8(text).unwrap_or_default()
    }
}

fn histogram(reading: &Reading) -> proto::Histogram {
    let buckets = reading.buckets.iter().map(|(bound, count)| {
        let mut bucket = proto::Bucket::default();
        bucket.set_upper_bound(*bound);
        bucket.set_cumulative_count(*count);
        bucket
    });
    let mut histogram = proto::Histogram::default();
    histogram.set_bucket(buckets.collect());
    histogram.set_sample_count(reading.count);
    histogram.set_sample_sum(reading.sum_seconds);
    histogram
}

/// The type of the pages.
pub(crate) const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

pub(super) fn pair(name: &str, value: String) -> LabelPair {
    let mut pair = LabelPair::default();
    pair.set_name(name.to_owned());
    pair.set_value(value);
    pair
}

/// Name, help, and where the number is.
type Row = (&'static str, &'static str, fn(&Metrics) -> &Counter);

const COUNTERS: [Row; 16] = [
    ("throng_connections_accepted_total", "TCP connections accepted.", |m| &m.connections_accepted),
    ("throng_connections_refused_total", "TCP connections refused at the connection limit.", |m| {
        &m.connections_refused
    }),
    ("throng_sessions_opened_total", "Engine.IO sessions opened.", |m| &m.sessions_opened),
    ("throng_upgrades_total", "Sessions moved from polling to WebSocket.", |m| &m.upgrades),
    ("throng_sockets_connected_total", "Sockets connected to a namespace.", |m| &m.sockets_connected),
    ("throng_sockets_refused_total", "Sockets refused by a middleware or for an unknown namespace.", |m| {
        &m.sockets_refused
    }),
    ("throng_packets_received_total", "Socket.IO packets received.", |m| &m.packets_received),
    ("throng_packets_sent_total", "Messages queued for delivery, one for each receiver.", |m| {
        &m.packets_sent
    }),
    ("throng_received_bytes_total", "Bytes of packets received.", |m| &m.bytes_received),
    ("throng_sent_bytes_total", "Bytes of messages queued for delivery, framing included.", |m| {
        &m.bytes_sent
    }),
    ("throng_volatile_dropped_total", "Volatile messages dropped for receivers that were behind.", |m| {
        &m.volatile_dropped
    }),
    ("throng_rooms_refused_total", "Rooms not joined because the tenant had all that it may.", |m| {
        &m.rooms_refused
    }),
    ("throng_messages_published_total", "Messages that other programs published over HTTP.", |m| {
        &m.messages_published
    }),
    ("throng_arguments_refused_total", "Events whose arguments no handler could take.", |m| {
        &m.arguments_refused
    }),
    ("throng_errands_dropped_total", "Operations lost because a shard's inbox was full.", |m| {
        &m.errands_dropped
    }),
    ("throng_turns_total", "Turns of the shards' loops.", |m| &m.turns.count),
];

/// Name, help, and where the numbers are, one for each end.
type EndRow = (&'static str, &'static str, fn(&Metrics) -> &[Counter]);

const ENDS: [EndRow; 2] = [
    ("throng_sessions_ended_total", "Sessions ended, by reason.", |m| &m.sessions_ended),
    ("throng_sockets_disconnected_total", "Sockets disconnected, by reason.", |m| &m.sockets_disconnected),
];

/// The metrics of a node.
pub(crate) fn node(node: &Node) -> String {
    let mut page = Page::default();
    let metrics = || node.ports.iter().map(|port| &*port.metrics);
    let sum = |read: fn(&Metrics) -> &Counter| metrics().map(|m| read(m).get()).sum::<u64>() as f64;
    for (name, help, read) in COUNTERS {
        page.counter(name, help, sum(read));
    }
    for (name, help, read) in ENDS {
        let count = |end: End| metrics().map(|m| read(m)[end as usize].get()).sum::<u64>() as f64;
        let rows = End::ALL.map(|end| (end.code().to_owned(), count(end)));
        page.by(MetricType::COUNTER, (name, help), "reason", rows);
    }
    let slow = metrics().map(|m| m.sessions_ended[End::SlowConsumer as usize].get()).sum::<u64>();
    page.counter(
        "throng_slow_consumers_total",
        "Sessions ended because the client read too slowly.",
        slow as f64,
    );
    let failures = RequestError::ALL.map(|error| {
        let count = metrics().map(|m| m.requests_refused[usize::from(error.code())].get()).sum::<u64>();
        (code(error).to_owned(), count as f64)
    });
    let about = ("throng_handshake_failures_total", "Engine.IO requests refused, by reason.");
    page.by(MetricType::COUNTER, about, "reason", failures);
    let overdue = Overdue::ALL.map(|what| {
        let count = metrics().map(|m| m.overdue[what as usize].get()).sum::<u64>();
        (what.name().to_owned(), count as f64)
    });
    let about = ("throng_timeouts_total", "What was given up because the client took too long, by reason.");
    page.by(MetricType::COUNTER, about, "reason", overdue);
    let tokens = TokenError::ALL.iter().enumerate().map(|(at, error)| {
        let count = metrics().map(|m| m.tokens_refused[at].get()).sum::<u64>();
        (error.code().to_owned(), count as f64)
    });
    page.by(MetricType::COUNTER, ("throng_tokens_refused_total", "Tokens refused, by code."), "code", tokens);
    let requests = Class::ALL.map(|class| {
        let count = metrics().map(|m| m.requests_limited[class as usize].get()).sum::<u64>();
        (class.name().to_owned(), count as f64)
    });
    let limited = requests.into_iter().chain([("events".to_owned(), sum(|m| &m.events_limited))]);
    let about = ("throng_rate_limited_total", "What was refused because it came too fast, by class.");
    page.by(MetricType::COUNTER, about, "class", limited);
    let tenants = node.tenants.counts();
    let events = tenants.iter().map(|tenant| tenant.events_received).sum::<u64>();
    page.counter("throng_events_received_total", "Events received, refused ones included.", events as f64);
    held(&mut page, node, &tenants);
    page.histogram(
        "throng_handshake_duration_seconds",
        "Time from an Engine.IO handshake request to the open session.",
        Histogram::sum(metrics().map(|m| &m.handshakes)),
    );
    page.histogram(
        "throng_shard_lag_seconds",
        "How late the shards' loops handled a timer, measured every 100 ms.",
        Histogram::sum(metrics().map(|m| &m.lag.seen)),
    );
    page.histogram(
        "throng_turn_duration_seconds",
        "Duration of the turns of the shards' loops, of one turn in sixteen.",
        Histogram::sum(metrics().map(|m| &m.turns.seen)),
    );
    if let Some(cluster) = &node.cluster {
        fleet::add(&mut page, cluster, **node.operations.probe.load());
    }
    apps::add(&mut page, &node.operations);
    process::add(&mut page, &node.operations.sample.load());
    page.encode()
}

/// What there is at the moment.
fn held(page: &mut Page, node: &Node, tenants: &[TenantCounts]) {
    let metrics = || node.ports.iter().map(|port| &*port.metrics);
    let gauge = |read: fn(&Metrics) -> &Counter| metrics().map(|m| read(m).get()).sum::<u64>() as f64;
    let all = node.connections.load(Ordering::Relaxed);
    let websockets: usize = node.ports.iter().map(|port| port.websockets.load(Ordering::Relaxed)).sum();
    let connections = [("http", all.saturating_sub(websockets)), ("websocket", websockets)];
    let rows = connections.map(|(transport, count)| (transport.to_owned(), count as f64));
    let about = ("throng_connections", "TCP connections open now, by what they speak.");
    page.by(MetricType::GAUGE, about, "transport", rows);
    let rows = [Transport::Polling, Transport::WebSocket].map(|transport| {
        let count = metrics().map(|m| m.sessions[transport as usize].get()).sum::<u64>();
        (transport.name().to_owned(), count as f64)
    });
    page.by(MetricType::GAUGE, ("throng_sessions", "Sessions open now."), "transport", rows);
    let sockets = tenants.iter().map(|tenant| tenant.sockets).sum::<u64>() as f64;
    let rooms = gauge(|m| &m.rooms);
    let connections_max = node.config.connections_max as f64;
    page.gauge("throng_connections_max", "TCP connections that may be open.", connections_max);
    page.gauge("throng_sockets", "Sockets connected now.", sockets);
    page.gauge("throng_rooms", "Rooms that have members now, summed over shards.", rooms);
    page.gauge("throng_tenants", "Tenants known.", tenants.len() as f64);
    page.gauge(
        "throng_send_queue_bytes",
        "Bytes that WebSocket clients have not taken yet.",
        gauge(|m| &m.send_queue_bytes),
    );
    page.gauge("throng_draining", "1 while the node drains.", f64::from(u8::from(node.is_draining())));
    let lags = metrics().enumerate().map(|(at, m)| (at.to_string(), m.lag.worst().as_secs_f64()));
    let about = ("throng_shard_lag_worst_seconds", "The worst lag of each shard's loop in the last 10 s.");
    page.by(MetricType::GAUGE, about, "shard", lags);
    let version = [(env!("CARGO_PKG_VERSION").to_owned(), 1.0)];
    page.by(MetricType::GAUGE, ("throng_build_info", "The version that runs."), "version", version);
    // The names under which earlier dashboards know these.
    page.gauge(
        "waiter_connected_clients",
        "Sessions open now.",
        gauge(|m| &m.sessions[0]) + gauge(|m| &m.sessions[1]),
    );
    page.gauge("waiter_total_rooms", "Rooms that have members now, summed over shards.", rooms);
    page.gauge("waiter_total_sockets", "Sockets connected now.", sockets);
}

const fn code(error: RequestError) -> &'static str {
    match error {
        RequestError::TransportUnknown => "transport_unknown",
        RequestError::SessionUnknown => "session_unknown",
        RequestError::BadHandshakeMethod => "bad_handshake_method",
        RequestError::BadRequest => "bad_request",
        RequestError::Forbidden => "forbidden",
        RequestError::UnsupportedProtocolVersion => "unsupported_version",
    }
}

/// Name, help, kind, and where the number is.
type TenantRow = (&'static str, &'static str, MetricType, fn(&TenantCounts) -> u64);

const TENANT_ROWS: [TenantRow; 6] = [
    ("throng_tenant_sessions", "Sessions open now.", MetricType::GAUGE, |t| t.connections),
    ("throng_tenant_sockets", "Sockets connected now.", MetricType::GAUGE, |t| t.sockets),
    ("throng_tenant_rooms", "Rooms that have members now, summed over shards.", MetricType::GAUGE, |t| {
        t.rooms
    }),
    (
        "throng_tenant_events_received_total",
        "Events received, refused ones included.",
        MetricType::COUNTER,
        |t| t.events_received,
    ),
    ("throng_tenant_events_refused_total", "Events refused.", MetricType::COUNTER, |t| t.events_refused),
    ("throng_tenant_received_bytes_total", "Bytes of events received.", MetricType::COUNTER, |t| {
        t.bytes_received
    }),
];

/// The metrics of the tenants: those with the most events, and the sum of the rest as `other`.
///
/// A tenant that enters or leaves the first ones starts or ends its series; `other` then jumps, which `rate()` sees as a
/// reset and not as traffic.
pub(crate) fn tenants(mut tenants: Vec<TenantCounts>) -> String {
    tenants.sort_by_cached_key(|tenant| {
        (*tenant.name == *OTHER, std::cmp::Reverse(tenant.events_received), tenant.name.clone())
    });
    let rest = tenants.split_off(tenants.len().min(TENANTS_MAX));
    let mut page = Page::default();
    for (name, help, kind, read) in TENANT_ROWS {
        let own = tenants.iter().map(|tenant| (tenant.name.to_string(), read(tenant) as f64));
        let other = (!rest.is_empty()).then(|| (OTHER.to_owned(), rest.iter().map(read).sum::<u64>() as f64));
        page.by(kind, (name, help), "tenant", own.chain(other).collect::<Vec<_>>());
    }
    page.encode()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenants::TenantName;

    #[test]
    fn the_busiest_tenants_have_series_and_the_rest_are_one() {
        let tenant = |at: u64| TenantCounts {
            name: TenantName::parse(&format!("t{at}")).unwrap(),
            connections: 1,
            sockets: 2,
            rooms: 3,
            events_received: at,
            events_refused: 0,
            bytes_received: 10 * at,
        };
        let page = tenants((1..=25).map(tenant).collect());
        let rows: Vec<_> = page.lines().filter(|line| line.starts_with("throng_tenant_sessions{")).collect();
        assert_eq!(rows.len(), TENANTS_MAX + 1);
        assert!(page.contains("throng_tenant_sessions{tenant=\"t25\"} 1\n"), "{page}");
        assert!(!page.contains("tenant=\"t5\""), "{page}");
        assert!(page.contains("throng_tenant_received_bytes_total{tenant=\"other\"} 150\n"), "{page}");
    }
}
