//! How much a client address may do: rates by class of request, and addresses that are held off after a flood. What a
//! refusal looks like on the wire is the HTTP edge's to say.

pub(crate) mod gcra;
mod keyed;

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, Guard};

pub use gcra::Rate;
use gcra::{Gcra, Remaining, RetryAfter};
use keyed::Keyed;

use crate::tenants::Tenant;

/// How much may be done. A snapshot: a running node takes a whole new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Requests to `/api/` by client address; `None`: no limit. Default 10 a second, 20 at once.
    pub api: Option<Rate>,
    /// Requests to `/api/auth` by client address, which count as nothing else. Default 5 a minute.
    pub authentication: Option<Rate>,
    /// New sessions by client address, over either transport. Default 50 a second, 100 at once.
    pub handshakes: Option<Rate>,
    /// How long an address stays away after a flood. Default 60 s.
    pub hold_off: Duration,
    /// Client addresses that are remembered; those unseen for longest are forgotten first. Default 65,536, which takes
    /// up to 10 MiB.
    pub addresses_max: NonZeroUsize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            api: Rate::per_second(10, 20),
            authentication: Rate::per_minute(5, 5),
            handshakes: Rate::per_second(50, 100),
            hold_off: Duration::from_secs(60),
            addresses_max: NonZeroUsize::new(65_536).unwrap_or(NonZeroUsize::MIN),
        }
    }
}

impl Limits {
    /// No limit at all: for tests, and for servers that load drivers talk to.
    pub fn off() -> Self {
        Self { api: None, authentication: None, handshakes: None, ..Self::default() }
    }

    fn rate(&self, class: Class) -> Option<Rate> {
        match class {
            Class::Api => self.api,
            Class::Authentication => self.authentication,
            Class::Handshakes => self.handshakes,
        }
    }
}

/// What kind of request is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Api,
    Authentication,
    Handshakes,
}

impl Class {
    /// Every class, for metrics that start at zero.
    pub(crate) const ALL: [Self; 3] = [Self::Api, Self::Authentication, Self::Handshakes];

    /// The class of a path of the HTTP API. Probes and pages have none; a session's own traffic has limits elsewhere.
    pub(crate) fn of(path: &str) -> Option<Self> {
        let below = path.strip_prefix("/api/")?;
        match below.split('/').next() {
            Some("health") => None,
            Some("auth") => Some(Self::Authentication),
            _ => Some(Self::Api),
        }
    }

    /// The name, as policies carry it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Authentication => "auth",
            Self::Handshakes => "handshakes",
        }
    }
}

/// How an address stands after a request of a class was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) class: Class,
    pub(crate) rate: Rate,
    pub(crate) left: Result<Remaining, RetryAfter>,
}

/// Counts requests by client address, for all shards of a node.
#[derive(Debug)]
pub(crate) struct Limiter {
    limits: ArcSwap<Limits>,
    spent: Keyed<Spent>,
    /// When addresses may come back, in nanoseconds of this limiter's clock. A table of its own: forged addresses
    /// cannot push those out that flooded.
    held_off: Keyed<u64>,
    started: Instant,
}

/// What one address has used up.
#[derive(Debug, Default)]
struct Spent {
    api: Gcra,
    authentication: Gcra,
    handshakes: Gcra,
}

