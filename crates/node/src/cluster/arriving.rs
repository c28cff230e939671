//! What arrives from other nodes, and who on this one it is for.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use throng_backbone::{Channel, Deliveries, Delivery, Missed, Position};
use throng_protocol::id::Id;
use throng_protocol::socket::args::Args;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior};

use super::interest::{Arrival, Filled, ShardSet};
use super::relay::Relay;
use super::wire::{self, Action, Answer, Body, Packet, Question, SpaceName, Target, WireArgs};
use super::{Asked, Cluster};
use crate::ack::{Collector, Sink as _};
use crate::app::Service;
use crate::broadcast::Broadcast;
use crate::envelope::{Closing, Envelope, Errand, Operation, Room, Selection, Spoken, Standing, Urgency};
use crate::handler::ServerListener;
use crate::ids::{NodeTag, Place};
use crate::node::Node;
use crate::outgoing::Outgoing;
use crate::tenants::Space;

/// How much longer than the asker a question's answers are looked out for.
const GRACE: Duration = Duration::from_secs(1);

/// Takes what comes from the bus, for as long as the node runs.
pub(super) async fn arrive(
    node: &Arc<Node>,
    mut deliveries: Deliveries,
    mut fills: mpsc::Receiver<Filled>,
) -> Infallible {
    let Some(cluster) = &node.cluster else { return std::future::pending().await };
    let mut members = cluster.backbone.members().watch();
    cluster.meet(&members.borrow_and_update().clone());
    cluster.join().await;
    let period = node.config.recovery.map_or(Duration::from_secs(3600), |recovery| recovery.window);
    let mut keeping = tokio::time::interval_at(Instant::now() + period, period);
    keeping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            _ = keeping.tick() => cluster.interest.keep(),
            changed = members.changed() => {
                if changed.is_ok() {
                    cluster.meet(&members.borrow_and_update().clone());
                }
            }
            filled = fills.recv() => {
                if let Some(filled) = filled {
                    cluster.fill(node, filled);
                }
            }
            delivery = deliveries.next() => match delivery {
                Some(Delivery::Message { channel, bytes, position: None }) => {
                    cluster.receive(node, &channel, &bytes);
                }
                Some(Delivery::Message { channel, bytes, position: Some(position) }) => {
                    if cluster.interest.arrived(&channel, position, &bytes) == Arrival::Next {
                        cluster.receive_recorded(node, &channel, position, &bytes);
                    }
                }
                Some(Delivery::Resynced(missed)) => cluster.resync(node, &missed),
                None => std::future::pending().await,
            }
        }
    }
}

impl Cluster {
    fn receive(&self, node: &Arc<Node>, channel: &Channel, bytes: &Bytes) {
        let (from, body) = match wire::decode(bytes) {
            Ok(message) => message,
            Err(error) => {
                self.counts.malformed.fetch_add(1, Ordering::Relaxed);
                return tracing::warn!(%error, ?channel, "message of another node not understood");
            }
        };
        // What this node has sent itself comes back to its inbox when it was for a socket that has moved here.
        if from == self.tag && !matches!(channel, Channel::Inbox { .. }) {
            return;
        }
        self.counts.received.fetch_add(1, Ordering::Relaxed);
        match body {
            Body::Do { serial, to, action, .. } => {
                if serial == 0 || self.is_first(from, serial) {
                    self.act(node, channel, bytes, to, action);
                }
            }
            Body::Tell { space, event, args } => drop(listeners(node, space, event, args).map(tokio::spawn)),
            Body::Ask { number, patience_ms, question } => {
                let patience = Duration::from_millis(patience_ms.into());
                answer(node, Asker { tag: from, number, patience }, bytes, question);
            }
            Body::Answer { number, answer } => self.answered(from, number, answer),
            Body::Moved { socket } => self.move_to(Id::from_bytes(socket), from),
            Body::MembersChanged => {
                let members = self.backbone.members().clone();
                tokio::spawn(async move {
                    if let Err(error) = members.refresh().await {
                        tracing::debug!(%error, "members not read; the next heartbeat will");
                    }
                });
            }
        }
    }

