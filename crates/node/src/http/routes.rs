//! The routes that every node has: the Engine.IO endpoint, and what an operator reads; and what stands in front of every
//! route.

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http::request::Parts;
use http::{Method, StatusCode, header};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;
use tower_http::cors::{AllowCredentials, AllowHeaders, AllowOrigin, CorsLayer};

use super::engine::{self, Endpoint};
use super::limited::{RATE_LIMIT, RATE_LIMIT_POLICY};
use super::request_id::X_REQUEST_ID;
use super::{body, host, limited};
use crate::app::Service;
use crate::config::Origins;
use crate::node::Node;
use crate::operator;
use crate::problem::Problem;

/// The routes of a shard: those of the node, and `more` of the embedder's.
pub(super) fn router(node: &Arc<Node>, more: Router) -> Router {
    let endpoint = Endpoint { node: node.clone() };
    if matches!(node.service, Service::WebSocket(_)) {
        return Router::new().fallback(engine::websocket).with_state(endpoint).merge(guarded(node, more));
    }
    engine(node, endpoint)
        .merge(guarded(node, operator::router(node).merge(more)))
        .layer(cors(node.clone()))
        .layer(CatchPanicLayer::custom(panicked))
}

/// The Engine.IO path, which bounds and counts its requests by itself.
fn engine(node: &Arc<Node>, endpoint: Endpoint) -> Router {
    let path = node.config.path.trim_end_matches('/');
    Router::new()
        .route(&format!("{path}/"), any(engine::request))
        .route(if path.is_empty() { "/engine.io" } else { path }, any(engine::request))
        .with_state(endpoint)
        .layer(
            CompressionLayer::new()
                .gzip(true)
                .compress_when(SizeAbove::new(node.config.http_compression_bytes_min)),
        )
}

/// Every other route.
fn guarded(node: &Arc<Node>, routes: Router) -> Router {
    routes
        .method_not_allowed_fallback(other_method)
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(node.clone(), body::bounded))
        .layer(from_fn_with_state(node.clone(), limited::requests))
}

/// CORS, as browsers on other origins need it. Only listed origins may come with cookies.
fn cors(node: Arc<Node>) -> CorsLayer {
    let methods = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    // A host that names no tenant is refused anyway, by whoever answers the request.
    let origins = move |request: &Parts| {
        let tenant = node.tenants.of_host(host(&request.headers, &request.uri)).ok().flatten();
        node.origins(tenant.as_deref())
    };
    let listed = origins.clone();
    CorsLayer::new()
        .allow_methods(methods)
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([X_REQUEST_ID, header::RETRY_AFTER, RATE_LIMIT, RATE_LIMIT_POLICY])
        .allow_origin(AllowOrigin::predicate(move |origin, request| {
            origins(request).allow_header(Some(origin))
        }))
        .allow_credentials(AllowCredentials::predicate(move |_, request| {
            matches!(*listed(request), Origins::Listed(_))
        }))
}

/// What is told of a method that a path does not take; the header `Allow` names those that it does.
async fn other_method() -> Problem {
    let message = "This path takes other methods.";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
}

/// What is told of a panic, which says to nobody what went wrong inside.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    let message = "The request could not be answered.";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message).into_response()
}
