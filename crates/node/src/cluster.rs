//! A node among others: what it tells them, over the bus of the backbone. Nothing that happens on the node itself waits for
//! any of this.
//!
//! What is done to a room goes to the nodes with members of it, what is done to one socket to the node that its identifier
//! names, questions to every node that may have something to say. A room's members are known to their own node alone.

mod arriving;
mod forward;
mod interest;
mod missed;
mod peer_api;
mod recorder;
mod relay;
mod secret;
mod wire;

use std::collections::HashMap;
use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::HeaderValue;
use lru::LruCache;
use throng_backbone::{
    Backbone, Channel, Deliveries, Member, Position, Replay, Retention, Sessions, Status, StoreError,
    Urgency as Keeping,
};
use throng_protocol::id::Id;
use throng_protocol::socket::args::Args;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::Instant;

pub(crate) use self::forward::forward;
use self::interest::Filled;
pub(crate) use self::interest::{Heard, Interest};
pub(crate) use self::missed::Missed;
pub(crate) use self::recorder::Order;
use self::recorder::Recording;
use self::wire::{Action, Answer, Body};
pub(crate) use self::wire::{Packet, Question, SpaceName, Target, WireArgs};
use crate::ack::Collector;
use crate::envelope::{Envelope, Operation, Room, Selection, Standing, Urgency};
use crate::fleet::Fleet;
use crate::ids::{NodeTag, Place};
use crate::node::Node;
use crate::outgoing::Outgoing;
use crate::recovery::{self, Recovery};
use crate::remote::RemoteSocket;
use crate::run::RunError;
use crate::tenants::Space;

/// Copies that are remembered; a room's members hear twice of what took longer than so many to arrive.
const RECENT_MAX: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

/// How long a node that was made to join a room may take to listen to it; until then events for the room go to every node.
const JOINING: Duration = Duration::from_secs(2);

/// Such rooms that are remembered.
const JOINING_MAX: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

/// Sockets that have moved on and are remembered.
const MOVED_MAX: NonZeroUsize = NonZeroUsize::new(1 << 16).unwrap();

/// How long a node may take to let go of a socket.
const SUPERSEDE_PATIENCE: Duration = Duration::from_millis(500);

/// How often members are read because of identifiers of nodes that are not known.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// The fleet, as a node of it reaches it.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) interest: Interest,
    backbone: Backbone,
    tag: NodeTag,
    /// What the nodes of the fleet know each other by.
    secret: HeaderValue,
    requests: forward::Requests,
    /// Where events go that clients may recover, where they may.
    pub(crate) recorder: Option<mpsc::Sender<Order>>,
    /// How histories are kept, where they are.
    keep: Option<Retention>,
    /// When members were last read because one was not known.
    looked: tokio::sync::Mutex<Option<Instant>>,
    /// The other members, in order.
    peers: ArcSwap<Vec<Peer>>,
    next_serial: AtomicU64,
    /// Copies that have arrived, of what goes to several rooms.
    recent: Mutex<LruCache<(NodeTag, u64), ()>>,
    /// Rooms that sockets of other nodes were made to join lately.
    joining: Mutex<LruCache<(Space, Room), Instant>>,
    /// Sockets of this node whose clients go on at others.
    moved: Mutex<LruCache<Id, NodeTag>>,
    /// Questions to other nodes that are awaited.
    questions: Mutex<HashMap<u64, Asked>>,
    pub(crate) counts: Counts,
}

/// What comes from the other nodes.
#[derive(Debug)]
pub(crate) struct FromOthers {
    deliveries: Deliveries,
    listener: TcpListener,
    /// Gaps in histories, read.
    fills: mpsc::Receiver<Filled>,
    /// What this node records.
    recordings: Option<(mpsc::Receiver<Order>, Retention)>,
}

/// Attends to the other nodes, for as long as this one runs.
pub(crate) async fn attend(node: &Arc<Node>, from_others: FromOthers) -> Infallible {
    let FromOthers { deliveries, listener, fills, recordings } = from_others;
    let recording =
        recordings.map(|(recordings, keep)| tokio::spawn(recorder::run(node.clone(), recordings, keep)));
    let _stop = recording.map(|recording| StopWithNode(recording.abort_handle()));
    tokio::select! {
        never = arriving::arrive(node, deliveries, fills) => never,
        never = peer_api::serve(node, listener) => never,
    }
}

