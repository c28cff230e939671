//! The documents that describe the node's interfaces, generated from the code: OpenAPI for the routes, AsyncAPI for the
//! socket events, and one readable page of both.

mod engine;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use bytes::Bytes;
use http::header::{self, HeaderName};
use serde::Serialize;
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{OpenApi as _, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{events, page};
use crate::node::Node;

/// A refusal.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Refused {
    /// Always `false`.
    ok: bool,
    error: RefusedError,
}

/// Why.
#[derive(Debug, Serialize, ToSchema)]
struct RefusedError {
    /// A stable word for programs.
    code: String,
    /// A sentence for people.
    message: String,
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "Throng", description = "The HTTP routes of a Throng node.", license(name = "MIT OR Apache-2.0")),
    tags(
        (name = "health", description = "How the node is."),
        (name = "metrics", description = "Numbers for Prometheus."),
        (name = "publish", description = "Events for sockets, from other programs."),
        (name = "admin", description = "For operators. Each use is on record."),
        (name = "documents", description = "These documents."),
        (name = "sockets", description = "Where clients connect.")
    ),
    components(schemas(Refused))
)]
struct Base;

/// The document before any route.
pub(super) fn base() -> OpenApi {
    let mut base = Base::openapi();
    base.info.version = env!("CARGO_PKG_VERSION").to_owned();
    base.components
        .get_or_insert_default()
        .add_security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    base
}

/// The documents, written once.
struct Documents {
    openapi: Bytes,
    asyncapi: Bytes,
    page: Bytes,
}

/// The routes of the documents, which describe themselves too.
pub(super) fn router(mut described: OpenApi, node: &Node) -> Router {
    let (routes, own) = OpenApiRouter::new()
        .routes(routes!(openapi))
        .routes(routes!(asyncapi))
        .routes(routes!(readable))
        .routes(routes!(style))
        .split_for_parts();
    described.merge(own);
    engine::describe(&mut described, &node.config.path);
    if let Some(more) = &node.operations.documented {
        described.merge((**more).clone());
    }
    let events = events::document(&node.service);
    let openapi = serde_json::to_value(&described).unwrap_or_default();
    let documents = Documents {
        page: page::render(&openapi, &events).into(),
        openapi: openapi.to_string().into(),
        asyncapi: events.to_string().into(),
    };
    routes.with_state(Arc::new(documents))
}

type Document = ([(HeaderName, &'static str); 2], Bytes);

const JSON: (HeaderName, &str) = (header::CONTENT_TYPE, "application/json");
const BRIEFLY: (HeaderName, &str) = (header::CACHE_CONTROL, "no-cache");

/// The OpenAPI document of the routes
#[utoipa::path(
    get, path = "/api/openapi.json", operation_id = "read_openapi", tag = "documents",
    responses(
        (status = 200, body = Object, description = "The document."),
        (status = "4XX", description = "Refused by the edge.")
    )
)]
async fn openapi(State(documents): State<Arc<Documents>>) -> Document {
    ([JSON, BRIEFLY], documents.openapi.clone())
}

/// The AsyncAPI document of the socket events
#[utoipa::path(
    get, path = "/api/asyncapi.json", operation_id = "read_asyncapi", tag = "documents",
    responses(
        (status = 200, body = Object, description = "The document."),
        (status = "4XX", description = "Refused by the edge.")
    )
)]
async fn asyncapi(State(documents): State<Arc<Documents>>) -> Document {
    ([JSON, BRIEFLY], documents.asyncapi.clone())
}

/// Both documents as a page
#[utoipa::path(
    get, path = "/api/docs", operation_id = "read_docs", tag = "documents",
    responses(
        (status = 200, body = String, content_type = "text/html", description = "The page."),
        (status = "4XX", description = "Refused by the edge.")
    )
)]
async fn readable(State(documents): State<Arc<Documents>>) -> ([(HeaderName, &'static str); 3], Bytes) {
    let kind = (header::CONTENT_TYPE, "text/html; charset=utf-8");
    let policy = (header::CONTENT_SECURITY_POLICY, page::POLICY);
    ([kind, BRIEFLY, policy], documents.page.clone())
}

/// The look of the page
#[utoipa::path(
    get, path = "/api/docs/style.css", operation_id = "read_docs_style", tag = "documents",
    responses(
        (status = 200, body = String, content_type = "text/css", description = "The style sheet."),
        (status = "4XX", description = "Refused by the edge.")
    )
)]
async fn style() -> ([(HeaderName, &'static str); 2], &'static str) {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8"), BRIEFLY], page::STYLE)
}
