//! What a node wants to hear, by partition: which channels it subscribed to, which connection was asked for each and what it
//! said, what was let go of lately. Pure but for the wake-ups of those who wait for a confirmation; time comes in as an
//! argument.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashMap;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::channel::Channel;

/// The number of a connection.
pub(crate) type LinkId = u64;

/// The channels that are wanted.
#[derive(Debug)]
pub(crate) struct Interest {
    partitions: Vec<Partition>,
    /// Partitions with names to be asked for and a connection to ask.
    due: BTreeSet<u16>,
    count: usize,
    max: usize,
    /// Released channels, once each, oldest first. What was wanted again in between is found when its turn comes.
    released: VecDeque<(Instant, u16, Arc<str>)>,
}

#[derive(Debug, Default)]
struct Partition {
    /// The connection that is asked.
    link: Option<LinkId>,
    entries: HashMap<Arc<str>, Entry>,
    /// Names that may have to be asked for; some may have gone, or be here twice.
    fresh: Vec<Arc<str>>,
}

#[derive(Debug)]
struct Entry {
    channel: Arc<Channel>,
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
    /// The connection was asked.
    Asked,
    /// The server said yes.
    Active,
}

/// Names of a partition, for its connection to ask for or to give up.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) link: LinkId,
    pub(crate) partition: u16,
    pub(crate) names: Vec<Arc<str>>,
}

/// As many channels as there may be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Interest {
    pub(crate) fn new(partitions: u16, max: usize) -> Self {
        let partitions = (0..partitions).map(|_| Partition::default()).collect();
        Self { partitions, due: BTreeSet::new(), count: 0, max, released: VecDeque::new() }
    }

    /// Wants a channel. Answers with what to wait for, or nothing if it is heard already.
    pub(crate) fn want(
        &mut self,
        (partition, name): (u16, String),
        channel: Channel,
    ) -> Result<Option<oneshot::Receiver<()>>, Full> {
        let place = self.place(partition);
        if !place.entries.contains_key(&*name) {
            if self.count >= self.max {
                return Err(Full);
            }
            self.count += 1;
            let name: Arc<str> = name.as_str().into();
            let place = self.place(partition);
            place.entries.insert(name.clone(), Entry::new(channel));
            place.freshen(name);
            if place.link.is_some() {
                self.due.insert(partition);
            }
        }
        let Some(entry) = self.place(partition).entries.get_mut(&*name) else { return Ok(None) };
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
    pub(crate) fn release(&mut self, partition: u16, name: &str, now: Instant) {
        let Some((name, _)) = self.place(partition).entries.get_key_value(name) else { return };
        let name = name.clone();
        let Some(entry) = self.place(partition).entries.get_mut(&name) else { return };
        if entry.released.is_none() {
            entry.released = Some(now);
            if !std::mem::replace(&mut entry.marked, true) {
                self.released.push_back((now, partition, name));
            }
        }
    }

    /// The wanted channel of that name, if this connection was asked for it.
    pub(crate) fn heard(&self, link: LinkId, partition: u16, name: &str) -> Option<&Arc<Channel>> {
        let place = &self.partitions[usize::from(partition)];
        let entry = place.entries.get(name).filter(|_| place.link == Some(link))?;
        entry.released.is_none().then_some(&entry.channel)
    }

    /// Takes the channels out that were released so long ago, to be given up where they were asked for.
    pub(crate) fn leave(&mut self, now: Instant, after: Duration) -> Vec<Names> {
        let mut leaving: HashMap<u16, Vec<Arc<str>>> = HashMap::new();
        while self.released.front().is_some_and(|(at, ..)| *at + after <= now) {
            let Some((_, partition, name)) = self.released.pop_front() else { break };
            let entries = &mut self.place(partition).entries;
            let Some(entry) = entries.get_mut(&name) else { continue };
            match entry.released {
                None => entry.marked = false,
                Some(at) if at + after > now => self.released.push_back((at, partition, name)),
                Some(_) => {
                    entries.remove(&name);
                    self.count -= 1;
                    leaving.entry(partition).or_default().push(name);
                }
            }
        }
        let asked = |(partition, names)| {
            Some(Names { link: self.partitions[usize::from(partition)].link?, partition, names })
        };
        leaving.into_iter().filter_map(asked).collect()
    }

    /// What the connections are to be asked for, as of now asked.
    pub(crate) fn ask(&mut self) -> Vec<Names> {
        let mut asks = Vec::new();
        for partition in std::mem::take(&mut self.due) {
            let Partition { link, entries, fresh } = self.place(partition);
            let Some(link) = *link else { continue };
            let mut names = std::mem::take(fresh);
            names.retain(|name| match entries.get_mut(name) {
                Some(entry) if entry.state == State::Wanted => {
                    entry.state = State::Asked;
                    true
                }
                _ => false,
            });
            if !names.is_empty() {
                asks.push(Names { link, partition, names });
            }
        }
        asks
    }

    /// A connection is to be asked for all of a partition.
    pub(crate) fn assign(&mut self, partition: u16, link: LinkId) {
        self.forget(partition);
        self.place(partition).link = Some(link);
        self.due.insert(partition);
    }

    /// The server said yes. Answers with the channel if messages of it may have been missed.
    pub(crate) fn confirm(&mut self, link: LinkId, partition: u16, name: &str) -> Option<Arc<Channel>> {
        let place = self.place(partition);
        let entry = place.entries.get_mut(name).filter(|_| place.link == Some(link))?;
        entry.state = State::Active;
        let mut gap = std::mem::take(&mut entry.gap);
        for waiting in entry.waiting.drain(..) {
            // Who gave up waiting was told that it would hear of this.
            gap |= waiting.send(()).is_err();
        }
        (gap && entry.released.is_none()).then(|| entry.channel.clone())
    }

    /// Whether the server said yes to this, and nothing since.
    pub(crate) fn is_active(&self, link: LinkId, partition: u16, name: &str) -> bool {
        let place = &self.partitions[usize::from(partition)];
        let entry = place.entries.get(name).filter(|_| place.link == Some(link));
        entry.is_some_and(|entry| entry.state == State::Active)
    }

    /// A connection serves a partition no more.
    pub(crate) fn lose(&mut self, partition: u16, link: LinkId) {
        if self.place(partition).link == Some(link) {
            self.forget(partition);
        }
    }

    /// Forgets who was asked for a partition, and what it said.
    fn forget(&mut self, partition: u16) {
        let place = self.place(partition);
        place.link = None;
        for entry in place.entries.values_mut() {
            entry.gap |= entry.state == State::Active;
            entry.state = State::Wanted;
        }
        place.fresh = place.entries.keys().cloned().collect();
    }

    fn place(&mut self, partition: u16) -> &mut Partition {
        &mut self.partitions[usize::from(partition)]
    }
}

