//! Documents in Redis: a value is a hash of its version and itself, a hash is one.

use std::time::Duration;

use bytes::Bytes;

use super::{RedisStore, millis, read, script};
use crate::documents::{Document, DocumentError, DocumentKey, Expect, Terms};
use crate::error::StoreError;

impl RedisStore {
    pub(crate) async fn document(&self, key: &DocumentKey) -> Result<Option<Document>, StoreError> {
        let key = self.keys.document(key);
        let mut command = redis::cmd("HMGET");
        command.arg(&key).arg("v").arg("d");
        let (version, value): (Option<u64>, Option<Vec<u8>>) =
            read(self.commands.query(&key, &command).await?)?;
        Ok(version.zip(value).map(|(version, value)| Document { version, value: value.into() }))
    }

    pub(crate) async fn put_document(
        &self,
        key: &DocumentKey,
        value: &[u8],
        terms: Terms,
    ) -> Result<u64, DocumentError> {
        let (key, expect, ttl) = (self.keys.document(key), expected(terms.expect), forever_or(terms.ttl));
        let arguments = [expect.as_bytes(), value, ttl.as_bytes()];
        let (done, version): (bool, String) =
            read(self.commands.run(&script::DOCUMENT_PUT, &[&key], &arguments).await?)?;
        let version = version.parse().ok();
        if !done {
            return Err(DocumentError::Conflict(version));
        }
        version.ok_or(StoreError::Unreadable("a version that is no number").into())
    }

    pub(crate) async fn remove_document(
        &self,
        key: &DocumentKey,
        expect: Expect,
    ) -> Result<(), DocumentError> {
        let (key, expect) = (self.keys.document(key), expected(expect));
        let (done, version): (bool, String) =
            read(self.commands.run(&script::DOCUMENT_REMOVE, &[&key], &[expect.as_bytes()]).await?)?;
        if done { Ok(()) } else { Err(DocumentError::Conflict(version.parse().ok())) }
    }

    pub(crate) async fn hash_set(
        &self,
        key: &DocumentKey,
        fields: &[(&str, Bytes)],
        ttl: Option<Duration>,
    ) -> Result<(), StoreError> {
        if fields.is_empty() {
            return Ok(());
        }
        let ttl = forever_or(ttl);
        let mut arguments: Vec<&[u8]> = vec![ttl.as_bytes()];
        arguments.extend(fields.iter().flat_map(|(name, value)| [name.as_bytes(), &value[..]]));
        self.commands.run(&script::HASH_SET, &[&self.keys.hash(key)], &arguments).await?;
        Ok(())
    }

    pub(crate) async fn hash_get(&self, key: &DocumentKey, field: &str) -> Result<Option<Bytes>, StoreError> {
        let key = self.keys.hash(key);
        let mut command = redis::cmd("HGET");
        command.arg(&key).arg(field);
        let value: Option<Vec<u8>> = read(self.commands.query(&key, &command).await?)?;
        Ok(value.map(Bytes::from))
    }

    pub(crate) async fn hash_all(&self, key: &DocumentKey) -> Result<Vec<(String, Bytes)>, StoreError> {
        let key = self.keys.hash(key);
        let mut command = redis::cmd("HGETALL");
        command.arg(&key);
        let fields: Vec<(String, Vec<u8>)> = read(self.commands.query(&key, &command).await?)?;
        let mut fields: Vec<_> = fields.into_iter().map(|(name, value)| (name, Bytes::from(value))).collect();
        fields.sort_unstable();
        Ok(fields)
    }

    pub(crate) async fn hash_remove(&self, key: &DocumentKey, fields: &[&str]) -> Result<usize, StoreError> {
        if fields.is_empty() {
            return Ok(0);
        }
        let key = self.keys.hash(key);
        let mut command = redis::cmd("HDEL");
        command.arg(&key).arg(fields);
        read(self.commands.query(&key, &command).await?)
    }
}

fn expected(expect: Expect) -> String {
    match expect {
        Expect::Anything => "any".to_owned(),
        Expect::Absent => "absent".to_owned(),
        Expect::Version(version) => version.to_string(),
    }
}

fn forever_or(ttl: Option<Duration>) -> String {
    ttl.map_or_else(|| "0".to_owned(), millis)
}
