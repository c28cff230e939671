//! Guests whom the server itself has named: a random `sub` in a token signed with a key of its own, so that a client
//! without an account is the same user on every connection for as long as it keeps the token.

use std::time::{Duration, SystemTime};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretBox, SecretString};

use super::claims::{Claims, GUEST_PREFIX, Rules, time};
use super::key::Key;
use super::mint::{Payload, seconds};
use super::token::{GUEST_TYP, Kind, Token, TokenError};
use super::{Identity, Role};
use crate::ids;

/// What the key of guests is derived by: neither key ever checks what the other has signed.
const LABEL: &[u8] = b"throng guest token 1";

/// Names guests, and knows them again.
#[derive(Debug)]
pub struct Guests {
    secret: SecretBox<[u8]>,
    key: Key,
    lifetime: Duration,
    rules: Rules,
}

impl Guests {
    /// Guests of a server with this secret, each for a time; `leeway` is by how much the clocks of nodes may differ.
    pub fn new(secret: &SecretString, lifetime: Duration, leeway: Duration) -> Self {
        let root = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
        let derived = hmac::sign(&root, LABEL);
        Self {
            secret: SecretBox::new(derived.as_ref().into()),
            key: Key::hmac(derived.as_ref()),
            lifetime,
            rules: Rules { issuer: None, audience: None, leeway },
        }
    }

    /// Names a new guest.
    pub fn name(&self, now: SystemTime, tenant: Option<&str>) -> Identity {
        let user = format!("{GUEST_PREFIX}{}", URL_SAFE_NO_PAD.encode(ids::random::<16>()));
        let issued = seconds(now);
        let expires = issued.saturating_add(self.lifetime.as_secs());
        Identity {
            user: user.into(),
            role: Role::Guest,
            tenant: tenant.map(Into::into),
            jti: None,
            issued: Some(time(issued as f64)),
            expires: Some(time(expires as f64) + self.rules.leeway),
        }
    }

    /// The token of a guest, for its client to keep. It runs out when the guest's lifetime is over, counted from when it
    /// was named.
    pub fn sign(&self, guest: &Identity) -> String {
        let issued = guest.issued.map(seconds).unwrap_or_default();
        let claims = Payload {
            sub: &guest.user,
            role: None,
            tenant: guest.tenant.as_deref(),
            jti: None,
            iss: None,
            aud: None,
            iat: issued,
            exp: issued.saturating_add(self.lifetime.as_secs()),
        };
        claims.sign(self.secret.expose_secret(), GUEST_TYP)
    }

    /// Knows a guest again.
    pub fn verify(&self, token: &str, now: SystemTime) -> Result<Identity, TokenError> {
        self.check(&Token::parse(token)?, now)
    }

    pub(super) fn check(&self, token: &Token<'_>, now: SystemTime) -> Result<Identity, TokenError> {
        if token.kind != Kind::Guest {
            return Err(TokenError::KeyUnknown);
        }
        if !self.key.may_serve(token) {
            return Err(TokenError::Algorithm);
        }
        if !self.key.has_signed(token) {
            return Err(TokenError::GuestUnknown);
        }
        self.rules.apply(token.claims::<Claims>()?, Kind::Guest, now)
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys::{Keys, KeysConfig};
    use super::super::mint::{NewToken, mint};
    use super::*;

    const SECRET: &str = "a secret of thirty-two bytes, ok";

    fn guests() -> Guests {
        Guests::new(&SECRET.into(), Duration::from_secs(3600), Duration::from_secs(30))
    }

    fn minted(guests: &Guests, tenant: Option<&str>) -> (String, Identity) {
        let guest = guests.name(now(), tenant);
        (guests.sign(&guest), guest)
    }

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_000_500)
    }

    #[test]
    fn a_guest_stays_the_same_guest() {
        let (token, minted) = minted(&guests(), Some("acme"));
        // Another node with the same secret.
        assert_eq!(guests().verify(&token, now()), Ok(minted.clone()));
        let name = minted.user.strip_prefix("guest:").unwrap();
        assert!(
            name.len() == 22
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        );
        assert_eq!((minted.role, minted.tenant.as_deref()), (Role::Guest, Some("acme")));
        assert_ne!(guests().name(now(), None).user, minted.user);
        let end = minted.expires.unwrap();
        assert!(guests().verify(&token, end - Duration::from_secs(1)).is_ok());
        assert_eq!(guests().verify(&token, end), Err(TokenError::Expired));
    }

    #[test]
    fn neither_key_accepts_what_the_other_signed() {
        let keys = Keys::new(KeysConfig { secret: Some(SECRET.into()), ..KeysConfig::default() }).unwrap();
        let claims = NewToken {
            sub: "ada".into(),
            role: Role::Admin,
            tenant: None,
            ttl: Duration::from_secs(60),
            jti: None,
            issuer: None,
            audience: None,
        };
        let user = mint(&SECRET.into(), claims, now()).unwrap();
        let (guest, _) = minted(&guests(), None);
        assert!(keys.verify(&user, now()).is_ok());
        assert_eq!(guests().verify(&user, now()), Err(TokenError::KeyUnknown));
        assert_eq!(keys.verify(&guest, now()), Err(TokenError::KeyUnknown));
        // The same with the other's `typ`, which anybody can write.
        let payload = |sub, role| Payload {
            sub,
            role,
            tenant: None,
            jti: None,
            iss: None,
            aud: None,
            iat: 1_800_000_000,
            exp: 1_800_000_060,
        };
        let forged = payload("guest:ada", None).sign(SECRET.as_bytes(), GUEST_TYP);
        assert_eq!(guests().verify(&forged, now()), Err(TokenError::GuestUnknown));
        let forged = payload("ada", Some(Role::Admin)).sign(guests().secret.expose_secret(), "JWT");
        assert_eq!(keys.verify(&forged, now()), Err(TokenError::Signature));
        let forged = payload("guest:ada", None).sign(SECRET.as_bytes(), "JWT");
        assert_eq!(keys.verify(&forged, now()), Err(TokenError::Subject));
    }

    #[test]
    fn guests_of_another_secret_are_strangers() {
        let other =
            Guests::new(&"another one, as long as the first".into(), Duration::from_secs(60), Duration::ZERO);
        let (token, _) = minted(&other, None);
        assert_eq!(guests().verify(&token, now()), Err(TokenError::GuestUnknown));
        assert!(!format!("{other:?}").contains("another"));
    }
}
