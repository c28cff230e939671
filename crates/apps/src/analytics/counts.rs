//! What became of the events.

use std::sync::atomic::{AtomicU64, Ordering};

use throng_node::{Family, FamilyKind, Series};

/// What may become of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The sink has it.
    Delivered,
    /// Too many were waiting.
    QueueFull,
    /// The webhook does not want it, and would not if it were asked again.
    Rejected,
    /// The webhook did not take it however often it was asked.
    GaveUp,
    /// The node left before the webhook took it.
    Shutdown,
}

impl Outcome {
    const ALL: [Self; 5] = [Self::Delivered, Self::QueueFull, Self::Rejected, Self::GaveUp, Self::Shutdown];

    const fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::QueueFull => "queue_full",
            Self::Rejected => "rejected",
            Self::GaveUp => "gave_up",
            Self::Shutdown => "shutdown",
        }
    }
}

/// Counted from any thread.
#[derive(Debug, Default)]
pub(super) struct Counts {
    events: [AtomicU64; Outcome::ALL.len()],
    attempts_failed: AtomicU64,
}

impl Counts {
    pub(super) fn add(&self, outcome: Outcome, count: usize) {
        self.events[outcome as usize].fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(super) fn attempt_failed(&self) {
        self.attempts_failed.fetch_add(1, Ordering::Relaxed);
    }

    /// How many events came to this.
    pub(super) fn get(&self, outcome: Outcome) -> u64 {
        self.events[outcome as usize].load(Ordering::Relaxed)
    }

    /// The metrics; `waiting` events are still on their way.
    pub(super) fn families(&self, waiting: usize) -> Vec<Family> {
        let plain = |value: f64| vec![Series { labels: Vec::new(), value }];
        let outcome = |outcome: Outcome| Series {
            labels: vec![("outcome", outcome.name().to_owned())],
            value: self.get(outcome) as f64,
        };
        vec![
            Family {
                name: "throng_analytics_events_total",
                help: "Analytics events, by what became of them.",
                kind: FamilyKind::Counter,
                series: Outcome::ALL.map(outcome).into(),
            },
            Family {
                name: "throng_analytics_attempts_failed_total",
                help: "Requests to the webhook that failed.",
                kind: FamilyKind::Counter,
                series: plain(self.attempts_failed.load(Ordering::Relaxed) as f64),
            },
            Family {
                name: "throng_analytics_queue",
                help: "Analytics events that wait for the webhook.",
                kind: FamilyKind::Gauge,
                series: plain(waiting as f64),
            },
        ]
    }
}
