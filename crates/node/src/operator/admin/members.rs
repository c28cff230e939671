//! The nodes of the fleet, as their last signs of life describe them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use throng_backbone::Load;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::audit::Action;
use crate::node::Node;
use crate::operator::documents::Refused;
use crate::operator::extract::Operator;
use crate::operator::fleet;
use crate::problem::Problem;

pub(super) fn routes() -> OpenApiRouter<Arc<Node>> {
    OpenApiRouter::new().routes(routes!(members))
}

/// The nodes of the fleet.
#[derive(Debug, Serialize, ToSchema)]
struct AllMembers {
    members: Vec<MemberView>,
}

/// A node.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MemberView {
    /// Its name, new at each start.
    node: String,
    /// Whether it is the one that answers.
    this: bool,
    /// Where the other nodes reach it; `null` for one that has no others.
    address: Option<String>,
    version: String,
    /// Where it runs, as its configuration says; empty when that says nothing.
    region: String,
    /// Whether it takes no new sessions and is about to leave.
    draining: bool,
    load: LoadView,
}

/// How busy a node is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LoadView {
    /// TCP connections open, and that may be.
    connections: u64,
    capacity: u64,
    /// Rooms with members there, summed over shards.
    rooms: u64,
    /// The share of its cores that it uses, 0 to 1.
    cpu: f32,
    /// Resident memory.
    memory_bytes: u64,
}

/// The nodes of the fleet with their load
///
/// What this node says is as of now, what the others say as of their last sign of life. A node that has no others is the
/// only one.
#[utoipa::path(
    get, path = "/api/admin/members", operation_id = "read_members", tag = "admin", security(("token" = [])),
    responses(
        (status = 200, body = AllMembers, description = "The nodes, by name."),
        (status = "4XX", body = Refused, description = "Refused.")
    )
)]
async fn members(State(node): State<Arc<Node>>, operator: Operator) -> Result<Json<AllMembers>, Problem> {
    operator.record(Action::ListMembers, "*", operator.scope.node_wide())?;
    let (tag, listed) = (node.tag.to_string(), node.cluster.as_ref());
    let listed = listed.map(|cluster| cluster.backbone().members().list());
    let own = listed.iter().flat_map(|list| list.iter()).find(|member| *member.node == *tag);
    let own = MemberView { this: true, ..view(&tag, own.map(|member| &*member.address), fleet::load(&node)) };
    let others = listed.iter().flat_map(|list| list.iter()).filter(|member| *member.node != *tag);
    let others = others.map(|member| view(&member.node, Some(&member.address), member.load.clone()));
    let mut members: Vec<_> = others.chain([own]).collect();
    members.sort_by(|one, other| one.node.cmp(&other.node));
    Ok(Json(AllMembers { members }))
}

fn view(node: &str, address: Option<&str>, load: Load) -> MemberView {
    let Load { connections, rooms, cpu, memory_bytes, capacity, region, version, draining } = load;
    MemberView {
        node: node.to_owned(),
        this: false,
        address: address.map(ToOwned::to_owned),
        version,
        region,
        draining,
        load: LoadView { connections, capacity, rooms, cpu, memory_bytes },
    }
}
