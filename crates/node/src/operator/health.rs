//! Health: is the process there, does it take work, and how are its parts. Degraded is not dead: only a node that drains
//! answers 503, because only then should nobody be sent to it.

mod parts;
pub(super) mod performance;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::host;
use crate::node::Node;
use crate::tenants::{Status, Tenant};

pub(super) fn routes() -> OpenApiRouter<Arc<Node>> {
    OpenApiRouter::new()
        .routes(routes!(health))
        .routes(routes!(live))
        .routes(routes!(ready))
        .routes(routes!(summary))
        .merge(parts::routes())
}

/// How well something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Condition {
    /// All is well.
    Ok,
    /// There is none, and none is needed.
    NotConfigured,
    /// It works, and somebody should look.
    Degraded,
    /// The node is leaving.
    Draining,
}

impl Condition {
    pub(super) fn of(node: &Node) -> Self {
        if node.is_draining() { Self::Draining } else { Self::Ok }
    }

    /// 503 only for a node that leaves.
    pub(super) fn status(self) -> StatusCode {
        if self == Self::Draining { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }
    }
}

/// Whether the process answers
///
/// Says nothing of anything else, so that an orchestrator never restarts a node for what a restart does not mend.
#[utoipa::path(
    get, path = "/health", operation_id = "probe_health", tag = "health",
    responses(
        (status = 200, body = String, content_type = "text/plain", description = "`ok`."),
        (status = "4XX", description = "Refused by the edge.")
    )
)]
async fn health() -> &'static str {
    "ok\n"
}

/// Whether the process answers
///
/// The same as `/health`.
#[utoipa::path(
    get, path = "/live", operation_id = "probe_live", tag = "health",
    responses(
        (status = 200, body = String, content_type = "text/plain", description = "`ok`."),
        (status = "4XX", description = "Refused by the edge.")
    )
)]
async fn live() -> &'static str {
    "ok\n"
}

/// Whether the node takes work
///
/// It does once it has started, and until it drains.
#[utoipa::path(
    get, path = "/ready", operation_id = "probe_ready", tag = "health",
    responses(
        (status = 200, body = String, content_type = "text/plain", description = "`ready`."),
        (status = 503, body = String, content_type = "text/plain", description = "`draining`."),
        (status = "4XX", description = "Refused by the edge.")
    )
)]
async fn ready(State(node): State<Arc<Node>>) -> (StatusCode, &'static str) {
    if node.is_draining() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
    } else {
        (StatusCode::OK, "ready\n")
    }
}

/// A summary of the node.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Summary {
    status: Condition,
    /// Seconds since the node began.
    uptime: f64,
    version: &'static str,
    licence: Licence,
}

/// Whether a tenant may use the node.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Licence {
    status: LicenceStatus,
    /// When it ends, in milliseconds since the epoch; `null` when it does not.
    expires_at: Option<u64>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum LicenceStatus {
    Active,
    Suspended,
    Expired,
}

impl Licence {
    fn of(tenant: &Tenant) -> Self {
        let settings = tenant.settings();
        let expired = settings.expires.is_some_and(|expires| expires <= SystemTime::now());
        let status = match settings.status {
            Status::Active if expired => LicenceStatus::Expired,
            Status::Active => LicenceStatus::Active,
            Status::Suspended | Status::Removed => LicenceStatus::Suspended,
        };
        let millis = |time: SystemTime| {
            let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        };
        Self { status, expires_at: settings.expires.map(millis) }
    }
}

/// Status, uptime, version and licence
///
/// The licence is that of the tenant that the host names; where none does, that of the node.
#[utoipa::path(
    get, path = "/api/health", operation_id = "read_health", tag = "health",
    responses(
        (status = 200, body = Summary, description = "The node takes work."),
        (status = 503, body = Summary, description = "The node is draining."),
        (status = "4XX", description = "Refused by the edge.")
    )
)]
async fn summary(State(node): State<Arc<Node>>, parts: Parts) -> Response {
    let tenant = node.tenants.at_host(host(&parts.headers, &parts.uri));
    let licence = Licence::of(tenant.as_ref().unwrap_or(node.tenants.default()));
    let status = Condition::of(&node);
    let uptime = node.uptime().as_secs_f64();
    let summary = Summary { status, uptime, version: env!("CARGO_PKG_VERSION"), licence };
    (status.status(), Json(summary)).into_response()
}
