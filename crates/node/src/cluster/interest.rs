//! What a node listens to on the bus: a channel as long as one of its shards has members for it. Owns who wants what, and
//! whether it is heard yet; what is done with what is heard is for others.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard};

use throng_backbone::{Bus, BusError, Channel};
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::tenants::Space;

/// Channels with members on this node.
#[derive(Debug)]
pub(crate) struct Interest {
    bus: Bus,
    /// Where subscriptions wait for the store.
    runtime: Handle,
    channels: Mutex<HashMap<Channel, Wanted>>,
}

#[derive(Debug)]
struct Wanted {
    space: Space,
    shards: ShardSet,
    heard: watch::Receiver<bool>,
}

/// Completes when messages of a channel arrive.
pub(crate) type Heard = watch::Receiver<bool>;

impl Interest {
    pub(crate) fn new(bus: Bus, runtime: Handle) -> Self {
        Self { bus, runtime, channels: Mutex::default() }
    }

    /// A shard has its first member for a channel. What comes back is for whoever may not say so before it is true of the
    /// whole fleet; `None` when it is already.
    pub(crate) fn gained(&self, shard: u8, channel: Channel, space: &Space) -> Option<Heard> {
        let mut channels = self.channels();
        let wanted = match channels.entry(channel) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let heard = self.subscribe(entry.key().clone());
                entry.insert(Wanted { space: space.clone(), shards: ShardSet::default(), heard })
            }
        };
        wanted.shards.add(shard);
        (!*wanted.heard.borrow()).then(|| wanted.heard.clone())
    }

    /// A shard has lost its last member for a channel.
    pub(crate) fn lost(&self, shard: u8, channel: &Channel) {
        let mut channels = self.channels();
        let Some(wanted) = channels.get_mut(channel) else { return };
        wanted.shards.remove(shard);
        if wanted.shards.is_empty() {
            channels.remove(channel);
            self.bus.release(channel);
        }
    }

    /// The namespace behind a channel, and the shards with members for it.
    pub(crate) fn of(&self, channel: &Channel) -> Option<(Space, ShardSet)> {
        self.channels().get(channel).map(|wanted| (wanted.space.clone(), wanted.shards))
    }

    fn subscribe(&self, channel: Channel) -> Heard {
        let (tell, heard) = watch::channel(false);
        let bus = self.bus.clone();
        self.runtime.spawn(async move {
            match bus.subscribe(channel).await {
                // With the store away nobody is heard, and nobody is to wait for that: local members go on.
                Ok(()) | Err(BusError::Waiting) => {}
                Err(error) => tracing::error!(%error, "not subscribed: messages of other nodes are missed"),
            }
            tell.send_replace(true);
        });
        heard
    }

    fn channels(&self) -> MutexGuard<'_, HashMap<Channel, Wanted>> {
        self.channels.lock().expect("no panic while the lock is held")
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
    use super::*;

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
