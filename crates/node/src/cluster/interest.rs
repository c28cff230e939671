//! What a node listens to on the bus: a channel as long as one of its shards has members for it. Owns who wants what, whether
//! it is heard yet, and, where histories are kept, up to where it was heard: a message that is missing shows as a gap.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard};

use bytes::Bytes;
use throng_backbone::{Backbone, BusError, Channel, Gone, Missed, Position, Replay, Retention};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};

use crate::envelope::Room;
use crate::recovery;
use crate::tenants::Space;

/// Messages that may be missing from a history and still be filled in.
const GAP_MAX: usize = 10_000;

/// Bytes that may wait behind a gap; the next message shows the gap to what did not fit.
const BEHIND_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Gaps that were read and wait to be handed on; more wait to be read.
const FILLS_MAX: usize = 1024;

/// Channels with members on this node.
#[derive(Debug)]
pub(crate) struct Interest {
    backbone: Backbone,
    /// Where subscriptions wait for the store.
    runtime: Handle,
    /// How histories are kept, where they are.
    keep: Option<Retention>,
    channels: Mutex<HashMap<Channel, Wanted>>,
    filled: mpsc::Sender<Filled>,
}

#[derive(Debug)]
struct Wanted {
    space: Space,
    shards: ShardSet,
    heard: watch::Receiver<bool>,
    /// From where on a history is handed on.
    since: Option<Position>,
    /// The last message of it that was.
    last: Option<Position>,
    /// Messages behind a gap that is being filled.
    behind: Option<Behind>,
}

/// What has come behind a gap.
#[derive(Debug, Default)]
struct Behind {
    messages: Vec<(Position, Bytes)>,
    bytes: usize,
}

impl Behind {
    fn push(&mut self, position: Position, bytes: &Bytes) {
        if self.messages.len() < GAP_MAX && self.bytes + bytes.len() <= BEHIND_BYTES_MAX {
            self.bytes += bytes.len();
            self.messages.push((position, bytes.clone()));
        }
    }
}

/// Turns true when messages of a channel arrive.
pub(crate) type Heard = watch::Receiver<bool>;

/// What is known of a channel that a shard has its first member for.
#[derive(Debug)]
pub(crate) struct Gained {
    /// For whoever may not say that there is a member before it is true of the whole fleet; `None` when it is.
    pub(crate) heard: Option<Heard>,
    /// From where on this shard is handed messages, of a history; `None` until that is heard.
    pub(crate) from: Option<Position>,
}

/// What to do with a message of a history.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// Hand it on.
    Next,
    /// It was handed on before, or waits behind a gap.
    Nothing,
}

/// What was missing of a history.
#[derive(Debug)]
pub(crate) struct Filled {
    pub(crate) channel: Channel,
    /// What was read; nothing when the store did not say where the history is.
    read: Option<Read>,
    /// Told when it has been handed on.
    heard: Option<watch::Sender<bool>>,
}

/// What was read of a history.
#[derive(Debug)]
struct Read {
    /// From where on.
    after: Position,
    replay: Option<Replay>,
    /// It has begun anew: what was before is lost.
    anew: bool,
}

/// Messages to hand on, and whether some before them are lost for good.
#[derive(Debug)]
pub(crate) struct Caught {
    pub(crate) messages: Vec<(Position, Bytes)>,
    pub(crate) lost: bool,
    heard: Option<watch::Sender<bool>>,
}

impl Caught {
    /// The messages have been handed on.
    pub(crate) fn done(self) {
        if let Some(heard) = self.heard {
            heard.send_replace(true);
        }
    }
}

impl Interest {
    /// What fills gaps comes back through the receiver.
    pub(crate) fn new(
        backbone: Backbone,
        keep: Option<Retention>,
        runtime: Handle,
    ) -> (Self, mpsc::Receiver<Filled>) {
        let (filled, fills) = mpsc::channel(FILLS_MAX);
        (Self { backbone, runtime, keep, channels: Mutex::default(), filled }, fills)
    }

