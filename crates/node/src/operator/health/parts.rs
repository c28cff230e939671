//! The parts of a node, each with its own health, and all of them together.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use throng_protocol::engine::handshake::Transport;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Condition;
use crate::node::Node;
use crate::operator::survey;
use crate::operator::system::Sample;
use crate::shard::survey::Survey;

/// A loop that is this late keeps its clients waiting.
const LAG_MAX: Duration = Duration::from_millis(250);
/// A sample older than this means that nobody looks any more.
const SAMPLE_AGE_MAX: Duration = Duration::from_secs(30);
/// Share of the connections from which on the node is nearly full.
const NEARLY_FULL: f64 = 0.95;

pub(super) fn routes() -> OpenApiRouter<Arc<Node>> {
    OpenApiRouter::new()
        .routes(routes!(db_pool))
        .routes(routes!(sockets))
        .routes(routes!(system))
        .routes(routes!(comprehensive))
}

/// The pool of database connections.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DbPool {
    status: Condition,
    configured: bool,
    /// Connections open, idle, in use; requests that wait for one.
    size: u32,
    idle: u32,
    in_use: u32,
    waiting: u32,
}

/// The pool of database connections
///
/// A node without a database has none, and is well.
#[utoipa::path(
    get, path = "/api/health/db-pool", operation_id = "read_health_db_pool", tag = "health",
    responses(
        (status = 200, body = DbPool, description = "The pool."),
        (status = "4XX", description = "Refused by the edge.")
    )
)]
async fn db_pool() -> Json<DbPool> {
    let status = Condition::NotConfigured;
    Json(DbPool { status, configured: false, size: 0, idle: 0, in_use: 0, waiting: 0 })
}

/// What is connected.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Sockets {
    status: Condition,
    /// TCP connections open now.
    connections: usize,
    connections_max: usize,
    /// Sessions by transport.
    polling: u64,
    websocket: u64,
    /// Sockets connected to a namespace.
    sockets: u64,
    /// Rooms that have members, summed over shards.
    rooms: u64,
    /// Bytes that WebSocket clients have not taken yet.
    send_queue_bytes: u64,
}

impl Sockets {
    fn of(node: &Node) -> Self {
        let sum = |read: fn(&crate::metrics::Metrics) -> &crate::metrics::Counter| {
            node.ports.iter().map(|port| read(&port.metrics).get()).sum::<u64>()
        };
        let connections = node.connections.load(Ordering::Relaxed);
        let connections_max = node.config.connections_max;
        let full = connections as f64 >= connections_max as f64 * NEARLY_FULL;
        Self {
            status: if full { Condition::Degraded } else { Condition::Ok },
            connections,
            connections_max,
            polling: sum(|m| &m.sessions[Transport::Polling as usize]),
            websocket: sum(|m| &m.sessions[Transport::WebSocket as usize]),
            sockets: node.tenants.counts().iter().map(|tenant| tenant.sockets).sum(),
            rooms: sum(|m| &m.rooms),
            send_queue_bytes: sum(|m| &m.send_queue_bytes),
        }
    }
}

/// What is connected
#[utoipa::path(
    get, path = "/api/health/sockets", operation_id = "read_health_sockets", tag = "health",
    responses(
        (status = 200, body = Sockets, description = "The sockets."),
        (status = "4XX", description = "Refused by the edge.")
    )
)]
async fn sockets(State(node): State<Arc<Node>>) -> Json<Sockets> {
    Json(Sockets::of(&node))
}

/// The system under the node, as it was a few seconds ago.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct System {
    status: Condition,
    /// Seconds since the node began.
    uptime: f64,
    /// Seconds since the machine began.
    machine_uptime: f64,
    cpu: Cpu,
    memory: Memory,
    /// The load average over 1, 5 and 15 minutes.
    load: [f64; 3],
    shards: Vec<ShardHealth>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Cpu {
    cores: usize,
    /// What the process uses, in percent of one core.
    process_percent: f64,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Memory {
    /// Resident memory of the process.
    process_bytes: u64,
    machine_bytes: u64,
    machine_available_bytes: u64,
}

/// One shard.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ShardHealth {
    shard: usize,
    connections: usize,
    /// The worst lag of its loop in the last ten seconds.
    lag_millis: f64,
}

