//! The check of a user's token: its signature by one of the [`Keys`], then its claims.

use std::time::SystemTime;

use jsonwebtoken::Algorithm;

use super::Identity;
use super::claims::Claims;
use super::key::Key;
use super::keys::Keys;
use super::token::{Kind, Token, TokenError};

impl Keys {
    /// Checks a token with the keys that are here now.
    ///
    /// # Errors
    /// [`TokenError::KeyUnknown`] also when the key might yet be fetched: [`Self::verify_or_fetch`] does that.
    pub fn verify(&self, token: &str, now: SystemTime) -> Result<Identity, TokenError> {
        self.check(&Token::parse(token)?, now)
    }

    /// Checks a token, and fetches the issuer's key set before if there is reason to: it is too old, or has no key of
    /// the token's name. Waits 10 s at most.
    pub async fn verify_or_fetch(&self, token: &str, now: SystemTime) -> Result<Identity, TokenError> {
        self.check_or_fetch(&Token::parse(token)?, now).await
    }

    /// [`Self::verify`] for a token of either kind; `None` when the key set is to be fetched before.
    pub(super) fn check_now(
        &self,
        token: &Token<'_>,
        now: SystemTime,
    ) -> Option<Result<Identity, TokenError>> {
        let Some(jwks) = self.jwks.as_deref().filter(|_| is_public(token)) else {
            return Some(self.check(token, now));
        };
        if jwks.is_stale(now) && jwks.may_fetch(now) {
            return None;
        }
        let checked = self.check(token, now);
        (checked != Err(TokenError::KeyUnknown) || !jwks.may_fetch(now)).then_some(checked)
    }

    pub(super) async fn check_or_fetch(
        &self,
        token: &Token<'_>,
        now: SystemTime,
    ) -> Result<Identity, TokenError> {
        let Some(jwks) = self.jwks.as_ref().filter(|_| is_public(token)) else {
            return self.check(token, now);
        };
        jwks.freshen(now).await;
        let checked = self.check(token, now);
        if checked != Err(TokenError::KeyUnknown) {
            return checked;
        }
        jwks.fetch(now).await;
        self.check(token, now)
    }

    fn check(&self, token: &Token<'_>, now: SystemTime) -> Result<Identity, TokenError> {
        if token.kind != Kind::User {
            return Err(TokenError::KeyUnknown);
        }
        self.check_signature(token)?;
        self.rules.apply(token.claims::<Claims>()?, Kind::User, now)
    }

    fn check_signature(&self, token: &Token<'_>) -> Result<(), TokenError> {
        let published = self.jwks.as_ref().map(|jwks| jwks.keys());
        let published: &[Key] = published.as_deref().map_or(&[], |keys| keys);
        let mut tried = false;
        for key in self.fixed.iter().chain(published).filter(|key| key.may_serve(token)) {
            if key.has_signed(token) {
                return Ok(());
            }
            tried = true;
        }
        let named = published.iter().any(|key| key.is_named(token));
        let unpublished = if token.kid.is_some() { !named } else { published.is_empty() };
        if self.is_empty() || self.jwks.is_some() && is_public(token) && unpublished {
            return Err(TokenError::KeyUnknown);
        }
        Err(if tried { TokenError::Signature } else { TokenError::Algorithm })
    }
}

