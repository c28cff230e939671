//! Sessions in Redis: each a hash of its fence and what is recorded.

use std::time::Duration;

use super::{RedisStore, millis, read, script};
use crate::error::StoreError;
use crate::sessions::{Hold, Session, SessionError, SessionKey};

impl RedisStore {
    pub(crate) async fn record_session(
        &self,
        key: &SessionKey,
        value: &[u8],
        ttl: Duration,
    ) -> Result<u64, StoreError> {
        let (key, ttl) = (self.keys.session(key), millis(ttl));
        read(self.commands.run(&script::SESSION_RECORD, &[&key], &[value, ttl.as_bytes()]).await?)
    }

    pub(crate) async fn session(&self, key: &SessionKey) -> Result<Option<Session>, StoreError> {
        let key = self.keys.session(key);
        let mut command = redis::cmd("HMGET");
        command.arg(&key).arg("f").arg("d");
        let (fence, value): (Option<u64>, Option<Vec<u8>>) =
            read(self.commands.query(&key, &command).await?)?;
        Ok(fence.zip(value).map(|(fence, value)| Session { fence, value: value.into() }))
    }

    /// Renews a session, and records a new value if there is one.
    pub(crate) async fn keep_session(
        &self,
        hold: &Hold,
        ttl: Duration,
        value: Option<&[u8]>,
    ) -> Result<(), SessionError> {
        let (key, fence, ttl) = (self.keys.session(&hold.key), hold.fence.to_string(), millis(ttl));
        let mut arguments = vec![fence.as_bytes(), ttl.as_bytes()];
        arguments.extend(value);
        let answer: String = read(self.commands.run(&script::SESSION_KEEP, &[&key], &arguments).await?)?;
        judge(&answer)
    }

    pub(crate) async fn take_session(&self, hold: &Hold, ttl: Duration) -> Result<Session, SessionError> {
        let (key, fence, ttl) = (self.keys.session(&hold.key), hold.fence.to_string(), millis(ttl));
        let arguments = [fence.as_bytes(), ttl.as_bytes()];
        let answer: Vec<Vec<u8>> =
            read(self.commands.run(&script::SESSION_TAKE, &[&key], &arguments).await?)?;
        let mut answer = answer.into_iter();
        let mut next = || answer.next().ok_or(StoreError::Unreadable("a session without a part"));
        judge(&String::from_utf8_lossy(&next()?))?;
        let fence = String::from_utf8_lossy(&next()?).parse();
        let fence = fence.map_err(|_| StoreError::Unreadable("a fence that is no number"))?;
        Ok(Session { fence, value: next()?.into() })
    }

    pub(crate) async fn remove_session(&self, hold: &Hold) -> Result<(), SessionError> {
        let (key, fence) = (self.keys.session(&hold.key), hold.fence.to_string());
        let answer: String =
            read(self.commands.run(&script::SESSION_REMOVE, &[&key], &[fence.as_bytes()]).await?)?;
        judge(&answer)
    }
}

fn judge(answer: &str) -> Result<(), SessionError> {
    match answer {
        "kept" => Ok(()),
        "gone" => Err(SessionError::Gone),
        "taken" => Err(SessionError::TakenOver),
        _ => Err(StoreError::Unreadable("an answer about a session").into()),
    }
}
