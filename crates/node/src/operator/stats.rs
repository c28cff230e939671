//! `/api/stats`: what the apps do at the moment, of each and in sum.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::request::Parts;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::host;
use crate::node::Node;
use crate::operator::statistics::AppStatistics;

pub(super) fn routes() -> OpenApiRouter<Arc<Node>> {
    OpenApiRouter::new().routes(routes!(stats))
}

/// What the apps do at the moment.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Stats {
    active_rooms: u64,
    waiting_users: u64,
    /// Sessions open now.
    total_connections: u64,
    /// In seconds, of those who were paired last.
    average_wait_time: f64,
    rooms_per_hour: u64,
    /// Messages said in rooms a second; where no app counts them, Socket.IO packets received.
    message_rate: f64,
    /// The same of each app, by its name.
    apps: BTreeMap<&'static str, AppStats>,
}

/// What one app does at the moment.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AppStats {
    active_rooms: u64,
    waiting_users: u64,
    /// Who waits, by queue.
    waiting_by_queue: BTreeMap<String, u64>,
    /// In seconds, of those who were paired last.
    average_wait_time: f64,
    rooms_per_hour: u64,
    /// Messages said in rooms a second.
    message_rate: f64,
}

impl AppStats {
    fn of(app: &AppStatistics, message_rate: f64) -> Self {
        Self {
            active_rooms: app.rooms_active,
            waiting_users: app.users_waiting(),
            waiting_by_queue: app.waiting.clone(),
            average_wait_time: app.waits_recent.average().as_secs_f64(),
            rooms_per_hour: app.rooms_per_hour,
            message_rate,
        }
    }
}

/// Rooms, waiting users, connections and rates
///
/// Of the tenant that the host names; where none does, of all. The rates of messages are always the node's.
#[utoipa::path(
    get, path = "/api/stats", operation_id = "read_stats", tag = "health",
    responses(
        (status = 200, body = Stats, description = "The numbers."),
        (status = "4XX", description = "Refused by the edge.")
    )
)]
async fn stats(State(node): State<Arc<Node>>, parts: Parts) -> Json<Stats> {
    let host = host(&parts.headers, &parts.uri);
    let tenant = node.tenants.of_host(host).ok().flatten().filter(|_| !node.tenants.is_single());
    let name = tenant.as_ref().map(|tenant| &tenant.name);
    let counts = node.tenants.counts();
    let counts = || counts.iter().filter(|counts| name.is_none_or(|name| *name == counts.name));
    let sample = node.operations.sample.load();
    let (mut sum, mut message_rate, mut apps) = (AppStatistics::default(), 0.0, BTreeMap::new());
    for statistics in &node.operations.statistics {
        let Some(app) = statistics.read_of_fleet(name) else { continue };
        let rate = sample.messages.rate(statistics.app);
        apps.insert(statistics.app, AppStats::of(&app, rate));
        message_rate += rate;
        sum += app;
    }
    // Where no app has numbers of its own there are those of the hub.
    if node.operations.statistics.is_empty() {
        sum.rooms_active = counts().map(|of| of.rooms).sum();
        message_rate = sample.packets_per_second;
    }
    Json(Stats {
        active_rooms: sum.rooms_active,
        waiting_users: sum.users_waiting(),
        total_connections: counts().map(|of| of.connections).sum(),
        average_wait_time: sum.waits_recent.average().as_secs_f64(),
        rooms_per_hour: sum.rooms_per_hour,
        message_rate,
        apps,
    })
}
