//! What is done for every request, whichever route it is for: find out who calls, name it, answer, and log it.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::ConnectInfo;
use http::{Request, Response};
use hyper::body::Incoming;
use tokio::time::Instant;
use tower_service::Service as _;
use tracing::Instrument as _;

use super::Edge;
use super::access::{Followed, Rank, Record};
use super::pace::Pace;
use super::request_id::X_REQUEST_ID;
use super::security::{self, Embedding, Scheme};
use super::trail::Trail;
use crate::client::{ClientAddress, client_address};

/// The connection that requests come over.
#[derive(Debug)]
pub(super) struct Via {
    pub(super) edge: Edge,
    /// The other end, or whom the balancer in front speaks for.
    pub(super) peer: SocketAddr,
    pub(super) scheme: Scheme,
    pub(super) pace: Arc<Pace>,
}

/// Answers a request.
pub(super) async fn answer(via: &Via, mut request: Request<Incoming>) -> Response<Followed> {
    let Via { edge, peer, scheme, pace } = via;
    let open = pace.begin();
    let config = &edge.node.config;
    let address = client_address(peer.ip(), request.headers(), &config.edge.trusted_proxies);
    let trail = Trail::of(request.headers());
    let below = request.uri().path().strip_prefix(config.path.trim_end_matches('/'));
    let is_engine = below.is_some_and(|below| below.is_empty() || below.starts_with('/'));
    let mut record = Record {
        method: request.method().clone(),
        uri: request.uri().clone(),
        address,
        id: trail.id.clone(),
        trace: trail.trace.trace,
        rank: if is_engine && names_session(&request) { Rank::Poll } else { Rank::Request },
        began: Instant::now(),
        status: None,
        cut: Arc::default(),
        bytes: 0,
        _open: open,
    };
    let (id, span) = (trail.id.clone(), trail.span());
    let extensions = request.extensions_mut();
    extensions.insert(ConnectInfo(*peer));
    extensions.insert(ClientAddress(address));
    extensions.insert(trail.id.clone());
    extensions.insert(trail.trace.clone());
    extensions.insert(Arc::new(trail));
    // A router is a reference to its routes; a call needs one of its own.
    let answered = edge.routes.clone().call(request.map(|body| record.watch(body))).instrument(span).await;
    let mut response = answered.unwrap_or_else(|never| match never {});
    let embedding = if is_engine { Embedding::CrossOrigin } else { Embedding::SameOrigin };
    security::harden(&mut response, *scheme, embedding);
    response.headers_mut().insert(X_REQUEST_ID, id.into_header());
    record.status = Some(response.status());
    response.map(|body| record.follow(body))
}

fn names_session(request: &Request<Incoming>) -> bool {
    request.uri().query().is_some_and(|query| query.split('&').any(|pair| pair.starts_with("sid=")))
}
