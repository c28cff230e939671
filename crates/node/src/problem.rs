//! What an HTTP route answers when it does not do what was asked: one shape for every route, the shape of a refused
//! acknowledgement.

use std::borrow::Cow;
use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde_json::{Value, json};

use crate::identity::token::TokenError;

/// A refusal: `{"ok": false, "error": {"code", "message"}}` with a status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// A stable word for programs.
    pub code: &'static str,
    /// A sentence for people. It says nothing of other users or of the inside of the server.
    pub message: Cow<'static, str>,
    /// When to come back, for the `Retry-After` header.
    pub retry_after: Option<Duration>,
}

impl Problem {
    /// A refusal that names no time to come back.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, message: message.into(), retry_after: None }
    }

    /// What is answered, over HTTP as in an acknowledgement.
    pub fn body(&self) -> Value {
        json!({"ok": false, "error": {"code": self.code, "message": self.message}})
    }

    /// Whether it is of a token that looks made up.
    pub(crate) fn is_forgery(&self) -> bool {
        TokenError::of_code(self.code).is_some_and(TokenError::is_forgery)
    }

    /// Says when to come back, rounded up to whole seconds.
    pub fn retry_after(self, after: Duration) -> Self {
        Self { retry_after: Some(after), ..self }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body())).into_response();
        if let Some(after) = self.retry_after {
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_come_back_is_rounded_up() {
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "Slow down.");
        let response = problem.retry_after(Duration::from_millis(1_200)).into_response();
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["retry-after"], "2");
    }
}
