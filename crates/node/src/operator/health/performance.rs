//! How fast the node is: for operators only, because it tells an attacker what an attack achieves.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::audit::Action;
use crate::metrics::Metrics;
use crate::metrics::histogram::{Histogram, Reading};
use crate::node::Node;
use crate::operator::documents::Refused;
use crate::operator::extract::Operator;
use crate::problem::Problem;

pub(in crate::operator) fn routes() -> OpenApiRouter<Arc<Node>> {
    OpenApiRouter::new().routes(routes!(performance))
}

/// How fast the node is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Performance {
    /// What the process uses, in percent of one core.
    cpu_percent: f64,
    /// Socket.IO packets received a second.
    message_rate: f64,
    /// How late the shards' loops handle a timer.
    lag: Durations,
    /// How long their turns take.
    turns: Durations,
    /// From an Engine.IO handshake request to the open session.
    handshakes: Durations,
}

/// Durations since the start. A quantile is the bound of the bucket that it lies in, `null` when it lies above all.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Durations {
    count: u64,
    mean_millis: f64,
    p50_millis: Option<f64>,
    p99_millis: Option<f64>,
}

impl From<Reading> for Durations {
    fn from(reading: Reading) -> Self {
        let quantile = |share| reading.quantile(share).map(|seconds| seconds * 1e3);
        Self {
            count: reading.count,
            mean_millis: reading.mean() * 1e3,
            p50_millis: quantile(0.5),
            p99_millis: quantile(0.99),
        }
    }
}

/// Loop lag, turn durations, handshake durations and rates
#[utoipa::path(
    get, path = "/health/performance", operation_id = "read_performance", tag = "health",
    security(("token" = [])),
    responses(
        (status = 200, body = Performance, description = "The figures."),
        (status = "4XX", body = Refused, description = "Refused.")
    )
)]
async fn performance(
    State(node): State<Arc<Node>>,
    operator: Operator,
) -> Result<Json<Performance>, Problem> {
    operator.record(Action::ReadPerformance, "node", operator.scope.node_wide())?;
    let sum = |read: fn(&Metrics) -> &Histogram<9>| {
        Durations::from(Histogram::sum(node.ports.iter().map(|port| read(&port.metrics))))
    };
    let sample = node.operations.sample.load();
    Ok(Json(Performance {
        cpu_percent: sample.cpu_percent,
        message_rate: sample.packets_per_second,
        lag: sum(|m| &m.lag.seen),
        turns: sum(|m| &m.turns.seen),
        handshakes: sum(|m| &m.handshakes),
    }))
}
