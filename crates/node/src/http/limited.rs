//! Limits by client address on the wire: 429 with the time to come back, and on every counted answer how much is left
//! (draft-ietf-httpapi-ratelimit-headers-10).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::host;
use crate::client::ClientAddress;
use crate::limits::gcra::RetryAfter;
use crate::limits::{Class, Standing};
use crate::node::Node;
use crate::problem::Problem;
use crate::shard::Shard;
use crate::tenants::Tenant;

pub(super) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
pub(super) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Counts a request to the HTTP API and refuses it when there were too many.
pub(super) async fn requests(
    State(node): State<Arc<Node>>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    request: Request,
    next: Next,
) -> Response {
    let Some(class) = Class::of(request.uri().path()) else { return next.run(request).await };
    let tenant = node.tenants.of_host(host(request.headers(), request.uri())).ok().flatten();
    let Some(standing) = node.limiter.take(class, address, tenant.as_deref()) else {
        return next.run(request).await;
    };
    match standing.left {
        Ok(_) => {
            let mut response = next.run(request).await;
            tell(&standing, response.headers_mut());
            response
        }
        Err(RetryAfter(after)) => refused(class, after, Some(&standing)),
    }
}

/// Counts a new session; gives the refusal when there were too many, or the address is held off.
pub(super) fn handshake(node: &Node, address: IpAddr, tenant: Option<&Tenant>) -> Option<Response> {
    if let Some(left) = node.limiter.held_off(address) {
        return Some(refused(Class::Handshakes, left, node.limiter.away(left, tenant).as_ref()));
    }
    count(node, Class::Handshakes, address, tenant)
}

/// Counts a request that came with a made-up token; gives the refusal when there were too many.
pub(crate) fn attempt(node: &Node, parts: &Parts) -> Option<Response> {
    let ClientAddress(address) = parts.extensions.get()?;
    let tenant = node.tenants.of_host(host(&parts.headers, &parts.uri)).ok().flatten();
    count(node, Class::Authentication, *address, tenant.as_deref())
}

fn count(node: &Node, class: Class, address: IpAddr, tenant: Option<&Tenant>) -> Option<Response> {
    let standing = node.limiter.take(class, address, tenant)?;
    let RetryAfter(after) = standing.left.err()?;
    Some(refused(class, after, Some(&standing)))
}

fn refused(class: Class, after: Duration, standing: Option<&Standing>) -> Response {
    if let Some(shard) = Shard::here() {
        shard.metrics().requests_limited[class as usize].add(1);
    }
    let message = "Too many requests from this address.";
    let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", message).retry_after(after);
    let mut response = problem.into_response();
    if let Some(standing) = standing {
        tell(standing, response.headers_mut());
    }
    response
}

/// The policy: `q` at once, earned again in `w` seconds. Where the client stands: `r` are left, and in `t` seconds all
/// of them are back, or, with none left, the first. Whoever has refused the request has told it already.
fn tell(standing: &Standing, headers: &mut HeaderMap) {
    let Standing { class, rate, left } = standing;
    let policy = format!("\"{}\";q={};w={}", class.name(), rate.burst(), seconds(rate.window()));
    let (count, until) = match left {
        Ok(remaining) => (remaining.count(), remaining.full_in()),
        Err(wait) => (0, wait.0),
    };
    let now = format!("\"{}\";r={count};t={}", class.name(), seconds(until));
    for (name, value) in [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, now)] {
        let value = HeaderValue::from_str(&value).expect("words and numbers are visible ASCII");
        headers.entry(name).or_insert(value);
    }
}

/// Rounded up: who waits that long has waited long enough.
fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}
