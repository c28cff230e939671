//! What an operator sees of a node and may do to it: health, metrics, documents, and the routes under `/api/admin`.
//!
//! Everything here reads counters that others write, or asks the shards with a deadline; nothing here is on the way of a
//! message. Who is asking is decided in [`access`] alone.

pub(crate) mod access;
mod admin;
pub(crate) mod controls;
pub(crate) mod documents;
pub(crate) mod events;
pub(crate) mod extract;
pub(crate) mod fleet;
mod health;
mod metrics;
mod page;
pub(crate) mod statistics;
mod stats;
pub(crate) mod survey;
pub(crate) mod system;
pub(crate) mod words;

use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::Router;
use axum::middleware::from_fn_with_state;
use utoipa_axum::router::OpenApiRouter;

use crate::metrics::family::Families;
use crate::node::Node;
use crate::publish;
use controls::{DrainSwitch, LogLevels};
use fleet::Probe;
use statistics::Statistics;
use system::Sample;

pub(crate) use system::watch;

/// What an operator's routes need beside the shards.
#[derive(Debug, Default)]
pub(crate) struct Operations {
    /// The system, as it was a few seconds ago.
    pub(crate) sample: ArcSwap<Sample>,
    /// How the store behind the backbone answered last.
    pub(crate) probe: ArcSwap<Probe>,
    /// The apps' own numbers, in the order in which they were said.
    pub(crate) statistics: Vec<Statistics>,
    /// The apps' own metrics.
    pub(crate) families: Vec<Families>,
    /// The apps' own routes for operators.
    pub(crate) routes: Router,
    /// How to read and change what is logged.
    pub(crate) log_levels: Option<LogLevels>,
    /// Starts a drain.
    pub(crate) drain: DrainSwitch,
    /// Routes of the embedder that shall stand in the documents.
    pub(crate) documented: Option<Box<utoipa::openapi::OpenApi>>,
}

/// The routes.
pub(crate) fn router(node: &Arc<Node>) -> Router {
    // Probes stay outside: a token that has run out says nothing about a node's health.
    let guarded = OpenApiRouter::new()
        .merge(health::performance::routes())
        .merge(admin::routes())
        .layer(from_fn_with_state(node.clone(), access::identify));
    let routes = OpenApiRouter::with_openapi(documents::base())
        .merge(health::routes())
        .merge(stats::routes())
        .merge(metrics::routes(node))
        .merge(publish::routes(node))
        .merge(guarded);
    let (routes, described) = routes.split_for_parts();
    let documents = documents::router(described, node);
    routes.with_state(node.clone()).merge(documents).merge(of_apps(node))
}

/// The apps' routes for operators, with the same guards as the node's own.
fn of_apps(node: &Arc<Node>) -> Router {
    let routes = node.operations.routes.clone();
    if !routes.has_routes() {
        return routes;
    }
    routes
        .route_layer(from_fn_with_state(node.clone(), extract::operators_only))
        .route_layer(from_fn_with_state(node.clone(), access::identify))
}
