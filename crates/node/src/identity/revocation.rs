//! What was revoked before it ran out: single tokens by their `jti`, and everything that a user held at some moment.
//! The table is bounded; when it is full the entry that ends soonest goes, and the operator is told.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use hashbrown::{Equivalent, HashMap};
use std::sync::Arc;

use super::Identity;
use super::claims::{JTI_BYTES_MAX, TENANT_BYTES_MAX, USER_BYTES_MAX};

/// Most entries, unless said otherwise.
pub const ENTRIES_MAX: usize = 100_000;

/// What a revocation is of. Names are those of a tenant: another's tokens may have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Subject {
    Token,
    User,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    subject: Subject,
    tenant: Option<Box<str>>,
    name: Box<str>,
}

/// A [`Key`] that owns nothing.
#[derive(Hash)]
struct KeyRef<'a> {
    subject: Subject,
    tenant: Option<&'a str>,
    name: &'a str,
}

impl Equivalent<Arc<Key>> for KeyRef<'_> {
    fn equivalent(&self, key: &Arc<Key>) -> bool {
        self.subject == key.subject && self.tenant == key.tenant.as_deref() && self.name == &*key.name
    }
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Tokens that were issued until then are revoked.
    issued_max: SystemTime,
    until: SystemTime,
    serial: u64,
}

#[derive(Debug, Default)]
struct Table {
    entries: HashMap<Arc<Key>, Entry>,
    /// The same by their end; the serial number tells those apart that end together.
    ends: BTreeMap<(SystemTime, u64), Arc<Key>>,
    serial: u64,
}

/// The revocations of a node.
#[derive(Debug)]
pub struct Revocations {
    table: RwLock<Table>,
    count: AtomicUsize,
    evicted: AtomicU64,
    entries_max: usize,
    lifetime_max: Duration,
}

impl Revocations {
    /// An empty table for so many entries. `lifetime_max` is for how long tokens live at most: an entry that ends with
    /// no token's own time is kept for that long.
    pub fn new(entries_max: usize, lifetime_max: Duration) -> Self {
        Self {
            table: RwLock::default(),
            count: AtomicUsize::new(0),
            evicted: AtomicU64::new(0),
            entries_max: entries_max.max(1),
            lifetime_max,
        }
    }

    /// Revokes a token by its name until it has expired, leeway included; `None` when that is not known.
    pub fn revoke_token(&self, jti: &str, tenant: Option<&str>, until: Option<SystemTime>, now: SystemTime) {
        let key = KeyRef { subject: Subject::Token, tenant, name: jti };
        let until = until.unwrap_or(now + self.lifetime_max);
        // A token's own name says all: it does not matter when it was issued.
        self.revoke(key, until, until, now);
    }

    /// Revokes what a user holds: every token issued until now, and those that do not say when they were. Tokens say it
    /// in whole seconds, so one that is issued within this second is revoked too.
    pub fn revoke_user(&self, user: &str, tenant: Option<&str>, now: SystemTime) {
        let key = KeyRef { subject: Subject::User, tenant, name: user };
        self.revoke(key, now, now + self.lifetime_max, now);
    }

    /// Whether a verified token has been revoked. Costs one load while nothing is.
    pub fn is_revoked(&self, identity: &Identity) -> bool {
        if self.count.load(Ordering::Acquire) == 0 {
            return false;
        }
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let tenant = identity.tenant.as_deref();
        let user = KeyRef { subject: Subject::User, tenant, name: &identity.user };
        let until = table.entries.get(&user).map(|entry| entry.issued_max);
        if until.is_some_and(|until| identity.issued.is_none_or(|issued| issued <= until)) {
            return true;
        }
        identity
            .jti
            .as_deref()
            .is_some_and(|name| table.entries.contains_key(&KeyRef { subject: Subject::Token, tenant, name }))
    }

    /// Entries in the table.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Entries that went before their time because the table was full.
    pub fn evicted(&self) -> u64 {
        self.evicted.load(Ordering::Relaxed)
    }

    fn revoke(&self, key: KeyRef<'_>, issued_max: SystemTime, until: SystemTime, now: SystemTime) {
        let name_bytes_max = match key.subject {
            Subject::Token => JTI_BYTES_MAX,
            Subject::User => USER_BYTES_MAX,
        };
        let too_long = key.tenant.is_some_and(|tenant| tenant.len() > TENANT_BYTES_MAX);
        if until <= now || key.name.len() > name_bytes_max || too_long {
            return; // No token that is accepted could match it.
        }
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        table.end(now);
        table.put(key, issued_max, until);
        let mut evicted = 0;
        while table.entries.len() > self.entries_max && table.pop() {
            evicted += 1;
        }
        self.count.store(table.entries.len(), Ordering::Release);
        drop(table);
        if evicted > 0 {
            let total = self.evicted.fetch_add(evicted, Ordering::Relaxed) + evicted;
            if total.is_power_of_two() {
                tracing::warn!(total, max = self.entries_max, "revocations forgotten before their time");
            }
        }
    }
}

