//! Where a client puts its token: the handshake's `auth.token`, the `Authorization` header, a cookie, in this order.
//! Where two places disagree the first counts; an empty one counts for nothing.

use http::HeaderMap;
use serde_json::Value;

use super::token::TokenError;

/// Finds the token of a request.
///
/// `auth` is the value that a Socket.IO client connects with, `headers` are pairs of lower-case names and values,
/// `cookie` is the name of the cookie, empty for none.
///
/// # Errors
/// [`TokenError::Malformed`] when `auth.token` is neither a string nor null.
pub fn token<'a>(
    auth: Option<&'a Value>,
    headers: impl IntoIterator<Item = (&'a str, &'a str)>,
    cookie: &str,
) -> Result<Option<&'a str>, TokenError> {
    match auth.and_then(|auth| auth.get("token")) {
        None | Some(Value::Null) => {}
        Some(Value::String(token)) if token.is_empty() => {}
        Some(Value::String(token)) => return Ok(Some(token)),
        Some(_) => return Err(TokenError::Malformed),
    }
    let (mut authorization, mut cookies) = (None, None);
    for (name, value) in headers {
        match name {
            "authorization" => authorization = authorization.or_else(|| bearer(value)),
            "cookie" => cookies = cookies.or_else(|| named(cookie, value)),
            _ => {}
        }
    }
    Ok(authorization.or(cookies))
}

/// The headers of a request in the shape that [`token`] takes; values that are not text are left out.
pub fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
}

/// The token of `Authorization: Bearer` (RFC 6750, 2.1); the scheme's case does not matter.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    let token = token.trim_start();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// The value of a cookie (RFC 6265, 5.4), without its quotes.
fn named<'a>(cookie: &str, value: &'a str) -> Option<&'a str> {
    if cookie.is_empty() {
        return None;
    }
    let mut pairs = value.split(';').filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(name, _)| *name == cookie)?;
    let inner = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    (!inner.is_empty()).then_some(inner)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(auth: Option<Value>, headers: &[(&str, &str)], expect: Result<Option<&str>, TokenError>) {
        assert_eq!(token(auth.as_ref(), headers.iter().copied(), "token"), expect, "{auth:?} {headers:?}");
    }

    #[test]
    fn the_first_place_counts() {
        let (bearer, cookie) = (("authorization", "Bearer b"), ("cookie", "token=c"));
        check(Some(json!({"token": "a"})), &[cookie, bearer], Ok(Some("a")));
        check(Some(json!({"other": "a"})), &[cookie, bearer], Ok(Some("b")));
        check(None, &[cookie], Ok(Some("c")));
        check(None, &[], Ok(None));
    }

    #[test]
    fn what_is_empty_or_of_another_kind_is_passed_over() {
        let cookie = ("cookie", "token=c");
        for auth in [json!({"token": ""}), json!({"token": null}), json!("a"), json!(["token"]), json!(null)]
        {
            check(Some(auth), &[cookie], Ok(Some("c")));
        }
        for value in ["Basic dTpw", "Bearer", "Bearer ", "", "Bearertoken"] {
            check(None, &[("authorization", value), cookie], Ok(Some("c")));
        }
        for auth in [json!({"token": 7}), json!({"token": {"a": 1}}), json!({"token": ["a"]})] {
            check(Some(auth), &[cookie], Err(TokenError::Malformed));
        }
    }

    #[test]
    fn headers_are_read_as_clients_write_them() {
        check(None, &[("authorization", "bearer  b ")], Ok(Some("b")));
        check(None, &[("cookie", "a=1; token=\"c\"; b=2")], Ok(Some("c")));
        check(None, &[("cookie", "a=1"), ("cookie", "token=c==")], Ok(Some("c==")));
        check(None, &[("cookie", "xtoken=c; Token=d; token; token=")], Ok(None));
        assert_eq!(token(None, [("cookie", "=c")], ""), Ok(None));
    }
}
