//! The routes that every node has: the Engine.IO endpoint, and what an operator reads.

use std::sync::Arc;

use axum::Router;
use axum::routing::any;
use http::{HeaderValue, Method};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use super::engine::{self, Endpoint};
use crate::app::Service;
use crate::config::Origins;
use crate::node::Node;
use crate::operator;

/// The routes of a shard.
pub(crate) fn router(node: &Arc<Node>) -> Router {
    let endpoint = Endpoint { node: node.clone() };
    if matches!(node.service, Service::WebSocket(_)) {
        return Router::new().fallback(engine::websocket).with_state(endpoint);
    }
    let path = node.config.path.trim_end_matches('/');
    let engine = Router::new()
        .route(&format!("{path}/"), any(engine::request))
        .route(if path.is_empty() { "/engine.io" } else { path }, any(engine::request))
        .with_state(endpoint)
        .layer(
            CompressionLayer::new()
                .gzip(true)
                .compress_when(SizeAbove::new(node.config.http_compression_bytes_min)),
        )
        .layer(cors(&node.config.origins));
    engine.merge(operator::router(node))
}

/// CORS for the polling transport, as browsers on other origins need it.
fn cors(origins: &Origins) -> CorsLayer {
    let methods = [Method::GET, Method::POST];
    let layer = CorsLayer::new().allow_methods(methods).allow_headers(AllowHeaders::mirror_request());
    match origins {
        Origins::Any => layer.allow_origin(tower_http::cors::Any),
        Origins::Listed(list) => {
            let list = list.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
            layer.allow_origin(AllowOrigin::list(list)).allow_credentials(true)
        }
    }
}