    /// A shard has a member for a channel. Saying so again changes nothing.
    pub(crate) fn gained(&self, shard: u8, channel: Channel, space: &Space) -> Gained {
        let mut channels = self.channels();
        let wanted = match channels.entry(channel) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let heard = self.subscribe(entry.key().clone());
                let (space, shards) = (space.clone(), ShardSet::default());
                // What arrives waits until it is known from where on.
                let behind = self.keep.map(|_| Behind::default());
                entry.insert(Wanted { space, shards, heard, since: None, last: None, behind })
            }
        };
        wanted.shards.add(shard);
        let heard = (!*wanted.heard.borrow()).then(|| wanted.heard.clone());
        Gained { heard, from: wanted.last }
    }

    /// A shard has lost its last member for a channel.
    pub(crate) fn lost(&self, shard: u8, channel: &Channel) {
        let mut channels = self.channels();
        let Some(wanted) = channels.get_mut(channel) else { return };
        wanted.shards.remove(shard);
        if wanted.shards.is_empty() {
            channels.remove(channel);
            self.backbone.bus().release(channel);
        }
    }

    /// The namespace behind a channel, and the shards with members for it.
    pub(crate) fn of(&self, channel: &Channel) -> Option<(Space, ShardSet)> {
        self.channels().get(channel).map(|wanted| (wanted.space.clone(), wanted.shards))
    }

    /// From where on a history is handed on; `None` when that is not known.
    pub(crate) fn since(&self, channel: &Channel) -> Option<Position> {
        self.channels().get(channel)?.since
    }

    /// The last message of a history that was handed on; `None` when that is not known.
    pub(crate) fn last(&self, channel: &Channel) -> Option<Position> {
        self.channels().get(channel)?.last
    }

    /// Judges a message of a history. One behind a gap is kept until the gap is filled.
    pub(crate) fn arrived(&self, channel: &Channel, position: Position, bytes: &Bytes) -> Arrival {
        let mut channels = self.channels();
        let Some(wanted) = channels.get_mut(channel) else { return Arrival::Nothing };
        if let Some(behind) = &mut wanted.behind {
            behind.push(position, bytes);
            return Arrival::Nothing;
        }
        let Some(last) = wanted.last else {
            // The store did not say where the history was; now it is known.
            wanted.since = Some(Position { offset: position.offset.saturating_sub(1), ..position });
            wanted.last = Some(position);
            return Arrival::Next;
        };
        if last.has(position) {
            return Arrival::Nothing;
        }
        if last.precedes(position) {
            wanted.last = Some(position);
            return Arrival::Next;
        }
        wanted.behind.get_or_insert_default().push(position, bytes);
        drop(channels);
        self.fill(channel.clone(), Some(last));
        Arrival::Nothing
    }

    /// Something of a history may have been missed: reads what came after the last that was handed on.
    pub(crate) fn look(&self, channel: &Channel) {
        let last = {
            let mut channels = self.channels();
            let Some(wanted) = channels.get_mut(channel).filter(|wanted| wanted.behind.is_none()) else {
                return;
            };
            wanted.behind = Some(Behind::default());
            wanted.last
        };
        self.fill(channel.clone(), last);
    }

    /// The namespaces with members here that something on these channels may have been for: each with the rooms, or without when it
    /// may have been for anybody.
    #[expect(clippy::mutable_key_type, reason = "a space is its tenant's place and its name, which stay")]
    pub(crate) fn concerned(&self, missed: &Missed) -> HashMap<Space, Vec<Room>> {
        let channels = self.channels();
        let (mut rooms, mut whole) = (HashMap::<Space, Vec<Room>>::new(), HashSet::new());
        match missed {
            // What comes to the inbox says itself whom it is for.
            Missed::Channels(missed) if !missed.iter().any(|at| matches!(**at, Channel::Inbox { .. })) => {
                for channel in missed {
                    let Some(Wanted { space, .. }) = channels.get(&**channel) else { continue };
                    match &**channel {
                        Channel::Room(room) if !recovery::is_everyone(&room.room) => {
                            rooms.entry(space.clone()).or_default().push(room.room.clone());
                        }
                        _ => drop(whole.insert(space.clone())),
                    }
                }
            }
            _ => whole.extend(channels.values().map(|wanted| wanted.space.clone())),
        }
        rooms.extend(whole.into_iter().map(|space| (space, Vec::new())));
        rooms
    }

    /// Keeps the histories of rooms where nothing happens, one after the other.
    pub(crate) fn keep(&self) {
        let Some(keep) = self.keep else { return };
        let (histories, channels) = (self.backbone.histories().clone(), self.all());
        self.runtime.spawn(async move {
            for channel in channels {
                if let Channel::Room(room) = &channel
                    && let Err(error) = histories.position(room, keep).await
                {
                    return tracing::debug!(%error, "histories are not kept; messages do that too");
                }
            }
        });
    }

    /// Every channel.
    pub(crate) fn all(&self) -> Vec<Channel> {
        self.channels().keys().cloned().collect()
    }

    /// Takes what was read of a gap; gives what is to be handed on now.
    pub(crate) fn caught(&self, filled: Filled) -> Option<Caught> {
        let Filled { channel, read, heard } = filled;
        let mut channels = self.channels();
        let wanted = channels.get_mut(&channel)?;
        let behind = wanted.behind.take().unwrap_or_default();
        let (mut entries, mut lost) = (Vec::new(), false);
        if let Some(Read { after, replay, anew }) = read {
            if anew {
                (wanted.since, wanted.last) = (Some(after), Some(after));
            }
            wanted.since = wanted.since.or(Some(after));
            wanted.last = wanted.last.or(Some(after));
            let at = |offset| Position { offset, ..after };
            lost = anew;
            match replay {
                Some(Replay::Whole(read)) => {
                    entries = read.into_iter().map(|entry| (at(entry.offset), entry.bytes)).collect();
                }
                Some(Replay::Gone(_)) => lost = true,
                // The store does not answer; the next message shows the gap again.
                None => {}
            }
        }
        let mut messages = Vec::new();
        for (position, bytes) in entries.into_iter().chain(behind.messages) {
            let follows = wanted.last.is_none_or(|last| last.precedes(position));
            let old = wanted.last.is_some_and(|last| last.has(position));
            if follows || (lost && !old) {
                wanted.last = Some(position);
                messages.push((position, bytes));
            }
        }
        Some(Caught { messages, lost, heard })
    }

    /// Reads what came after a position, or where the history is, if that is not known yet.
    fn fill(&self, channel: Channel, after: Option<Position>) {
        let (backbone, keep, filled) = (self.backbone.clone(), self.keep, self.filled.clone());
        self.runtime.spawn(async move {
            let after = match after {
                Some(after) => Some(after),
                None => position(&backbone, keep, (&channel, None)).await,
            };
            let read = read(&backbone, keep, (&channel, after)).await;
            // The receiver goes with the node.
            let _ = filled.send(Filled { channel, read, heard: None }).await;
        });
    }

    fn subscribe(&self, channel: Channel) -> Heard {
        let (tell, heard) = watch::channel(false);
        let (backbone, keep, filled) = (self.backbone.clone(), self.keep, self.filled.clone());
        self.runtime.spawn(async move {
            // Where the history is, then whatever comes, then what came in between: nothing is missed.
            let from = position(&backbone, keep, (&channel, None)).await;
            match backbone.bus().subscribe(channel.clone()).await {
                // With the store away nobody is heard, and nobody is to wait for that: local members go on.
                Ok(()) | Err(BusError::Waiting) => {}
                Err(error) => tracing::error!(%error, "not subscribed: messages of other nodes are missed"),
            }
            if keep.is_none() {
                tell.send_replace(true);
                return;
            }
            let read = read(&backbone, keep, (&channel, from)).await;
            let _ = filled.send(Filled { channel, read, heard: Some(tell) }).await;
        });
        heard
    }

    fn channels(&self) -> MutexGuard<'_, HashMap<Channel, Wanted>> {
        self.channels.lock().expect("no panic while the lock is held")
    }
}

