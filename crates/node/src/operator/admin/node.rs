//! What concerns the node as a whole: limits, log levels, the drain. Only for operators of no particular tenant, but for
//! limits of their own.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Done, not_found};
use crate::audit::Action;
use crate::gcra::Rate;
use crate::node::Node;
use crate::operator::controls::LogLevels;
use crate::operator::documents::Refused;
use crate::operator::extract::{self, Operator};
use crate::problem::Problem;
use crate::tenants::DEFAULT;

pub(super) fn routes() -> OpenApiRouter<Arc<Node>> {
    OpenApiRouter::new()
        .routes(routes!(limits, change_limit))
        .routes(routes!(log_levels, change_log_levels))
        .routes(routes!(drain))
}

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Class {
    /// Events of one socket.
    Events,
}

/// A limit.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Limit {
    class: Class,
    /// `default` when left out.
    #[serde(default = "default_tenant")]
    tenant: String,
    /// `null` for no limit.
    rate: Option<LimitRate>,
}

/// A rate and the burst that may exceed it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LimitRate {
    #[schema(minimum = 0.001, maximum = 1_000_000)]
    per_second: f64,
    #[schema(minimum = 1, maximum = 1_000_000)]
    burst: u32,
}

fn default_tenant() -> String {
    DEFAULT.to_owned()
}

/// The limits of the tenants.
#[derive(Debug, Serialize, ToSchema)]
struct Limits {
    limits: Vec<Limit>,
}

/// The limits, tenant by tenant
#[utoipa::path(
    get, path = "/api/admin/limits", tag = "admin", security(("token" = [])),
    responses(
        (status = 200, body = Limits, description = "The limits."),
        (status = "4XX", body = Refused, description = "Refused.")
    )
)]
async fn limits(State(node): State<Arc<Node>>, operator: Operator) -> Result<Json<Limits>, Problem> {
    operator.record(Action::ReadLimits, "*", Ok(()))?;
    let tenants = node.tenants.all();
    let limits = tenants.iter().filter(|tenant| operator.scope.holds(&tenant.name)).map(|tenant| Limit {
        class: Class::Events,
        tenant: tenant.name.to_string(),
        rate: tenant
            .settings()
            .events
            .each
            .map(|rate| LimitRate { per_second: rate.per_second, burst: rate.burst }),
    });
    Ok(Json(Limits { limits: limits.collect() }))
}

/// Changes a limit
///
/// At once, for sockets that are there already too; until the configuration is read again.
#[utoipa::path(
    put, path = "/api/admin/limits", tag = "admin", security(("token" = [])), request_body = Limit,
    responses(
        (status = 200, body = Done, description = "It is changed."),
        (status = "4XX", body = Refused, description = "Refused, or there is no such tenant.")
    )
)]
async fn change_limit(
    State(node): State<Arc<Node>>,
    operator: Operator,
    extract::Json(limit): extract::Json<Limit>,
) -> Result<Json<Done>, Problem> {
    // Limits bound tenants: one that could raise its own would have none.
    let changed = operator.scope.node_wide().and_then(|()| {
        let rate = limit.rate.map(LimitRate::checked).transpose()?;
        let known = node.tenants.change(&limit.tenant, |settings| settings.events.each = rate);
        known.then_some(()).ok_or_else(|| not_found("There is no such tenant."))
    });
    operator.record(
        Action::ChangeLimit,
        &format!("{} {:?} {:?}", limit.tenant, limit.class, limit.rate),
        changed,
    )?;
    Ok(Json(Done::YES))
}

impl LimitRate {
    fn checked(self) -> Result<Rate, Problem> {
        let fits = (0.001..=1e6).contains(&self.per_second) && (1..=1_000_000).contains(&self.burst);
        fits.then_some(Rate { per_second: self.per_second, burst: self.burst }).ok_or_else(|| {
            let message = "perSecond must be from 0.001 to 1000000, burst from 1 to 1000000";
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "limit_out_of_range", message)
        })
    }
}

/// What is logged.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LogFilter {
    /// A level, or levels for modules: `info`, or `info,throng_node=debug`.
    #[schema(max_length = 1000)]
    filter: String,
}

fn no_log_levels() -> Problem {
    Problem::new(StatusCode::CONFLICT, "not_available", "This node's log levels cannot be changed.")
}

/// What is logged
#[utoipa::path(
    get, path = "/api/admin/log", tag = "admin", security(("token" = [])),
    responses(
        (status = 200, body = LogFilter, description = "The filter."),
        (status = "4XX", body = Refused, description = "Refused, or the node's levels cannot be changed.")
    )
)]
async fn log_levels(State(node): State<Arc<Node>>, operator: Operator) -> Result<Json<LogFilter>, Problem> {
    let levels = operator
        .scope
        .node_wide()
        .and_then(|()| node.operations.log_levels.as_ref().ok_or_else(no_log_levels));
    let levels = operator.record(Action::ReadLogLevels, "log", levels)?;
    Ok(Json(LogFilter { filter: (levels.read)() }))
}

/// Changes what is logged, module by module
///
/// Until the next start or the next reading of the configuration.
#[utoipa::path(
    put, path = "/api/admin/log", tag = "admin", security(("token" = [])), request_body = LogFilter,
    responses(
        (status = 200, body = Done, description = "It is changed."),
        (status = "4XX", body = Refused, description = "Refused, or it is no filter.")
    )
)]
async fn change_log_levels(
    State(node): State<Arc<Node>>,
    operator: Operator,
    extract::Json(wanted): extract::Json<LogFilter>,
) -> Result<Json<Done>, Problem> {
    let changed = operator.scope.node_wide().and_then(|()| {
        let levels = node.operations.log_levels.as_ref().ok_or_else(no_log_levels)?;
        change(levels, &wanted.filter)
    });
    operator.record(Action::ChangeLogLevels, &wanted.filter, changed)?;
    Ok(Json(Done::YES))
}

fn change(levels: &LogLevels, filter: &str) -> Result<(), Problem> {
    const FILTER_BYTES_MAX: usize = 4000;
    let refused = |message: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_filter", message);
    if filter.len() > FILTER_BYTES_MAX {
        return Err(refused("The filter is too long.".to_owned()));
    }
    (levels.change)(filter).map_err(refused)
}

/// Starts a drain
///
/// The node takes no new sessions, closes those it has spread over a time, and ends.
#[utoipa::path(
    post, path = "/api/admin/drain", tag = "admin", security(("token" = [])),
    responses(
        (status = 202, body = Done, description = "It begins."),
        (status = "4XX", body = Refused, description = "Refused.")
    )
)]
async fn drain(
    State(node): State<Arc<Node>>,
    operator: Operator,
) -> Result<(StatusCode, Json<Done>), Problem> {
    operator.record(Action::Drain, "node", operator.scope.node_wide())?;
    node.operations.drain.ask();
    Ok((StatusCode::ACCEPTED, Json(Done::YES)))
}
