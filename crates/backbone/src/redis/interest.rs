//! What a node wants to hear, by partition: which channels it subscribed to, what it has been told of each, what it let go
//! of lately. Pure but for the wake-ups of those who wait for a confirmation; time comes in as an argument.

use std::collections::VecDeque;
use std::time::Duration;

use hashbrown::HashMap;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::keys::ChannelName;
use crate::channel::Channel;

/// The channels of a subscriber.
#[derive(Debug)]
pub(crate) struct Interest {
    partitions: Vec<Partition>,
    count: usize,
    max: usize,
    /// Released channels, once each, oldest first. What was wanted again in between is found when its turn comes.
    released: VecDeque<(Instant, ChannelName)>,
}

#[derive(Debug, Default)]
struct Partition {
    entries: HashMap<String, Entry>,
    /// Names that may have to be asked for; some may have gone, or be here twice.
    fresh: Vec<String>,
}

#[derive(Debug)]
struct Entry {
    channel: Channel,
    state: State,
    /// Messages may have been missed since the owner last heard any.
    gap: bool,
    released: Option<Instant>,
    /// Whether it is among the released.
    marked: bool,
    waiting: Vec<oneshot::Sender<()>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nobody was asked for it.
    Wanted,
    /// The server was asked.
    Asked,
    /// The server said yes.
    Active,
}

/// As many channels as there may be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Interest {
    pub(crate) fn new(partitions: u16, max: usize) -> Self {
        let partitions = (0..partitions).map(|_| Partition::default()).collect();
        Self { partitions, count: 0, max, released: VecDeque::new() }
    }

    /// Wants a channel. Answers with what to wait for, or nothing if it is heard already.
    pub(crate) fn want(
        &mut self,
        name: &ChannelName,
        channel: Channel,
    ) -> Result<Option<oneshot::Receiver<()>>, Full> {
        let partition = &mut self.partitions[usize::from(name.partition)];
        if !partition.entries.contains_key(&name.name) {
            if self.count >= self.max {
                return Err(Full);
            }
            self.count += 1;
            partition.freshen(name.name.clone());
        }
        let entry = partition.entries.entry_ref(&name.name).or_insert_with(|| Entry::new(channel));
        entry.released = None;
        if entry.state == State::Active {
            return Ok(None);
        }
        let (sender, receiver) = oneshot::channel();
        entry.waiting.retain(|waiting| !waiting.is_closed());
        entry.waiting.push(sender);
        Ok(Some(receiver))
    }

    /// Lets go of a channel: it is silent from now, and leaves when it is due.
    pub(crate) fn release(&mut self, name: ChannelName, now: Instant) {
        let entry = self.partitions[usize::from(name.partition)].entries.get_mut(&name.name);
        let Some(entry) = entry.filter(|entry| entry.released.is_none()) else { return };
        entry.released = Some(now);
        if !std::mem::replace(&mut entry.marked, true) {
            self.released.push_back((now, name));
        }
    }

    /// The wanted channel of that name.
    pub(crate) fn heard(&self, partition: u16, name: &str) -> Option<Channel> {
        let entry = self.partitions[usize::from(partition)].entries.get(name)?;
        entry.released.is_none().then(|| entry.channel.clone())
    }

    /// Takes the channels out that were released so long ago, by partition.
    pub(crate) fn leave(&mut self, now: Instant, after: Duration) -> Vec<ChannelName> {
        let mut leaving = Vec::new();
        while self.released.front().is_some_and(|(at, _)| *at + after <= now) {
            let Some((_, name)) = self.released.pop_front() else { break };
            let entries = &mut self.partitions[usize::from(name.partition)].entries;
            let Some(entry) = entries.get_mut(&name.name) else { continue };
            match entry.released {
                None => entry.marked = false,
                Some(at) if at + after > now => self.released.push_back((at, name)),
                Some(_) => {
                    entries.remove(&name.name);
                    self.count -= 1;
                    leaving.push(name);
                }
            }
        }
        leaving.sort_unstable_by_key(|name| name.partition);
        leaving
    }

    /// Whether anything of a partition is wanted.
    pub(crate) fn is_wanted(&self, partition: u16) -> bool {
        !self.partitions[usize::from(partition)].entries.is_empty()
    }

    /// The channels of a partition that nobody was asked for, as of now asked.
    pub(crate) fn ask(&mut self, partition: u16) -> Vec<String> {
        let partition = &mut self.partitions[usize::from(partition)];
        let mut asked = std::mem::take(&mut partition.fresh);
        asked.retain(|name| match partition.entries.get_mut(name) {
            Some(entry) if entry.state == State::Wanted => {
                entry.state = State::Asked;
                true
            }
            _ => false,
        });
        asked
    }

    /// The server said yes. Answers with the channel if messages of it may have been missed.
    pub(crate) fn confirm(&mut self, partition: u16, name: &str) -> Option<Channel> {
        let entry = self.partitions[usize::from(partition)].entries.get_mut(name)?;
        entry.state = State::Active;
        let mut gap = std::mem::take(&mut entry.gap);
        for waiting in entry.waiting.drain(..) {
            // Who gave up waiting was told that it would hear of this.
            gap |= waiting.send(()).is_err();
        }
        (gap && entry.released.is_none()).then(|| entry.channel.clone())
    }

    /// Whether the server said yes to this, and nothing since.
    pub(crate) fn is_active(&self, partition: u16, name: &str) -> bool {
        self.partitions[usize::from(partition)]
            .entries
            .get(name)
            .is_some_and(|entry| entry.state == State::Active)
    }

    /// Forgets what any server said of a partition.
    pub(crate) fn lose(&mut self, partition: u16) {
        let partition = &mut self.partitions[usize::from(partition)];
        for entry in partition.entries.values_mut() {
            entry.gap |= entry.state == State::Active;
            entry.state = State::Wanted;
        }
        partition.fresh = partition.entries.keys().cloned().collect();
    }
}

