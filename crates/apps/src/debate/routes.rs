//! For operators: what people say about debates.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::rooms::halls::Halls;
use crate::rooms::records::Records;

pub(super) fn routes(halls: Arc<Halls>) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(records)).with_state(halls)
}

/// The latest reports and ratings of debates
#[utoipa::path(
    get, path = "/api/admin/debate/records", operation_id = "read_debate_records", tag = "admin",
    security(("token" = [])),
    responses(
        (status = 200, body = Records, description = "The latest 500 of each, of all tenants."),
        (status = "4XX", description = "Refused.")
    )
)]
async fn records(State(halls): State<Arc<Halls>>) -> Json<Records> {
    Json(halls.records())
}
