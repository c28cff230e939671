//! A node among others: what it tells them, over the bus of the backbone. Nothing that happens on the node itself waits for
//! any of this.
//!
//! What is done to a room goes to the nodes with members of it, what is done to one socket to the node that its identifier
//! names, questions to every node that may have something to say. A room's members are known to their own node alone.

mod arriving;
mod forward;
mod interest;
mod peer_api;
mod relay;
mod secret;
mod wire;

use std::collections::HashMap;
use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::HeaderValue;
use lru::LruCache;
use throng_backbone::{Backbone, Channel, Deliveries, Member, Status, Urgency as Keeping};
use throng_protocol::id::Id;
use throng_protocol::socket::args::Args;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::time::Instant;

pub(crate) use self::forward::forward;
pub(crate) use self::interest::{Heard, Interest};
use self::wire::{Action, Answer, Body};
pub(crate) use self::wire::{Packet, Question, SpaceName, Target, WireArgs};
use crate::ack::Collector;
use crate::envelope::{Envelope, Operation, Room, Selection, Urgency};
use crate::fleet::Fleet;
use crate::ids::{NodeTag, Place};
use crate::node::Node;
use crate::remote::RemoteSocket;
use crate::run::RunError;
use crate::tenants::Space;

/// Copies that are remembered; a room's members hear twice of what took longer than so many to arrive.
const RECENT_MAX: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

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
    /// When members were last read because one was not known.
    looked: tokio::sync::Mutex<Option<Instant>>,
    /// The other members, in order.
    peers: ArcSwap<Vec<Peer>>,
    next_serial: AtomicU64,
    /// Copies that have arrived, of what goes to several rooms.
    recent: Mutex<LruCache<(NodeTag, u64), ()>>,
    /// Questions to other nodes that are awaited.
    questions: Mutex<HashMap<u64, Asked>>,
    pub(crate) counts: Counts,
}

/// What comes from the other nodes.
#[derive(Debug)]
pub(crate) struct FromOthers {
    deliveries: Deliveries,
    listener: TcpListener,
}

/// Attends to the other nodes, for as long as this one runs.
pub(crate) async fn attend(node: &Arc<Node>, from_others: FromOthers) -> Infallible {
    let FromOthers { deliveries, listener } = from_others;
    tokio::select! {
        never = arriving::arrive(node, deliveries) => never,
        never = peer_api::serve(node, listener) => never,
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
    pub(crate) async fn begin(fleet: Fleet) -> Result<(Self, FromOthers), RunError> {
        let Fleet { tag, backbone, deliveries, listener } = fleet;
        let secret = secret::read(backbone.documents()).await?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        Ok((Self::new(backbone, tag, secret), FromOthers { deliveries, listener }))
    }

    fn new(backbone: Backbone, tag: NodeTag, secret: HeaderValue) -> Self {
        Self {
            secret,
            requests: forward::requests(),
            looked: tokio::sync::Mutex::default(),
            interest: Interest::new(backbone.bus().clone(), Handle::current()),
            backbone,
            tag,
            peers: ArcSwap::default(),
            next_serial: AtomicU64::new(1),
            recent: Mutex::new(LruCache::new(RECENT_MAX)),
            questions: Mutex::default(),
            counts: Counts::default(),
        }
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
            Operation::Emit { out, spoken, urgency } => {
                (Action::emit(Packet::new(out, spoken.as_deref()), *urgency), *urgency)
            }
            Operation::Join(room) => (Action::Join(room), Urgency::Queued),
            Operation::Leave(room) => (Action::Leave(room), Urgency::Queued),
            Operation::Disconnect(closing) => (Action::disconnect(*closing), Urgency::Queued),
            Operation::Ask { .. } | Operation::Fetch(_) | Operation::Forget(_) => return,
        };
        let channels = self.channels(space, to);
        if channels.is_empty() {
            return;
        }
        let several = channels.len() > 1;
        let serial = if several { self.next_serial.fetch_add(1, Ordering::Relaxed) } else { 0 };
        let body = Body::Do { serial, to: Target::new(space, to), action };
        let bytes = wire::encode(self.tag, &body);
        for channel in channels {
            self.publish(channel, bytes.clone(), urgency);
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
            [room] => match owner(room) {
                Some(owner) if owner == self.tag => Vec::new(),
                Some(owner) if find(&peers, owner).is_some() => vec![owner],
                _ => all.collect(),
            },
            _ => all.collect(),
        }
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
            return vec![Channel::namespace(tenant, nsp.clone())];
        }
        let peers = self.peers.load();
        let of_room = |room: &Room| {
            let owner = owner(room);
            let of_owner = owner.and_then(|owner| find(&peers, owner)).map(|peer| peer.inbox.clone());
            let of_name = || Channel::room(tenant.clone(), nsp.clone(), room.clone());
            (owner != Some(self.tag)).then(|| of_owner.unwrap_or_else(of_name))
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

/// The node that a room is the private one of a socket of, if it has the form of one.
fn owner(room: &str) -> Option<NodeTag> {
    Id::parse(room).map(|id| Place::of(id).node)
}

fn find(peers: &[Peer], tag: NodeTag) -> Option<&Peer> {
    peers.binary_search_by_key(&tag, |peer| peer.tag).ok().map(|at| &peers[at])
}

fn inbox(tag: NodeTag) -> Channel {
    Channel::inbox(tag.to_string())
}
