//! Documents in memory.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::expiring::Expiring;
use crate::documents::{Document, DocumentKey, Expect, Terms};

/// Values and hashes.
#[derive(Debug, Default)]
pub(crate) struct DocumentTable {
    values: Expiring<DocumentKey, Document>,
    hashes: Expiring<DocumentKey, BTreeMap<String, Bytes>>,
    last_version: u64,
}

impl DocumentTable {
    pub(crate) fn get(&self, key: &DocumentKey) -> Option<Document> {
        self.values.get(key).cloned()
    }

    /// The new version, or the one that is there instead of what was expected.
    pub(crate) fn put(&mut self, key: &DocumentKey, value: Bytes, terms: Terms) -> Result<u64, Option<u64>> {
        self.check(key, terms.expect)?;
        self.last_version += 1;
        let document = Document { version: self.last_version, value };
        self.values.insert(key.clone(), document, terms.ttl.map(|ttl| Instant::now() + ttl));
        Ok(self.last_version)
    }

    pub(crate) fn remove(&mut self, key: &DocumentKey, expect: Expect) -> Result<(), Option<u64>> {
        self.check(key, expect)?;
        self.values.remove(key);
        Ok(())
    }

    pub(crate) fn hash_set(&mut self, key: &DocumentKey, fields: &[(&str, Bytes)], ttl: Option<Duration>) {
        let mut hash = self.hashes.get(key).cloned().unwrap_or_default();
        hash.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        self.hashes.insert(key.clone(), hash, ttl.map(|ttl| Instant::now() + ttl));
    }

    pub(crate) fn hash_get(&self, key: &DocumentKey, field: &str) -> Option<Bytes> {
        self.hashes.get(key)?.get(field).cloned()
    }

    pub(crate) fn hash_all(&self, key: &DocumentKey) -> Vec<(String, Bytes)> {
        let hash = self.hashes.get(key).into_iter().flatten();
        hash.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    pub(crate) fn hash_remove(&mut self, key: &DocumentKey, fields: &[&str]) -> usize {
        let Some((hash, _)) = self.hashes.get_mut(key) else { return 0 };
        let removed = fields.iter().filter(|field| hash.remove(**field).is_some()).count();
        if hash.is_empty() {
            self.hashes.remove(key);
        }
        removed
    }

    fn check(&self, key: &DocumentKey, expect: Expect) -> Result<(), Option<u64>> {
        let there = self.values.get(key).map(|document| document.version);
        let fits = match expect {
            Expect::Anything => true,
            Expect::Absent => there.is_none(),
            Expect::Version(version) => there == Some(version),
        };
        if fits { Ok(()) } else { Err(there) }
    }
}
