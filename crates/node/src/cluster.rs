//! A node among others: what it tells them, over the bus of the backbone. Nothing that happens on the node itself waits for
//! any of this.
//!
//! What is done to a room goes to the nodes with members of it, what is done to one socket to the node that its identifier
//! names, questions to every node that may have something to say. A room's members are known to their own node alone.

mod arriving;
mod forward;
mod histories;
mod interest;
mod line;
mod missed;
mod overflow;
mod peer_api;
mod peers;
mod questions;
mod recorder;
mod relay;
pub(crate) mod secret;
mod sweeper;
mod wire;

use std::collections::HashMap;
use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::HeaderValue;
use lru::LruCache;
use throng_backbone::{Backbone, Channel, Deliveries, Retention, Status, Urgency as Keeping};
use throng_protocol::id::Id;
use throng_protocol::socket::args::Args;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::Instant;

pub(crate) use self::arriving::let_go;
pub(crate) use self::forward::{ANSWER_PATIENCE, forward};
use self::interest::Filled;
pub(crate) use self::interest::{Heard, Interest};
pub(crate) use self::missed::Missed;
use self::overflow::Overflow;
use self::peers::{Peer, find};
pub(crate) use self::questions::{Asked, Asking};
pub(crate) use self::recorder::Order;
use self::wire::{Action, Body};
pub(crate) use self::wire::{Packet, Question, SpaceName, Target, WireArgs};
use crate::envelope::{Envelope, Operation, Room, Selection, Urgency};
use crate::fleet::Fleet;
use crate::ids::NodeTag;
use crate::node::Node;
use crate::recovery::Recovery;
use crate::tenants::Space;

/// Copies that are remembered; a room's members hear twice of what took longer than so many to arrive.
const RECENT_MAX: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

/// How long a node that was made to join a room may take to listen to it; until then events for the room go to every node.
const JOINING: Duration = Duration::from_secs(2);

/// Such rooms that are remembered.
const JOINING_MAX: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

/// Sockets that have moved on and are remembered.
const MOVED_MAX: NonZeroUsize = NonZeroUsize::new(1 << 16).unwrap();

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
    /// What found no place there.
    overflow: Overflow,
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
    /// Sockets whose clients go on elsewhere than they began.
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
        never = sweeper::run(node) => never,
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
    /// Crashed nodes that this one has cleared away.
    pub(crate) swept: AtomicU64,
}

impl Cluster {
    /// A node of this fleet that tells nobody anything yet.
    pub(crate) fn begin(fleet: Fleet, recovery: Option<Recovery>) -> std::io::Result<(Self, FromOthers)> {
        let Fleet { tag, backbone, deliveries, listener, secret } = fleet;
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
            overflow: Overflow::default(),
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

    /// Tells the server-side listeners of every other node.
    pub(crate) fn tell(&self, space: &Space, event: &str, args: &Args) {
        self.tell_all(&Body::Tell { space: SpaceName::of(space), event, args: WireArgs::new(args) });
    }

    /// Tells the server-side listeners of one.
    pub(crate) fn tell_one(
        &self,
        tag: NodeTag,
        (space, event, args): (&Space, &str, &Args),
        urgency: Urgency,
    ) {
        let body = Body::Tell { space: SpaceName::of(space), event, args: WireArgs::new(args) };
        self.publish(inbox(tag), wire::encode(self.tag, &body), urgency);
    }

    fn tell_all(&self, body: &Body<'_>) {
        let bytes = wire::encode(self.tag, body);
        for peer in self.peers.load().iter() {
            self.publish(peer.inbox.clone(), bytes.clone(), Urgency::Queued);
        }
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
}

fn inbox(tag: NodeTag) -> Channel {
    Channel::inbox(tag.to_string())
}
