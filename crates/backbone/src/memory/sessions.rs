//! Sessions in memory.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::expiring::Expiring;
use crate::sessions::{Hold, Session, SessionError, SessionKey};

/// What is recorded of each session.
#[derive(Debug, Default)]
pub(crate) struct SessionTable {
    sessions: Expiring<SessionKey, Session>,
    last_fence: u64,
}

impl SessionTable {
    pub(crate) fn record(&mut self, key: &SessionKey, value: Bytes, ttl: Duration) -> u64 {
        self.last_fence += 1;
        let session = Session { fence: self.last_fence, value };
        self.sessions.insert(key.clone(), session, Some(Instant::now() + ttl));
        self.last_fence
    }

    pub(crate) fn read(&self, key: &SessionKey) -> Option<Session> {
        self.sessions.get(key).cloned()
    }

    pub(crate) fn renew(&mut self, hold: &Hold, ttl: Duration) -> Result<(), SessionError> {
        self.held(hold, ttl).map(drop)
    }

    pub(crate) fn update(&mut self, hold: &Hold, value: Bytes, ttl: Duration) -> Result<(), SessionError> {
        self.held(hold, ttl)?.value = value;
        Ok(())
    }

    pub(crate) fn take(&mut self, hold: &Hold, ttl: Duration) -> Result<Session, SessionError> {
        let fence = self.last_fence + 1;
        let session = self.held(hold, ttl)?;
        session.fence = fence;
        let taken = session.clone();
        self.last_fence = fence;
        Ok(taken)
    }

    pub(crate) fn remove(&mut self, hold: &Hold) -> Result<(), SessionError> {
        self.held(hold, Duration::ZERO)?;
        self.sessions.remove(&hold.key);
        Ok(())
    }

    /// The session, if this is still its hold; it then lives for `ttl`.
    fn held(&mut self, hold: &Hold, ttl: Duration) -> Result<&mut Session, SessionError> {
        let (session, end) = self.sessions.get_mut(&hold.key).ok_or(SessionError::Gone)?;
        if session.fence != hold.fence {
            return Err(SessionError::TakenOver);
        }
        *end = Some(Instant::now() + ttl);
        Ok(session)
    }
}
