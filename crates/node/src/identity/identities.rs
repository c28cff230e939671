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
    pub async fn identify(&self, token: Option<&str>) -> Result<Option<Arc<Identity>>, TokenError> {
        let Some(token) = token else { return Ok(None) };
        let (token, now) = (Token::parse(token)?, SystemTime::now());
        let identity = match token.kind {
            Kind::Guest => self.guest(&token, now),
            Kind::User => self.keys.check_or_fetch(&token, now).await,
        };
        self.unless_revoked(identity?).map(Some)
    }

    /// The same without waiting.
    pub fn identify_now(&self, token: Option<&str>) -> Lookup {
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
        Lookup::Known(identity.and_then(|identity| self.unless_revoked(identity).map(Some)))
    }

    fn guest(&self, token: &Token<'_>, now: SystemTime) -> Result<Identity, TokenError> {
        self.guests.as_ref().ok_or(TokenError::KeyUnknown)?.check(token, now)
    }

    fn unless_revoked(&self, identity: Identity) -> Result<Arc<Identity>, TokenError> {
        if self.revocations.is_revoked(&identity) { Err(TokenError::Revoked) } else { Ok(Arc::new(identity)) }
    }
}