impl Table {
    /// Adds an entry, or extends the one that there is.
    fn put(&mut self, key: KeyRef<'_>, issued_max: SystemTime, until: SystemTime) {
        self.serial += 1;
        let mut entry = Entry { issued_max, until, serial: self.serial };
        let key = match self.entries.remove_entry(&key) {
            Some((key, old)) => {
                self.ends.remove(&(old.until, old.serial));
                entry.issued_max = entry.issued_max.max(old.issued_max);
                entry.until = entry.until.max(old.until);
                key
            }
            None => Arc::new(Key {
                subject: key.subject,
                tenant: key.tenant.map(Into::into),
                name: key.name.into(),
            }),
        };
        self.ends.insert((entry.until, entry.serial), key.clone());
        self.entries.insert(key, entry);
    }

    /// Removes the entries whose tokens have all expired.
    fn end(&mut self, now: SystemTime) {
        while self.ends.first_key_value().is_some_and(|((until, _), _)| *until <= now) {
            self.pop();
        }
    }

    /// Removes the entry that ends first.
    fn pop(&mut self) -> bool {
        let first = self.ends.pop_first();
        first.is_some_and(|(_, key)| self.entries.remove(&key).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Role;
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
    }

    fn identity(user: &str, jti: Option<&str>, issued: Option<SystemTime>) -> Identity {
        Identity {
            user: user.into(),
            role: Role::User,
            tenant: Some("acme".into()),
            jti: jti.map(Into::into),
            issued,
            expires: Some(at(1000)),
        }
    }

    fn revocations(entries_max: usize) -> Revocations {
        Revocations::new(entries_max, Duration::from_secs(3600))
    }

    #[test]
    fn a_token_is_revoked_by_its_name_within_its_tenant() {
        let revocations = revocations(10);
        let ada = identity("ada", Some("one"), Some(at(0)));
        assert!(!revocations.is_revoked(&ada));
        revocations.revoke_token("one", Some("other"), None, at(1));
        revocations.revoke_token("one", None, None, at(1));
        revocations.revoke_token("two", Some("acme"), None, at(1));
        revocations.revoke_user("one", Some("acme"), at(1));
        assert!(!revocations.is_revoked(&ada));
        revocations.revoke_token("one", Some("acme"), Some(at(1000)), at(1));
        assert!(revocations.is_revoked(&ada));
        assert!(!revocations.is_revoked(&identity("ada", None, Some(at(0)))));
    }

    #[test]
    fn a_user_is_revoked_with_all_that_was_issued_before() {
        let revocations = revocations(10);
        revocations.revoke_user("ada", Some("acme"), at(5));
        let check = |issued, expect| {
            assert_eq!(revocations.is_revoked(&identity("ada", None, issued)), expect, "{issued:?}");
        };
        check(None, true);
        check(Some(at(4)), true);
        check(Some(at(5)), true);
        check(Some(at(6)), false);
        // An earlier revocation that comes late takes nothing back.
        revocations.revoke_user("ada", Some("acme"), at(3));
        check(Some(at(5)), true);
        let elsewhere = Identity { tenant: None, ..identity("ada", None, None) };
        assert!(!revocations.is_revoked(&elsewhere));
        assert!(!revocations.is_revoked(&identity("bob", None, None)));
    }

    #[test]
    fn entries_end_with_the_tokens_they_match() {
        let revocations = revocations(10);
        revocations.revoke_token("past", None, Some(at(10)), at(10));
        assert_eq!(revocations.count(), 0);
        revocations.revoke_token("one", None, Some(at(20)), at(10));
        revocations.revoke_token("one", None, Some(at(30)), at(10));
        revocations.revoke_token("two", None, Some(at(20)), at(10));
        revocations.revoke_user("ada", None, at(10));
        assert_eq!(revocations.count(), 3);
        revocations.revoke_token("three", None, Some(at(50)), at(29));
        assert_eq!(revocations.count(), 3);
        revocations.revoke_token("four", None, Some(at(9000)), at(10 + 3600));
        assert_eq!((revocations.count(), revocations.evicted()), (1, 0));
    }

    #[test]
    fn a_million_revocations_stay_bounded() {
        let revocations = revocations(1000);
        revocations.revoke_user("ada", Some("acme"), at(0));
        for n in 0..1_000_000 {
            revocations.revoke_token(&n.to_string(), None, Some(at(1 + n % 3000)), at(0));
        }
        let table = revocations.table.read().unwrap();
        assert_eq!((table.entries.len(), table.ends.len()), (1000, 1000));
        assert!(table.entries.capacity() < 4000);
        assert_eq!((revocations.count(), revocations.evicted()), (1000, 999_001));
        // What ends last has stayed.
        drop(table);
        assert!(revocations.is_revoked(&identity("ada", None, None)));
    }

    #[test]
    fn names_that_no_token_has_are_not_kept() {
        let revocations = revocations(10);
        revocations.revoke_token(&"j".repeat(257), None, None, at(0));
        revocations.revoke_user(&"u".repeat(129), None, at(0));
        revocations.revoke_user("ada", Some(&"t".repeat(64)), at(0));
        assert_eq!(revocations.count(), 0);
    }
}
