//! What goes into the histories of rooms: every event that clients may recover. It comes back over the bus with its position,
//! to this node as to the others, so that all hand it on in the same order. When the store takes too long, the members of this
//! node are told at once, and the store later.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use throng_backbone::{Backbone, Retention, Room, StoreError};
use tokio::sync::{mpsc, oneshot};

use crate::envelope::Envelope;
use crate::node::Node;

/// How long members of this node wait for the store.
const PATIENCE: Duration = Duration::from_millis(250);

/// How often a store that is away is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// Messages that may wait for a store that is away. Beyond, the oldest are given up and counted.
const LATE_MAX: usize = 65_536;

/// Messages that may be on their way into the recorder.
pub(super) const QUEUE_MAX: usize = 1 << 16;

/// Something for the recorder.
#[derive(Debug)]
pub(crate) enum Order {
    Record(Box<Recording>),
    /// Say when all that was ordered before is done, or is late.
    Settle(oneshot::Sender<()>),
}

/// A message for a history.
#[derive(Debug)]
pub(crate) struct Recording {
    pub(crate) room: Room,
    pub(crate) bytes: Bytes,
    /// What to tell the members of this node if the store takes too long; nothing when they know already.
    pub(crate) early: Option<Envelope>,
}

/// Messages that are late, in order.
#[derive(Debug, Default)]
struct Late(Mutex<VecDeque<Box<Recording>>>);

impl Late {
    fn queue(&self) -> MutexGuard<'_, VecDeque<Box<Recording>>> {
        self.0.lock().expect("no panic while the lock is held")
    }
}

/// Records what comes, for as long as the node runs.
pub(super) async fn run(node: Arc<Node>, mut orders: mpsc::Receiver<Order>, keep: Retention) {
    let Some(cluster) = &node.cluster else { return };
    let (backbone, late) = (cluster.backbone.clone(), Arc::new(Late::default()));
    let mut retry = tokio::time::interval(RETRY);
    retry.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // Whatever is on its way holds a sender; when the last is gone, all of it has arrived.
    let (mut under_way, mut arrived) = mpsc::channel::<()>(1);
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Record(recording)) if cluster.is_connected() && late.queue().is_empty() => {
                    let (node, late, under_way) = (node.clone(), late.clone(), under_way.clone());
                    tokio::spawn(async move {
                        record(node, late, recording, keep).await;
                        drop(under_way);
                    });
                }
                Some(Order::Record(recording)) => put_off(&node, &late, recording),
                Some(Order::Settle(done)) => {
                    let (fresh, next) = mpsc::channel(1);
                    under_way = fresh;
                    let mut before = std::mem::replace(&mut arrived, next);
                    tokio::spawn(async move {
                        before.recv().await;
                        // Who asked may have given up.
                        let _ = done.send(());
                    });
                }
                None => return,
            },
            _ = retry.tick() => catch_up(&backbone, &late, keep).await,
        }
    }
}

async fn record(node: Arc<Node>, late: Arc<Late>, recording: Box<Recording>, keep: Retention) {
    let Some(cluster) = &node.cluster else { return };
    let appending = cluster.backbone.histories().append(&recording.room, recording.bytes.clone(), keep);
    match tokio::time::timeout(PATIENCE, appending).await {
        Ok(Ok(_)) => {}
        Ok(Err(StoreError::Refused(error))) => tracing::error!(%error, "not recorded"),
        // It may be recorded all the same; whoever reads it twice knows it by its number.
        Ok(Err(_)) | Err(_) => put_off(&node, &late, recording),
    }
}

fn put_off(node: &Arc<Node>, late: &Late, mut recording: Box<Recording>) {
    if let Some(envelope) = recording.early.take() {
        node.send_here(envelope);
    }
    let mut queue = late.queue();
    if queue.len() == LATE_MAX {
        queue.pop_front();
        if let Some(cluster) = &node.cluster {
            cluster.counts.unrecorded.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    }
    queue.push_back(recording);
}

/// Records what is late, in order, as far as the store takes it.
async fn catch_up(backbone: &Backbone, late: &Late, keep: Retention) {
    while backbone.status().connected {
        let Some((room, bytes)) = late.queue().front().map(|first| (first.room.clone(), first.bytes.clone()))
        else {
            return;
        };
        match backbone.histories().append(&room, bytes, keep).await {
            Ok(_) | Err(StoreError::Refused(_)) => drop(late.queue().pop_front()),
            Err(_) => return,
        }
    }
}
