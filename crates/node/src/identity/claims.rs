//! The inside of a token: what its claims must say, and the [`Identity`] that they make. The signature is checked
//! elsewhere, before.

use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::token::{Kind, TokenError};
use super::{Identity, Role};

/// What the `sub` of every guest begins with.
pub(super) const GUEST_PREFIX: &str = "guest:";
/// Longest `sub`, in bytes.
pub(super) const USER_BYTES_MAX: usize = 128;
/// Longest `jti`, in bytes.
pub(super) const JTI_BYTES_MAX: usize = 256;
/// Longest `tenant`, in bytes: that of a DNS label.
pub(super) const TENANT_BYTES_MAX: usize = 63;
/// The end of the year 9999: times beyond it are taken for it.
const SECONDS_MAX: f64 = 253_402_300_799.0;

/// What holds for every token of an issuer.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) issuer: Option<Box<str>>,
    pub(super) audience: Option<Box<str>>,
    pub(super) leeway: Duration,
}

/// The claims that are looked at; others are not.
#[derive(Deserialize)]
pub(super) struct Claims {
    sub: Option<Box<str>>,
    exp: Option<f64>,
    nbf: Option<f64>,
    iat: Option<f64>,
    iss: Option<Box<str>>,
    aud: Option<Names>,
    role: Option<Names>,
    roles: Option<Names>,
    tenant: Option<Box<str>>,
    jti: Option<Box<str>>,
}

/// A name or a list of them. Anything else holds none: issuers have claims of these names with other contents.
#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    One(String),
    Many(Vec<String>),
    Other(IgnoredAny),
}

impl Names {
    fn list(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Many(names) => names,
            Self::Other(_) => &[],
        }
    }
}

impl Rules {
    /// Who the claims of a token of this kind name at this time. A token without `exp` is malformed.
    pub(super) fn apply(&self, claims: Claims, kind: Kind, now: SystemTime) -> Result<Identity, TokenError> {
        let expires = time(claims.exp.ok_or(TokenError::Malformed)?) + self.leeway;
        if now >= expires {
            return Err(TokenError::Expired);
        }
        let issued = claims.iat.map(time);
        // A token from the future would survive the revocation of all that its user holds.
        for start in [claims.nbf.map(time), issued].into_iter().flatten() {
            if now + self.leeway < start {
                return Err(TokenError::NotYetValid);
            }
        }
        if self.issuer.is_some() && self.issuer != claims.iss {
            return Err(TokenError::Issuer);
        }
        if let Some(audience) = &self.audience
            && !claims.aud.iter().flat_map(Names::list).any(|name| **name == **audience)
        {
            return Err(TokenError::Audience);
        }
        let role = match kind {
            Kind::Guest => Role::Guest,
            Kind::User => role(claims.role.iter().chain(&claims.roles)),
        };
        let user = claims.sub.filter(|user| is_user(user, kind)).ok_or(TokenError::Subject)?;
        if claims.tenant.as_deref().is_some_and(|name| !is_name(name, TENANT_BYTES_MAX))
            || claims.jti.as_deref().is_some_and(|jti| !is_name(jti, JTI_BYTES_MAX))
        {
            return Err(TokenError::Malformed);
        }
        Ok(Identity { user, role, tenant: claims.tenant, jti: claims.jti, issued, expires: Some(expires) })
    }
}

/// The highest role among the names; those that are unknown count for nothing.
fn role<'a>(claims: impl Iterator<Item = &'a Names>) -> Role {
    claims.flat_map(Names::list).filter_map(|name| Role::named(name)).max().unwrap_or(Role::User)
}

/// Whether a token of this kind may name this user.
pub(super) fn is_user(user: &str, kind: Kind) -> bool {
    is_name(user, USER_BYTES_MAX) && user.starts_with(GUEST_PREFIX) == (kind == Kind::Guest)
}

pub(super) fn is_name(text: &str, bytes_max: usize) -> bool {
    !text.is_empty() && text.len() <= bytes_max && !text.contains(char::is_control)
}