    /// Something may have been missed. What is in histories is read there; the rest is gone, as it is told at most once, and the
    /// app is told that.
    fn resync(&self, node: &Arc<Node>, missed: &Missed) {
        tracing::debug!(?missed, "messages of other nodes may have been missed");
        for (space, rooms) in self.interest.concerned(missed) {
            tell_missed(node, space, rooms);
        }
        match missed {
            Missed::All => self.interest.all().iter().for_each(|channel| self.interest.look(channel)),
            Missed::Channels(channels) => channels.iter().for_each(|channel| self.interest.look(channel)),
        }
    }

    /// Hands on what was missing of a history, and what waited behind it.
    fn fill(&self, node: &Arc<Node>, filled: Filled) {
        let channel = filled.channel.clone();
        let Some(caught) = self.interest.caught(filled) else { return };
        if caught.lost
            && let Some((space, shards)) = self.interest.of(&channel)
            && let Channel::Room(room) = &channel
        {
            let operation = Operation::Lost(room.room.clone());
            self.hand_on(node, Some(shards), &Envelope { space, to: Selection::default(), operation });
        }
        for (position, bytes) in &caught.messages {
            self.receive_recorded(node, &channel, *position, bytes);
        }
        caught.done();
    }

    /// A message of a history, in its turn. It may be this node's own.
    fn receive_recorded(&self, node: &Arc<Node>, channel: &Channel, position: Position, bytes: &Bytes) {
        let (Ok((from, body)), Channel::Room(room)) = (wire::decode(bytes), channel) else {
            self.counts.malformed.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let Body::Do { serial, to, action: Action::Emit { packet, .. }, .. } = body else { return };
        if from != self.tag {
            self.counts.received.fetch_add(1, Ordering::Relaxed);
        }
        if serial != 0 && !self.is_first(from, serial) {
            return;
        }
        let Some((space, shards)) = self.interest.of(channel) else { return };
        let Some((out, spoken)) = unpack(&packet, bytes) else { return };
        let standing = Standing::Recorded { room: room.room.clone(), position, serial: (from, serial) };
        let operation = Operation::Emit { out, spoken, urgency: Urgency::Queued, standing };
        self.hand_on(node, Some(shards), &Envelope { space, to: to.selection(), operation });
    }

    /// Hands an envelope to some of the shards, or to all.
    fn hand_on(&self, node: &Arc<Node>, shards: Option<ShardSet>, envelope: &Envelope) {
        for shard in (0..node.ports.len()).filter(|shard| shards.is_none_or(|shards| shards.has(*shard))) {
            node.errand(shard, Errand::Envelope(envelope.clone()));
        }
    }

    /// Whether a copy of this has arrived.
    pub(super) fn has_arrived(&self, serial: &(NodeTag, u64)) -> bool {
        self.recent.lock().expect("no panic while the lock is held").contains(serial)
    }

    /// Whether no copy of this has arrived before.
    fn is_first(&self, from: NodeTag, serial: u64) -> bool {
        let mut recent = self.recent.lock().expect("no panic while the lock is held");
        recent.put((from, serial), ()).is_none()
    }

    fn act(&self, node: &Arc<Node>, channel: &Channel, message: &Bytes, to: Target<'_>, action: Action<'_>) {
        let moved = to.own_room().and_then(|id| self.moved(id));
        if let Some(there) = moved.filter(|there| *there != self.tag) {
            return self.publish(super::inbox(there), message.clone(), Urgency::Queued);
        }
        let place = match channel {
            Channel::Inbox { .. } => space(node, to.space).map(|space| (space, None)),
            _ => self.interest.of(channel).map(|(space, shards)| (space, Some(shards))),
        };
        let Some((space, shards)) = place else {
            self.counts.foreign.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let operation = match action {
            Action::Emit { packet, is_volatile } => {
                let Some((out, spoken)) = unpack(&packet, message) else { return };
                let urgency = if is_volatile { Urgency::Volatile } else { Urgency::Queued };
                let standing = match (to.own_room(), channel) {
                    (Some(_), Channel::Inbox { .. }) if !is_volatile => Standing::Private,
                    _ => Standing::Unrecorded,
                };
                Operation::Emit { out, spoken, urgency, standing }
            }
            Action::Join(room) => Operation::Join(room.into()),
            Action::Leave(room) => Operation::Leave(room.into()),
            Action::Disconnect { whole_session } => {
                Operation::Disconnect(if whole_session { Closing::Session } else { Closing::Socket })
            }
        };
        let to = to.selection();
        let shards = shards.or_else(|| owner_alone(node.tag, &to));
        self.hand_on(node, shards, &Envelope { space, to, operation });
    }

    fn answered(&self, from: NodeTag, number: u64, answer: Answer<'_>) {
        let Some(asked) = self.questions().get(&number).cloned() else { return };
        match (asked, answer) {
            (Asked::Args(collector), Answer::Asked(count)) => collector.heard(from, count as usize),
            (Asked::Args(collector), Answer::Given(args)) => match args.args() {
                Some(args) => collector.answer(args),
                None => collector.lost(),
            },
            (Asked::Args(collector), Answer::Lost) => collector.lost(),
            (Asked::Sockets(collector), Answer::Sockets(json)) => {
                let Some(sockets) = wire::read_sockets(json) else { return };
                let count = sockets.len();
                sockets.into_iter().for_each(|socket| collector.answer(socket));
                collector.heard(from, count);
            }
            (Asked::Sockets(collector), Answer::Asked(count)) => collector.heard(from, count as usize),
            (Asked::Args(_), Answer::Sockets(_)) | (Asked::Sockets(_), Answer::Given(_) | Answer::Lost) => {}
        }
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
struct Asker {
    tag: NodeTag,
    number: u64,
    patience: Duration,
}

fn answer(node: &Arc<Node>, asker: Asker, message: &Bytes, question: Question<'_>) {
    let Asker { tag, number, patience } = asker;
    let relay = Relay::new(node, tag, number);
    match question {
        Question::Emit { to, packet } => {
            let (Some(space), Some((out, spoken))) = (space(node, to.space), unpack(&packet, message)) else {
                return relay.nobody();
            };
            let operation = Operation::Ask { out, spoken, ack: number, answers: Arc::new(relay) };
            node.send_here(Envelope { space: space.clone(), to: to.selection(), operation });
            let node = node.clone();
            tokio::spawn(async move {
                tokio::time::sleep(patience + GRACE).await;
                let (to, operation) = (Selection::default(), Operation::Forget(number));
                node.send_here(Envelope { space, to, operation });
            });
        }
        Question::Fetch { to } => {
            let Some(space) = space(node, to.space) else { return relay.nobody() };
            let collector = Arc::new(Collector::new(node.tag, node.ports.len(), Vec::new()));
            let operation = Operation::Fetch(collector.clone());
            node.send_here(Envelope { space, to: to.selection(), operation });
            tokio::spawn(async move {
                let found = collector.wait(patience).await;
                // Whoever does not have all of them says nothing, and is named for it.
                if found.is_whole() {
                    relay.send(Answer::Sockets(&wire::write_sockets(&found.answers)));
                }
            });
        }
        Question::Superseded { socket } => {
            let Some(cluster) = &node.cluster else { return };
            let socket = Id::from_bytes(socket);
            cluster.move_to(socket, tag);
            let node = node.clone();
            tokio::spawn(async move {
                let_go(&node, socket).await;
                relay.nobody();
            });
        }
        Question::Tell { space, event, args } => {
            let heard = listeners(node, space, event, args);
            tokio::spawn(async move {
                relay.send(Answer::Asked(1));
                match heard {
                    Some(heard) => match heard.await {
                        Some(args) => relay.send(Answer::Given(WireArgs::new(&args))),
                        None => relay.send(Answer::Lost),
                    },
                    None => relay.send(Answer::Lost),
                }
            });
        }
    }
}

/// Lets every shard of this node let go of a socket whose client goes on elsewhere, and waits until all that it was told is
/// recorded.
pub(crate) async fn let_go(node: &Arc<Node>, socket: Id) {
    let mut leaving = Vec::new();
    for shard in 0..node.ports.len() {
        let (done, gone) = oneshot::channel();
        node.errand(shard, Errand::Superseded(socket, done));
        leaving.push(gone);
    }
    for gone in leaving {
        // A shard that is gone has nothing left.
        let _ = gone.await;
    }
    if let Some(cluster) = &node.cluster {
        cluster.settle().await;
    }
}

/// Starts the server-side listeners of an event; the first to say something answers, and one that panics says nothing.
/// `None` when there are none.
fn listeners(
    node: &Arc<Node>,
    space: SpaceName<'_>,
    event: &str,
    args: WireArgs<'_>,
) -> Option<impl Future<Output = Option<Args>> + Send + use<>> {
    let Service::Sockets(namespaces) = &node.service else { return None };
    let behaviour = namespaces.find(space.nsp)?;
    let args = args.args()?;
    let all = Broadcast::new(self::space(node, space).map(|space| (node.clone(), space)));
    let start = |listen: &ServerListener| {
        let started = catch_unwind(AssertUnwindSafe(|| listen(all.clone(), args.clone())));
        started.inspect_err(|_| tracing::error!(nsp = space.nsp, "server-side listener panicked")).ok()
    };
    let running: Vec<_> = behaviour.server_side.get(event)?.iter().filter_map(start).collect();
    let nsp = space.nsp.to_owned();
    Some(async move {
        let mut first = None;
        for listener in running {
            match AssertUnwindSafe(listener).catch_unwind().await {
                Ok(said) => first = first.or(said),
                Err(_) => tracing::error!(nsp, "server-side listener panicked"),
            }
        }
        first
    })
}

/// Starts the listeners of a namespace for what may have been missed: by the members of these rooms, or by all if there are none.
fn tell_missed(node: &Arc<Node>, space: Space, rooms: Vec<Room>) {
    let Service::Sockets(namespaces) = &node.service else { return };
    let Some(behaviour) = namespaces.find(&space.nsp).filter(|behaviour| !behaviour.missed.is_empty()) else {
        return;
    };
    let all = Broadcast::new(Some((node.clone(), space))).local();
    let here = rooms.into_iter().fold(all, Broadcast::to);
    tokio::spawn(async move {
        for listener in &behaviour.missed {
            let running = async { listener(here.clone()).await };
            if AssertUnwindSafe(running).catch_unwind().await.is_err() {
                tracing::error!("listener for what was missed panicked");
            }
        }
    });
}

/// A packet of another node for the clients of this one.
fn unpack(packet: &Packet<'_>, message: &Bytes) -> Option<(Outgoing, Option<Spoken>)> {
    let out = packet.outgoing(message)?;
    let spoken = packet.spoken.as_ref().and_then(|(event, args)| Some(((*event).to_owned(), args.args()?)));
    Some((out, spoken.map(Arc::new)))
}

fn space(node: &Node, name: SpaceName<'_>) -> Option<Space> {
    Some(Space { tenant: node.tenants.find(name.tenant)?, nsp: name.nsp.into() })
}

/// The one shard that has the socket of a selection, when that is the own room of a socket that was born here.
fn owner_alone(here: NodeTag, to: &Selection) -> Option<ShardSet> {
    let [room] = to.rooms.as_slice() else { return None };
    let place = Place::of(Id::parse(room)?);
    (place.node == here).then(|| ShardSet::of(place.shard))
}
