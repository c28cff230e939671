//! What concerns the node as a whole: limits, log levels, the drain. Only for operators of no particular tenant, but for
//! limits of their own.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Done, not_found};
use crate::audit::Action;
use crate::limits::{Limits, Rate};
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
enum Limited {
    /// Events of one socket of a tenant.
    Events,
    /// Requests to `/api/` by client address.
    Api,
    /// Requests to `/api/auth` by client address.
    Auth,
    /// New sessions by client address.
    Handshakes,
}

/// A limit.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Limit {
    class: Limited,
    /// Only of `events`, and `default` when left out there.
    tenant: Option<String>,
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

/// The limits of the node and of its tenants.
#[derive(Debug, Serialize, ToSchema)]
struct AllLimits {
    limits: Vec<Limit>,
}

/// The limits of the node, and of its tenants
///
/// An operator of one tenant sees that tenant's.
#[utoipa::path(
    get, path = "/api/admin/limits", operation_id = "read_limits", tag = "admin", security(("token" = [])),
    responses(
        (status = 200, body = AllLimits, description = "The limits."),
        (status = "4XX", body = Refused, description = "Refused.")
    )
)]
async fn limits(State(node): State<Arc<Node>>, operator: Operator) -> Result<Json<AllLimits>, Problem> {
    operator.record(Action::ReadLimits, "*", Ok(()))?;
    let mut limits = Vec::new();
    if operator.scope.node_wide().is_ok() {
        let known = node.limiter.limits();
        let of_node = [
            (Limited::Api, known.api),
            (Limited::Auth, known.authentication),
            (Limited::Handshakes, known.handshakes),
        ];
        let limit =
            |(class, rate): (_, Option<Rate>)| Limit { class, tenant: None, rate: rate.map(Into::into) };
        limits.extend(of_node.map(limit));
    }
    let tenants = node.tenants.all();
    limits.extend(tenants.iter().filter(|tenant| operator.scope.holds(&tenant.name)).map(|tenant| Limit {
        class: Limited::Events,
        tenant: Some(tenant.name.to_string()),
        rate: tenant.settings().events.each.map(Into::into),
    }));
    Ok(Json(AllLimits { limits }))
}

/// Changes a limit
///
/// At once, for sockets that are there already too; until the configuration is read again.
#[utoipa::path(
    put, path = "/api/admin/limits", operation_id = "change_limit", tag = "admin",
    security(("token" = [])), request_body = Limit,
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
    let changed = operator.scope.node_wide().and_then(|()| limit.apply(&node));
    operator.record(
        Action::ChangeLimit,
        &format!("{:?} {:?} {:?}", limit.class, limit.tenant, limit.rate),
        changed,
    )?;
    Ok(Json(Done::YES))
}

impl Limit {
    fn apply(&self, node: &Node) -> Result<(), Problem> {
        let rate = self.rate.map(LimitRate::checked).transpose()?;
        if self.class == Limited::Events {
            let name = self.tenant.as_deref().unwrap_or(DEFAULT);
            let known = node.tenants.change(name, |settings| settings.events.each = rate);
            return known.then_some(()).ok_or_else(|| not_found("There is no such tenant."));
        }
        if self.tenant.is_some() {
            return Err(Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "not_of_tenants",
                "This limit is the node's; only that of events is a tenant's.",
            ));
        }
        let mut limits = Limits::clone(&node.limiter.limits());
        match self.class {
            Limited::Api => limits.api = rate,
            Limited::Auth => limits.authentication = rate,
            Limited::Handshakes | Limited::Events => limits.handshakes = rate,
        }
        node.limiter.replace(limits);
        Ok(())
    }
}

impl LimitRate {
    fn checked(self) -> Result<Rate, Problem> {
        let fits = (0.001..=1e6).contains(&self.per_second) && (1..=1_000_000).contains(&self.burst);
        let each = fits.then(|| Duration::from_secs_f64(1.0 / self.per_second));
        each.and_then(|each| Rate::new(1, each, self.burst)).ok_or_else(|| {
            let message = "perSecond must be from 0.001 to 1000000, burst from 1 to 1000000";
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "limit_out_of_range", message)
        })
    }
}

impl From<Rate> for LimitRate {
    fn from(rate: Rate) -> Self {
        let per_second = f64::from(rate.burst()) / rate.window().as_secs_f64();
        Self { per_second, burst: rate.burst() }
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
    get, path = "/api/admin/log", operation_id = "read_log", tag = "admin", security(("token" = [])),
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
    put, path = "/api/admin/log", operation_id = "change_log", tag = "admin",
    security(("token" = [])), request_body = LogFilter,
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
    post, path = "/api/admin/drain", operation_id = "start_drain", tag = "admin", security(("token" = [])),
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