/// Where a history is that came to a position, if that is known; `None` when the store does not say, or there is none.
async fn position(
    backbone: &Backbone,
    keep: Option<Retention>,
    (channel, known): (&Channel, Option<Position>),
) -> Option<Position> {
    let (Channel::Room(room), Some(keep)) = (channel, keep) else { return None };
    backbone.histories().position_past(room, known, keep).await.ok()
}

/// Reads what came after a position. A history that has begun anew is read from its beginning: a store that came back empty
/// is told at once what it has missed, and those who listen late must not miss that too. One that has lost its end begins anew
/// with that: what comes would be taken for what was heard before.
async fn read(
    backbone: &Backbone,
    keep: Option<Retention>,
    (channel, after): (&Channel, Option<Position>),
) -> Option<Read> {
    let (Channel::Room(room), Some(after)) = (channel, after) else { return None };
    let histories = backbone.histories();
    let replay = histories.after(room, after, GAP_MAX).await.ok();
    if !matches!(replay, Some(Replay::Gone(Gone::OtherEpoch | Gone::Ahead))) {
        return Some(Read { after, replay, anew: false });
    }
    let top = position(backbone, keep, (channel, Some(after))).await?;
    // In the same epoch it has come past what was known meanwhile.
    let after = if top.epoch == after.epoch { top } else { Position { offset: 0, ..top } };
    let replay = histories.after(room, after, GAP_MAX).await.ok();
    Some(Read { after, replay, anew: true })
}

