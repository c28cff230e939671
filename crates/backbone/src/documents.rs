//! Documents: small values that many nodes read and change. A value has a version, and a change names the version that it
//! is based on; a hash has fields that are set one by one. Both end after a time if one is given.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::backbone::Kind;
use crate::error::StoreError;

/// The name of a value or a hash of a tenant. Values and hashes have names of their own: neither hides the other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DocumentKey {
    /// The tenant.
    pub tenant: Arc<str>,
    /// The name.
    pub name: Arc<str>,
}

impl DocumentKey {
    /// Names a document.
    pub fn new(tenant: impl Into<Arc<str>>, name: impl Into<Arc<str>>) -> Self {
        Self { tenant: tenant.into(), name: name.into() }
    }
}

/// A value with its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Grows with every change, also when the document was removed in between; it does not start at 1.
    pub version: u64,
    /// The value.
    pub value: Bytes,
}

/// What must be there for a change to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Whatever is there.
    Anything,
    /// No document.
    Absent,
    /// The document of this version.
    Version(u64),
}

/// The terms of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// What must be there.
    pub expect: Expect,
    /// When the value then ends; never without.
    pub ttl: Option<Duration>,
}

/// Why a document was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Something else was there: the version is in it, `None` if nothing was. Read, and try again.
    #[error("the document has changed (version {0:?})")]
    Conflict(Option<u64>),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The documents of a backbone.
#[derive(Debug, Clone)]
pub struct Documents {
    kind: Kind,
}

impl Documents {
    pub(crate) fn new(kind: Kind) -> Self {
        Self { kind }
    }

    /// The value, if there is one.
    pub async fn get(&self, key: &DocumentKey) -> Result<Option<Document>, StoreError> {
        match &self.kind {
            Kind::Memory(seat) => Ok(seat.store().documents().get(key)),
            Kind::Redis(store) => store.document(key).await,
        }
    }

    /// Writes a value and says its version.
    pub async fn put(&self, key: &DocumentKey, value: Bytes, terms: Terms) -> Result<u64, DocumentError> {
        match &self.kind {
            Kind::Memory(seat) => {
                seat.store().documents().put(key, value, terms).map_err(DocumentError::Conflict)
            }
            Kind::Redis(store) => store.put_document(key, &value, terms).await,
        }
    }

    /// Removes a value. One that is not there is removed with [`Expect::Anything`] and [`Expect::Absent`].
    pub async fn remove(&self, key: &DocumentKey, expect: Expect) -> Result<(), DocumentError> {
        match &self.kind {
            Kind::Memory(seat) => {
                seat.store().documents().remove(key, expect).map_err(DocumentError::Conflict)
            }
            Kind::Redis(store) => store.remove_document(key, expect).await,
        }
    }

    /// Sets fields of a hash, all at once. The whole hash then ends after `ttl`, or never.
    pub async fn hash_set(
        &self,
        key: &DocumentKey,
        fields: &[(&str, Bytes)],
        ttl: Option<Duration>,
    ) -> Result<(), StoreError> {
        match &self.kind {
            Kind::Memory(seat) => {
                seat.store().documents().hash_set(key, fields, ttl);
                Ok(())
            }
            Kind::Redis(store) => store.hash_set(key, fields, ttl).await,
        }
    }

    /// One field of a hash.
    pub async fn hash_get(&self, key: &DocumentKey, field: &str) -> Result<Option<Bytes>, StoreError> {
        match &self.kind {
            Kind::Memory(seat) => Ok(seat.store().documents().hash_get(key, field)),
            Kind::Redis(store) => store.hash_get(key, field).await,
        }
    }

    /// All fields of a hash, sorted by name; none if there is no such hash.
    pub async fn hash_all(&self, key: &DocumentKey) -> Result<Vec<(String, Bytes)>, StoreError> {
        match &self.kind {
            Kind::Memory(seat) => Ok(seat.store().documents().hash_all(key)),
            Kind::Redis(store) => store.hash_all(key).await,
        }
    }

    /// Removes fields of a hash and says how many were there. The end of the hash stays as it was.
    pub async fn hash_remove(&self, key: &DocumentKey, fields: &[&str]) -> Result<usize, StoreError> {
        match &self.kind {
            Kind::Memory(seat) => Ok(seat.store().documents().hash_remove(key, fields)),
            Kind::Redis(store) => store.hash_remove(key, fields).await,
        }
    }
}