impl Limiter {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            spent: Keyed::new(limits.addresses_max),
            held_off: Keyed::new(limits.addresses_max),
            limits: ArcSwap::from_pointee(limits),
            started: Instant::now(),
        }
    }

    /// The limits now. Cheap, but not to be kept: there are few such guards for a thread.
    pub(crate) fn limits(&self) -> Guard<Arc<Limits>> {
        self.limits.load()
    }

    /// Takes new limits. What addresses have used up under the old ones still counts.
    pub(crate) fn replace(&self, limits: Limits) {
        self.spent.resize(limits.addresses_max);
        self.held_off.resize(limits.addresses_max);
        self.limits.store(Arc::new(limits));
    }

    /// Counts a request, by the limits of the tenant that it is for where that has its own; `None` when its class has no
    /// limit.
    pub(crate) fn take(&self, class: Class, address: IpAddr, tenant: Option<&Tenant>) -> Option<Standing> {
        let rate = self.rate(class, tenant)?;
        let now = self.now();
        let left = self.spent.with(address, |spent| {
            let state = match class {
                Class::Api => &mut spent.api,
                Class::Authentication => &mut spent.authentication,
                Class::Handshakes => &mut spent.handshakes,
            };
            state.take(now, rate, 1)
        });
        Some(Standing { class, rate, left })
    }

    /// How often a class may come, by the limits of a tenant where that has its own.
    fn rate(&self, class: Class, tenant: Option<&Tenant>) -> Option<Rate> {
        let own =
            tenant.and_then(|tenant| tenant.settings().limits.as_ref().map(|limits| limits.rate(class)));
        own.unwrap_or_else(|| self.limits().rate(class))
    }

    /// How an address that is held off stands; `None` when new sessions have no limit.
    pub(crate) fn away(&self, left: Duration, tenant: Option<&Tenant>) -> Option<Standing> {
        let class = Class::Handshakes;
        Some(Standing { class, rate: self.rate(class, tenant)?, left: Err(RetryAfter(left)) })
    }

    /// Refuses new sessions of an address for a time. A hold-off only ever grows.
    pub(crate) fn hold_off(&self, address: IpAddr, time: Duration) {
        let until = self.now().saturating_add(nanos(time));
        self.held_off.with(address, |known| *known = until.max(*known));
    }

    /// For how much longer an address is held off.
    pub(crate) fn held_off(&self, address: IpAddr) -> Option<Duration> {
        let left = self.held_off.peek(address)?.saturating_sub(self.now());
        if left == 0 {
            self.held_off.remove(address);
            return None;
        }
        Some(Duration::from_nanos(left))
    }

    fn now(&self) -> u64 {
        nanos(self.started.elapsed())
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const BOB: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn slow() -> Limits {
        Limits { api: Rate::per_minute(1, 2), ..Limits::default() }
    }

    fn passes(limiter: &Limiter, class: Class, address: IpAddr) -> bool {
        limiter.take(class, address, None).is_none_or(|standing| standing.left.is_ok())
    }

    #[test]
    fn addresses_and_classes_are_counted_apart() {
        let limiter = Limiter::new(slow());
        assert!(passes(&limiter, Class::Api, ADA) && passes(&limiter, Class::Api, ADA));
        assert!(!passes(&limiter, Class::Api, ADA));
        assert!(passes(&limiter, Class::Api, BOB) && passes(&limiter, Class::Authentication, ADA));
    }

    #[test]
    fn new_limits_hold_from_the_next_request() {
        let limiter = Limiter::new(slow());
        while passes(&limiter, Class::Api, ADA) {}
        limiter.replace(Limits::off());
        assert!(passes(&limiter, Class::Api, ADA));
        limiter.replace(slow());
        assert!(!passes(&limiter, Class::Api, ADA), "what was used up is not forgotten");
        assert_eq!(**limiter.limits(), slow());
    }

    #[test]
    fn a_hold_off_ends_by_itself_and_only_grows() {
        let limiter = Limiter::new(Limits::default());
        limiter.hold_off(ADA, Duration::from_secs(60));
        limiter.hold_off(ADA, Duration::from_secs(1));
        assert!(limiter.held_off(ADA).is_some_and(|left| left > Duration::from_secs(50)));
        assert_eq!(limiter.held_off(BOB), None);
        limiter.hold_off(BOB, Duration::ZERO);
        assert_eq!(limiter.held_off(BOB), None);
    }

    #[test]
    fn paths_have_their_class() {
        let classes = [
            ("/api/stats", Some(Class::Api)),
            ("/api/authors", Some(Class::Api)),
            ("/api/auth", Some(Class::Authentication)),
            ("/api/auth/guest", Some(Class::Authentication)),
            ("/api/health/system", None),
            ("/health", None),
            ("/metrics", None),
            ("/", None),
            ("/assets/a.js", None),
        ];
        for (path, class) in classes {
            assert_eq!(Class::of(path), class, "{path}");
        }
    }
}