/// Ends a task with whoever holds this.
struct StopWithNode(AbortHandle);

impl Drop for StopWithNode {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What passed between this node and the others.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) received: AtomicU64,
    /// Received for rooms without a member here.
    pub(crate) foreign: AtomicU64,
    pub(crate) malformed: AtomicU64,
    /// Not taken by the bus.
    pub(crate) refused: AtomicU64,
    /// Not recorded: a client that missed it does not recover it.
    pub(crate) unrecorded: AtomicU64,
}

/// Who waits for the answers to a question.
#[derive(Debug, Clone)]
pub(crate) enum Asked {
    Args(Arc<Collector<Args>>),
    Sockets(Arc<Collector<RemoteSocket>>),
}

/// A question to other nodes.
#[derive(Debug)]
pub(crate) struct Asking<'a> {
    /// Unlike that of any other question of any node.
    pub(crate) number: u64,
    /// How long answers are of use.
    pub(crate) patience: Duration,
    /// Where they go.
    pub(crate) collector: Asked,
    pub(crate) question: Question<'a>,
}

/// Another node.
#[derive(Debug)]
struct Peer {
    tag: NodeTag,
    inbox: Channel,
    /// Where it takes requests of other nodes.
    address: Arc<str>,
}

impl Cluster {
    /// Reads what the nodes of the fleet know each other by.
    pub(crate) async fn begin(
        fleet: Fleet,
        recovery: Option<Recovery>,
    ) -> Result<(Self, FromOthers), RunError> {
        let Fleet { tag, backbone, deliveries, listener } = fleet;
        let secret = secret::read(backbone.documents()).await?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let keep = recovery.map(|recovery| recovery.retention());
        let (interest, fills) = Interest::new(backbone.clone(), keep, Handle::current());
        let (recorder, recordings) = mpsc::channel(recorder::QUEUE_MAX);
        let recordings = keep.map(|keep| (recordings, keep));
        let cluster = Self {
            secret,
            requests: forward::requests(),
            recorder: recordings.is_some().then_some(recorder),
            keep,
            looked: tokio::sync::Mutex::default(),
            interest,
            backbone,
            tag,
            peers: ArcSwap::default(),
            next_serial: AtomicU64::new(1),
            recent: Mutex::new(LruCache::new(RECENT_MAX)),
            joining: Mutex::new(LruCache::new(JOINING_MAX)),
            moved: Mutex::new(LruCache::new(MOVED_MAX)),
            questions: Mutex::default(),
            counts: Counts::default(),
        };
        Ok((cluster, FromOthers { deliveries, listener, fills, recordings }))
    }

    /// Begins to listen, and says so.
    pub(crate) async fn join(&self) {
        if let Err(error) = self.backbone.bus().subscribe(inbox(self.tag)).await {
            tracing::warn!(%error, "other nodes cannot reach this one yet");
        }
        self.tell_all(&Body::MembersChanged);
    }

    /// Leaves, so that the others need not find out.
    pub(crate) async fn leave(&self) {
        if let Err(error) = self.backbone.members().leave().await {
            tracing::debug!(%error, "the other nodes will find out that this one has left");
        }
        self.tell_all(&Body::MembersChanged);
    }

    /// What the nodes share.
    pub(crate) fn backbone(&self) -> &Backbone {
        &self.backbone
    }

    /// How the way to the others is.
    pub(crate) fn status(&self) -> Status {
        self.backbone.status()
    }

    /// Whether a channel's subscription is worth waiting for.
    pub(crate) fn is_connected(&self) -> bool {
        self.backbone.status().connected
    }

