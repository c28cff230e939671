//! What a request is called wherever something of it is logged: here, on another shard, on another node.

use http::{HeaderMap, HeaderValue};
use tracing::Span;

use super::request_id::{RequestId, X_REQUEST_ID};
use super::trace_context::{TRACEPARENT, TRACESTATE, TraceContext};

/// The name of a request and its place in a trace.
#[derive(Debug, Clone)]
pub(crate) struct Trail {
    pub(super) id: RequestId,
    pub(super) trace: TraceContext,
}

impl Trail {
    /// As the caller says, else new ones.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        Self { id: RequestId::of(headers), trace: TraceContext::of(headers) }
    }

    /// What the lines of the request are logged in.
    pub(crate) fn span(&self) -> Span {
        // At the highest level, so that it is there whenever any line is.
        tracing::error_span!(
            "request",
            request_id = self.id.as_str(),
            trace_id = format_args!("{:032x}", self.trace.trace),
            span_id = format_args!("{:016x}", self.trace.span),
        )
    }

    /// Names a request that this one makes.
    pub(crate) fn hand_on(&self, headers: &mut HeaderMap) {
        headers.insert(X_REQUEST_ID, self.id.clone().into_header());
        let state = self.trace.state.as_deref();
        for (name, value) in [(TRACEPARENT, Some(self.trace.traceparent().as_str())), (TRACESTATE, state)] {
            if let Some(Ok(value)) = value.map(HeaderValue::from_str) {
                headers.insert(name, value);
            }
        }
    }
}
