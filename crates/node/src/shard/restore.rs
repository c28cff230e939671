//! A client that comes back: what was recorded of its session is taken over, what it has missed is read from the histories it is
//! in, whole or not at all, and told before anything newer.

use std::collections::HashSet;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;
use throng_backbone::{Channel, Hold, Position, SessionKey};
use throng_protocol::id::Id;

use super::connect::Guest;
use super::{Shard, State};
use crate::cluster::{self, Cluster, Missed};
use crate::envelope::{Data, Envelope, Operation, Room, Selection, Standing};
use crate::ids::{self, NodeTag};
use crate::node::Node;
use crate::recovery::{self, Record, Track, Vector};
use crate::tenants::Space;

/// The longest that each of the two steps may take, finding out whether a session can be had and what its client has missed:
/// some trips to the store and to the node where it was.
const PATIENCE: Duration = Duration::from_secs(3);

/// Recorded messages that may arrive for a socket while it is brought up to date.
const BUFFER_MAX: usize = 10_000;

/// What a client says of the session that it wants to go on with.
#[derive(Debug)]
pub(super) struct Claim {
    pid: Arc<str>,
    offset: Option<String>,
}

impl Claim {
    /// Reads the payload that a client connects with.
    pub(super) fn of(node: &Node, auth: Option<&Value>) -> Option<Self> {
        node.config.recovery?;
        let text = |name: &str| auth?.get(name)?.as_str();
        let pid = text("pid").filter(|pid| Id::parse(pid).is_some())?;
        Some(Self { pid: pid.into(), offset: text("offset").map(ToOwned::to_owned) })
    }
}

/// A session that was taken over.
#[derive(Debug)]
pub(super) struct Restored {
    pid: Arc<str>,
    hold: Hold,
    record: Record,
    /// Where the client is in the histories that it is in.
    positions: Vec<(Room, Position)>,
    told: Position,
    /// What arrives is kept for it as long as this is.
    wanted: Rc<()>,
}

impl Restored {
    pub(super) fn id(&self) -> Id {
        Id::from_bytes(self.record.socket)
    }

    pub(super) fn data(&self) -> Option<Data> {
        serde_json::from_str(self.record.data.as_deref()?).ok()
    }

    /// The histories that it is in.
    fn histories(&self, space: &Space) -> Vec<throng_backbone::Room> {
        self.positions.iter().map(|(room, _)| recovery::of_room(space, room.clone())).collect()
    }

    /// The rooms to be in again.
    pub(super) fn rooms(&self) -> Vec<Room> {
        let rooms = self.positions.iter().map(|(room, _)| room.clone());
        rooms.filter(|room| !recovery::is_everyone(room)).collect()
    }
}

/// A session with all that its client has missed.
#[derive(Debug)]
pub(super) struct CaughtUp {
    restored: Restored,
    missed: Vec<Missed>,
}

/// A socket that is being brought up to date: what arrives for it meanwhile is told behind that.
#[derive(Debug)]
pub(super) struct Restoring {
    id: Id,
    space: Space,
    rooms: HashSet<Room>,
    buffer: Vec<Envelope>,
    /// Gone when it has come to nothing.
    wanted: Weak<()>,
}

impl State {
    /// Keeps what is for a socket that is being brought up to date.
    pub(super) fn keep_for_restoring(&mut self, envelope: &Envelope) {
        let Operation::Emit { standing, .. } = &envelope.operation else { return };
        self.restoring.retain(|restoring| restoring.wanted.strong_count() > 0);
        for restoring in &mut self.restoring {
            let wanted = match standing {
                Standing::Recorded { room, .. } | Standing::Early { room, .. } => {
                    restoring.rooms.contains(room)
                }
                Standing::Private => {
                    envelope.to.rooms.first().is_some_and(|room| Id::parse(room) == Some(restoring.id))
                }
                Standing::Unrecorded => false,
            };
            if wanted && restoring.space == envelope.space && restoring.buffer.len() < BUFFER_MAX {
                restoring.buffer.push(envelope.clone());
            }
        }
    }
}

impl Shard {
    /// Takes a session over that its client wants to go on with; `None` when it starts afresh.
    pub(super) async fn restore(self: &Rc<Self>, guest: &Guest, claim: Claim) -> Option<Restored> {
        let restored = tokio::time::timeout(PATIENCE, self.take_over(guest, claim)).await;
        restored.ok().flatten()
    }