    /// Does to the sockets of other nodes what is being done to those of this one. Questions are not among it.
    pub(crate) fn spread(&self, envelope: &Envelope) {
        let Envelope { space, to, operation } = envelope;
        let (action, urgency) = match operation {
            Operation::Emit { out, spoken, urgency, .. } => {
                (Action::emit(Packet::new(out, spoken.as_deref()), *urgency), *urgency)
            }
            Operation::Join(room) => (Action::Join(room), Urgency::Queued),
            Operation::Leave(room) => (Action::Leave(room), Urgency::Queued),
            Operation::Disconnect(closing) => (Action::disconnect(*closing), Urgency::Queued),
            Operation::Ask { .. } | Operation::Fetch(_) | Operation::Forget(_) | Operation::Lost(_) => return,
        };
        // Who is in a room is asked over inboxes, so what changes it goes there too, and is done before.
        let channels = match operation {
            Operation::Join(room) => {
                self.note_joining(space, room);
                self.inboxes(to)
            }
            Operation::Leave(_) => self.inboxes(to),
            _ => self.channels(space, to),
        };
        if channels.is_empty() {
            return;
        }
        let several = !matches!(operation, Operation::Join(_) | Operation::Leave(_)) && channels.len() > 1;
        let serial = if several { self.next_serial.fetch_add(1, Ordering::Relaxed) } else { 0 };
        let body = Body::Do { serial, sent_us: 0, to: Target::new(space, to), action };
        let bytes = wire::encode(self.tag, &body);
        for channel in channels {
            self.publish(channel, bytes.clone(), urgency);
        }
    }

