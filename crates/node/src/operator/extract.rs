//! What a route takes of a request, refused in the one shape of refusals; and the operator who sends it.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::request::Parts;

use super::access::{self, Scope};
use crate::audit::{self, Action, Actor};
use crate::http::RequestId;
use crate::identity::http::Caller;
use crate::identity::{Identity, Role};
use crate::node::Node;
use crate::problem::Problem;

/// A JSON body.
#[derive(Debug, FromRequest)]
#[from_request(via(axum::Json), rejection(Problem))]
pub(crate) struct Json<T>(pub(crate) T);

/// The query.
#[derive(Debug, FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(Problem))]
pub(crate) struct Query<T>(pub(crate) T);

/// Parts of the path.
#[derive(Debug, FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(Problem))]
pub(crate) struct Path<T>(pub(crate) T);

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        Self::new(rejection.status(), "malformed_body", rejection.body_text())
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed_query", rejection.body_text())
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed_path", rejection.body_text())
    }
}

/// An operator, who may use the route, and what of the node is within reach.
#[derive(Debug)]
pub(crate) struct Operator {
    identity: Arc<Identity>,
    pub(crate) scope: Scope,
    request_id: Option<RequestId>,
    address: Option<IpAddr>,
}

impl FromRequestParts<Arc<Node>> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, node: &Arc<Node>) -> Result<Self, Problem> {
        let (address, request_id) = access::origin(parts);
        match access::require(parts, Role::Operator) {
            Ok(identity) => Ok(Self { scope: Scope::of(node, &identity), identity, request_id, address }),
            Err(problem) => {
                let caller = Caller::of(parts).0;
                let actor = Actor {
                    identity: caller.as_deref(),
                    request_id: request_id.as_ref().map(RequestId::as_str),
                    address,
                };
                audit::record(&actor, Action::Access, parts.uri.path(), problem.code);
                Err(problem)
            }
        }
    }
}

/// Lets through whom the whole node is open to, on record: the middleware of an app's routes for operators.
pub(crate) async fn operators_only(operator: Operator, request: Request, next: Next) -> Response {
    let allowed = operator.scope.node_wide();
    match operator.record(Action::UseAppRoute, request.uri().path(), allowed) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

impl Operator {
    /// Records what came of an action on an object, and hands it on.
    pub(crate) fn record<T>(
        &self,
        action: Action,
        object: &str,
        outcome: Result<T, Problem>,
    ) -> Result<T, Problem> {
        let request_id = self.request_id.as_ref().map(RequestId::as_str);
        let actor = Actor { identity: Some(&self.identity), request_id, address: self.address };
        audit::record(&actor, action, object, outcome.as_ref().map_or_else(|problem| problem.code, |_| "ok"));
        outcome
    }
}
