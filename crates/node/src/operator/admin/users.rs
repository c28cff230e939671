//! Users: listed, ended with all of their sessions, and their tokens revoked.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Done, Ended, count_max, cursor, cut, not_found};
use crate::audit::Action;
use crate::node::Node;
use crate::operator::access::{self, Revoked};
use crate::operator::documents::Refused;
use crate::operator::extract::{self, Operator, Path, Query};
use crate::operator::survey;
use crate::problem::Problem;
use crate::shard::survey::{Survey, UserFilter};
use crate::tenants::DEFAULT;

pub(super) fn routes() -> OpenApiRouter<Arc<Node>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(end)).routes(routes!(revoke))
}

/// Which users; what is left out does not matter.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    tenant: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    /// Entries of the page, 100 when left out.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// A page of users.
#[derive(Debug, Serialize, ToSchema)]
struct UserPage {
    users: Vec<UserView>,
    /// Where the next page begins; `null` on the last one.
    next: Option<String>,
    /// Some shard has not answered in time: its users are missing.
    partial: bool,
}

/// A user who is connected.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UserView {
    tenant: String,
    user: String,
    role: &'static str,
    socket_count: usize,
}

/// Users who are connected, in the order of tenant and name
///
/// What one has open: `GET /api/admin/sockets` with their `user`.
#[utoipa::path(
    get, path = "/api/admin/users", operation_id = "read_users", tag = "admin",
    security(("token" = [])), params(Wanted),
    responses(
        (status = 200, body = UserPage, description = "A page."),
        (status = "4XX", body = Refused, description = "Refused.")
    )
)]
async fn list(
    State(node): State<Arc<Node>>,
    operator: Operator,
    Query(wanted): Query<Wanted>,
) -> Result<Json<UserPage>, Problem> {
    let page = page(&node, &operator, wanted).await;
    operator.record(Action::ListUsers, "*", page).map(Json)
}

async fn page(node: &Node, operator: &Operator, wanted: Wanted) -> Result<UserPage, Problem> {
    let count_max = count_max(wanted.limit)?;
    let filter = Arc::new(UserFilter {
        scope: operator.scope.clone(),
        tenant: wanted.tenant,
        after: cursor(wanted.after.as_deref())?,
        count_max: count_max + 1,
    });
    let found = survey::all(node, |answer| Survey::Users(filter.clone(), answer)).await;
    // A user may have sockets on several shards.
    let mut users = BTreeMap::new();
    for user in found.answers.into_iter().flatten() {
        users.entry(user.key).or_insert((user.role, 0)).1 += user.socket_count;
    }
    let mut users: Vec<_> = users.into_iter().collect();
    let next = cut(&mut users, count_max, |(key, _)| serde_json::json!(key).to_string());
    let view = |((tenant, user), (role, socket_count))| UserView { tenant, user, role, socket_count };
    Ok(UserPage { users: users.into_iter().map(view).collect(), next, partial: found.partial })
}

/// Of which tenant.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OfTenant {
    /// `default` when left out.
    tenant: Option<String>,
}

/// Ends all sessions of a user
///
/// With a token that is still good the user may come back; revoke it to prevent that.
#[utoipa::path(
    delete, path = "/api/admin/users/{user}", operation_id = "end_user", tag = "admin",
    security(("token" = [])),
    params(("user" = String, Path, description = "The user's name, as the token's `sub` says it."), OfTenant),
    responses(
        (status = 200, body = Ended, description = "They end."),
        (status = "4XX", body = Refused, description = "Refused.")
    )
)]
async fn end(
    State(node): State<Arc<Node>>,
    operator: Operator,
    Path(user): Path<String>,
    Query(of): Query<OfTenant>,
) -> Result<Json<Ended>, Problem> {
    let tenant = of.tenant.unwrap_or_else(|| DEFAULT.to_owned());
    let within =
        operator.scope.holds(&tenant).then_some(()).ok_or_else(|| not_found("There is no such tenant."));
    operator.record(Action::EndUser, &format!("{tenant} {user}"), within)?;
    let key = Arc::new((tenant, user));
    let ended = survey::all(&node, |answer| Survey::EndUser(key.clone(), answer)).await;
    Ok(Json(Ended { ok: true, ended: ended.answers.iter().sum(), partial: ended.partial }))
}

/// What is no longer good: a token or a user.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Revocation {
    /// Whose tokens; left out, those of `default`, or, where tenants are listed, those that name none.
    tenant: Option<String>,
    /// One token, by its `jti`.
    jti: Option<String>,
    /// All tokens of a user that were issued until now, by their `sub`.
    user: Option<String>,
}

/// Revokes a token, or all tokens of a user
///
/// Exactly one of `jti` and `user` says which. Their sockets end.
#[utoipa::path(
    post, path = "/api/admin/revocations", operation_id = "revoke", tag = "admin",
    security(("token" = [])), request_body = Revocation,
    responses(
        (status = 200, body = Done, description = "It is revoked."),
        (status = "4XX", body = Refused, description = "Refused, or there is no such tenant.")
    )
)]
async fn revoke(
    State(node): State<Arc<Node>>,
    operator: Operator,
    extract::Json(revocation): extract::Json<Revocation>,
) -> Result<Json<Done>, Problem> {
    let tenant = match &revocation.tenant {
        None if !node.tenants.is_single() => None,
        said => Some(said.as_deref().unwrap_or(DEFAULT)),
    };
    let name = tenant.unwrap_or("-");
    let (object, revoked) = match (&revocation.jti, &revocation.user) {
        (Some(jti), None) => (format!("{name} jti {jti}"), Ok(Revoked::Token(jti))),
        (None, Some(user)) => (format!("{name} user {user}"), Ok(Revoked::User(user))),
        _ => {
            let message = "exactly one of jti and user must be there";
            (name.to_owned(), Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "malformed_body", message)))
        }
    };
    let done = revoked.and_then(|revoked| {
        let Some(name) = tenant else {
            operator.scope.node_wide()?;
            return access::revoke(&node, None, revoked);
        };
        let tenant = node.tenants.find(name).filter(|_| operator.scope.holds(name));
        access::revoke(&node, Some(&*tenant.ok_or_else(|| not_found("There is no such tenant."))?), revoked)
    });
    operator.record(Action::Revoke, &object, done)?;
    Ok(Json(Done::YES))
}
