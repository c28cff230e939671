//! What goes into the histories of rooms: every event that clients may recover. It comes back over the bus with its position,
//! to this node as to the others, so that all hand it on in the same order.
//!
//! When the store takes too long, the members of this node are told at once, and the store later: then only one message of a
//! room is on its way at a time, since what has to be tried again would be overtaken, and a room whose server is away holds up
//! no other.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{FuturesOrdered, FuturesUnordered};
use throng_backbone::{Channel, Histories, Retention, Room, StoreError};
use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;

use super::Cluster;
use crate::envelope::{Envelope, Operation, Standing};
use crate::node::Node;

/// How long members of this node wait for the store.
const PATIENCE: Duration = Duration::from_millis(250);

/// How often a store that is away is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// Messages that may wait for a store that is away. What comes beyond is given up and counted.
const LATE_MAX: usize = 65_536;

/// Messages that the store has taken and that are told early, should it be away before they have come back.
const TAKEN_MAX: usize = 4096;

/// Messages that may be on their way into the recorder.
pub(super) const QUEUE_MAX: usize = 1 << 16;

/// Something for the recorder.
#[derive(Debug)]
pub(crate) enum Order {
    Record(Box<Recording>),
    /// Say when all that was ordered before is done, or is late.
    Settle(oneshot::Sender<()>),
    /// Say when nothing of these rooms is late.
    CatchUp(Vec<Room>, oneshot::Sender<()>),
}

/// A message for a history.
#[derive(Debug)]
pub(crate) struct Recording {
    pub(crate) room: Room,
    pub(crate) bytes: Bytes,
    /// What to tell the members of this node if the store takes too long; nothing when they know already.
    pub(crate) early: Option<Envelope>,
}

/// Records what comes, for as long as the node runs.
pub(super) async fn run(node: Arc<Node>, mut orders: mpsc::Receiver<Order>, keep: Retention) {
    let Some(cluster) = &node.cluster else { return };
    let mut recorder = Recorder {
        node: &node,
        cluster,
        keep,
        prompt: Prompt::default(),
        late: Late::default(),
        taken: 0,
        settling: VecDeque::new(),
        catching_up: Vec::new(),
    };
    let mut retry = tokio::time::interval(RETRY);
    retry.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Record(recording)) => recorder.take(*recording),
                Some(Order::Settle(done)) => recorder.settle(done),
                Some(Order::CatchUp(rooms, done)) => recorder.catch_up(rooms, done),
                None => return,
            },
            Some(outcome) = recorder.prompt.under_way.next() => recorder.came_back(outcome),
            Some((room, outcome)) = recorder.late.under_way.next() => recorder.late_came_back(room, outcome),
            _ = retry.tick() => recorder.retry(),
        }
    }
}

/// What is on its way into the histories.
struct Recorder<'a> {
    node: &'a Arc<Node>,
    cluster: &'a Cluster,
    keep: Retention,
    prompt: Prompt,
    late: Late,
    /// Messages so far.
    taken: u64,
    /// Who waits until so many are recorded, or late.
    settling: VecDeque<(u64, oneshot::Sender<()>)>,
    /// Who waits until nothing of some rooms is late.
    catching_up: Vec<(Vec<Room>, oneshot::Sender<()>)>,
}

/// Messages that the store was told at once, in order.
#[derive(Default)]
struct Prompt {
    /// What it has taken and this node was not seen to hear yet; what is for nobody here is not heard.
    taken: VecDeque<Recording>,
    queue: VecDeque<Recording>,
    under_way: FuturesOrdered<Pending<Outcome>>,
}

/// Messages that members of this node know and the store does not, or does not say so.
#[derive(Default)]
struct Late {
    /// By room, those with any.
    rooms: HashMap<Room, LateRoom>,
    count: usize,
    under_way: FuturesUnordered<Pending<(Room, Outcome)>>,
}

#[derive(Default)]
struct LateRoom {
    queue: VecDeque<LateMessage>,
    /// The first is on its way.
    is_under_way: bool,
}

struct LateMessage {
    bytes: Bytes,
    /// It was on its way before, and may be there.
    was_sent: bool,
}