    async fn take_over(self: &Rc<Self>, guest: &Guest, claim: Claim) -> Option<Restored> {
        let (cluster, recovery) = (self.node.cluster.as_ref()?, self.node.config.recovery?);
        let (space, Claim { pid, offset }) = (&guest.nsp.space, claim);
        let key = SessionKey::new(space.tenant.name.shared(), pid.clone());
        let found = cluster.sessions().read(&key).await.ok()??;
        let record = Record::decode(&found.value)?;
        let user = guest.identity.as_ref().map(|identity| identity.user.to_string());
        if record.nsp != *space.nsp || record.user != user {
            return None;
        }
        let begun = Vector { generation: record.generation, told: 0, counts: Vec::new() };
        let vector = match offset.as_deref() {
            // What it holds is of an earlier session, or nothing: it has received nothing of this one.
            None => begun,
            Some(text) if recovery::is_nowhere(text) => return None,
            Some(text) if Vector::is_of(&pid, text) => Vector::read(&pid, text)?,
            Some(_) => begun,
        };
        let positions = record.positions(&vector)?;
        let told = Position { epoch: record.told_epoch, offset: vector.told };
        let (hold, wanted) = (Hold { key, fence: found.fence }, Rc::default());
        let restored = Restored { hold, pid, record, positions, told, wanted };
        cluster.catch_up(restored.histories(space)).await;
        // Nothing is taken over that cannot be told whole.
        self.read_missed(cluster, space, &restored, recovery.messages_max).await?;
        let (hold, _) = cluster.sessions().take(&restored.hold, recovery.window).await.ok()?;
        let restored = Restored { hold, ..restored };
        self.register(space, &restored);
        self.supersede(cluster, NodeTag(restored.record.node), restored.id()).await;
        Some(restored)
    }

    /// Nothing of the socket is left where it was, and what is for it comes here.
    async fn supersede(self: &Rc<Self>, cluster: &Cluster, node: NodeTag, id: Id) {
        if node == self.node.tag {
            cluster::let_go(&self.node, id).await;
        }
        cluster.supersede(node, id, self.node.next_ack()).await;
    }

    /// From now on what arrives for the socket is kept for it.
    fn register(&self, space: &Space, restored: &Restored) {
        let rooms = restored.positions.iter().map(|(room, _)| room.clone()).collect();
        let (id, space) = (restored.id(), space.clone());
        let mut state = self.state.borrow_mut();
        state.restoring.retain(|other| other.id != id && other.wanted.strong_count() > 0);
        let wanted = Rc::downgrade(&restored.wanted);
        state.restoring.push(Restoring { id, space, rooms, buffer: Vec::new(), wanted });
    }

    /// Listens to all that the socket is in, and then reads what its client has missed.
    pub(super) async fn catch_up(self: &Rc<Self>, space: &Space, restored: Restored) -> Option<CaughtUp> {
        let (cluster, recovery) = (self.node.cluster.as_ref()?, self.node.config.recovery?);
        let channels: Vec<Channel> = restored.histories(space).into_iter().map(Channel::Room).collect();
        let reading = async {
            let gain = |channel: &Channel| cluster.interest.gained(self.index, channel.clone(), space).heard;
            let heard: Vec<_> = channels.iter().filter_map(gain).collect();
            for mut heard in heard {
                let _ = heard.wait_for(|heard| *heard).await;
            }
            // What members here were told before anything was kept for this one.
            cluster.catch_up(restored.histories(space)).await;
            self.read_missed(cluster, space, &restored, recovery.messages_max).await
        };
        let missed = tokio::time::timeout(PATIENCE, reading).await.ok().flatten();
        if let Some(missed) = missed {
            return Some(CaughtUp { restored, missed });
        }
        self.let_channels_go(space, &restored);
        if let Err(error) = cluster.sessions().remove(&restored.hold).await {
            tracing::debug!(%error, "the record of a session is left to end by itself");
        }
        None
    }

    /// The client of a session that was taken over has gone again meanwhile: it may come back elsewhere.
    pub(super) fn forgo(&self, space: &Space, caught: &CaughtUp) {
        self.let_channels_go(space, &caught.restored);
    }

    /// Stops listening to what nobody else here is in.
    fn let_channels_go(&self, space: &Space, restored: &Restored) {
        let Some(cluster) = &self.node.cluster else { return };
        let state = self.state.borrow();
        for (room, _) in &restored.positions {
            let member = (!recovery::is_everyone(room)).then_some(&**room);
            if !state.hub.has(space, member) {
                cluster.interest.lost(self.index, &Channel::Room(recovery::of_room(space, room.clone())));
            }
        }
    }

