//! What keys and channels are called in Redis: `prefix:{tag}:kind:part:part`. The tag is that of the name's partition; the
//! first part is the tenant wherever there is one. Parts are escaped, so that no two names meet.

use std::sync::Arc;

use super::partition::{SLOTS, partition_of, slot_of, tags};
use crate::channel::{Channel, Room};
use crate::documents::DocumentKey;
use crate::sessions::SessionKey;

/// Writes names for one prefix.
#[derive(Debug)]
pub(crate) struct Keys {
    prefix: Arc<str>,
    tags: Vec<String>,
}

/// A channel as Redis knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChannelName {
    pub(crate) name: String,
    pub(crate) partition: u16,
}

impl Keys {
    pub(crate) fn new(prefix: Arc<str>, partitions: u16) -> Self {
        Self { prefix, tags: tags(partitions.max(1)) }
    }

    pub(crate) fn partitions(&self) -> u16 {
        self.tags.len() as u16
    }

    /// The slot of a partition.
    pub(crate) fn slot(&self, partition: u16) -> u16 {
        slot_of(self.tags[usize::from(partition)].as_bytes())
    }

    /// The partition that a slot belongs to, if it is that of a partition.
    pub(crate) fn partition_of_slot(&self, slot: u16) -> Option<u16> {
        let partition = (u32::from(slot) * self.tags.len() as u32 / u32::from(SLOTS)) as u16;
        (self.slot(partition) == slot).then_some(partition)
    }

    pub(crate) fn channel(&self, channel: &Channel) -> ChannelName {
        match channel {
            Channel::Room(room) => {
                let partition = self.partition(&[&room.tenant, &room.namespace, &room.room]);
                let name = self.name(partition, "r", &[&room.tenant, &room.namespace, &room.room]);
                ChannelName { name, partition }
            }
            Channel::Namespace { tenant, namespace } => self.spread("n", &[tenant, namespace]),
            Channel::Inbox { node } => self.spread("i", &["", node]),
        }
    }

    /// The top and the stream of a room's history, in the partition of its channel.
    pub(crate) fn history(&self, room: &Room) -> [String; 2] {
        let parts: [&str; 3] = [&room.tenant, &room.namespace, &room.room];
        let partition = self.partition(&parts);
        [self.name(partition, "top", &parts), self.name(partition, "stream", &parts)]
    }

    /// The lease and the last fence of its name.
    pub(crate) fn lease(&self, name: &str) -> [String; 2] {
        let partition = self.partition(&["", name]);
        [self.name(partition, "lease", &["", name]), self.name(partition, "fence", &["", name])]
    }

    pub(crate) fn document(&self, key: &DocumentKey) -> String {
        self.spread("doc", &[&key.tenant, &key.name]).name
    }

    pub(crate) fn hash(&self, key: &DocumentKey) -> String {
        self.spread("hash", &[&key.tenant, &key.name]).name
    }

    pub(crate) fn session(&self, key: &SessionKey) -> String {
        self.spread("session", &[&key.tenant, &key.id]).name
    }

    /// One of the keys about members; all of them lie together.
    pub(crate) fn members(&self, what: &str) -> String {
        self.name(self.partition(&["members"]), "members", &["", what])
    }

    /// The channel on which a subscriber hears its own beats in a partition.
    pub(crate) fn beat(&self, partition: u16, subscriber: u64) -> String {
        self.name(partition, "beat", &["", &format!("{subscriber:016x}")])
    }

    fn spread(&self, kind: &str, parts: &[&str]) -> ChannelName {
        let partition = self.partition(parts);
        ChannelName { name: self.name(partition, kind, parts), partition }
    }

    fn partition(&self, parts: &[&str]) -> u16 {
        partition_of(parts.join(":").as_bytes(), self.partitions())
    }

    fn name(&self, partition: u16, kind: &str, parts: &[&str]) -> String {
        let mut name = format!("{}:{{{}}}:{kind}", self.prefix, self.tags[usize::from(partition)]);
        for part in parts {
            name.push(':');
            for character in part.chars() {
                match character {
                    '%' => name.push_str("%25"),
                    ':' => name.push_str("%3a"),
                    other => name.push(other),
                }
            }
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_lies_where_its_channel_does() {
        let keys = Keys::new("throng".into(), 128);
        for n in 0..500 {
            let room = Room { tenant: "t".into(), namespace: "/{x}".into(), room: n.to_string().into() };
            let channel = keys.channel(&Channel::Room(room.clone()));
            for key in keys.history(&room) {
                assert_eq!(slot_of(key.as_bytes()), keys.slot(channel.partition));
            }
            assert_eq!(slot_of(channel.name.as_bytes()), keys.slot(channel.partition));
        }
    }

    #[test]
    fn names_are_readable_and_never_meet() {
        let keys = Keys::new("throng".into(), 1);
        let name = |tenant: &str, room: &str| keys.channel(&Channel::room(tenant, "/", room)).name;
        assert_eq!(name("acme", "tea:1"), "throng:{0}:r:acme:/:tea%3a1");
        assert_ne!(name("a:/", "b"), name("a", "/:b"));
        assert_ne!(name("a", ":"), name("a", "%3a"));
    }
}
