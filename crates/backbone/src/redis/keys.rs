//! What keys and channels are called in Redis: `prefix:{tag}:kind:part:part`. The tag is that of the name's partition; the
//! first part is the tenant wherever there is one. Parts are escaped, so that no two names meet.

use std::sync::Arc;

use super::partition::{Crc16, middle, partition_of_slot, slot_of, tags};
use crate::channel::{Channel, Room};
use crate::documents::DocumentKey;
use crate::sessions::SessionKey;
use crate::tickets::Scope;

/// Writes names for one prefix.
#[derive(Debug)]
pub(crate) struct Keys {
    prefix: Arc<str>,
    tags: Vec<String>,
}

impl Keys {
    pub(crate) fn new(prefix: Arc<str>, partitions: u16) -> Self {
        Self { prefix, tags: tags(partitions) }
    }

    pub(crate) fn partitions(&self) -> u16 {
        self.tags.len() as u16
    }

    /// The partition of a slot, if it is one where our names lie.
    pub(crate) fn partition_of_slot(&self, slot: u16) -> Option<u16> {
        let partition = partition_of_slot(slot, self.partitions());
        (middle(partition, self.partitions()) == slot).then_some(partition)
    }

    /// The partition of a name that was written by this.
    pub(crate) fn partition_of(&self, name: &[u8]) -> Option<u16> {
        self.partition_of_slot(slot_of(name))
    }

    /// The partition of a channel, without writing its name.
    pub(crate) fn partition_of_channel(&self, channel: &Channel) -> u16 {
        match channel {
            Channel::Room(room) => self.partition(&[&room.tenant, &room.namespace, &room.room]),
            Channel::Namespace { tenant, namespace } => self.partition(&[tenant, namespace]),
            Channel::Inbox { node } => self.partition(&["", node]),
        }
    }

    pub(crate) fn channel(&self, channel: &Channel) -> String {
        match channel {
            Channel::Room(room) => self.spread("r", &[&room.tenant, &room.namespace, &room.room]),
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
        self.spread("doc", &[&key.tenant, &key.name])
    }

    pub(crate) fn hash(&self, key: &DocumentKey) -> String {
        self.spread("hash", &[&key.tenant, &key.name])
    }

    pub(crate) fn session(&self, key: &SessionKey) -> String {
        self.spread("session", &[&key.tenant, &key.id])
    }

    /// Who may change a scope, and its records.
    pub(crate) fn tickets(&self, scope: &Scope) -> [String; 2] {
        let parts: [&str; 2] = [&scope.tenant, &scope.name];
        let partition = self.partition(&parts);
        [self.name(partition, "keeper", &parts), self.name(partition, "tickets", &parts)]
    }

    /// One of the keys about members; all of them lie together.
    pub(crate) fn members(&self, what: &str) -> String {
        self.name(self.partition(&["members"]), "members", &["", what])
    }

    /// The channel on which a subscriber hears its own beats in a partition.
    pub(crate) fn beat(&self, partition: u16, subscriber: u64) -> String {
        self.name(partition, "beat", &["", &format!("{subscriber:016x}")])
    }

    /// What a node that starts writes to, and listens to, in a partition.
    pub(crate) fn trial(&self, partition: u16) -> String {
        self.name(partition, "trial", &[""])
    }

    fn spread(&self, kind: &str, parts: &[&str]) -> String {
        self.name(self.partition(parts), kind, parts)
    }

    fn partition(&self, parts: &[&str]) -> u16 {
        let sum = |crc: Crc16, part: &&str| crc.add(part.as_bytes()).add(b":");
        parts.iter().fold(Crc16::default(), sum).modulo(self.partitions())
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
    fn what_one_script_touches_lies_in_one_slot() {
        let keys = Keys::new("throng".into(), 128);
        let one_slot = |names: &[String]| {
            let slots: Vec<u16> = names.iter().map(|name| slot_of(name.as_bytes())).collect();
            assert!(slots.iter().all(|slot| *slot == slots[0]), "{names:?}");
            assert!(keys.partition_of(names[0].as_bytes()).is_some(), "{names:?}");
        };
        for n in 0..500 {
            let room = Room { tenant: "t".into(), namespace: "/{x}".into(), room: n.to_string().into() };
            let channel = Channel::Room(room.clone());
            let [top, stream] = keys.history(&room);
            let name = keys.channel(&channel);
            assert_eq!(keys.partition_of(name.as_bytes()), Some(keys.partition_of_channel(&channel)));
            one_slot(&[top, stream, name]);
            one_slot(&keys.lease(&n.to_string()));
            one_slot(&keys.tickets(&Scope::new("t", n.to_string())));
        }
        one_slot(&["list", "until", "graves", "fence"].map(|what| keys.members(what)));
    }

    #[test]
    fn names_are_readable_and_never_meet() {
        let keys = Keys::new("throng".into(), 1);
        let name = |tenant: &str, room: &str| keys.channel(&Channel::room(tenant, "/", room));
        let tag = &keys.tags[0];
        assert_eq!(name("acme", "tea:1"), format!("throng:{{{tag}}}:r:acme:/:tea%3a1"));
        assert_ne!(name("a:/", "b"), name("a", "/:b"));
        assert_ne!(name("a", ":"), name("a", "%3a"));
    }
}