/// A NumericDate (RFC 7519, 2): seconds since 1970, whole or not.
pub(super) fn time(seconds: f64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs_f64(seconds.clamp(0.0, SECONDS_MAX))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn apply(kind: Kind, changes: Value) -> Result<Identity, TokenError> {
        let sub = if kind == Kind::Guest { "guest:x" } else { "ada" };
        let mut claims =
            json!({"sub": sub, "exp": NOW + 60, "iat": NOW, "iss": "https://id", "aud": "throng"});
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let rules = Rules {
            issuer: Some("https://id".into()),
            audience: Some("throng".into()),
            leeway: Duration::from_secs(30),
        };
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
        rules.apply(serde_json::from_value(claims).map_err(|_| TokenError::Malformed)?, kind, now)
    }

    fn check(changes: Value, expect: Result<(), TokenError>) {
        assert_eq!(apply(Kind::User, changes.clone()).map(|_| ()), expect, "{changes}");
    }

    #[test]
    fn times_hold_to_the_edge_of_the_leeway() {
        check(json!({"exp": NOW - 29}), Ok(()));
        check(json!({"exp": NOW - 30}), Err(TokenError::Expired));
        check(json!({"exp": NOW as f64 - 29.5}), Ok(()));
        check(json!({"nbf": NOW + 30}), Ok(()));
        check(json!({"nbf": NOW + 31}), Err(TokenError::NotYetValid));
        check(json!({"iat": NOW + 31}), Err(TokenError::NotYetValid));
        check(json!({"exp": null}), Err(TokenError::Malformed));
        check(json!({"exp": "1900000000"}), Err(TokenError::Malformed));
        check(json!({"nbf": "0"}), Err(TokenError::Malformed));
        check(json!({"exp": 1e308, "iat": -1e308}), Ok(()));
        check(json!({"exp": -1}), Err(TokenError::Expired));
    }

    #[test]
    fn issuer_and_audience_must_be_those_configured() {
        for iss in [json!(null), json!("https://id/"), json!("")] {
            check(json!({"iss": iss}), Err(TokenError::Issuer));
        }
        check(json!({"iss": ["https://id"]}), Err(TokenError::Malformed));
        check(json!({"aud": ["other", "throng"]}), Ok(()));
        for aud in [json!(null), json!("Throng"), json!([]), json!({"throng": 1}), json!(["throng", 1])] {
            check(json!({"aud": aud}), Err(TokenError::Audience));
        }
    }

    #[test]
    fn a_user_is_a_short_printable_name_and_no_guest() {
        check(json!({"sub": "a".repeat(128)}), Ok(()));
        for sub in [json!(null), json!(""), json!("a".repeat(129)), json!("a\nb"), json!("a\u{85}b")] {
            check(json!({"sub": sub}), Err(TokenError::Subject));
        }
        check(json!({"sub": "guest:x"}), Err(TokenError::Subject));
        assert_eq!(apply(Kind::Guest, json!({"sub": "ada"})), Err(TokenError::Subject));
        check(json!({"tenant": "t".repeat(64)}), Err(TokenError::Malformed));
        check(json!({"tenant": ""}), Err(TokenError::Malformed));
        check(json!({"jti": "j".repeat(257)}), Err(TokenError::Malformed));
    }

    #[test]
    fn the_highest_known_role_counts() {
        let role = |changes| apply(Kind::User, changes).unwrap().role;
        assert_eq!(role(json!({})), Role::User);
        assert_eq!(role(json!({"role": "moderator"})), Role::Moderator);
        assert_eq!(role(json!({"roles": ["owner", "staff", "operator", "guest"]})), Role::Operator);
        assert_eq!(role(json!({"role": "staff", "roles": ["admin"]})), Role::Admin);
        assert_eq!(role(json!({"role": "Admin", "roles": ["root"]})), Role::User);
        assert_eq!(role(json!({"role": {"admin": true}, "roles": 7})), Role::User);
        assert_eq!(role(json!({"role": "guest"})), Role::Guest);
        let guest = apply(Kind::Guest, json!({"role": "admin", "roles": ["admin"]})).unwrap();
        assert_eq!(guest.role, Role::Guest);
    }
}
