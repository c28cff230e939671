//! The first counters of a node: one set for each shard, written by that shard alone, added up when someone looks.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use throng_protocol::end::End;

use crate::node::Node;

/// A number that one thread writes and any may read; cheaper than a read-modify-write.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// Adds, on the thread that owns the counter.
    pub(crate) fn add(&self, count: u64) {
        self.0.store(self.0.load(Ordering::Relaxed) + count, Ordering::Relaxed);
    }

    /// Adds, from any thread. A counter is used with this or with [`Counter::add`], not both.
    pub(crate) fn shared_add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// Sets a gauge.
    pub(crate) fn set(&self, value: usize) {
        self.0.store(value as u64, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counters of a shard.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) connections_accepted: Counter,
    pub(crate) connections_refused: Counter,
    pub(crate) sessions_opened: Counter,
    pub(crate) sessions_ended: [Counter; End::ALL.len()],
    pub(crate) upgrades: Counter,
    pub(crate) sockets_connected: Counter,
    pub(crate) sockets_refused: Counter,
    pub(crate) sockets_disconnected: [Counter; End::ALL.len()],
    pub(crate) packets_received: Counter,
    pub(crate) packets_sent: Counter,
    pub(crate) bytes_received: Counter,
    pub(crate) volatile_dropped: Counter,
    pub(crate) arguments_refused: Counter,
    pub(crate) errands_dropped: Counter,
    pub(crate) rooms_refused: Counter,
    pub(crate) events_limited: Counter,
    pub(crate) rooms: Counter,
}

/// Name, help, and where the number is.
type Row = (&'static str, &'static str, fn(&Metrics) -> &Counter);

const COUNTERS: [Row; 13] = [
    ("connections_accepted", "TCP connections accepted.", |m| &m.connections_accepted),
    ("connections_refused", "TCP connections refused at the connection limit.", |m| &m.connections_refused),
    ("sessions_opened", "Engine.IO sessions opened.", |m| &m.sessions_opened),
    ("upgrades", "Sessions moved from polling to WebSocket.", |m| &m.upgrades),
    ("sockets_connected", "Sockets connected to a namespace.", |m| &m.sockets_connected),
    ("sockets_refused", "Sockets refused by a middleware or for an unknown namespace.", |m| {
        &m.sockets_refused
    }),
    ("packets_received", "Socket.IO packets received.", |m| &m.packets_received),
    ("packets_sent", "Messages queued for delivery, one for each receiver.", |m| &m.packets_sent),
    ("received_bytes", "Bytes of packets received.", |m| &m.bytes_received),
    ("volatile_dropped", "Volatile messages dropped for receivers that could not take them.", |m| {
        &m.volatile_dropped
    }),
    ("rooms_refused", "Rooms not joined because the tenant had all that it may.", |m| &m.rooms_refused),
    ("events_limited", "Events refused because they came too fast.", |m| &m.events_limited),
    ("arguments_refused", "Events whose arguments no handler could take.", |m| &m.arguments_refused),
];

/// Name, help, and where the numbers are, one for each end.
type EndRow = (&'static str, &'static str, fn(&Metrics) -> &[Counter]);

const ENDS: [EndRow; 2] = [
    ("sessions_ended_total", "Sessions ended, by reason.", |m| &m.sessions_ended),
    ("sockets_disconnected_total", "Sockets disconnected, by reason.", |m| &m.sockets_disconnected),
];

/// The metrics of a node in the Prometheus text format.
pub(crate) fn render(node: &Node) -> String {
    let mut page = String::new();
    let sum =
        |read: fn(&Metrics) -> &Counter| node.ports.iter().map(|port| read(&port.metrics).get()).sum::<u64>();
    for (name, help, read) in COUNTERS {
        head(&mut page, &format!("{name}_total"), help, "counter");
        line(&mut page, &format!("{name}_total"), sum(read));
    }
    head(&mut page, "errands_dropped_total", "Operations lost because a shard's inbox was full.", "counter");
    line(&mut page, "errands_dropped_total", sum(|m| &m.errands_dropped));

    for (name, help, read) in ENDS {
        head(&mut page, name, help, "counter");
        for end in End::ALL {
            let count: u64 = node.ports.iter().map(|port| read(&port.metrics)[end as usize].get()).sum();
            line(&mut page, &format!("{name}{{reason=\"{}\"}}", end.code()), count);
        }
    }
    head(&mut page, "connections", "TCP connections open now.", "gauge");
    line(&mut page, "connections", node.connections.load(Ordering::Relaxed) as u64);
    head(&mut page, "rooms", "Rooms that have members now, summed over shards.", "gauge");
    line(&mut page, "rooms", sum(|m| &m.rooms));
    page
}

fn head(page: &mut String, name: &str, help: &str, kind: &str) {
    let _ = writeln!(page, "# HELP throng_{name} {help}\n# TYPE throng_{name} {kind}");
}

fn line(page: &mut String, name: &str, value: u64) {
    let _ = writeln!(page, "throng_{name} {value}");
}
