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

/// Puts the [`Caller`] into a request's extensions: the middleware of routes whose callers all have tokens of one issuer,
/// for `axum::middleware::from_fn_with_state`.
pub async fn identify(State(identities): State<Arc<Identities>>, request: Request, next: Next) -> Response {
    let token = credentials::token(None, credentials::pairs(request.headers()), &identities.cookie);
    let identified = match token {
        Ok(token) => identities.identify(token, None).await,
        Err(error) => Err(error),
    };
    pass(identified.map(Caller).map_err(Problem::from), request, next).await
}

/// The rest of such a middleware, once it is known who calls. A token that was not accepted is answered with its
/// [`Problem`]; a 401 from wherever says what would help (RFC 6750, 3).
pub async fn pass(identified: Result<Caller, Problem>, mut request: Request, next: Next) -> Response {
    match identified {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            challenged(next.run(request).await, HeaderValue::from_static("Bearer"))
        }
        Err(problem) => {
            let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
            challenged(problem.into_response(), challenge)
        }
    }
}

fn challenged(mut response: Response, challenge: HeaderValue) -> Response {
    if response.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().entry(header::WWW_AUTHENTICATE).or_insert(challenge);
    }
    response
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use http_body_util::BodyExt as _;
    use serde_json::Value;
    use tower_service::Service as _;

    use super::super::guest::Guests;
    use super::super::keys::{Keys, KeysConfig};
    use super::super::mint::{NewToken, mint};
    use super::super::revocation::Revocations;
    use super::*;

    const SECRET: &str = "a secret of thirty-two bytes, ok";

    fn bearer(role: Role) -> String {
        let token = NewToken {
            sub: "ada".into(),
            role,
            tenant: None,
            ttl: Duration::from_secs(60),
            jti: None,
            issuer: None,
            audience: None,
        };
        format!("Bearer {}", mint(&SECRET.into(), token, SystemTime::now()).unwrap())
    }

    fn router() -> Router {
        let config = KeysConfig { secret: Some(SECRET.into()), ..KeysConfig::default() };
        let identities = Identities {
            keys: Keys::new(config).unwrap(),
            guests: Some(Guests::new(&SECRET.into(), Duration::from_secs(60), Duration::ZERO)),
            revocations: Arc::new(Revocations::new(10, Duration::from_secs(60))),
            cookie: "token".into(),
        };
        let who = |caller: Caller| async { caller.0.map_or("nobody".into(), |who| who.user.to_string()) };
        let staff = |caller: Caller| async { caller.require(Role::Staff).map(|who| who.user.to_string()) };
        Router::new()
            .route("/who", get(who))
            .route("/staff", get(staff))
            .layer(from_fn_with_state(Arc::new(identities), identify))
    }

    /// Status, challenge, and the body or the code in it.
    async fn ask(path: &str, header: (&str, &str)) -> (u16, Option<String>, String) {
        let request = Request::get(path).header(header.0, header.1).body(Body::empty()).unwrap();
        let response = router().call(request).await.unwrap();
        let challenge =
            response.headers().get("www-authenticate").map(|value| value.to_str().unwrap().into());
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let code = |body: Value| body["error"]["code"].as_str().map(Into::into);
        let text = String::from_utf8(body.to_vec()).unwrap();
        (status, challenge, serde_json::from_str(&text).ok().and_then(code).unwrap_or(text))
    }

    async fn check(path: &str, authorization: &str, expect: (u16, Option<&str>, &str)) {
        let (status, challenge, text) = ask(path, ("authorization", authorization)).await;
        assert_eq!((status, challenge.as_deref(), text.as_str()), expect, "{path}");
    }

    #[tokio::test]
    async fn the_role_decides() {
        check("/who", "", (200, None, "nobody")).await;
        check("/who", &bearer(Role::User), (200, None, "ada")).await;
        check("/staff", "", (401, Some("Bearer"), "token_missing")).await;
        check("/staff", &bearer(Role::User), (403, None, "forbidden")).await;
        check("/staff", &bearer(Role::Staff), (200, None, "ada")).await;
        check("/staff", &bearer(Role::Admin), (200, None, "ada")).await;
    }

    #[tokio::test]
    async fn a_bad_token_is_refused_everywhere_and_never_repeated() {
        let challenge = Some("Bearer error=\"invalid_token\"");
        let tampered = format!("{}x", bearer(Role::Admin));
        check("/who", &tampered, (401, challenge, "token_signature")).await;
        check("/staff", "Bearer junk", (401, challenge, "token_malformed")).await;
        let request =
            Request::get("/who").header("authorization", "Bearer junk").body(Body::empty()).unwrap();
        let response = router().call(request).await.unwrap();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert!(!String::from_utf8_lossy(&body).contains("junk"));
    }

    #[tokio::test]
    async fn a_cookie_serves_as_well() {
        let token = bearer(Role::Staff);
        let cookie = format!("a=b; token={}", token.trim_start_matches("Bearer "));
        assert_eq!(ask("/staff", ("cookie", &cookie)).await, (200, None, "ada".into()));
    }

    #[test]
    fn without_the_middleware_nobody_calls() {
        let (parts, ()) = Request::new(()).into_parts();
        assert_eq!(Caller::of(&parts).require(Role::Guest).unwrap_err().code, "token_missing");
    }
}