    /// Puts an event into the history of the room that it is for, or, with several or none, of the namespace; from there it
    /// comes to all nodes. What is for one socket goes to its own node, which knows what is best.
    pub(crate) fn record(&self, node: &Arc<Node>, recorder: &mpsc::Sender<Order>, envelope: Envelope) {
        let Envelope { space, to, operation } = &envelope;
        let Operation::Emit { out, spoken, urgency, .. } = operation else { return };
        let room = match to.rooms.as_slice() {
            [room] => match self.home(room) {
                Some(home) if home == self.tag => {
                    return node.send_here(envelope.with_standing(Standing::Private));
                }
                Some(_) => return self.spread(&envelope),
                None => recovery::of_room(space, room.clone()),
            },
            _ => recovery::of_namespace(space),
        };
        let serial = self.next_serial.fetch_add(1, Ordering::Relaxed);
        let action = Action::emit(Packet::new(out, spoken.as_deref()), *urgency);
        let bytes = wire::encode(
            self.tag,
            &Body::Do { serial, sent_us: now_us(), to: Target::new(space, to), action },
        );
        let early = Some(envelope.with_standing(Standing::Early { serial: (self.tag, serial) }));
        if recorder.try_send(Order::Record(Box::new(Recording { room, bytes, early }))).is_err() {
            self.counts.unrecorded.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Puts what a socket of this node was told alone into the history of its session.
    pub(crate) fn record_private(&self, space: &Space, pid: &str, out: &Outgoing) {
        let Some(recorder) = &self.recorder else { return };
        let action = Action::emit(Packet::new(out, None), Urgency::Queued);
        let to = Selection::default();
        let bytes = wire::encode(
            self.tag,
            &Body::Do { serial: 0, sent_us: now_us(), to: Target::new(space, &to), action },
        );
        let recording = Recording { room: recovery::of_session(space, pid), bytes, early: None };
        if recorder.try_send(Order::Record(Box::new(recording))).is_err() {
            self.counts.unrecorded.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Where the history of a session is; it begins if there is none.
    pub(crate) async fn position_of_session(&self, space: &Space, pid: &str) -> Result<Position, StoreError> {
        let keep = self.keep.ok_or(StoreError::Away)?;
        self.backbone.histories().position(&recovery::of_session(space, pid), keep).await
    }

    /// A socket's client goes on here: says so to the node that it lived on, and to the one that its identifier names, and
    /// waits until they hand on what is for it.
    pub(crate) async fn supersede(&self, node: NodeTag, socket: Id, number: u64) {
        self.move_to(socket, self.tag);
        let born = Place::of(socket).node;
        let peers = self.others();
        let mut nodes: Vec<NodeTag> =
            peers.into_iter().filter(|peer| *peer == node || *peer == born).collect();
        nodes.dedup();
        let collector = Arc::new(Collector::new(0, nodes.clone()));
        let question = Question::Superseded { socket: *socket.as_bytes() };
        let collected = Asked::Args(collector.clone());
        let pending =
            self.ask(&nodes, Asking { number, patience: SUPERSEDE_PATIENCE, collector: collected, question });
        collector.wait(SUPERSEDE_PATIENCE).await;
        drop(pending);
    }

    /// Waits until what was given to be recorded is.
    pub(crate) async fn settle(&self) {
        let Some(recorder) = &self.recorder else { return };
        let (done, settled) = oneshot::channel();
        if recorder.send(Order::Settle(done)).await.is_ok() {
            let _ = settled.await;
        }
    }

    /// What came after a position of a history; `None` when that cannot be told whole.
    pub(crate) async fn missed(
        &self,
        room: &throng_backbone::Room,
        after: Position,
        max: usize,
    ) -> Option<Vec<Missed>> {
        let Ok(Replay::Whole(entries)) = self.backbone.histories().after(room, after, max).await else {
            return None;
        };
        entries.iter().map(|entry| Missed::read(room.room.clone(), entry)).collect()
    }

    /// What is recorded of sessions.
    pub(crate) fn sessions(&self) -> Sessions {
        self.backbone.sessions().clone()
    }

    /// The channel of what is for a whole namespace.
    pub(crate) fn everyone(&self, space: &Space) -> Channel {
        match self.recorder {
            Some(_) => Channel::Room(recovery::of_namespace(space)),
            None => Channel::namespace(space.tenant.name.shared(), space.nsp.clone()),
        }
    }

    /// Asks these nodes. The collector hears of every answer for as long as what comes back is kept.
    #[must_use]
    pub(crate) fn ask(&self, to: &[NodeTag], asking: Asking<'_>) -> Pending<'_> {
        let Asking { number, patience, collector, question } = asking;
        self.questions().insert(number, collector);
        let patience_ms = u32::try_from(patience.as_millis()).unwrap_or(u32::MAX);
        let bytes = wire::encode(self.tag, &Body::Ask { number, patience_ms, question });
        for peer in self.peers.load().iter().filter(|peer| to.contains(&peer.tag)) {
            self.publish(peer.inbox.clone(), bytes.clone(), Urgency::Queued);
        }
        Pending { cluster: self, number }
    }

    /// The other nodes that may have sockets of a selection.
    pub(crate) fn concerned(&self, to: &Selection) -> Vec<NodeTag> {
        let peers = self.peers.load();
        let all = peers.iter().map(|peer| peer.tag);
        match to.rooms.as_slice() {
            [room] => match self.home(room) {
                Some(home) if home == self.tag => Vec::new(),
                Some(home) => vec![home],
                None => all.collect(),
            },
            _ => all.collect(),
        }
    }

    /// The inboxes of the other nodes that may have sockets of a selection.
    fn inboxes(&self, to: &Selection) -> Vec<Channel> {
        let (concerned, peers) = (self.concerned(to), self.peers.load());
        concerned.into_iter().filter_map(|tag| Some(find(&peers, tag)?.inbox.clone())).collect()
    }

    /// Sockets of other nodes are being made to join a room.
    fn note_joining(&self, space: &Space, room: &Room) {
        let mut joining = self.joining.lock().expect("no panic while the lock is held");
        joining.put((space.clone(), room.clone()), Instant::now());
    }

    /// Whether other nodes may have been made to join a room and not listen to it yet.
    fn is_joining(&self, space: &Space, room: &Room) -> bool {
        let joining = self.joining.lock().expect("no panic while the lock is held");
        !joining.is_empty()
            && joining.peek(&(space.clone(), room.clone())).is_some_and(|since| since.elapsed() < JOINING)
    }

    /// Every other node.
    pub(crate) fn others(&self) -> Vec<NodeTag> {
        self.peers.load().iter().map(|peer| peer.tag).collect()
    }

    /// Tells the server-side listeners of every other node.
    pub(crate) fn tell(&self, space: &Space, event: &str, args: &Args) {
        self.tell_all(&Body::Tell { space: SpaceName::of(space), event, args: WireArgs::new(args) });
    }

    fn tell_all(&self, body: &Body<'_>) {
        let bytes = wire::encode(self.tag, body);
        for peer in self.peers.load().iter() {
            self.publish(peer.inbox.clone(), bytes.clone(), Urgency::Queued);
        }
    }

    fn answer(&self, to: NodeTag, number: u64, answer: Answer<'_>) {
        let bytes = wire::encode(self.tag, &Body::Answer { number, answer });
        self.publish(inbox(to), bytes, Urgency::Queued);
    }

    fn publish(&self, channel: Channel, bytes: Bytes, urgency: Urgency) {
        let keeping = match urgency {
            Urgency::Queued => Keeping::Kept,
            Urgency::Volatile => Keeping::Volatile,
        };
        if let Err(error) = self.backbone.bus().publish(channel, bytes, keeping) {
            self.counts.refused.fetch_add(1, Ordering::Relaxed);
            tracing::debug!(%error, "not told to other nodes");
        }
    }

    /// The channels of the other nodes that may have sockets of a selection; none when only this one has.
    fn channels(&self, space: &Space, to: &Selection) -> Vec<Channel> {
        let (tenant, nsp) = (space.tenant.name.shared(), &space.nsp);
        if to.rooms.is_empty() {
            return vec![self.everyone(space)];
        }
        if to.rooms.iter().any(|room| self.is_joining(space, room)) {
            return self.inboxes(to);
        }
        let peers = self.peers.load();
        let of_room = |room: &Room| {
            let home = self.home(room);
            let of_home = home.and_then(|home| find(&peers, home)).map(|peer| peer.inbox.clone());
            let of_name = || Channel::room(tenant.clone(), nsp.clone(), room.clone());
            (home != Some(self.tag)).then(|| of_home.unwrap_or_else(of_name))
        };
        let mut channels: Vec<Channel> = to.rooms.iter().filter_map(of_room).collect();
        if channels.len() > 1 {
            channels.sort_unstable();
            channels.dedup();
        }
        channels
    }

    /// Where a node takes requests of other nodes; `None` when there is no such node.
    async fn address(&self, tag: NodeTag) -> Option<Arc<str>> {
        let known = || find(&self.peers.load(), tag).map(|peer| peer.address.clone());
        if let Some(address) = known() {
            return Some(address);
        }
        // One that has just begun may be unknown yet. Made up ones are asked for no more often than this.
        let mut looked = self.looked.lock().await;
        if known().is_none() && looked.is_none_or(|at| at.elapsed() >= LOOK_INTERVAL) {
            if let Err(error) = self.backbone.members().refresh().await {
                tracing::debug!(%error, "members not read");
            }
            self.meet(&self.backbone.members().list());
            *looked = Some(Instant::now());
        }
        known()
    }

    /// Takes a new list of members.
    fn meet(&self, members: &[Member]) {
        let peer = |member: &Member| {
            let tag = NodeTag::parse(&member.node).filter(|tag| *tag != self.tag)?;
            Some(Peer { tag, inbox: inbox(tag), address: member.address.clone() })
        };
        let mut peers: Vec<Peer> = members.iter().filter_map(peer).collect();
        peers.sort_unstable_by_key(|peer| peer.tag);
        self.peers.store(Arc::new(peers));
    }

    /// The node of the socket whose own room this is: the one that its identifier names, which knows if it has moved on.
    fn home(&self, room: &str) -> Option<NodeTag> {
        let id = Id::parse(room)?;
        let born = Place::of(id).node;
        if born == self.tag {
            return Some(self.moved(id).unwrap_or(born));
        }
        find(&self.peers.load(), born).map(|peer| peer.tag)
    }

    /// Where a socket of this node is now, if its client goes on elsewhere.
    fn moved(&self, id: Id) -> Option<NodeTag> {
        self.moved.lock().expect("no panic while the lock is held").get(&id).copied()
    }

    /// A socket's client goes on at that node.
    fn move_to(&self, id: Id, node: NodeTag) {
        let mut moved = self.moved.lock().expect("no panic while the lock is held");
        if node == self.tag {
            moved.pop(&id);
        } else {
            moved.put(id, node);
        }
    }

    fn questions(&self) -> MutexGuard<'_, HashMap<u64, Asked>> {
        self.questions.lock().expect("no panic while the lock is held")
    }
}

/// A question that is awaited; dropped, it no longer is.
#[derive(Debug)]
pub(crate) struct Pending<'a> {
    cluster: &'a Cluster,
    number: u64,
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        self.cluster.questions().remove(&self.number);
    }
}

fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

fn find(peers: &[Peer], tag: NodeTag) -> Option<&Peer> {
    peers.binary_search_by_key(&tag, |peer| peer.tag).ok().map(|at| &peers[at])
}

fn inbox(tag: NodeTag) -> Channel {
    Channel::inbox(tag.to_string())
}
