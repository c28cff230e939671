//! State by client address in bounded memory: whoever has not been seen for longest is forgotten first. An IPv6 client
//! counts by its /64, which is what one subscriber is given.

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lru::LruCache;

/// Parts with a lock of their own, so that shards seldom wait for each other.
const STRIPES: usize = 16;

/// A table of `S` by address.
#[derive(Debug)]
pub(crate) struct Keyed<S> {
    stripes: [Mutex<LruCache<Key, S>>; STRIPES],
    hasher: RandomState,
}

/// Whom an address stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    V4(u32),
    V6(u64),
}

impl From<IpAddr> for Key {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.to_bits()),
            IpAddr::V6(address) => Self::V6((address.to_bits() >> 64) as u64),
        }
    }
}

impl<S> Keyed<S> {
    /// An empty table for so many addresses, rounded up to a multiple of the number of its parts.
    pub(crate) fn new(addresses_max: NonZeroUsize) -> Self {
        let stripe = |_| Mutex::new(LruCache::sparse(share(addresses_max)));
        Self { stripes: std::array::from_fn(stripe), hasher: RandomState::new() }
    }

    /// Changes how many addresses there may be, forgetting those that are too many.
    pub(crate) fn resize(&self, addresses_max: NonZeroUsize) {
        self.stripes.iter().for_each(|stripe| locked(stripe).resize(share(addresses_max)));
    }

    /// Works on the state of an address, which is new when it is not known.
    pub(crate) fn with<R>(&self, address: IpAddr, work: impl FnOnce(&mut S) -> R) -> R
    where
        S: Default,
    {
        let key = Key::from(address);
        work(self.stripe(key).get_or_insert_mut(key, S::default))
    }

    /// The state of an address, if it is known. Asking does not make it seen.
    pub(crate) fn peek(&self, address: IpAddr) -> Option<S>
    where
        S: Copy,
    {
        let key = Key::from(address);
        self.stripe(key).peek(&key).copied()
    }

    /// Forgets an address.
    pub(crate) fn remove(&self, address: IpAddr) {
        let key = Key::from(address);
        self.stripe(key).pop(&key);
    }

    fn stripe(&self, key: Key) -> MutexGuard<'_, LruCache<Key, S>> {
        locked(&self.stripes[self.hasher.hash_one(key) as usize % STRIPES])
    }
}

fn share(addresses_max: NonZeroUsize) -> NonZeroUsize {
    NonZeroUsize::new(addresses_max.get().div_ceil(STRIPES)).unwrap_or(NonZeroUsize::MIN)
}

/// A panic while a lock was held cannot leave a state half changed: each is a number.
fn locked<T>(stripe: &Mutex<T>) -> MutexGuard<'_, T> {
    stripe.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    fn table(addresses_max: usize) -> Keyed<u64> {
        Keyed::new(NonZeroUsize::new(addresses_max).unwrap())
    }

    fn count(table: &Keyed<u64>) -> usize {
        table.stripes.iter().map(|stripe| locked(stripe).len()).sum()
    }

    fn seen(table: &Keyed<u64>, address: impl Into<IpAddr>) -> u64 {
        table.with(address.into(), |times| {
            *times += 1;
            *times
        })
    }

    #[test]
    fn a_million_forged_addresses_stay_within_the_bound() {
        let table = table(4096);
        for number in 0..500_000_u32 {
            seen(&table, Ipv4Addr::from_bits(number));
            seen(&table, Ipv6Addr::from_bits(u128::from(number) << 64));
        }
        assert_eq!(count(&table), 4096);
    }

    #[test]
    fn a_regular_is_remembered_while_strangers_pass() {
        let table = table(1600);
        let regular = Ipv4Addr::new(192, 0, 2, 1);
        for round in 0..1000_u32 {
            assert_eq!(seen(&table, regular), u64::from(round) + 1);
            for number in 0..50 {
                seen(&table, Ipv4Addr::from_bits(round * 50 + number));
            }
        }
    }

    #[test]
    fn an_ipv6_subscriber_is_one_and_an_ipv4_address_is_one_however_written() {
        let table = table(64);
        assert_eq!(seen(&table, "2001:db8:0:1::1".parse::<IpAddr>().unwrap()), 1);
        assert_eq!(seen(&table, "2001:db8:0:1:ffff::2".parse::<IpAddr>().unwrap()), 2);
        assert_eq!(seen(&table, "2001:db8:0:2::1".parse::<IpAddr>().unwrap()), 1);
        assert_eq!(seen(&table, "192.0.2.7".parse::<IpAddr>().unwrap()), 1);
        assert_eq!(seen(&table, "::ffff:192.0.2.7".parse::<IpAddr>().unwrap()), 2);
        assert_eq!(seen(&table, "192.0.2.8".parse::<IpAddr>().unwrap()), 1);
    }

    #[test]
    fn a_smaller_table_forgets_the_rest() {
        let table = table(1600);
        for number in 0..1600 {
            seen(&table, Ipv4Addr::from_bits(number));
        }
        table.resize(NonZeroUsize::new(160).unwrap());
        assert!(count(&table) <= 160);
    }

    #[test]
    fn asking_and_forgetting_leave_nothing_behind() {
        let (table, address) = (table(16), IpAddr::from(Ipv4Addr::LOCALHOST));
        assert_eq!(table.peek(address), None);
        seen(&table, address);
        assert_eq!(table.peek(address), Some(1));
        table.remove(address);
        assert_eq!((table.peek(address), count(&table)), (None, 0));
    }
}
