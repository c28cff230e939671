//! What an operator asks of a shard: which sockets, rooms and users it has, a page at a time and in order, so that pages
//! of several shards can be put together. It walks its tables once for each page and describes only what is on it.

use std::collections::{BTreeMap, BinaryHeap};
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::UNIX_EPOCH;

use throng_protocol::engine::handshake::Transport as TransportName;
use throng_protocol::id::Id;
use tokio::sync::mpsc;

use super::hub::Entry;
use super::session::Transport;
use super::{Shard, State};
use crate::envelope::{Closing, Room};
use crate::operator::access::Scope;

/// A question, and where the answer goes. The asker has room for one answer from each shard, or has gone.
#[derive(Debug)]
pub(crate) enum Survey {
    /// Are you there?
    Ping(mpsc::Sender<()>),
    /// Sockets in the order of their identifiers.
    Sockets(Arc<SocketFilter>, mpsc::Sender<Vec<SocketFacts>>),
    /// One socket, with its rooms.
    Socket(Id, mpsc::Sender<Option<(SocketFacts, Vec<Room>)>>),
    /// Rooms in the order of their names.
    Rooms(Arc<RoomFilter>, mpsc::Sender<Vec<RoomFacts>>),
    /// Users in the order of their names.
    Users(Arc<UserFilter>, mpsc::Sender<Vec<UserFacts>>),
    /// End the sessions of a user; how many they were.
    EndUser(Arc<UserKey>, mpsc::Sender<usize>),
}

/// Which sockets. What is `None` does not matter.
#[derive(Debug)]
pub(crate) struct SocketFilter {
    pub(crate) scope: Scope,
    pub(crate) tenant: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) room: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) address: Option<IpAddr>,
    /// Those behind this one.
    pub(crate) after: Option<Id>,
    pub(crate) count_max: usize,
}

/// Which rooms.
#[derive(Debug)]
pub(crate) struct RoomFilter {
    pub(crate) scope: Scope,
    pub(crate) tenant: Option<String>,
    pub(crate) namespace: Option<String>,
    /// Those whose name begins so.
    pub(crate) prefix: String,
    pub(crate) after: Option<RoomKey>,
    pub(crate) count_max: usize,
}

/// Which users.
#[derive(Debug)]
pub(crate) struct UserFilter {
    pub(crate) scope: Scope,
    pub(crate) tenant: Option<String>,
    pub(crate) after: Option<UserKey>,
    pub(crate) count_max: usize,
}

/// A socket.
#[derive(Debug, Clone)]
pub(crate) struct SocketFacts {
    pub(crate) id: Id,
    pub(crate) tenant: String,
    pub(crate) namespace: String,
    pub(crate) user: Option<String>,
    pub(crate) role: Option<&'static str>,
    pub(crate) address: IpAddr,
    pub(crate) transport: &'static str,
    pub(crate) room_count: usize,
    /// When its session was opened, in milliseconds since the epoch.
    pub(crate) opened_at: u64,
    /// What its client has not taken yet.
    pub(crate) queued_bytes: usize,
    /// What waits for its handlers.
    pub(crate) backlog_bytes: usize,
}

/// Tenant, namespace and name of a room.
pub(crate) type RoomKey = (String, String, String);

/// A room.
#[derive(Debug, Clone)]
pub(crate) struct RoomFacts {
    pub(crate) key: RoomKey,
    pub(crate) member_count: usize,
}

/// Tenant and name of a user.
pub(crate) type UserKey = (String, String);

/// A user with sockets.
#[derive(Debug, Clone)]
pub(crate) struct UserFacts {
    pub(crate) key: UserKey,
    pub(crate) role: &'static str,
    pub(crate) socket_count: usize,
}

