//! The other nodes as this one knows them, and which of them a socket or a selection lives on.

use std::sync::Arc;
use std::time::Duration;

use throng_backbone::{Channel, Member};
use throng_protocol::id::Id;
use tokio::time::Instant;

use super::wire::{self, Body, Question};
use super::{Asked, Asking, Cluster, inbox};
use crate::ack::Collector;
use crate::envelope::{Selection, Urgency};
use crate::ids::{NodeTag, Place};

/// How long a node may take to let go of a socket.
const SUPERSEDE_PATIENCE: Duration = Duration::from_millis(500);

/// How often members are read because of identifiers of nodes that are not known.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// Another node.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) tag: NodeTag,
    pub(super) inbox: Channel,
    /// Where it takes requests of other nodes.
    address: Arc<str>,
}

impl Cluster {
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
    pub(super) fn inboxes(&self, to: &Selection) -> Vec<Channel> {
        let (concerned, peers) = (self.concerned(to), self.peers.load());
        concerned.into_iter().filter_map(|tag| Some(find(&peers, tag)?.inbox.clone())).collect()
    }

    /// Every other node.
    pub(crate) fn others(&self) -> Vec<NodeTag> {
        self.peers.load().iter().map(|peer| peer.tag).collect()
    }

    /// Where a node takes requests of other nodes; `None` when there is no such node.
    pub(super) async fn address(&self, tag: NodeTag) -> Option<Arc<str>> {
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
    pub(super) fn meet(&self, members: &[Member]) {
        let peer = |member: &Member| {
            let tag = NodeTag::parse(&member.node).filter(|tag| *tag != self.tag)?;
            Some(Peer { tag, inbox: inbox(tag), address: member.address.clone() })
        };
        let mut peers: Vec<Peer> = members.iter().filter_map(peer).collect();
        peers.sort_unstable_by_key(|peer| peer.tag);
        self.peers.store(Arc::new(peers));
    }

    /// The node of the socket whose own room this is: the one that its identifier names, unless it has moved on.
    pub(super) fn home(&self, room: &str) -> Option<NodeTag> {
        let id = Id::parse(room)?;
        let there = self.moved(id).unwrap_or(Place::of(id).node);
        let is_there = there == self.tag || find(&self.peers.load(), there).is_some();
        is_there.then_some(there)
    }

    /// Where a socket is now, if its client goes on elsewhere than it began.
    pub(super) fn moved(&self, id: Id) -> Option<NodeTag> {
        // Where nobody recovers, nobody moves.
        self.keep?;
        self.moved.lock().expect("no panic while the lock is held").get(&id).copied()
    }

    /// A socket's client goes on at that node.
    pub(super) fn move_to(&self, id: Id, node: NodeTag) {
        let mut moved = self.moved.lock().expect("no panic while the lock is held");
        if node == Place::of(id).node {
            moved.pop(&id);
        } else {
            moved.put(id, node);
        }
    }

    /// A socket's client goes on here: says so to all nodes, and waits until the one that it lived on, and the one that its
    /// identifier names, have let go of it.
    pub(crate) async fn supersede(&self, node: NodeTag, socket: Id, number: u64) {
        self.move_to(socket, self.tag);
        let born = Place::of(socket).node;
        let (nodes, others): (Vec<NodeTag>, Vec<NodeTag>) =
            self.others().into_iter().partition(|peer| *peer == node || *peer == born);
        let moved = wire::encode(self.tag, &Body::Moved { socket: *socket.as_bytes() });
        others.into_iter().for_each(|peer| self.publish(inbox(peer), moved.clone(), Urgency::Queued));
        let collector = Arc::new(Collector::new(self.tag, 0, nodes.clone()));
        let question = Question::Superseded { socket: *socket.as_bytes() };
        let collected = Asked::Args(collector.clone());
        self.ask(&nodes, Asking { number, patience: SUPERSEDE_PATIENCE, collector: collected, question });
        collector.wait(SUPERSEDE_PATIENCE).await;
        self.forget(number);
    }
}

pub(super) fn find(peers: &[Peer], tag: NodeTag) -> Option<&Peer> {
    peers.binary_search_by_key(&tag, |peer| peer.tag).ok().map(|at| &peers[at])
}