type Outcome = Result<(), StoreError>;
type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl Recorder<'_> {
    fn take(&mut self, mut recording: Recording) {
        self.taken += 1;
        if self.late.count == 0 && self.cluster.is_connected() {
            let (histories, keep) = (self.cluster.backbone.histories().clone(), self.keep);
            let (room, bytes) = (recording.room.clone(), recording.bytes.clone());
            self.prompt.queue.push_back(recording);
            self.prompt.under_way.push_back(Box::pin(async move {
                let appended = tokio::time::timeout(PATIENCE, histories.append(&room, bytes, keep)).await;
                appended.unwrap_or(Err(StoreError::Late(PATIENCE))).map(drop)
            }));
            return;
        }
        self.give_up();
        self.tell_early(&mut recording);
        self.put_off(recording, false);
    }

    /// Answers once all that was taken is recorded, or late.
    fn settle(&mut self, done: oneshot::Sender<()>) {
        if self.prompt.queue.is_empty() {
            // Who asked may have given up.
            let _ = done.send(());
        } else {
            self.settling.push_back((self.taken, done));
        }
    }

    /// Answers once nothing of these rooms is late.
    fn catch_up(&mut self, rooms: Vec<Room>, done: oneshot::Sender<()>) {
        self.catching_up.push((rooms, done));
        self.say_caught_up();
    }

    fn say_caught_up(&mut self) {
        for (rooms, done) in std::mem::take(&mut self.catching_up) {
            if !rooms.iter().any(|room| self.late.rooms.contains_key(room)) {
                // Who asked may have given up.
                let _ = done.send(());
            } else if !done.is_closed() {
                self.catching_up.push((rooms, done));
            }
        }
    }

    /// The store has answered about the first that it was told, or does not.
    fn came_back(&mut self, outcome: Outcome) {
        let refused = match outcome {
            Ok(()) => None,
            Err(StoreError::Refused(error)) => Some(error),
            Err(_) => return self.give_up(),
        };
        let first = self.prompt.queue.pop_front();
        match (refused, first) {
            (Some(error), Some(mut recording)) => {
                tracing::error!(%error, "not recorded");
                self.tell_early(&mut recording);
            }
            (None, Some(recording)) if !self.is_told(&recording) => self.prompt.taken.push_back(recording),
            (_, _) => {}
        }
        while let Some(recording) = self.prompt.taken.front()
            && (self.prompt.taken.len() > TAKEN_MAX || self.is_told(recording))
        {
            self.prompt.taken.pop_front();
        }
        let gone = self.taken - self.prompt.queue.len() as u64;
        while let Some((_, done)) = self.settling.pop_front_if(|(until, _)| *until <= gone) {
            let _ = done.send(());
        }
    }

    /// The store takes too long. Members of this node wait no longer, not for what came later either: it would overtake.
    fn give_up(&mut self) {
        let Prompt { taken, queue, .. } = std::mem::take(&mut self.prompt);
        for mut recording in taken {
            self.tell_early(&mut recording);
        }
        for mut recording in queue {
            self.tell_early(&mut recording);
            self.put_off(recording, true);
        }
        for (_, done) in self.settling.drain(..) {
            let _ = done.send(());
        }
    }

    fn tell_early(&self, recording: &mut Recording) {
        if !self.is_told(recording)
            && let Some(envelope) = recording.early.take()
        {
            self.node.send_here(envelope);
        }
    }

    /// Whether the members of this node know of it, or nobody here is to.
    fn is_told(&self, recording: &Recording) -> bool {
        let Some(Envelope { operation, .. }) = &recording.early else { return true };
        let Operation::Emit { standing: Standing::Early { serial }, .. } = operation else { return true };
        let channel = Channel::Room(recording.room.clone());
        self.cluster.has_arrived(serial) || self.cluster.interest.of(&channel).is_none()
    }

    fn put_off(&mut self, recording: Recording, was_sent: bool) {
        if self.late.count == LATE_MAX {
            self.cluster.counts.unrecorded.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let Recording { room, bytes, .. } = recording;
        let late = self.late.rooms.entry(room.clone()).or_default();
        late.queue.push_back(LateMessage { bytes, was_sent });
        self.late.count += 1;
        self.late.send(room, (self.cluster.backbone.histories(), self.keep));
    }

    fn late_came_back(&mut self, room: Room, outcome: Outcome) {
        let Some(late) = self.late.rooms.get_mut(&room) else { return };
        late.is_under_way = false;
        match outcome {
            Ok(()) => {}
            Err(StoreError::Refused(error)) => tracing::error!(%error, "not recorded"),
            // Later.
            Err(_) => return,
        }
        late.queue.pop_front();
        self.late.count -= 1;
        if late.queue.is_empty() {
            self.late.rooms.remove(&room);
            self.say_caught_up();
        } else {
            self.late.send(room, (self.cluster.backbone.histories(), self.keep));
        }
    }

    /// Tries all that waits.
    fn retry(&mut self) {
        let rooms: Vec<Room> = self.late.rooms.keys().cloned().collect();
        for room in rooms {
            self.late.send(room, (self.cluster.backbone.histories(), self.keep));
        }
    }
}

impl Late {
    /// Sends the first message of a room, unless it is on its way.
    fn send(&mut self, room: Room, (histories, keep): (&Histories, Retention)) {
        let Some(late) = self.rooms.get_mut(&room).filter(|late| !late.is_under_way) else { return };
        let Some(LateMessage { bytes, was_sent }) = late.queue.front_mut() else { return };
        let (bytes, again) = (bytes.clone(), std::mem::replace(was_sent, true));
        late.is_under_way = true;
        let histories = histories.clone();
        self.under_way.push(Box::pin(async move {
            let appended = match again {
                true => histories.append_again(&room, bytes, keep).await,
                false => histories.append(&room, bytes, keep).await,
            };
            (room, appended.map(drop))
        }));
    }
}
