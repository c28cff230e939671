//! Rooms: listed with their sizes, and emptied. Who is in one is a question about sockets.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Done, count_max, cursor, cut, not_found};
use crate::audit::Action;
use crate::envelope::{Envelope, Operation, Reach, Selection};
use crate::node::Node;
use crate::operator::documents::Refused;
use crate::operator::extract::{Operator, Query};
use crate::operator::survey;
use crate::problem::Problem;
use crate::shard::survey::{RoomFilter, Survey};
use crate::tenants::{DEFAULT, Space};

pub(super) fn routes() -> OpenApiRouter<Arc<Node>> {
    OpenApiRouter::new().routes(routes!(list, end))
}

/// Which rooms; what is left out does not matter.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    tenant: Option<String>,
    namespace: Option<String>,
    /// What the name begins with.
    #[serde(default)]
    prefix: String,
    /// `next` of the page before.
    after: Option<String>,
    /// Entries of the page, 100 when left out.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// A page of rooms.
#[derive(Debug, Serialize, ToSchema)]
struct RoomPage {
    rooms: Vec<RoomView>,
    /// Where the next page begins; `null` on the last one.
    next: Option<String>,
    /// Some shard has not answered in time: its rooms are missing.
    partial: bool,
}

/// A room.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RoomView {
    tenant: String,
    namespace: String,
    room: String,
    member_count: usize,
}

/// Rooms and their sizes, in the order of tenant, namespace and name
///
/// Who is in one: `GET /api/admin/sockets` with its `room`.
#[utoipa::path(
    get, path = "/api/admin/rooms", operation_id = "read_rooms", tag = "admin",
    security(("token" = [])), params(Wanted),
    responses(
        (status = 200, body = RoomPage, description = "A page."),
        (status = "4XX", body = Refused, description = "Refused.")
    )
)]
async fn list(
    State(node): State<Arc<Node>>,
    operator: Operator,
    Query(wanted): Query<Wanted>,
) -> Result<Json<RoomPage>, Problem> {
    let object = format!("{}*", wanted.prefix);
    let page = page(&node, &operator, wanted).await;
    operator.record(Action::ListRooms, &object, page).map(Json)
}

async fn page(node: &Node, operator: &Operator, wanted: Wanted) -> Result<RoomPage, Problem> {
    let count_max = count_max(wanted.limit)?;
    let filter = Arc::new(RoomFilter {
        scope: operator.scope.clone(),
        tenant: wanted.tenant,
        namespace: wanted.namespace,
        prefix: wanted.prefix,
        after: cursor(wanted.after.as_deref())?,
        count_max: count_max + 1,
    });
    let found = survey::all(node, |answer| Survey::Rooms(filter.clone(), answer)).await;
    // A room may have members on several shards.
    let mut sizes = BTreeMap::new();
    for room in found.answers.into_iter().flatten() {
        *sizes.entry(room.key).or_insert(0) += room.member_count;
    }
    let mut rooms: Vec<_> = sizes.into_iter().collect();
    let next = cut(&mut rooms, count_max, |(key, _)| serde_json::json!(key).to_string());
    let view = |((tenant, namespace, room), member_count)| RoomView { tenant, namespace, room, member_count };
    Ok(RoomPage { rooms: rooms.into_iter().map(view).collect(), next, partial: found.partial })
}

/// One room.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct One {
    /// `default` when left out.
    tenant: Option<String>,
    namespace: String,
    room: String,
}

/// Ends a room
///
/// All of its members leave it; they stay connected.
#[utoipa::path(
    delete, path = "/api/admin/rooms", operation_id = "end_room", tag = "admin",
    security(("token" = [])), params(One),
    responses(
        (status = 200, body = Done, description = "It ends."),
        (status = "4XX", body = Refused, description = "Refused, or there is no such tenant.")
    )
)]
async fn end(
    State(node): State<Arc<Node>>,
    operator: Operator,
    Query(one): Query<One>,
) -> Result<Json<Done>, Problem> {
    let name = one.tenant.as_deref().unwrap_or(DEFAULT);
    let tenant = node.tenants.find(name).filter(|_| operator.scope.holds(name));
    let tenant = tenant.ok_or_else(|| not_found("There is no such tenant."));
    let tenant =
        operator.record(Action::EndRoom, &format!("{name} {} {}", one.namespace, one.room), tenant)?;
    let to = Selection { rooms: vec![one.room.as_str().into()], ..Selection::default() };
    let space = Space { tenant, nsp: one.namespace.into() };
    node.send(Envelope { space, to, operation: Operation::Leave(one.room.into()) }, Reach::Fleet);
    Ok(Json(Done::YES))
}
