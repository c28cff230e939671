//! `GET /api/webrtc/stats`: how calls fare; and for operators what people say about them.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use throng_node::Problem;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::calls::CallStatistics;
use crate::rooms::halls::Halls;
use crate::rooms::records::review::{Review, Wanted};

pub(super) fn for_all(halls: Arc<Halls>) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(statistics)).with_state(halls)
}

pub(super) fn for_operators(halls: Arc<Halls>) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(records)).with_state(halls)
}

/// How calls fare, as the pages report it
#[utoipa::path(
    get, path = "/api/webrtc/stats", operation_id = "read_webrtc_stats", tag = "health",
    responses(
        (status = 200, body = CallStatistics, description = "The figures of all tenants, since their halls were opened."),
        (status = "4XX", description = "Refused by the edge.")
    )
)]
async fn statistics(State(halls): State<Arc<Halls>>) -> Json<CallStatistics> {
    let (calls, active) = halls.calls_of_fleet().await;
    Json(calls.statistics(active))
}

/// The latest reports and ratings of calls
#[utoipa::path(
    get, path = "/api/admin/roulette/records", operation_id = "read_roulette_records", tag = "admin",
    security(("token" = [])), params(Wanted),
    responses(
        (status = 200, body = Review, description = "What is wanted of those that are kept."),
        (status = "4XX", description = "Refused.")
    )
)]
async fn records(
    State(halls): State<Arc<Halls>>,
    query: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<Review>, Problem> {
    Ok(Json(halls.review(&Wanted::of(query)?).await))
}