impl Partition {
    /// Notes a name to be asked for. While nobody asks, names may come and go: those that went are dropped when they are
    /// more than those that are there.
    fn freshen(&mut self, name: Arc<str>) {
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
        let (channel, waiting) = (Arc::new(channel), Vec::new());
        Self { channel, state: State::Wanted, gap: false, released: None, marked: false, waiting }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AFTER: Duration = Duration::from_secs(30);
    const LINK: LinkId = 7;

    fn interest(max: usize) -> Interest {
        let mut interest = Interest::new(1, max);
        interest.assign(0, LINK);
        interest
    }

    fn want(interest: &mut Interest, name: &str) -> Result<Option<oneshot::Receiver<()>>, Full> {
        interest.want((0, name.to_owned()), room())
    }

    fn room() -> Channel {
        Channel::room("t", "/", "a")
    }

    fn names(name: &str) -> Vec<Names> {
        vec![Names { link: LINK, partition: 0, names: vec![name.into()] }]
    }

    #[tokio::test]
    async fn who_waits_is_told_and_hears_of_gaps() {
        let mut interest = interest(10);
        let mut waiting = want(&mut interest, "a").unwrap().unwrap();
        assert_eq!(interest.ask(), names("a"));
        assert_eq!(interest.ask(), []);
        assert_eq!(interest.confirm(LINK, 0, "a"), None);
        assert_eq!(waiting.try_recv(), Ok(()));
        assert!(want(&mut interest, "a").unwrap().is_none());
        interest.lose(0, LINK + 1);
        assert!(interest.is_active(LINK, 0, "a"));
        interest.lose(0, LINK);
        assert_eq!(interest.ask(), [], "there is nobody to ask");
        interest.assign(0, LINK);
        assert_eq!(interest.ask(), names("a"));
        assert_eq!(interest.confirm(LINK, 0, "a"), Some(Arc::new(room())));
        assert_eq!(interest.confirm(LINK, 0, "a"), None, "a gap is told once");
    }

    #[tokio::test]
    async fn only_the_connection_that_was_asked_is_believed() {
        let mut interest = interest(10);
        let _ = want(&mut interest, "a");
        interest.ask();
        assert_eq!(interest.confirm(LINK + 1, 0, "a"), None);
        assert!(!interest.is_active(LINK, 0, "a"));
        interest.confirm(LINK, 0, "a");
        assert!(interest.is_active(LINK, 0, "a") && !interest.is_active(LINK + 1, 0, "a"));
        assert!(interest.heard(LINK, 0, "a").is_some() && interest.heard(LINK + 1, 0, "a").is_none());
    }

    #[tokio::test]
    async fn who_gave_up_waiting_is_told_later() {
        let mut interest = interest(10);
        drop(want(&mut interest, "a").unwrap());
        interest.ask();
        assert_eq!(interest.confirm(LINK, 0, "a"), Some(Arc::new(room())));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_released_is_silent_and_leaves_in_time() {
        let mut interest = interest(10);
        let _ = want(&mut interest, "a");
        let begun = Instant::now();
        interest.release(0, "a", begun);
        assert_eq!(interest.heard(LINK, 0, "a"), None);
        assert_eq!(interest.leave(begun, AFTER), []);
        let _ = want(&mut interest, "a");
        assert!(interest.heard(LINK, 0, "a").is_some());
        interest.release(0, "a", begun + AFTER / 2);
        assert_eq!(interest.leave(begun + AFTER, AFTER), [], "it was wanted again");
        assert_eq!(interest.leave(begun + AFTER * 2, AFTER), names("a"));
        assert_eq!(interest.count, 0);
    }

    #[test]
    fn there_are_only_so_many() {
        let mut interest = interest(1);
        assert!(want(&mut interest, "a").is_ok());
        assert!(want(&mut interest, "a").is_ok());
        assert_eq!(want(&mut interest, "b").err(), Some(Full));
    }
}
