//! The routes under `/api/admin`: for operators, each use on record. An operator whose token names a tenant sees and
//! ends what is that tenant's and nothing else.

mod members;
mod node;
mod rooms;
mod sockets;
mod users;

use std::sync::Arc;

use http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::node::Node;
use crate::problem::Problem;

pub(super) fn routes() -> OpenApiRouter<Arc<Node>> {
    OpenApiRouter::new()
        .merge(sockets::routes())
        .merge(rooms::routes())
        .merge(users::routes())
        .merge(members::routes())
        .merge(node::routes())
}

/// Entries of a page when nobody says, and at most.
const PAGE: usize = 100;
const PAGE_MAX: usize = 1000;

/// What was done.
#[derive(Debug, Serialize, ToSchema)]
struct Done {
    ok: bool,
}

impl Done {
    const YES: Self = Self { ok: true };
}

/// How many were ended.
#[derive(Debug, Serialize, ToSchema)]
struct Ended {
    ok: bool,
    /// How many.
    ended: usize,
    /// Some shard has not answered in time: there may be more.
    partial: bool,
}

fn count_max(limit: Option<usize>) -> Result<usize, Problem> {
    match limit {
        None => Ok(PAGE),
        Some(limit) if (1..=PAGE_MAX).contains(&limit) => Ok(limit),
        Some(_) => Err(malformed("limit must be from 1 to 1000")),
    }
}

fn malformed(message: &'static str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "malformed_query", message)
}

fn not_found(message: &'static str) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not_found", message)
}

/// Where a page goes on, as the page before said it.
fn cursor<T: DeserializeOwned>(after: Option<&str>) -> Result<Option<T>, Problem> {
    let read = |after| serde_json::from_str(after).map_err(|_| malformed("after is not what a page said"));
    after.map(read).transpose()
}

/// Cuts a list of one more than a page; gives where the next page begins, when there is one.
fn cut<T>(items: &mut Vec<T>, count_max: usize, key: impl Fn(&T) -> String) -> Option<String> {
    let more = items.len() > count_max;
    items.truncate(count_max);
    items.last().filter(|_| more).map(key)
}
