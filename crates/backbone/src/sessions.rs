//! Sessions as they must survive their node: recorded when they begin, renewed while they live, taken over once. A hold
//! is the right to change a session; taking it over ends the hold of whoever had it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::backbone::Kind;
use crate::error::StoreError;

/// A session of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SessionKey {
    /// The tenant.
    pub tenant: Arc<str>,
    /// The session's secret name.
    pub id: Arc<str>,
}

impl SessionKey {
    /// Names a session.
    pub fn new(tenant: impl Into<Arc<str>>, id: impl Into<Arc<str>>) -> Self {
        Self { tenant: tenant.into(), id: id.into() }
    }
}

/// The right to change a session: that of the last who recorded it or took it over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The session.
    pub key: SessionKey,
    /// The number of this hold, greater than that of every earlier one.
    pub fence: u64,
}

/// What is recorded of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The number of the present hold.
    pub fence: u64,
    /// What was recorded.
    pub value: Bytes,
}

/// Why a session was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// It ended, or was never recorded.
    #[error("the session is not recorded")]
    Gone,
    /// Somebody else holds it now. Whoever reads this has no say in it any more.
    #[error("the session was taken over")]
    TakenOver,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The sessions of a backbone.
#[derive(Debug, Clone)]
pub struct Sessions {
    kind: Kind,
}

impl Sessions {
    pub(crate) fn new(kind: Kind) -> Self {
        Self { kind }
    }

    /// Records a new session, which ends after `ttl` unless renewed. A session of that name is replaced.
    pub async fn record(&self, key: SessionKey, value: Bytes, ttl: Duration) -> Result<Hold, StoreError> {
        let fence = match &self.kind {
            Kind::Memory(seat) => seat.store().sessions().record(&key, value, ttl),
            Kind::Redis(store) => store.record_session(&key, &value, ttl).await?,
        };
        Ok(Hold { key, fence })
    }

    /// Reads a session without taking it.
    pub async fn read(&self, key: &SessionKey) -> Result<Option<Session>, StoreError> {
        match &self.kind {
            Kind::Memory(seat) => Ok(seat.store().sessions().read(key)),
            Kind::Redis(store) => store.session(key).await,
        }
    }

    /// Lets a session live for `ttl` from now.
    pub async fn renew(&self, hold: &Hold, ttl: Duration) -> Result<(), SessionError> {
        match &self.kind {
            Kind::Memory(seat) => seat.store().sessions().renew(hold, ttl),
            Kind::Redis(store) => store.keep_session(hold, ttl, None).await,
        }
    }

    /// Replaces what is recorded, and lets the session live for `ttl` from now.
    pub async fn update(&self, hold: &Hold, value: Bytes, ttl: Duration) -> Result<(), SessionError> {
        match &self.kind {
            Kind::Memory(seat) => seat.store().sessions().update(hold, value, ttl),
            Kind::Redis(store) => store.keep_session(hold, ttl, Some(&value)).await,
        }
    }

    /// Takes a session over from the hold with the number `hold.fence`, and lets it live for `ttl`. Of any number of
    /// attempts from the same hold exactly one succeeds; the others read [`SessionError::TakenOver`], as does who had it. After
    /// a [`StoreError`] it may have been taken all the same, and then by nobody who knows: it is gone when its time is up.
    pub async fn take(&self, hold: &Hold, ttl: Duration) -> Result<(Hold, Bytes), SessionError> {
        let Session { fence, value } = match &self.kind {
            Kind::Memory(seat) => seat.store().sessions().take(hold, ttl),
            Kind::Redis(store) => store.take_session(hold, ttl).await,
        }?;
        Ok((Hold { key: hold.key.clone(), fence }, value))
    }

    /// Ends a session for good.
    pub async fn remove(&self, hold: &Hold) -> Result<(), SessionError> {
        match &self.kind {
            Kind::Memory(seat) => seat.store().sessions().remove(hold),
            Kind::Redis(store) => store.remove_session(hold).await,
        }
    }
}
