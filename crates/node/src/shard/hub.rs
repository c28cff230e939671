//! The hub: a shard's tables of sockets and rooms, namespace by namespace.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use hashbrown::HashMap as FastMap;
use throng_protocol::id::Id;
use throng_protocol::socket::args::Args;

use crate::ack::Waiter;
use crate::envelope::{Room, Selection};
use crate::ids::Place;
use crate::namespace::Namespace;
use crate::recovery::Track;
use crate::socket::{Membership, SocketInner};
use crate::tenants::Space;
use crate::throttle::Throttle;

/// A namespace that has sockets on this shard.
#[derive(Debug)]
pub(crate) struct Nsp {
    pub(crate) space: Space,
    pub(crate) behaviour: Arc<Namespace>,
}

/// Not yet a member of its namespace.
const JOINING: u32 = u32::MAX;

/// A socket's place in the shard's table.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) socket: Arc<SocketInner>,
    pub(crate) nsp: Rc<Nsp>,
    pub(crate) session: u32,
    /// Position among the members of its namespace; [`JOINING`] until the middleware has let it in.
    index: u32,
    /// The last fan-out that reached it, so that none reaches it twice.
    mark: u32,
    /// Its listeners have heard that it is disconnecting.
    pub(crate) warned: bool,
    /// How fast it sends.
    pub(crate) throttle: Throttle,
    /// Events that wait for a handler to finish; present while one runs.
    pub(crate) backlog: Option<Box<Backlog>>,
    /// Its way through the histories that its client may recover from, where it may.
    pub(crate) track: Option<Box<Track>>,
    /// Acknowledgements that are awaited.
    #[expect(
        clippy::box_collection,
        reason = "nearly every socket has none, and pays 8 bytes instead of 48 for that"
    )]
    pub(crate) waiters: Option<Box<HashMap<u64, Waiter>>>,
}

/// Events behind a running handler.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    pub(crate) events: VecDeque<Waiting>,
    pub(crate) bytes: usize,
}

/// An event that waits for its turn.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) name: Box<str>,
    pub(crate) args: Args,
    pub(crate) ack: Option<u64>,
    pub(crate) bytes: usize,
}

/// A member of a namespace or a room, with its session beside it: a fan-out touches nothing else.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member {
    pub(crate) socket: u32,
    pub(crate) session: u32,
}

/// The tables.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    pub(crate) sockets: slab::Slab<Entry>,
    /// Slots of sockets that were born elsewhere: their identifiers do not tell.
    adopted: FastMap<Id, u32>,
    namespaces: FastMap<Space, Members>,
    /// Rooms with members, over all namespaces.
    pub(crate) room_count: usize,
    /// Rooms and namespaces that have got their first member or lost their last one, in order; kept where it matters.
    pub(crate) changes: Option<Vec<Change>>,
    /// Whether what each socket joins and leaves is among them.
    pub(crate) follows: bool,
    mark: u32,
}

/// What the rest of the node is told of a shard's rooms.
#[derive(Debug)]
pub(crate) enum Change {
    /// A room, or a whole namespace, has its first member here, of this session.
    Gained { space: Space, room: Option<Room>, session: u32 },
    /// It has lost its last.
    Lost { space: Space, room: Option<Room> },
    /// A socket is in a room, or in its namespace, from now on.
    Entered { slot: u32, room: Option<Room> },
    /// A socket has left a room.
    Left { slot: u32, room: Room },
}

#[derive(Debug)]
struct Members {
    nsp: Rc<Nsp>,
    /// Sockets that keep the namespace alive: members and those still joining.
    socket_count: usize,
    all: Vec<Member>,
    rooms: FastMap<Room, Vec<Member>>,
}

impl Hub {
    /// The namespace, as long as it has sockets here.
    pub(crate) fn nsp(&self, space: &Space) -> Option<&Rc<Nsp>> {
        self.namespaces.get(space).map(|members| &members.nsp)
    }