    /// All that a client has missed, in the order of sending; `None` when some of it is gone.
    async fn read_missed(
        &self,
        cluster: &Cluster,
        space: &Space,
        restored: &Restored,
        max: usize,
    ) -> Option<Vec<Missed>> {
        let rooms = restored.positions.iter();
        let rooms = rooms.map(|(room, position)| (recovery::of_room(space, room.clone()), *position));
        let own = (recovery::of_session(space, &restored.pid), restored.told);
        // All at once: of many rooms one after the other takes longer than a client waits, where the store is far away.
        let read = rooms
            .chain(std::iter::once(own))
            .map(|(room, position)| async move { cluster.missed(&room, position, max).await });
        let read: Option<Vec<_>> = join_all(read).await.into_iter().collect();
        let mut missed: Vec<_> = read?.into_iter().flatten().collect();
        missed.sort_by_key(|missed| missed.sent_us);
        Some(missed)
    }

    /// Gives a socket that is being admitted its way through the histories; gives the secret name of its session.
    pub(super) fn track(&self, state: &mut State, slot: u32, caught: Option<&CaughtUp>) -> Option<Arc<str>> {
        self.node.config.recovery.filter(|_| self.node.cluster.is_some())?;
        let entry = state.hub.sockets.get_mut(slot as usize)?;
        let track = match caught {
            Some(CaughtUp { restored, .. }) => {
                let Restored { pid, hold, record, told, positions, wanted: _ } = restored;
                let mut track = Track::resume(pid.clone(), hold.clone(), record, told.offset);
                positions.iter().for_each(|(room, position)| track.replay(room, position.offset, None));
                track
            }
            None => Track::new(Id::from_bytes(ids::random()).to_string().into()),
        };
        let pid = track.pid.clone();
        entry.track = Some(Box::new(track));
        state.unrecorded.push(slot);
        Some(pid)
    }

    /// Tells a socket what it has missed, and then what has arrived since that was read.
    pub(super) fn replay(&self, state: &mut State, slot: u32, caught: CaughtUp) {
        let Some(entry) = state.hub.sockets.get(slot as usize) else { return };
        let (session, id, space) = (entry.session, entry.socket.id, entry.nsp.space.clone());
        if !entry.socket.is_at_birthplace() {
            // Other nodes no longer find it by its identifier: its own room is one like any other now.
            state.hub.join(slot, &id.to_string().into());
        }
        let own = recovery::of_session(&space, &caught.restored.pid).room;
        let mut seen = HashSet::new();
        for missed in caught.missed {
            let Some(entry) = state.hub.sockets.get_mut(slot as usize) else { return };
            let is_for_it = missed.room == own || entry.is_in(&missed.to);
            let Some(track) = &mut entry.track else { return };
            if missed.room == own {
                track.tell();
            } else {
                let (node, serial) = missed.serial;
                track.replay(&missed.room, missed.offset, (node == self.node.tag).then_some(serial));
            }
            let is_new = missed.serial.1 == 0 || seen.insert(missed.serial);
            if is_for_it && is_new {
                let text = track.text();
                state.queue_with(self, session, &missed.out, &text);
            }
        }
        let at = state.restoring.iter().position(|restoring| restoring.id == id);
        let buffer = at.map(|at| state.restoring.swap_remove(at).buffer).unwrap_or_default();
        for Envelope { to, operation, .. } in buffer {
            let Operation::Emit { out, standing, .. } = operation else { continue };
            let Some(entry) = state.hub.sockets.get_mut(slot as usize) else { return };
            match standing {
                Standing::Private => self.tell(state, slot, &out),
                Standing::Recorded { room, position, serial } if entry.is_in(&to) => {
                    let Some(track) = &mut entry.track else { return };
                    if track.step(&room, position, serial) {
                        let text = track.text();
                        state.queue_with(self, session, &out, &text);
                    }
                }
                Standing::Early { room, serial } if entry.is_in(&to) => {
                    let Some(track) = &mut entry.track else { return };
                    if track.step_early(&room, serial) {
                        let text = track.text();
                        state.queue_with(self, session, &out, &text);
                    }
                }
                Standing::Recorded { .. } | Standing::Early { .. } | Standing::Unrecorded => {}
            }
        }
    }
}

impl super::hub::Entry {
    /// Whether a selection has this socket in it.
    fn is_in(&self, to: &Selection) -> bool {
        let rooms = self.socket.rooms();
        to.sender != Some(self.socket.id)
            && (to.rooms.is_empty() || to.rooms.iter().any(|room| rooms.contains(room)))
            && !to.except.iter().any(|room| rooms.contains(room))
    }
}