/// How positions of one history follow each other.
trait Order {
    /// It is the one right before.
    fn precedes(self, next: Position) -> bool;
    /// It is there, or later.
    fn has(self, other: Position) -> bool;
}

impl Order for Position {
    fn precedes(self, next: Position) -> bool {
        self.epoch == next.epoch && next.offset == self.offset + 1
    }

    fn has(self, other: Position) -> bool {
        self.epoch == other.epoch && other.offset <= self.offset
    }
}

/// Some of the shards of a node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ShardSet([u64; 4]);

impl ShardSet {
    /// One alone.
    pub(super) fn of(shard: u8) -> Self {
        let mut set = Self::default();
        set.add(shard);
        set
    }

    fn add(&mut self, shard: u8) {
        self.0[usize::from(shard / 64)] |= 1 << (shard % 64);
    }

    fn remove(&mut self, shard: u8) {
        self.0[usize::from(shard / 64)] &= !(1 << (shard % 64));
    }

    fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// Whether this shard is among them.
    pub(crate) fn has(self, shard: usize) -> bool {
        self.0.get(shard / 64).is_some_and(|bits| bits & (1 << (shard % 64)) != 0)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use throng_backbone::{Batch, Config, MemoryStore, Store};

    use super::*;

    #[tokio::test]
    async fn a_history_that_the_store_has_lost_is_read_from_where_it_is() {
        let store = Store::Memory(MemoryStore::new());
        let (backbone, _) = Backbone::open(Config::new("a", store)).await.unwrap();
        let (ttl, epoch_ttl) = (Duration::from_secs(60), Duration::from_secs(60));
        let keep = Retention { entries_max: 10, bytes_max: 1000, ttl, epoch_ttl };
        let room = throng_backbone::Room { tenant: "t".into(), namespace: "/".into(), room: "tea".into() };
        let batch = Batch { messages: &[Bytes::from("x")], known: None };
        let top = backbone.histories().append(&room, batch, keep).await.unwrap();
        let channel = Channel::Room(room);
        let read = async |after| read(&backbone, Some(keep), (&channel, Some(after))).await.unwrap();

        let same = read(top).await;
        assert_eq!((same.after, same.replay, same.anew), (top, Some(Replay::Whole(Vec::new())), false));
        let before = Position { epoch: top.epoch + 1, offset: 1000 };
        let anew = read(before).await;
        let Some(Replay::Whole(entries)) = anew.replay else { panic!("{anew:?}") };
        assert_eq!((anew.after, entries.len(), anew.anew), (Position { offset: 0, ..top }, 1, true));
        let shorter = read(Position { offset: 1000, ..top }).await;
        assert_eq!(
            (shorter.after.offset, shorter.replay, shorter.anew),
            (0, Some(Replay::Whole(Vec::new())), true)
        );
        assert_ne!(shorter.after.epoch, top.epoch, "it has begun anew");
    }

    #[test]
    fn what_waits_behind_a_gap_is_bounded_in_messages_and_in_bytes() {
        let at = Position { epoch: 1, offset: 1 };
        for (length, fit) in [(1, GAP_MAX), (1 << 20, BEHIND_BYTES_MAX >> 20)] {
            let (mut behind, message) = (Behind::default(), Bytes::from(vec![0; length]));
            (0..=fit).for_each(|_| behind.push(at, &message));
            assert_eq!((behind.messages.len(), behind.bytes), (fit, fit * length));
        }
    }

    #[test]
    fn a_set_holds_what_was_added_and_not_removed() {
        let mut set = ShardSet::default();
        for shard in [0, 63, 64, 255] {
            set.add(shard);
            assert!(set.has(usize::from(shard)));
            assert!(!set.has(usize::from(shard) + 1));
        }
        for shard in [0, 63, 64, 255] {
            assert!(!set.is_empty());
            set.remove(shard);
        }
        assert!(set.is_empty());
    }
}
