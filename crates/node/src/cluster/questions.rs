//! Questions to other nodes, and who waits for the answers.

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use throng_protocol::socket::args::Args;

use super::wire::{self, Answer, Body, Question};
use super::{Cluster, inbox};
use crate::ack::Collector;
use crate::envelope::Urgency;
use crate::ids::NodeTag;
use crate::remote::RemoteSocket;

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

impl Cluster {
    /// Asks these nodes. The collector hears of every answer until the question is forgotten.
    pub(crate) fn ask(&self, to: &[NodeTag], asking: Asking<'_>) {
        let Asking { number, patience, collector, question } = asking;
        self.questions().insert(number, collector);
        let patience_ms = u32::try_from(patience.as_millis()).unwrap_or(u32::MAX);
        let bytes = wire::encode(self.tag, &Body::Ask { number, patience_ms, question });
        for peer in self.peers.load().iter().filter(|peer| to.contains(&peer.tag)) {
            self.publish(peer.inbox.clone(), bytes.clone(), Urgency::Queued);
        }
    }

    /// No answer to a question is awaited any more.
    pub(crate) fn forget(&self, number: u64) {
        self.questions().remove(&number);
    }

    pub(super) fn answer(&self, to: NodeTag, number: u64, answer: Answer<'_>) {
        let bytes = wire::encode(self.tag, &Body::Answer { number, answer });
        self.publish(inbox(to), bytes, Urgency::Queued);
    }

    pub(super) fn questions(&self) -> MutexGuard<'_, HashMap<u64, Asked>> {
        self.questions.lock().expect("no panic while the lock is held")
    }
}