/// Whether a published key could have signed the token: a secret is never published.
fn is_public(token: &Token<'_>) -> bool {
    token.kind == Kind::User && token.algorithm != Algorithm::HS256
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::super::Role;
    use super::super::keys::KeysConfig;
    use super::super::samples::{ED25519, NOW, P256, Pair, RSA, hmac, p256};
    use super::super::token::TOKEN_BYTES_MAX;
    use super::*;

    const SECRET: &str = "a secret of thirty-two bytes, ok";

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
    }

    fn keys(secret: Option<&str>, public: &[&Pair]) -> Keys {
        Keys::new(KeysConfig {
            secret: secret.map(Into::into),
            public_keys: public.iter().map(|pair| pair.public.clone()).collect(),
            ..KeysConfig::default()
        })
        .unwrap()
    }

    fn check(keys: &Keys, token: &str, expect: Result<&str, TokenError>) {
        let verified = keys.verify(token, now());
        assert_eq!(verified.as_ref().map(|identity| &*identity.user).map_err(|error| *error), expect);
    }

    #[test]
    fn each_algorithm_is_checked_with_its_key() {
        let keys = keys(Some(SECRET), &[&RSA, &P256, &ED25519]);
        for pair in [&hmac(SECRET.as_bytes()), &RSA, &P256, &ED25519] {
            check(&keys, &pair.token(None), Ok("ada"));
            check(&keys, &pair.token(Some("any")), Ok("ada"));
        }
        check(&keys, &p256().token(None), Err(TokenError::Signature));
        check(&keys, &hmac(b"another").token(None), Err(TokenError::Signature));
    }

    #[test]
    fn alg_none_is_refused() {
        let keys = keys(Some(SECRET), &[&RSA]);
        let claims = json!({"sub": "ada", "role": "admin", "exp": NOW + 60});
        for alg in ["none", "None", "NONE", ""] {
            let signed = hmac(SECRET.as_bytes()).sign(&json!({"alg": alg}), &claims);
            check(&keys, &signed, Err(TokenError::Algorithm));
            let unsigned = &signed[..=signed.rfind('.').unwrap()];
            check(&keys, unsigned, Err(TokenError::Algorithm));
        }
        let stripped = RSA.token(None);
        check(&keys, &stripped[..=stripped.rfind('.').unwrap()], Err(TokenError::Signature));
    }

    #[test]
    fn a_public_key_is_no_secret() {
        for pair in [&*RSA, &*P256, &*ED25519] {
            let bytes = pair.public.as_bytes();
            for secret in [bytes, bytes.trim_ascii_end(), pair.public.replace('\n', "").as_bytes()] {
                let forged = hmac(secret).token(None);
                check(&keys(None, &[pair]), &forged, Err(TokenError::Algorithm));
                check(&keys(Some(SECRET), &[pair]), &forged, Err(TokenError::Signature));
            }
        }
    }

    #[test]
    fn a_swapped_algorithm_is_refused() {
        let keys = keys(Some(SECRET), &[&RSA, &P256]);
        let claims = json!({"sub": "ada", "exp": NOW + 60});
        for (pair, alg) in [(&*RSA, "ES256"), (&*P256, "RS256"), (&hmac(SECRET.as_bytes()), "RS256")] {
            check(&keys, &pair.sign(&json!({"alg": alg}), &claims), Err(TokenError::Signature));
        }
        check(&keys, &ED25519.token(None), Err(TokenError::Algorithm));
        for alg in ["RS384", "RS512", "PS256", "HS512"] {
            check(&keys, &RSA.sign(&json!({"alg": alg}), &claims), Err(TokenError::Algorithm));
        }
    }

    #[test]
    fn keys_that_come_with_the_token_are_not_used() {
        let (keys, attacker) = (keys(None, &[&P256]), p256());
        let jwk = attacker.jwk("mine");
        let header = json!({"alg": "ES256", "kid": "mine", "jwk": jwk, "jku": "https://evil.example/keys",
            "x5u": "https://evil.example/key", "x5c": ["MII"]});
        let claims = json!({"sub": "ada", "exp": NOW + 60});
        check(&keys, &attacker.sign(&header, &claims), Err(TokenError::Signature));
    }

    #[test]
    fn a_tampered_token_is_refused() {
        let keys = keys(Some(SECRET), &[&RSA, &P256, &ED25519]);
        for pair in [&hmac(SECRET.as_bytes()), &RSA, &P256, &ED25519] {
            let token = pair.token(None);
            let rich = pair.sign(&json!({"alg": "HS256"}), &json!({"sub": "root", "exp": NOW + 60}));
            let mut parts: Vec<_> = token.split('.').collect();
            parts[1] = rich.split('.').nth(1).unwrap();
            check(&keys, &parts.join("."), Err(TokenError::Signature));
            // Whatever byte changes, the token is no longer accepted, nor does anything panic.
            for place in 0..token.len() {
                let mut bytes = token.clone().into_bytes();
                bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
                let tampered = String::from_utf8(bytes).unwrap();
                assert!(keys.verify(&tampered, now()).is_err(), "{place}");
                assert!(keys.verify(&token[..place], now()).is_err(), "{place}");
            }
        }
    }

    #[test]
    fn a_huge_token_is_not_looked_at() {
        let keys = keys(Some(SECRET), &[]);
        let padded = |bytes: usize| {
            let claims = json!({"sub": "ada", "exp": NOW + 60, "pad": "x".repeat(bytes)});
            hmac(SECRET.as_bytes()).sign(&json!({"alg": "HS256"}), &claims)
        };
        let fits = padded(5900);
        assert!(fits.len() <= TOKEN_BYTES_MAX);
        check(&keys, &fits, Ok("ada"));
        check(&keys, &padded(6200), Err(TokenError::Malformed));
        check(&keys, &padded(1 << 20), Err(TokenError::Malformed));
    }

    #[test]
    fn signed_claims_of_any_shape_are_refused_without_a_panic() {
        let keys = keys(Some(SECRET), &[]);
        let deep = format!("{{\"sub\":{}{}}}", "[".repeat(2500), "]".repeat(2500));
        let twice = format!("{{\"sub\":\"ada\",\"sub\":\"root\",\"exp\":{}}}", NOW + 60);
        for claims in ["", "null", "7", "[]", "{}", "{\"exp\":1e999}", "\u{feff}{}", "\0", &deep, &twice] {
            let token = hmac(SECRET.as_bytes()).sign_text(&json!({"alg": "HS256"}), claims);
            check(&keys, &token, Err(TokenError::Malformed));
        }
    }

    #[test]
    fn without_keys_nobody_is_known() {
        let none = keys(None, &[]);
        assert!(none.is_empty());
        check(&none, &RSA.token(None), Err(TokenError::KeyUnknown));
        check(&none, &hmac(b"").token(None), Err(TokenError::KeyUnknown));
    }

    #[test]
    fn claims_become_an_identity() {
        let claims = json!({"sub": "ada", "exp": NOW + 60, "iat": NOW - 5, "roles": ["staff"], "tenant": "acme",
            "jti": "7", "extra": {"deep": [1]}});
        let token = hmac(SECRET.as_bytes()).sign(&json!({"alg": "HS256"}), &claims);
        let identity = keys(Some(SECRET), &[]).verify(&token, now()).unwrap();
        let expect = Identity {
            user: "ada".into(),
            role: Role::Staff,
            tenant: Some("acme".into()),
            jti: Some("7".into()),
            issued: Some(now() - Duration::from_secs(5)),
            expires: Some(now() + Duration::from_secs(60 + 30)),
        };
        assert_eq!(identity, expect);
    }
}