    /// Whether a room, or a namespace, has members here.
    pub(crate) fn has(&self, space: &Space, room: Option<&str>) -> bool {
        let Some(members) = self.namespaces.get(space) else { return false };
        room.map_or(!members.all.is_empty(), |room| members.rooms.contains_key(room))
    }

    /// Every room that has members, and how many.
    pub(crate) fn rooms(&self) -> impl Iterator<Item = (&Space, &Room, usize)> {
        let namespaces = self.namespaces.iter();
        namespaces.flat_map(|(space, members)| {
            members.rooms.iter().map(move |(room, list)| (space, room, list.len()))
        })
    }

    /// The slot of the next socket.
    pub(crate) fn vacant(&self) -> u32 {
        position(self.sockets.vacant_key())
    }

    /// The slot of a socket.
    pub(crate) fn slot_of(&self, id: Id) -> Option<u32> {
        slot_of(&self.sockets, &self.adopted, id)
    }

    /// Adds a socket at the slot that is its place. It may join rooms; broadcasts reach it once admitted.
    pub(crate) fn insert(&mut self, socket: Arc<SocketInner>, nsp: Rc<Nsp>, session: u32) {
        let (id, slot) = (socket.id, socket.place.slot);
        if Place::of(id) != socket.place {
            self.adopted.insert(id, slot);
        }
        let members = self.namespaces.entry(nsp.space.clone()).or_insert_with(|| Members {
            nsp: nsp.clone(),
            socket_count: 0,
            all: Vec::new(),
            rooms: FastMap::new(),
        });
        members.socket_count += 1;
        let entry = Entry {
            socket,
            nsp,
            session,
            index: JOINING,
            mark: 0,
            warned: false,
            throttle: Throttle::default(),
            backlog: None,
            track: None,
            waiters: None,
        };
        let taken = self.sockets.insert(entry);
        debug_assert_eq!(taken, slot as usize, "the identifier was drawn for the vacant slot");
    }

    /// Makes a socket a member of its namespace.
    pub(crate) fn admit(&mut self, slot: u32) {
        let Some(entry) = self.sockets.get_mut(slot as usize) else { return };
        let Some(members) = self.namespaces.get_mut(&entry.nsp.space) else { return };
        entry.index = position(members.all.len());
        members.all.push(Member { socket: slot, session: entry.session });
        if let Some(changes) = &mut self.changes {
            if members.all.len() == 1 {
                let (space, session) = (entry.nsp.space.clone(), entry.session);
                changes.push(Change::Gained { space, room: None, session });
            }
            if self.follows {
                changes.push(Change::Entered { slot, room: None });
            }
        }
        let wished = std::mem::take(&mut entry.socket.state().rooms);
        for membership in wished {
            if !self.join(slot, &membership.room) {
                tracing::debug!("room not joined: the tenant has all that it may");
            }
        }
    }

    /// Takes a socket out of its rooms.
    pub(crate) fn leave_all(&mut self, slot: u32) {
        let Some(entry) = self.sockets.get(slot as usize) else { return };
        let memberships = std::mem::take(&mut entry.socket.state().rooms);
        if entry.index == JOINING {
            return;
        }
        let Some(members) = self.namespaces.get_mut(&entry.nsp.space) else { return };
        for membership in memberships {
            if members.remove(&self.sockets, &membership) {
                self.room_count -= 1;
                note_lost(&mut self.changes, &entry.nsp.space, Some(&membership.room));
            }
        }
    }

