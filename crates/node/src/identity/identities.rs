//! Everything that says who is calling, in one place: the issuer's keys, the server's guests, what was revoked.

use std::sync::Arc;
use std::time::SystemTime;

use super::Identity;
use super::guest::Guests;
use super::keys::Keys;
use super::revocation::Revocations;
use super::token::{Kind, Token, TokenError};

/// Who may call, for one tenant or for all.
#[derive(Debug)]
pub struct Identities {
    /// What users' tokens are checked with.
    pub keys: Keys,
    /// The guests, where there are any.
    pub guests: Option<Guests>,
    /// What is no longer accepted.
    pub revocations: Arc<Revocations>,
    /// The cookie that may hold a token; empty for none.
    pub cookie: Box<str>,
}

/// The answer to the question who is calling, as far as it is known at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// Who it is: nobody in particular when there was no token.
    Known(Result<Option<Arc<Identity>>, TokenError>),
    /// The issuer's key set is to be fetched first: [`Identities::identify`] does that.
    NeedsKeys,
}

impl Identities {
    /// Says whose token this is; `None` when there is none. Waits for the issuer's key set where it must, 10 s at most.
    ///
    /// `tenant` is where the token is used: one that names no tenant becomes one of that tenant, so that what the tenant
    /// revokes is found. That a token names another tenant is for the caller to see.
    pub async fn identify(
        &self,
        token: Option<&str>,
        tenant: Option<&str>,
    ) -> Result<Option<Arc<Identity>>, TokenError> {
        let Some(token) = token else { return Ok(None) };
        let (token, now) = (Token::parse(token)?, SystemTime::now());
        let identity = match token.kind {
            Kind::Guest => self.guest(&token, now),
            Kind::User => self.keys.check_or_fetch(&token, now).await,
        };
        self.accept(identity?, tenant).map(Some)
    }

    /// The same without waiting.
    pub fn identify_now(&self, token: Option<&str>, tenant: Option<&str>) -> Lookup {
        let Some(token) = token else { return Lookup::Known(Ok(None)) };
        let (token, now) = match Token::parse(token) {
            Ok(token) => (token, SystemTime::now()),
            Err(error) => return Lookup::Known(Err(error)),
        };
        let identity = match token.kind {
            Kind::Guest => self.guest(&token, now),
            Kind::User => match self.keys.check_now(&token, now) {
                Some(identity) => identity,
                None => return Lookup::NeedsKeys,
            },
        };
        Lookup::Known(identity.and_then(|identity| self.accept(identity, tenant).map(Some)))
    }

    fn guest(&self, token: &Token<'_>, now: SystemTime) -> Result<Identity, TokenError> {
        self.guests.as_ref().ok_or(TokenError::KeyUnknown)?.check(token, now)
    }