impl Partition {
    /// Notes a name to be asked for. While nobody asks, names may come and go: those that went are dropped when they are
    /// more than those that are there.
    fn freshen(&mut self, name: String) {
        if self.fresh.len() > 2 * self.entries.len() + 64 {
            self.fresh.sort_unstable();
            self.fresh.dedup();
            self.fresh.retain(|name| self.entries.contains_key(name));
        }
        self.fresh.push(name);
    }
}

impl Entry {
    fn new(channel: Channel) -> Self {
        Self { channel, state: State::Wanted, gap: false, released: None, marked: false, waiting: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AFTER: Duration = Duration::from_secs(30);

    fn name(name: &str) -> ChannelName {
        ChannelName { name: name.to_owned(), partition: 0 }
    }

    fn room() -> Channel {
        Channel::room("t", "/", "a")
    }

    #[tokio::test]
    async fn who_waits_is_told_and_hears_of_gaps() {
        let mut interest = Interest::new(1, 10);
        let mut waiting = interest.want(&name("a"), room()).unwrap().unwrap();
        assert_eq!(interest.ask(0), ["a"]);
        assert_eq!(interest.ask(0), Vec::<String>::new());
        assert_eq!(interest.confirm(0, "a"), None);
        assert_eq!(waiting.try_recv(), Ok(()));
        assert!(interest.want(&name("a"), room()).unwrap().is_none());
        interest.lose(0);
        assert_eq!(interest.ask(0), ["a"]);
        assert_eq!(interest.confirm(0, "a"), Some(room()));
        assert_eq!(interest.confirm(0, "a"), None, "a gap is told once");
    }

    #[tokio::test]
    async fn who_gave_up_waiting_is_told_later() {
        let mut interest = Interest::new(1, 10);
        drop(interest.want(&name("a"), room()).unwrap());
        interest.ask(0);
        assert_eq!(interest.confirm(0, "a"), Some(room()));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_released_is_silent_and_leaves_in_time() {
        let mut interest = Interest::new(1, 10);
        let _ = interest.want(&name("a"), room());
        let begun = Instant::now();
        interest.release(name("a"), begun);
        assert_eq!(interest.heard(0, "a"), None);
        assert_eq!(interest.leave(begun, AFTER), []);
        let _ = interest.want(&name("a"), room());
        assert_eq!(interest.heard(0, "a"), Some(room()));
        interest.release(name("a"), begun + AFTER / 2);
        assert_eq!(interest.leave(begun + AFTER, AFTER), [], "it was wanted again");
        assert_eq!(interest.leave(begun + AFTER * 2, AFTER), [name("a")]);
        assert!(!interest.is_wanted(0));
    }

    #[test]
    fn there_are_only_so_many() {
        let mut interest = Interest::new(1, 1);
        assert!(interest.want(&name("a"), room()).is_ok());
        assert!(interest.want(&name("a"), room()).is_ok());
        assert_eq!(interest.want(&name("b"), room()).err(), Some(Full));
    }
}