    /// Takes a socket, already out of its rooms, out of its namespace.
    pub(crate) fn remove(&mut self, slot: u32) -> Option<Entry> {
        let entry = self.sockets.try_remove(slot as usize)?;
        if self.adopted.get(&entry.socket.id) == Some(&slot) {
            self.adopted.remove(&entry.socket.id);
        }
        if let Some(members) = self.namespaces.get_mut(&entry.nsp.space) {
            if entry.index != JOINING {
                members.all.swap_remove(entry.index as usize);
                if let Some(moved) = members.all.get(entry.index as usize) {
                    self.sockets[moved.socket as usize].index = entry.index;
                }
                if members.all.is_empty() {
                    note_lost(&mut self.changes, &entry.nsp.space, None);
                }
            }
            members.socket_count -= 1;
            if members.socket_count == 0 {
                self.namespaces.remove(&entry.nsp.space);
            }
        }
        Some(entry)
    }

    /// Joins a room; a second time changes nothing, and a socket is always in the room of its own identifier. Until a
    /// socket is admitted it only wishes to: what a room hears is not for a client that may yet be refused.
    ///
    /// `false` when its tenant has all the rooms that it may.
    pub(crate) fn join(&mut self, slot: u32, room: &Room) -> bool {
        let Some(entry) = self.sockets.get(slot as usize) else { return true };
        let mut state = entry.socket.state();
        if state.rooms.iter().any(|membership| membership.room == *room)
            || entry.socket.is_own_room(room) && entry.socket.is_at_birthplace()
        {
            return true;
        }
        if entry.index == JOINING {
            state.rooms.push(Membership { room: room.clone(), index: JOINING });
            return true;
        }
        let Some(members) = self.namespaces.get_mut(&entry.nsp.space) else { return true };
        let Some((room, list)) = members.room(room) else { return false };
        if list.is_empty() {
            self.room_count += 1;
        }
        if let Some(changes) = &mut self.changes {
            if list.is_empty() {
                let (space, session) = (entry.nsp.space.clone(), entry.session);
                changes.push(Change::Gained { space, room: Some(room.clone()), session });
            }
            if self.follows {
                changes.push(Change::Entered { slot, room: Some(room.clone()) });
            }
        }
        state.rooms.push(Membership { room, index: position(list.len()) });
        list.push(Member { socket: slot, session: entry.session });
        true
    }

    /// Leaves a room.
    pub(crate) fn leave(&mut self, slot: u32, room: &str) {
        let Some(entry) = self.sockets.get(slot as usize) else { return };
        let membership = {
            let mut state = entry.socket.state();
            let Some(at) = state.rooms.iter().position(|membership| &*membership.room == room) else {
                return;
            };
            state.rooms.swap_remove(at)
        };
        if entry.index == JOINING {
            return;
        }
        if self.follows
            && let Some(changes) = &mut self.changes
        {
            changes.push(Change::Left { slot, room: membership.room.clone() });
        }
        if let Some(members) = self.namespaces.get_mut(&entry.nsp.space)
            && members.remove(&self.sockets, &membership)
        {
            self.room_count -= 1;
            note_lost(&mut self.changes, &entry.nsp.space, Some(&membership.room));
        }
    }

    /// Calls `each` once for every socket of a selection.
    pub(crate) fn select(&mut self, space: &Space, to: &Selection, mut each: impl FnMut(Member, &mut Entry)) {
        let Some(members) = self.namespaces.get(space) else { return };
        let (sockets, adopted) = (&mut self.sockets, &self.adopted);
        self.mark = self.mark.wrapping_add(1);
        let mark = self.mark;
        for room in &to.except {
            members.in_room((sockets, adopted), room, |member, sockets| {
                sockets[member.socket as usize].mark = mark
            });
        }
        let mut visit = |member: Member, sockets: &mut slab::Slab<Entry>| {
            let entry = &mut sockets[member.socket as usize];
            if entry.mark != mark && to.sender != Some(entry.socket.id) {
                entry.mark = mark;
                each(member, entry);
            }
        };
        if to.rooms.is_empty() {
            for member in &members.all {
                visit(*member, sockets);
            }
        }
        for room in &to.rooms {
            members.in_room((sockets, adopted), room, &mut visit);
        }
    }

