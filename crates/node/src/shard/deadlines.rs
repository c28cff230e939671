//! What is due when, for all sessions of a shard. Each kind of deadline lies a constant time ahead, so that a queue in
//! order of arrival is in order of time: arming and firing cost a push and a pop, and cancelling costs nothing, because
//! an entry whose stamp is no longer the session's is skipped.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// Deadlines fire in steps of this, so that ten thousand heartbeats do not mean ten thousand wake-ups.
const TICK: Duration = Duration::from_millis(5);

/// The kinds of deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A ping is to be sent.
    Ping,
    /// A pong should have come.
    Pong,
    /// A namespace should have been joined.
    Connect,
    /// An upgrade should have finished.
    Upgrade,
    /// A closed connection has had its time to read what was still on its way.
    Linger,
}

const KINDS: [Kind; 5] = [Kind::Ping, Kind::Pong, Kind::Connect, Kind::Upgrade, Kind::Linger];

/// A deadline that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) kind: Kind,
    /// When it came: what follows from it is counted from here, not from when it was noticed.
    pub(crate) at: Instant,
    pub(crate) slot: u32,
    pub(crate) stamp: u32,
}

/// The deadlines of a shard.
#[derive(Debug)]
pub(crate) struct Deadlines {
    delays: [Duration; KINDS.len()],
    queues: [VecDeque<(Instant, u32, u32)>; KINDS.len()],
}

impl Deadlines {
    /// How far ahead each kind lies.
    pub(crate) fn new(delay: impl Fn(Kind) -> Duration) -> Self {
        Self { delays: KINDS.map(delay), queues: Default::default() }
    }

    /// Arms a deadline from now.
    pub(crate) fn arm(&mut self, kind: Kind, now: Instant, slot: u32, stamp: u32) {
        let at = now + self.delays[kind as usize];
        self.queues[kind as usize].push_back((at, slot, stamp));
    }

    /// The next deadline that has come, if any.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Due> {
        for (kind, queue) in KINDS.into_iter().zip(&mut self.queues) {
            if queue.front().is_some_and(|(at, _, _)| *at <= now) {
                return queue.pop_front().map(|(at, slot, stamp)| Due { kind, at, slot, stamp });
            }
        }
        None
    }

    /// The next session whose heartbeat is so late that its client has given up: a client waits for a ping as long as the
    /// interval and the timeout together.
    pub(crate) fn given_up(&mut self, now: Instant) -> Option<(u32, u32)> {
        [(Kind::Ping, Kind::Pong), (Kind::Pong, Kind::Ping)].into_iter().find_map(|(missed, then)| {
            let grace = self.delays[then as usize];
            let (_, slot, stamp) =
                self.queues[missed as usize].pop_front_if(|(at, ..)| *at + grace <= now)?;
            Some((slot, stamp))
        })
    }

    /// When to look again.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.queues.iter().filter_map(|queue| queue.front()).map(|(at, _, _)| *at + TICK).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_fires_in_order_and_not_before_its_time() {
        let start = Instant::now();
        let mut deadlines =
            Deadlines::new(|kind| Duration::from_secs(if kind == Kind::Ping { 25 } else { 20 }));
        deadlines.arm(Kind::Ping, start, 1, 10);
        deadlines.arm(Kind::Pong, start + Duration::from_secs(1), 2, 20);
        deadlines.arm(Kind::Pong, start + Duration::from_secs(2), 3, 30);
        assert_eq!(deadlines.next(), Some(start + Duration::from_secs(21) + TICK));

        let second = |second| start + Duration::from_secs(second);
        let mut fired = |at| std::iter::from_fn(|| deadlines.pop(second(at))).collect::<Vec<_>>();
        assert_eq!(fired(20), []);
        assert_eq!(fired(21), [Due { kind: Kind::Pong, at: second(21), slot: 2, stamp: 20 }]);
        let ping = Due { kind: Kind::Ping, at: second(25), slot: 1, stamp: 10 };
        assert_eq!(fired(25), [ping, Due { kind: Kind::Pong, at: second(22), slot: 3, stamp: 30 }]);
        assert_eq!(deadlines.next(), None);
    }

    #[test]
    fn clients_give_up_after_the_interval_and_the_timeout() {
        let start = Instant::now();
        let mut deadlines =
            Deadlines::new(|kind| Duration::from_secs(if kind == Kind::Ping { 25 } else { 20 }));
        deadlines.arm(Kind::Ping, start, 1, 10);
        deadlines.arm(Kind::Pong, start + Duration::from_secs(1), 2, 20);

        let mut given_up = |second| deadlines.given_up(start + Duration::from_secs(second));
        assert_eq!(
            [given_up(44), given_up(45), given_up(45), given_up(46)],
            [None, Some((1, 10)), None, Some((2, 20))]
        );
    }
}