    fn accept(&self, mut identity: Identity, tenant: Option<&str>) -> Result<Arc<Identity>, TokenError> {
        if identity.tenant.is_none() {
            identity.tenant = tenant.map(Into::into);
        }
        if self.revocations.is_revoked(&identity) { Err(TokenError::Revoked) } else { Ok(Arc::new(identity)) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::keys::KeysConfig;
    use super::super::mint::{NewToken, mint};
    use super::super::{Role, revocation};
    use super::*;

    const SECRET: &str = "a secret of thirty-two bytes, ok";

    fn identities(config: KeysConfig) -> Identities {
        Identities {
            keys: Keys::new(config).unwrap(),
            guests: Some(Guests::new(&SECRET.into(), Duration::from_secs(3600), Duration::ZERO)),
            revocations: Arc::new(Revocations::new(revocation::ENTRIES_MAX, Duration::from_secs(3600))),
            cookie: "token".into(),
        }
    }

    fn secret() -> KeysConfig {
        KeysConfig { secret: Some(SECRET.into()), ..KeysConfig::default() }
    }

    fn token(jti: &str) -> String {
        let token = NewToken {
            sub: "ada".into(),
            role: Role::Staff,
            tenant: None,
            ttl: Duration::from_secs(60),
            jti: Some(jti.into()),
            issuer: None,
            audience: None,
        };
        mint(&SECRET.into(), token, SystemTime::now()).unwrap()
    }

    async fn check(identities: &Identities, token: Option<&str>, expect: Result<Option<&str>, TokenError>) {
        let found = identities.identify(token, None).await;
        assert_eq!(identities.identify_now(token, None), Lookup::Known(found.clone()));
        let user = found.as_ref().map(|identity| identity.as_ref().map(|identity| &*identity.user));
        assert_eq!(user.map_err(|error| *error), expect);
    }

    #[tokio::test]
    async fn users_guests_and_nobody_are_told_apart() {
        let identities = identities(secret());
        check(&identities, None, Ok(None)).await;
        check(&identities, Some(""), Err(TokenError::Missing)).await;
        check(&identities, Some(&token("1")), Ok(Some("ada"))).await;
        let guests = identities.guests.as_ref().unwrap();
        let guest = guests.name(SystemTime::now(), None);
        let text = guests.sign(&guest);
        check(&identities, Some(&text), Ok(Some(&guest.user))).await;
        let none = Identities { guests: None, ..identities };
        check(&none, Some(&text), Err(TokenError::KeyUnknown)).await;
    }

    #[tokio::test]
    async fn what_is_revoked_is_refused() {
        let identities = identities(secret());
        let (one, two) = (token("1"), token("2"));
        identities.revocations.revoke_token("1", None, None, SystemTime::now());
        check(&identities, Some(&one), Err(TokenError::Revoked)).await;
        check(&identities, Some(&two), Ok(Some("ada"))).await;
        let guests = identities.guests.as_ref().unwrap();
        let guest = guests.name(SystemTime::now(), None);
        identities.revocations.revoke_user("ada", None, SystemTime::now());
        identities.revocations.revoke_user(&guest.user, None, SystemTime::now());
        check(&identities, Some(&two), Err(TokenError::Revoked)).await;
        check(&identities, Some(&guests.sign(&guest)), Err(TokenError::Revoked)).await;
    }

    #[tokio::test]
    async fn a_token_without_a_tenant_is_of_the_one_where_it_is_used() {
        let identities = identities(secret());
        let user = token("1");
        let tenant = async |at| {
            let found = identities.identify(Some(&user), Some(at)).await;
            assert_eq!(identities.identify_now(Some(&user), Some(at)), Lookup::Known(found.clone()));
            found.map(|identity| identity.unwrap().tenant.clone().unwrap().into_string())
        };
        assert_eq!(tenant("acme").await.as_deref(), Ok("acme"));
        identities.revocations.revoke_user("ada", Some("acme"), SystemTime::now());
        assert_eq!(tenant("acme").await, Err(TokenError::Revoked));
        assert_eq!(tenant("other").await.as_deref(), Ok("other"));
        let guests = identities.guests.as_ref().unwrap();
        let guest = guests.sign(&guests.name(SystemTime::now(), Some("acme")));
        let found = identities.identify(Some(&guest), Some("other")).await.unwrap().unwrap();
        assert_eq!(found.tenant.as_deref(), Some("acme"));
    }

    #[test]
    fn a_key_set_that_is_not_here_yet_is_waited_for() {
        let url = Some(http::Uri::from_static("http://127.0.0.1:1/keys"));
        let identities = identities(KeysConfig { jwks_url: url, ..secret() });
        let header = "eyJhbGciOiJFUzI1NiJ9"; // {"alg":"ES256"}
        assert_eq!(identities.identify_now(Some(&format!("{header}.e30.c2ln")), None), Lookup::NeedsKeys);
        // Secrets and guests need no key set.
        let user = token("1");
        assert!(matches!(identities.identify_now(Some(&user), None), Lookup::Known(Ok(Some(_)))));
        let guests = identities.guests.as_ref().unwrap();
        let guest = guests.sign(&guests.name(SystemTime::now(), None));
        assert!(matches!(identities.identify_now(Some(&guest), None), Lookup::Known(Ok(Some(_)))));
    }
}