impl Shard {
    /// Answers an operator.
    pub(super) fn survey(self: &Rc<Self>, survey: Survey) {
        let state = self.state.borrow();
        // An operator who no longer waits needs no answer: every send may fail for that reason alone.
        match survey {
            Survey::Ping(answer) => drop(answer.try_send(())),
            Survey::Sockets(filter, answer) => drop(answer.try_send(state.socket_page(&filter))),
            Survey::Socket(id, answer) => drop(answer.try_send(state.socket_detail(id))),
            Survey::Rooms(filter, answer) => drop(answer.try_send(state.room_page(&filter))),
            Survey::Users(filter, answer) => drop(answer.try_send(state.user_page(&filter))),
            Survey::EndUser(key, answer) => {
                let sockets = state.sockets_of(&key);
                drop(state);
                let mut ended = 0;
                for (id, slot, session) in sockets {
                    let is_there = self
                        .state
                        .borrow()
                        .hub
                        .sockets
                        .get(slot as usize)
                        .is_some_and(|entry| entry.socket.id == id);
                    if is_there {
                        self.disconnect(slot, session, Closing::Session);
                        ended += 1;
                    }
                }
                let _ = answer.try_send(ended);
            }
        }
    }
}

impl State {
    /// The sockets that have joined their namespace.
    fn connected(&self) -> impl Iterator<Item = (usize, &Entry)> {
        self.hub.sockets.iter().filter(|(_, entry)| entry.socket.connected.load(Ordering::Relaxed))
    }

    fn socket_page(&self, filter: &SocketFilter) -> Vec<SocketFacts> {
        let mut page = Smallest::new(filter.count_max);
        for (slot, entry) in self.connected() {
            let key = (entry.socket.id, slot);
            if filter.after.is_none_or(|after| key.0 > after) && page.admits(&key) && filter.holds(entry) {
                page.push(key);
            }
        }
        page.in_order()
            .filter_map(|(_, slot)| self.hub.sockets.get(slot))
            .map(|entry| self.facts(entry))
            .collect()
    }

    fn socket_detail(&self, id: Id) -> Option<(SocketFacts, Vec<Room>)> {
        let entry = self.hub.sockets.get(self.hub.slot_of(id)? as usize)?;
        Some((self.facts(entry), entry.socket.rooms()))
    }

    fn facts(&self, entry: &Entry) -> SocketFacts {
        let socket = &entry.socket;
        let handshake = &socket.handshake;
        let identity = socket.identity();
        let queued_bytes =
            self.sessions.get(entry.session as usize).map(|session| match &session.transport {
                Transport::WebSocket(websocket) => websocket.outbox.bytes(),
                Transport::Polling(polling) => polling.queued_bytes,
            });
        let opened = handshake.opened.duration_since(UNIX_EPOCH).unwrap_or_default();
        SocketFacts {
            id: socket.id,
            tenant: socket.space.tenant.name.to_string(),
            namespace: socket.space.nsp.to_string(),
            user: identity.as_ref().map(|identity| identity.user.to_string()),
            role: identity.map(|identity| identity.role.name()),
            address: handshake.address,
            transport: TransportName::name(handshake.transport()),
            room_count: socket.state().rooms.len(),
            opened_at: u64::try_from(opened.as_millis()).unwrap_or(u64::MAX),
            queued_bytes: queued_bytes.unwrap_or_default(),
            backlog_bytes: entry.backlog.as_ref().map_or(0, |backlog| backlog.bytes),
        }
    }

    fn room_page(&self, filter: &RoomFilter) -> Vec<RoomFacts> {
        let after =
            filter.after.as_ref().map(|(tenant, nsp, room)| (tenant.as_str(), nsp.as_str(), room.as_str()));
        let mut page = Smallest::new(filter.count_max);
        for (space, room, member_count) in self.hub.rooms() {
            let key = (&*space.tenant.name, &*space.nsp, &**room);
            let wanted = filter.scope.holds(key.0)
                && filter.tenant.as_ref().is_none_or(|tenant| tenant == key.0)
                && filter.namespace.as_ref().is_none_or(|namespace| namespace == key.1)
                && key.2.starts_with(&filter.prefix);
            if wanted && after.is_none_or(|after| key > after) {
                page.push((key, member_count));
            }
        }
        let owned =
            |(tenant, nsp, room): (&str, &str, &str)| (tenant.to_owned(), nsp.to_owned(), room.to_owned());
        page.in_order().map(|(key, member_count)| RoomFacts { key: owned(key), member_count }).collect()
    }

