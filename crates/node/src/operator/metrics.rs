//! `/metrics` and `/tenant-metrics`, for those who may read them.

use std::sync::Arc;

use axum::extract::State;
use axum::middleware::from_fn_with_state;
use http::header::{self, HeaderName};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access;
use super::documents::Refused;
use crate::metrics::page;
use crate::node::Node;

pub(super) fn routes(shared: &Arc<Node>) -> OpenApiRouter<Arc<Node>> {
    let guard = from_fn_with_state(shared.clone(), access::metrics_readers);
    OpenApiRouter::new().routes(routes!(node)).routes(routes!(tenants)).layer(guard)
}

type Text = ([(HeaderName, &'static str); 2], String);

fn text(page: String) -> Text {
    ([(header::CONTENT_TYPE, page::CONTENT_TYPE), (header::CACHE_CONTROL, "no-store")], page)
}

/// The node's metrics, in the text format of Prometheus
///
/// For whom the configuration allows, and for operators.
#[utoipa::path(
    get, path = "/metrics", operation_id = "read_metrics", tag = "metrics", security((), ("token" = [])),
    responses(
        (status = 200, body = String, content_type = "text/plain", description = "The page."),
        (status = "4XX", body = Refused, description = "Refused.")
    )
)]
async fn node(State(node): State<Arc<Node>>) -> Text {
    text(page::node(&node))
}

/// The metrics of the busiest tenants and of the rest as `other`
///
/// For whom the configuration allows, and for operators.
#[utoipa::path(
    get, path = "/tenant-metrics", operation_id = "read_tenant_metrics", tag = "metrics",
    security((), ("token" = [])),
    responses(
        (status = 200, body = String, content_type = "text/plain", description = "The page."),
        (status = "4XX", body = Refused, description = "Refused.")
    )
)]
async fn tenants(State(node): State<Arc<Node>>) -> Text {
    text(page::tenants(node.tenants.counts()))
}
