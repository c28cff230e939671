//! Makes tokens: for development on the command line, and the signing that guests share with it. Only HS256: whoever
//! has a private key has an issuer.

use std::time::{Duration, SystemTime};

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;

use super::Role;
use super::claims::{JTI_BYTES_MAX, TENANT_BYTES_MAX, USER_BYTES_MAX, is_name, is_user};
use super::token::Kind;

/// What a token is to say.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// The user.
    pub sub: String,
    /// What the user may do.
    pub role: Role,
    /// For which tenant.
    pub tenant: Option<String>,
    /// For how long.
    pub ttl: Duration,
    /// The name by which it can be revoked.
    pub jti: Option<String>,
    /// The issuer, where the server asks for one.
    pub issuer: Option<String>,
    /// The audience, where the server asks for one.
    pub audience: Option<String>,
}

/// Why no token was made: no server would accept it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MintError {
    /// Not a user's name.
    #[error(
        "the user must have 1 to {USER_BYTES_MAX} bytes, no control characters, and not begin with \"guest:\""
    )]
    Subject,
    /// Not a tenant's name.
    #[error("the tenant must have 1 to {TENANT_BYTES_MAX} bytes and no control characters")]
    Tenant,
    /// Not a name to revoke by.
    #[error("the token's name must have 1 to {JTI_BYTES_MAX} bytes and no control characters")]
    Jti,
}

/// Signs a token with a secret, as of `now`.
pub fn mint(secret: &SecretString, token: NewToken, now: SystemTime) -> Result<String, MintError> {
    if !is_user(&token.sub, Kind::User) {
        return Err(MintError::Subject);
    }
    if token.tenant.as_deref().is_some_and(|tenant| !is_name(tenant, TENANT_BYTES_MAX)) {
        return Err(MintError::Tenant);
    }
    if token.jti.as_deref().is_some_and(|jti| !is_name(jti, JTI_BYTES_MAX)) {
        return Err(MintError::Jti);
    }
    let claims = Payload {
        sub: &token.sub,
        role: Some(token.role),
        tenant: token.tenant.as_deref(),
        jti: token.jti.as_deref(),
        iss: token.issuer.as_deref(),
        aud: token.audience.as_deref(),
        iat: seconds(now),
        exp: seconds(now).saturating_add(token.ttl.as_secs()),
    };
    Ok(claims.sign(secret.expose_secret().as_bytes(), "JWT"))
}

/// The claims of a token made here.
#[derive(Serialize)]
pub(super) struct Payload<'a> {
    pub(super) sub: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tenant: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) jti: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) iss: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) aud: Option<&'a str>,
    pub(super) iat: u64,
    pub(super) exp: u64,
}

impl Payload<'_> {
    /// Signs the claims by HS256.
    pub(super) fn sign(&self, secret: &[u8], typ: &str) -> String {
        let header = Header { typ: Some(typ.into()), ..Header::new(Algorithm::HS256) };
        jsonwebtoken::encode(&header, self, &EncodingKey::from_secret(secret))
            .expect("an HMAC signs any text, and these claims are JSON")
    }
}

/// Whole seconds since 1970.
pub(super) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::super::keys::{Keys, KeysConfig};
    use super::*;

    fn token() -> NewToken {
        NewToken {
            sub: "ada".into(),
            role: Role::Operator,
            tenant: Some("acme".into()),
            ttl: Duration::from_secs(60),
            jti: Some("one".into()),
            issuer: Some("dev".into()),
            audience: Some("throng".into()),
        }
    }

    #[test]
    fn a_minted_token_is_accepted_until_it_runs_out() {
        let secret = SecretString::from("a secret of thirty-two bytes, ok");
        let config = KeysConfig {
            secret: Some(secret.clone()),
            issuer: Some("dev".into()),
            audience: Some("throng".into()),
            leeway: Duration::ZERO,
            ..KeysConfig::default()
        };
        let keys = Keys::new(config).unwrap();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let text = mint(&secret, token(), now).unwrap();
        let identity = keys.verify(&text, now).unwrap();
        assert_eq!((&*identity.user, identity.role), ("ada", Role::Operator));
        assert_eq!((identity.tenant.as_deref(), identity.jti.as_deref()), (Some("acme"), Some("one")));
        assert_eq!((identity.issued, identity.expires), (Some(now), Some(now + Duration::from_secs(60))));
        assert_eq!(
            keys.verify(&text, now + Duration::from_secs(60)),
            Err(super::super::token::TokenError::Expired)
        );
    }

    #[test]
    fn what_no_server_accepts_is_not_made() {
        let secret = SecretString::from("a secret of thirty-two bytes, ok");
        let check = |change: fn(&mut NewToken), expect| {
            let mut token = token();
            change(&mut token);
            assert_eq!(mint(&secret, token, SystemTime::UNIX_EPOCH).err(), expect);
        };
        check(|token| token.sub = "guest:me".into(), Some(MintError::Subject));
        check(|token| token.sub.clear(), Some(MintError::Subject));
        check(|token| token.tenant = Some("a\0b".into()), Some(MintError::Tenant));
        check(|token| token.jti = Some("j".repeat(257)), Some(MintError::Jti));
        check(|token| token.ttl = Duration::MAX, None);
    }
}
