//! Who calls a route: a middleware that puts the [`Caller`] into a request, and the check of its role in a handler.
//!
//! It belongs around routes that answer to programs. Pages and probes stay outside, so that a browser whose cookie has
//! run out can still load the page on which to log in.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};

use super::identities::Identities;
use super::token::TokenError;
use super::{Identity, Role, credentials};
use crate::problem::Problem;

/// Who calls a route; nobody when the request has no token. As an extractor it never fails.
#[derive(Debug, Clone, Default)]
pub struct Caller(pub Option<Arc<Identity>>);

impl Caller {
    /// The caller of a request; nobody where [`identify`] was not asked.
    pub fn of(parts: &Parts) -> Self {
        parts.extensions.get::<Self>().cloned().unwrap_or_default()
    }

    /// The caller, if it may do what `role` may.
    ///
    /// # Errors
    /// 401 `token_missing` without an identity, 403 `forbidden` below the role.
    pub fn require(self, role: Role) -> Result<Arc<Identity>, Problem> {
        let identity = self.0.ok_or(TokenError::Missing)?;
        if identity.is(role) {
            Ok(identity)
        } else {
            Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", "This needs more rights."))
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, error.code(), error.message())
    }
}

/// Puts the [`Caller`] into a request's extensions, for `axum::middleware::from_fn_with_state`. A token that is not
/// accepted is answered with 401; a 401 from wherever says what would help (RFC 6750, 3).
pub async fn identify(
    State(identities): State<Arc<Identities>>,
    mut request: Request,
    next: Next,
) -> Response {
    let token = credentials::token(None, credentials::pairs(request.headers()), &identities.cookie);
    let identified = match token {
        Ok(token) => identities.identify(token).await,
        Err(error) => Err(error),
    };
    match identified {
        Ok(identity) => {
            request.extensions_mut().insert(Caller(identity));
            challenged(next.run(request).await, HeaderValue::from_static("Bearer"))
        }
        Err(error) => {
            let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
            challenged(Problem::from(error).into_response(), challenge)
        }
    }
}

fn challenged(mut response: Response, challenge: HeaderValue) -> Response {
    if response.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().entry(header::WWW_AUTHENTICATE).or_insert(challenge);
    }
    response
}
