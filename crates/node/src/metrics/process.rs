//! The `process_*` metrics that every Prometheus client exports, from the last sample of the system.

use super::page::Page;
use crate::operator::system::Sample;

/// Adds them to a page.
pub(super) fn add(page: &mut Page, sample: &Sample) {
    let process = &sample.process;
    page.counter("process_cpu_seconds_total", "Processor time used, user and system.", process.cpu_seconds);
    let gauges = [
        ("process_resident_memory_bytes", "Resident memory.", process.resident_bytes as f64),
        ("process_virtual_memory_bytes", "Virtual memory.", process.virtual_bytes as f64),
        ("process_open_fds", "Open file descriptors.", process.open_files as f64),
        ("process_max_fds", "File descriptors that may be open.", process.open_files_max as f64),
        ("process_threads", "Threads.", process.threads as f64),
        ("process_start_time_seconds", "Start of the process since the epoch.", process.started_seconds),
    ];
    for (name, help, value) in gauges {
        page.gauge(name, help, value);
    }
}