impl System {
    fn of(node: &Node) -> Self {
        let sample = node.operations.sample.load();
        let lags = || node.ports.iter().map(|port| port.metrics.lag.worst());
        let shards = node.ports.iter().zip(lags()).enumerate().map(|(shard, (port, lag))| ShardHealth {
            shard,
            connections: port.connections.load(Ordering::Relaxed),
            lag_millis: millis(lag),
        });
        let well = lags().all(|lag| lag < LAG_MAX) && is_fresh(&sample);
        Self {
            status: if well { Condition::Ok } else { Condition::Degraded },
            uptime: node.uptime().as_secs_f64(),
            machine_uptime: sample.host.uptime.as_secs_f64(),
            cpu: Cpu {
                cores: std::thread::available_parallelism().map_or(1, usize::from),
                process_percent: sample.cpu_percent,
            },
            memory: Memory {
                process_bytes: sample.process.resident_bytes,
                machine_bytes: sample.host.memory_bytes,
                machine_available_bytes: sample.host.memory_available_bytes,
            },
            load: sample.host.load,
            shards: shards.collect(),
        }
    }
}

fn is_fresh(sample: &Sample) -> bool {
    sample.taken.is_none_or(|taken| taken.elapsed() < SAMPLE_AGE_MAX)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Processor, memory, load, uptime, and the lag of the shards' loops
#[utoipa::path(
    get, path = "/api/health/system", operation_id = "read_health_system", tag = "health",
    responses(
        (status = 200, body = System, description = "The system."),
        (status = "4XX", description = "Refused by the edge.")
    )
)]
async fn system(State(node): State<Arc<Node>>) -> Json<System> {
    Json(System::of(&node))
}

/// Every part of the node.
#[derive(Debug, Serialize, ToSchema)]
struct Comprehensive {
    status: Condition,
    /// Seconds since the node began.
    uptime: f64,
    version: &'static str,
    parts: Vec<Part>,
}

/// One part.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Part {
    name: &'static str,
    status: Condition,
    /// How long it took to find out.
    latency_millis: f64,
}

impl Part {
    fn new(name: &'static str, began: Instant, well: bool) -> Self {
        let status = if well { Condition::Ok } else { Condition::Degraded };
        Self { name, status, latency_millis: millis(began.elapsed()) }
    }
}

/// The way to the other nodes, as it was a second ago. Without it a node goes on, degraded.
fn backbone(node: &Node) -> Part {
    let probe = node.operations.probe.load();
    let status = match &node.cluster {
        None => Condition::NotConfigured,
        Some(cluster) if cluster.is_connected() && probe.answered => Condition::Ok,
        Some(_) => Condition::Degraded,
    };
    Part { name: "backbone", status, latency_millis: millis(probe.latency) }
}

/// Every part with its own status and latency
///
/// `degraded` when one of them is; that is no reason to restart the node or to send nobody to it.
#[utoipa::path(
    get, path = "/api/health/comprehensive", operation_id = "read_health_comprehensive", tag = "health",
    responses(
        (status = 200, body = Comprehensive, description = "The parts, maybe degraded."),
        (status = 503, body = Comprehensive, description = "The node is draining."),
        (status = "4XX", description = "Refused by the edge.")
    )
)]
async fn comprehensive(State(node): State<Arc<Node>>) -> Response {
    let mut parts = Vec::new();
    let began = Instant::now();
    let shards = survey::all(&node, Survey::Ping).await;
    parts.push(Part::new("shards", began, !shards.partial));
    let began = Instant::now();
    let sockets = Sockets::of(&node).status == Condition::Ok;
    parts.push(Part::new("sockets", began, sockets));
    let began = Instant::now();
    let system = System::of(&node).status == Condition::Ok;
    parts.push(Part::new("system", began, system));
    for statistics in &node.operations.statistics {
        let began = Instant::now();
        let answered = statistics.read(None).is_some();
        parts.push(Part::new(statistics.app, began, answered));
    }
    parts.push(backbone(&node));
    let none = Condition::NotConfigured;
    parts.push(Part { name: "database", status: none, latency_millis: 0.0 });
    let worst = parts.iter().map(|part| part.status).filter(|status| *status != none).max();
    let status = worst.unwrap_or(Condition::Ok).max(Condition::of(&node));
    let uptime = node.uptime().as_secs_f64();
    let all = Comprehensive { status, uptime, version: env!("CARGO_PKG_VERSION"), parts };
    (status.status(), Json(all)).into_response()
}
