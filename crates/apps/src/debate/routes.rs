//! For operators: what people say about debates.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use throng_node::Problem;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::rooms::halls::Halls;
use crate::rooms::records::review::{Review, Wanted};

pub(super) fn routes(halls: Arc<Halls>) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(records)).with_state(halls)
}

/// The latest reports and ratings of debates
#[utoipa::path(
    get, path = "/api/admin/debate/records", operation_id = "read_debate_records", tag = "admin",
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
