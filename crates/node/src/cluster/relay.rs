//! A question of another node, put to the sockets of this one: what they answer goes back as it comes.

use std::sync::{Arc, Mutex};

use throng_protocol::socket::args::Args;

use super::Cluster;
use super::wire::{Answer, WireArgs};
use crate::ack::Sink;
use crate::ids::NodeTag;
use crate::node::Node;

/// Where the answers of this node's sockets go.
#[derive(Debug)]
pub(super) struct Relay {
    node: Arc<Node>,
    asker: NodeTag,
    number: u64,
    /// Shards that have not said how many they asked, and how many the others did.
    counting: Mutex<(usize, u32)>,
}

impl Relay {
    pub(super) fn new(node: &Arc<Node>, asker: NodeTag, number: u64) -> Self {
        Self { node: node.clone(), asker, number, counting: Mutex::new((node.ports.len(), 0)) }
    }

    /// There is nobody to ask here.
    pub(super) fn nobody(&self) {
        self.send(Answer::Asked(0));
    }

    pub(super) fn send(&self, answer: Answer<'_>) {
        if let Some(cluster) = self.cluster() {
            cluster.answer(self.asker, self.number, answer);
        }
    }

    fn cluster(&self) -> Option<&Cluster> {
        self.node.cluster.as_ref()
    }
}

impl Sink<Args> for Relay {
    fn asked(&self, count: usize) {
        let mut counting = self.counting.lock().expect("no panic while the lock is held");
        counting.0 -= 1;
        counting.1 += u32::try_from(count).unwrap_or(u32::MAX);
        if let (0, all) = *counting {
            self.send(Answer::Asked(all));
        }
    }

    fn answer(&self, answer: Args) {
        self.send(Answer::Given(WireArgs::new(&answer)));
    }

    fn lost(&self) {
        self.send(Answer::Lost);
    }
}