    fn user_page(&self, filter: &UserFilter) -> Vec<UserFacts> {
        let mut users = BTreeMap::new();
        for (_, entry) in self.connected() {
            let tenant = &*entry.socket.space.tenant.name;
            if !filter.scope.holds(tenant) || filter.tenant.as_ref().is_some_and(|wanted| wanted != tenant) {
                continue;
            }
            let Some(identity) = entry.socket.identity() else { continue };
            let key = (tenant.to_owned(), identity.user.to_string());
            if filter.after.as_ref().is_some_and(|after| key <= *after) {
                continue;
            }
            let (_, socket_count) = users.entry(key).or_insert((identity.role, 0));
            *socket_count += 1;
            if users.len() > filter.count_max {
                users.pop_last();
            }
        }
        let facts = |(key, (role, socket_count)): (_, (crate::identity::Role, _))| UserFacts {
            key,
            role: role.name(),
            socket_count,
        };
        users.into_iter().map(facts).collect()
    }

    /// Identifier, slot and session of each socket of a user.
    fn sockets_of(&self, (tenant, user): &UserKey) -> Vec<(Id, u32, u32)> {
        let sockets = self.connected().filter(|(_, entry)| {
            *entry.socket.space.tenant.name == **tenant
                && entry.socket.identity().is_some_and(|identity| *identity.user == **user)
        });
        sockets.map(|(_, entry)| (entry.socket.id, entry.socket.place.slot, entry.session)).collect()
    }
}

impl SocketFilter {
    fn holds(&self, entry: &Entry) -> bool {
        let socket = &entry.socket;
        let tenant = &*socket.space.tenant.name;
        let in_room = |room: &String| {
            socket.is_own_room(room)
                || socket.state().rooms.iter().any(|membership| *membership.room == **room)
        };
        let is_user = |user: &String| socket.identity().is_some_and(|identity| *identity.user == **user);
        self.scope.holds(tenant)
            && self.tenant.as_ref().is_none_or(|wanted| wanted == tenant)
            && self.namespace.as_ref().is_none_or(|wanted| **wanted == *socket.space.nsp)
            && self.address.is_none_or(|wanted| wanted == socket.handshake.address)
            && self.room.as_ref().is_none_or(in_room)
            && self.user.as_ref().is_none_or(is_user)
    }
}

/// The smallest of many, of a bounded number.
struct Smallest<T> {
    heap: BinaryHeap<T>,
    count_max: usize,
}

impl<T: Ord> Smallest<T> {
    fn new(count_max: usize) -> Self {
        Self { heap: BinaryHeap::new(), count_max }
    }

    /// Whether this one would stay, for now.
    fn admits(&self, item: &T) -> bool {
        self.heap.len() < self.count_max || self.heap.peek().is_some_and(|largest| item < largest)
    }

    fn push(&mut self, item: T) {
        self.heap.push(item);
        if self.heap.len() > self.count_max {
            self.heap.pop();
        }
    }

    fn in_order(self) -> impl Iterator<Item = T> {
        self.heap.into_sorted_vec().into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_holds_the_smallest_in_order() {
        let mut page = Smallest::new(3);
        for item in [5, 1, 4, 2, 9, 3] {
            if page.admits(&item) {
                page.push(item);
            }
        }
        assert_eq!(page.in_order().collect::<Vec<_>>(), [1, 2, 3]);
        let mut none = Smallest::new(0);
        none.push(1);
        assert_eq!(none.in_order().count(), 0);
    }
}
