//! The beats of one connection: messages that a node publishes through its commands and must hear here, each time in another
//! partition. A connection that is open and answers, but does not hear a beat that the store took, is deaf. Pure; time comes
//! in as an argument.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

/// Whether a connection hears.
#[derive(Debug)]
pub(crate) struct Beats {
    interval: Duration,
    /// Partitions whose beats the server lets us hear, with the name of the channel.
    heard_in: BTreeMap<u16, String>,
    /// The last partition that had its turn.
    last: u16,
    due: Instant,
    waiting: Option<Waiting>,
}

/// A beat that was not heard yet.
#[derive(Debug)]
struct Waiting {
    partition: u16,
    nonce: u64,
    /// The store says here that it took it.
    taken: oneshot::Receiver<()>,
    taken_at: Option<Instant>,
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Due {
    Nothing,
    /// Publish this, and say when the store has taken it.
    Publish {
        channel: String,
        nonce: u64,
        taken: oneshot::Sender<()>,
    },
    /// The connection hears nothing.
    Deaf,
}

impl Beats {
    pub(crate) fn new(interval: Duration, now: Instant) -> Self {
        Self { interval, heard_in: BTreeMap::new(), last: 0, due: now + interval, waiting: None }
    }

    /// The server confirmed the channel for beats in a partition.
    pub(crate) fn add(&mut self, partition: u16, channel: String) {
        self.heard_in.insert(partition, channel);
    }

    /// Another connection serves the partition.
    pub(crate) fn remove(&mut self, partition: u16) {
        self.heard_in.remove(&partition);
        self.waiting.take_if(|waiting| waiting.partition == partition);
    }

    /// A beat was heard; whether it is the one that is waited for.
    pub(crate) fn heard(&mut self, nonce: u64) -> bool {
        self.waiting.take_if(|waiting| waiting.nonce == nonce).is_some()
    }

    /// What is due. To be asked when all that has arrived was read.
    pub(crate) fn due(&mut self, now: Instant, nonce: u64) -> Due {
        if let Some(waiting) = &mut self.waiting {
            if waiting.taken.try_recv().is_ok() {
                waiting.taken_at = Some(now);
            }
            // One that the store took a moment ago may still be on its way.
            if waiting.taken_at.is_some_and(|taken_at| now - taken_at >= self.interval / 2) {
                return Due::Deaf;
            }
        }
        // One that the store did not take says nothing.
        let taken = self.waiting.as_ref().is_some_and(|waiting| waiting.taken_at.is_some());
        if now < self.due || taken {
            return Due::Nothing;
        }
        self.due = now + self.interval;
        let after = self.heard_in.range(self.last + 1..).next();
        let Some((partition, channel)) = after.or_else(|| self.heard_in.first_key_value()) else {
            return Due::Nothing;
        };
        self.last = *partition;
        let (sender, taken) = oneshot::channel();
        self.waiting = Some(Waiting { partition: *partition, nonce, taken, taken_at: None });
        Due::Publish { channel: channel.clone(), nonce, taken: sender }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(5);

    fn beats() -> (Beats, Instant) {
        let now = Instant::now();
        let mut beats = Beats::new(INTERVAL, now);
        beats.add(3, "three".to_owned());
        beats.add(9, "nine".to_owned());
        (beats, now)
    }

    /// The beat that is due.
    fn publish(beats: &mut Beats, now: Instant) -> (String, u64, oneshot::Sender<()>) {
        match beats.due(now, 7) {
            Due::Publish { channel, nonce, taken } => (channel, nonce, taken),
            other => panic!("no beat is due: {other:?}"),
        }
    }

    #[test]
    fn every_partition_has_its_turn() {
        let (mut beats, mut now) = beats();
        assert!(matches!(beats.due(now, 7), Due::Nothing));
        for channel in ["three", "nine", "three"] {
            now += INTERVAL;
            let (name, nonce, _) = publish(&mut beats, now);
            assert_eq!(name, channel);
            assert!(!beats.heard(nonce + 1) && beats.heard(nonce));
        }
    }

    #[test]
    fn what_the_store_took_and_nobody_heard_is_deafness() {
        let (mut beats, now) = beats();
        let (_, _, taken) = publish(&mut beats, now + INTERVAL);
        let later = now + INTERVAL * 3;
        taken.send(()).unwrap();
        assert!(matches!(beats.due(later, 7), Due::Nothing), "it was taken only now");
        assert!(matches!(beats.due(later + INTERVAL / 2, 7), Due::Deaf));
    }

    #[test]
    fn what_the_store_did_not_take_says_nothing() {
        let (mut beats, now) = beats();
        let (_, _, taken) = publish(&mut beats, now + INTERVAL);
        drop(taken);
        assert_eq!(publish(&mut beats, now + INTERVAL * 2).0, "nine");
    }

    #[test]
    fn a_beat_in_a_partition_that_left_is_not_waited_for() {
        let (mut beats, now) = beats();
        let (_, _, taken) = publish(&mut beats, now + INTERVAL);
        taken.send(()).unwrap();
        beats.remove(3);
        assert_eq!(publish(&mut beats, now + INTERVAL * 2).0, "nine");
    }
}
