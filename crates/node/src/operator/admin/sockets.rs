//! Sockets: listed, looked at, ended.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use throng_protocol::id::Id;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Done, count_max, cut, malformed, not_found};
use crate::audit::Action;
use crate::envelope::{Closing, Errand, SocketErrand};
use crate::ids::Place;
use crate::node::Node;
use crate::operator::documents::Refused;
use crate::operator::extract::{Operator, Path, Query};
use crate::operator::survey;
use crate::problem::Problem;
use crate::shard::survey::{SocketFacts, SocketFilter, Survey};

pub(super) fn routes() -> OpenApiRouter<Arc<Node>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(inspect, end))
}

/// Rooms that are shown of one socket.
const ROOMS_SHOWN_MAX: usize = 1000;

/// Which sockets; what is left out does not matter.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    tenant: Option<String>,
    namespace: Option<String>,
    room: Option<String>,
    user: Option<String>,
    /// The address of the client.
    #[param(value_type = Option<String>)]
    address: Option<IpAddr>,
    /// `next` of the page before.
    after: Option<String>,
    /// Entries of the page, 100 when left out.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// A page of sockets.
#[derive(Debug, Serialize, ToSchema)]
struct SocketPage {
    sockets: Vec<SocketView>,
    /// Where the next page begins; `null` on the last one.
    next: Option<String>,
    /// Some shard has not answered in time: its sockets are missing.
    partial: bool,
}

/// A socket.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SocketView {
    id: String,
    tenant: String,
    namespace: String,
    /// Absent when the client has not said who it is.
    user: Option<String>,
    role: Option<&'static str>,
    address: String,
    transport: &'static str,
    /// Rooms beside its own.
    room_count: usize,
    /// When its session was opened, in milliseconds since the epoch.
    opened_at: u64,
    /// Bytes that its client has not taken yet.
    queued_bytes: usize,
    /// Bytes of events that wait for its handlers.
    backlog_bytes: usize,
}

impl From<SocketFacts> for SocketView {
    fn from(facts: SocketFacts) -> Self {
        Self {
            id: facts.id.to_string(),
            tenant: facts.tenant,
            namespace: facts.namespace,
            user: facts.user,
            role: facts.role,
            address: facts.address.to_string(),
            transport: facts.transport,
            room_count: facts.room_count,
            opened_at: facts.opened_at,
            queued_bytes: facts.queued_bytes,
            backlog_bytes: facts.backlog_bytes,
        }
    }
}

/// Sockets, in the order of their identifiers
#[utoipa::path(
    get, path = "/api/admin/sockets", operation_id = "read_sockets", tag = "admin",
    security(("token" = [])), params(Wanted),
    responses(
        (status = 200, body = SocketPage, description = "A page."),
        (status = "4XX", body = Refused, description = "Refused.")
    )
)]
async fn list(
    State(node): State<Arc<Node>>,
    operator: Operator,
    Query(wanted): Query<Wanted>,
) -> Result<Json<SocketPage>, Problem> {
    let object = wanted.room.as_deref().or(wanted.user.as_deref()).unwrap_or("*").to_owned();
    let page = page(&node, &operator, wanted).await;
    operator.record(Action::ListSockets, &object, page).map(Json)
}

async fn page(node: &Node, operator: &Operator, wanted: Wanted) -> Result<SocketPage, Problem> {
    let count_max = count_max(wanted.limit)?;
    let after = |after: &str| Id::parse(after).ok_or_else(|| malformed("after is not what a page said"));
    let filter = Arc::new(SocketFilter {
        scope: operator.scope.clone(),
        tenant: wanted.tenant,
        namespace: wanted.namespace,
        room: wanted.room,
        user: wanted.user,
        address: wanted.address,
        after: wanted.after.as_deref().map(after).transpose()?,
        count_max: count_max + 1,
    });
    let found = survey::all(node, |answer| Survey::Sockets(filter.clone(), answer)).await;
    let mut sockets: Vec<_> = found.answers.into_iter().flatten().collect();
    sockets.sort_unstable_by_key(|socket| socket.id);
    let next = cut(&mut sockets, count_max, |socket| socket.id.to_string());
    let sockets = sockets.into_iter().map(SocketView::from).collect();
    Ok(SocketPage { sockets, next, partial: found.partial })
}

/// A socket and its rooms.
#[derive(Debug, Serialize, ToSchema)]
struct SocketDetail {
    socket: SocketView,
    /// Its own first; at most 1000.
    rooms: Vec<String>,
}

/// One socket and its rooms
#[utoipa::path(
    get, path = "/api/admin/sockets/{id}", operation_id = "read_socket", tag = "admin",
    security(("token" = [])),
    params(("id" = String, Path, description = "The socket's identifier.")),
    responses(
        (status = 200, body = SocketDetail, description = "The socket."),
        (status = "4XX", body = Refused, description = "Refused, or there is no such socket.")
    )
)]
async fn inspect(
    State(node): State<Arc<Node>>,
    operator: Operator,
    Path(id): Path<String>,
) -> Result<Json<SocketDetail>, Problem> {
    let found = find(&node, &operator, &id).await;
    let (_, detail) = operator.record(Action::InspectSocket, &id, found)?;
    Ok(Json(detail))
}

/// How far an end goes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct HowFar {
    /// `true` to close the whole session, with its sockets in other namespaces.
    #[serde(default)]
    session: bool,
}

/// Ends a socket
///
/// Its client sees a disconnect by the server, and does not come back by itself.
#[utoipa::path(
    delete, path = "/api/admin/sockets/{id}", operation_id = "end_socket", tag = "admin",
    security(("token" = [])),
    params(("id" = String, Path, description = "The socket's identifier."), HowFar),
    responses(
        (status = 200, body = Done, description = "It ends."),
        (status = "4XX", body = Refused, description = "Refused, or there is no such socket.")
    )
)]
async fn end(
    State(node): State<Arc<Node>>,
    operator: Operator,
    Path(id): Path<String>,
    Query(far): Query<HowFar>,
) -> Result<Json<Done>, Problem> {
    let found = find(&node, &operator, &id).await;
    let (socket, _) = operator.record(Action::EndSocket, &id, found)?;
    let closing = if far.session { Closing::Session } else { Closing::Socket };
    let errand = Errand::Socket(socket, SocketErrand::Disconnect(closing));
    node.errand(usize::from(Place::of(socket).shard), errand);
    Ok(Json(Done::YES))
}

async fn find(node: &Node, operator: &Operator, id: &str) -> Result<(Id, SocketDetail), Problem> {
    const NONE: &str = "There is no such socket here.";
    let id = Id::parse(id).ok_or_else(|| not_found(NONE))?;
    let place = Place::of(id);
    if place.node != node.tag {
        return Err(not_found(NONE));
    }
    let shard = usize::from(place.shard);
    let found = survey::one(node, shard, |answer| Survey::Socket(id, answer)).await;
    let found = found.answers.into_iter().flatten().next();
    let (facts, rooms) =
        found.filter(|(facts, _)| operator.scope.holds(&facts.tenant)).ok_or_else(|| not_found(NONE))?;
    let rooms = rooms.iter().take(ROOMS_SHOWN_MAX).map(|room| room.to_string()).collect();
    Ok((id, SocketDetail { socket: facts.into(), rooms }))
}
