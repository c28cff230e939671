//! `GET /api/webrtc/stats`: how calls fare.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::calls::CallStatistics;
use crate::rooms::halls::Halls;

pub(super) fn routes(halls: Arc<Halls>) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(read)).with_state(halls)
}

/// How calls fare, as the pages report it
#[utoipa::path(
    get, path = "/api/webrtc/stats", operation_id = "read_webrtc_stats", tag = "health",
    responses(
        (status = 200, body = CallStatistics, description = "The figures of all tenants, since the node started."),
        (status = "4XX", description = "Refused by the edge.")
    )
)]
async fn read(State(halls): State<Arc<Halls>>) -> Json<CallStatistics> {
    Json(halls.calls())
}
