//! How many events a socket may send: a bucket for each socket, and one for each of its events that has a limit of its
//! own. The state lies in the socket's table entry; nothing is allocated for a socket whose events have no own limits.

use std::time::Duration;

use serde_json::json;

use crate::handler::Refusal;
use crate::limits::gcra::{Gcra, Rate, RetryAfter, nanos};
use crate::refusals::{RATE_LIMITED, millis};

/// What the sockets of a tenant may send.
#[derive(Debug, Clone, PartialEq)]
pub struct EventLimits {
    /// Events of one socket; `None` for no limit. Default 10 a second, 20 at once.
    pub each: Option<Rate>,
    /// Events that have a limit of their own instead, by name in order. Default none.
    pub named: NamedRates,
    /// So many refused events, less those accepted since, end the session; 0 for never. Default 100.
    pub flood: u32,
}

impl Default for EventLimits {
    fn default() -> Self {
        Self { each: Rate::per_second(10, 20), named: NamedRates::default(), flood: 100 }
    }
}

impl EventLimits {
    /// No limits: for tests and for servers that exist to be loaded.
    pub fn off() -> Self {
        Self { each: None, ..Self::default() }
    }

    pub(crate) fn bounds(&self) -> bool {
        self.each.is_some() || !self.named.0.is_empty()
    }
}

/// Rates of events by their names; `None` for no limit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NamedRates(Vec<(Box<str>, Option<Rate>)>);

impl NamedRates {
    fn find(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| (**known).cmp(name))
    }

    /// Sets the rate of an event.
    pub(crate) fn set(&mut self, name: &str, rate: Option<Rate>) {
        match self.find(name) {
            Ok(at) => self.0[at].1 = rate,
            Err(at) => self.0.insert(at, (name.into(), rate)),
        }
    }
}

impl FromIterator<(String, Option<Rate>)> for NamedRates {
    fn from_iter<I: IntoIterator<Item = (String, Option<Rate>)>>(rates: I) -> Self {
        let mut rates: Vec<_> = rates.into_iter().map(|(name, rate)| (name.into_boxed_str(), rate)).collect();
        rates.sort_by(|(one, _), (other, _)| one.cmp(other));
        Self(rates)
    }
}

/// What holds for the events of a socket.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds<'a> {
    /// What its tenant may.
    pub(crate) limits: &'a EventLimits,
    /// What its namespace says of single events.
    pub(crate) own: &'a NamedRates,
}

/// The buckets of one socket.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    all: Gcra,
    /// Present once an event has come that has a rate of its own.
    own: Option<Box<OwnBuckets>>,
    refused: u32,
}

/// The buckets of events with rates of their own.
#[derive(Debug, Default)]
struct OwnBuckets {
    /// In the order of the limits'.
    limits: Vec<Gcra>,
    /// In the order of the namespace's.
    namespace: Vec<Gcra>,
}

/// Why an event was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Throttled {
    /// Too early; it may come again after this long.
    Wait(Duration),
    /// The client does not stop.
    Flood,
}

impl Throttle {
    /// Lets an event in at a time since the node began, or says why not.
    pub(crate) fn take(&mut self, limits: Bounds<'_>, name: &str, now: Duration) -> Result<(), Throttled> {
        let Bounds { limits, own } = limits;
        let (rate, bucket) = match (limits.named.find(name), own.find(name)) {
            (Ok(at), _) => (
                limits.named.0[at].1,
                bucket(&mut self.own.get_or_insert_default().limits, &limits.named, at),
            ),
            (_, Ok(at)) if limits.each.is_some() => {
                (own.0[at].1, bucket(&mut self.own.get_or_insert_default().namespace, own, at))
            }
            _ => (limits.each, &mut self.all),
        };
        let taken = rate.map_or(Ok(()), |rate| bucket.take(nanos(now), rate, 1).map(|_| ()));
        match taken {
            Ok(()) => self.refused = self.refused.saturating_sub(1),
            Err(_) => self.refused = self.refused.saturating_add(1),
        }
        match taken {
            Err(_) if limits.flood != 0 && self.refused >= limits.flood => Err(Throttled::Flood),
            taken => taken.map_err(|RetryAfter(wait)| Throttled::Wait(wait)),
        }
    }
}