    /// The members of a selection that needs no filter, as they lie in memory: the way of nearly every fan-out.
    pub(crate) fn plain(&self, space: &Space, to: &Selection) -> Option<&[Member]> {
        if !to.except.is_empty() || to.sender.is_some() {
            return None;
        }
        let members = self.namespaces.get(space);
        match to.rooms.as_slice() {
            [] => Some(members.map_or(&[], |members| &members.all)),
            [room] if Id::parse(room).is_none() => {
                Some(members.and_then(|members| members.rooms.get(room)).map_or(&[], |list| list.as_slice()))
            }
            _ => None,
        }
    }
}

impl Members {
    /// A room and the one shared copy of its name; made when missing, unless the tenant has all that it may.
    fn room(&mut self, room: &Room) -> Option<(Room, &mut Vec<Member>)> {
        match self.rooms.entry(room.clone()) {
            hashbrown::hash_map::Entry::Occupied(entry) => Some((entry.key().clone(), entry.into_mut())),
            hashbrown::hash_map::Entry::Vacant(entry) => {
                let tenant = &self.nsp.space.tenant;
                let fits = tenant.usage.rooms.take(tenant.settings().quotas.rooms_max);
                fits.then(|| (room.clone(), entry.insert(Vec::new())))
            }
        }
    }

    /// Removes a member by its position; the one that moves there is told. `true` when it was the last.
    fn remove(&mut self, sockets: &slab::Slab<Entry>, membership: &Membership) -> bool {
        let Some(list) = self.rooms.get_mut(&membership.room) else { return false };
        list.swap_remove(membership.index as usize);
        if let Some(moved) = list.get(membership.index as usize) {
            let mut state = sockets[moved.socket as usize].socket.state();
            if let Some(theirs) = state.rooms.iter_mut().find(|theirs| theirs.room == membership.room) {
                theirs.index = membership.index;
            }
        }
        if list.is_empty() {
            self.rooms.remove(&membership.room);
            self.nsp.space.tenant.usage.rooms.give(1);
            return true;
        }
        if list.capacity() > 64 && list.len() * 4 < list.capacity() {
            list.shrink_to(list.len() * 2);
        }
        false
    }

    /// Every member of a room, the socket whose own room it is included.
    fn in_room(
        &self,
        (sockets, adopted): (&mut slab::Slab<Entry>, &FastMap<Id, u32>),
        room: &str,
        mut each: impl FnMut(Member, &mut slab::Slab<Entry>),
    ) {
        for member in self.rooms.get(room).into_iter().flatten() {
            each(*member, sockets);
        }
        if let Some(slot) = Id::parse(room).and_then(|id| slot_of(sockets, adopted, id))
            && let Some(entry) = sockets.get(slot as usize)
            && entry.index != JOINING
            && entry.nsp.space == self.nsp.space
        {
            each(Member { socket: slot, session: entry.session }, sockets);
        }
    }
}

fn note_lost(changes: &mut Option<Vec<Change>>, space: &Space, room: Option<&Room>) {
    if let Some(changes) = changes {
        changes.push(Change::Lost { space: space.clone(), room: room.cloned() });
    }
}

fn slot_of(sockets: &slab::Slab<Entry>, adopted: &FastMap<Id, u32>, id: Id) -> Option<u32> {
    let slot = Place::of(id).slot;
    if sockets.get(slot as usize).is_some_and(|entry| entry.socket.id == id) {
        return Some(slot);
    }
    adopted.get(&id).copied()
}

fn position(len: usize) -> u32 {
    u32::try_from(len).expect("a shard has fewer sockets than its identifiers can name")
}

impl Hub {
    /// Stops waiting for an acknowledgement.
    pub(crate) fn take_waiter(&mut self, slot: u32, number: u64) -> Option<Waiter> {
        let entry = self.sockets.get_mut(slot as usize)?;
        let waiters = entry.waiters.as_mut()?;
        let waiter = waiters.remove(&number);
        if waiters.is_empty() {
            entry.waiters = None;
        }
        waiter
    }
}
