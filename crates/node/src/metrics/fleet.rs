//! What a node of a fleet counts of the others and of the way to them.

use std::sync::atomic::{AtomicU64, Ordering};

use super::page::Page;
use crate::cluster::Cluster;
use crate::operator::fleet::Probe;

/// Adds the families of a node that has others.
pub(super) fn add(page: &mut Page, cluster: &Cluster, probe: Probe) {
    let status = cluster.status();
    let members = cluster.others().len() + 1;
    page.gauge("throng_members", "Nodes of the fleet that are alive, this one included.", members as f64);
    let connected = f64::from(u8::from(status.connected));
    page.gauge("throng_backbone_connected", "1 while the backbone's store can be reached.", connected);
    page.gauge(
        "throng_backbone_latency_seconds",
        "How long the backbone's store took to answer last, asked every second; 1 s is no answer.",
        probe.latency.as_secs_f64(),
    );
    let counts = &cluster.counts;
    let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
    for (name, help, value) in [
        (
            "throng_backbone_messages_received_total",
            "Messages of other nodes.",
            load(&counts.received) + status.deliveries_unwanted,
        ),
        (
            "throng_backbone_messages_foreign_total",
            "Messages of other nodes for rooms without a member here.",
            load(&counts.foreign) + status.deliveries_unwanted,
        ),
        (
            "throng_backbone_messages_malformed_total",
            "Messages of other nodes that were not understood.",
            load(&counts.malformed),
        ),
        (
            "throng_backbone_messages_refused_total",
            "Messages for other nodes that the backbone did not take.",
            load(&counts.refused),
        ),
        (
            "throng_backbone_unrecorded_total",
            "Events that clients who missed them do not recover.",
            load(&counts.unrecorded),
        ),
        ("throng_members_swept_total", "Crashed nodes that this one has cleared away.", load(&counts.swept)),
        ("throng_backbone_messages_published_total", "Messages handed to the store.", status.published),
        (
            "throng_backbone_volatile_dropped_total",
            "Volatile messages dropped while the store was away or slow.",
            status.volatile_dropped,
        ),
        (
            "throng_backbone_publishes_refused_total",
            "Messages refused because too many waited for the store.",
            status.publishes_refused,
        ),
        (
            "throng_backbone_publishes_failed_total",
            "Messages that the store would not take.",
            status.publishes_failed,
        ),
        (
            "throng_backbone_deliveries_dropped_total",
            "Messages that arrived faster than they were taken.",
            status.deliveries_dropped,
        ),
        (
            "throng_backbone_resyncs_total",
            "Times that messages of other nodes may have been missed.",
            status.resyncs,
        ),
        ("throng_backbone_reconnects_total", "Connections to the store made anew.", status.reconnects),
    ] {
        page.counter(name, help, value as f64);
    }
}