/// One of the buckets of an event with a rate of its own. They are made at the first such event.
fn bucket<'a>(buckets: &'a mut Vec<Gcra>, rates: &NamedRates, at: usize) -> &'a mut Gcra {
    if buckets.len() != rates.0.len() {
        *buckets = vec![Gcra::default(); rates.0.len()];
    }
    &mut buckets[at]
}

/// The answer to whoever asked too often to join a namespace.
pub(crate) fn refused_join(wait: Duration) -> Refusal {
    Refusal::new("Joining too often; come again later.")
        .with_data(json!({"code": RATE_LIMITED, "retryAfterMs": millis(wait)}))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes with limits alone.
    fn take(
        throttle: &mut Throttle,
        limits: &EventLimits,
        name: &str,
        now: Duration,
    ) -> Result<(), Throttled> {
        throttle.take(Bounds { limits, own: &NamedRates::default() }, name, now)
    }

    fn limits() -> EventLimits {
        let own = Rate::per_second(1, 1);
        let named = [("rare".to_owned(), own), ("also".to_owned(), own)].into_iter().collect();
        EventLimits { each: Rate::per_second(10, 2), named, flood: 5 }
    }

    #[test]
    fn an_event_with_its_own_limit_does_not_use_the_common_one() {
        let (mut throttle, limits) = (Throttle::default(), limits());
        assert_eq!(take(&mut throttle, &limits, "rare", Duration::ZERO), Ok(()));
        let second = Duration::from_secs(1);
        assert_eq!(take(&mut throttle, &limits, "rare", Duration::ZERO), Err(Throttled::Wait(second)));
        assert_eq!(take(&mut throttle, &limits, "also", Duration::ZERO), Ok(()));
        assert_eq!(take(&mut throttle, &limits, "chat", Duration::ZERO), Ok(()));
        assert_eq!(take(&mut throttle, &limits, "chat", Duration::ZERO), Ok(()));
        let tenth = Duration::from_millis(100);
        assert_eq!(take(&mut throttle, &limits, "chat", Duration::ZERO), Err(Throttled::Wait(tenth)));
    }

    #[test]
    fn who_goes_on_regardless_is_a_flooder_and_who_listens_is_not() {
        let (mut throttle, limits) = (Throttle::default(), limits());
        let mut now = Duration::ZERO;
        for _ in 0..100 {
            // Twice as fast as allowed, but it waits when told to.
            if let Err(Throttled::Wait(wait)) = take(&mut throttle, &limits, "chat", now) {
                now += wait;
            }
        }
        assert!(throttle.refused < limits.flood);
        let flood = (0..20)
            .map(|_| take(&mut throttle, &limits, "chat", now))
            .find(|taken| *taken == Err(Throttled::Flood));
        assert!(flood.is_some());
    }

    #[test]
    fn a_namespaces_own_rate_counts_where_the_configuration_names_none_and_limits_at_all() {
        let mut own = NamedRates::default();
        own.set("typing", Rate::per_second(1, 3));
        own.set("rare", Rate::per_second(1, 3));
        let at_once = |limits: &EventLimits, name: &str| {
            let mut throttle = Throttle::default();
            let mut take = || throttle.take(Bounds { limits, own: &own }, name, Duration::ZERO);
            (0..100).take_while(|_| take().is_ok()).count()
        };
        let bounded = limits();
        assert_eq!(["typing", "rare", "chat"].map(|name| at_once(&bounded, name)), [3, 1, 2]);
        let open = EventLimits { each: None, ..limits() };
        assert_eq!(["typing", "rare", "chat"].map(|name| at_once(&open, name)), [100, 1, 100]);
        let mut replaced = own.clone();
        replaced.set("typing", None);
        let mut throttle = Throttle::default();
        let mut take =
            || throttle.take(Bounds { limits: &bounded, own: &replaced }, "typing", Duration::ZERO);
        assert!((0..100).all(|_| take().is_ok()));
    }
}
