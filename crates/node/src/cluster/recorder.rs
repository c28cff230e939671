//! What goes into the histories of rooms: every event that clients may recover. It comes back over the bus with its position,
//! to this node as to the others, so that all hand it on in the same order.
//!
//! A room has one append on its way at a time, of all that has come for it since the last; so a history has the order of
//! saying, whatever becomes of connections. Rooms do not wait for each other. When the store takes too long with a room, the
//! members of this node are told at once, and the store later.

use std::collections::{HashMap, VecDeque};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use throng_backbone::{Batch, Channel, Position, Retention, Room, StoreError};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior};

use super::Cluster;
use super::line::{self, Entry, Line, Step};
use crate::envelope::{Envelope, Operation, Standing};
use crate::node::Node;

/// How long members of this node wait for the store.
const PATIENCE: Duration = Duration::from_millis(250);

/// How often it is tried again to append what may be there or not.
const RETRY: Duration = Duration::from_millis(500);

/// Messages that may wait for the store, and bytes in them. What comes beyond is given up and counted.
const WAITING_MAX: usize = 65_536;
const WAITING_BYTES_MAX: usize = 32 * 1024 * 1024;

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
    /// Say when nothing of these rooms is late or lost.
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
        cluster,
        here: Here { node: &node, cluster },
        writer: Writer { cluster, keep },
        lines: HashMap::new(),
        waiting: Waiting::default(),
        under_way: FuturesUnordered::new(),
        taken: VecDeque::new(),
        count: 0,
        awaited: VecDeque::new(),
        settling: VecDeque::new(),
        catching_up: Vec::new(),
    };
    let mut retry = tokio::time::interval(RETRY);
    retry.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut patience = pin!(tokio::time::sleep(PATIENCE));
    loop {
        cluster.overflow.take(|| orders.is_empty()).iter().for_each(|room| recorder.lose(room));
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Record(recording)) => recorder.take(*recording),
                Some(Order::Settle(done)) => recorder.settle(done),
                Some(Order::CatchUp(rooms, done)) => recorder.catch_up(rooms, done),
                None => return,
            },
            Some((room, outcome)) = recorder.under_way.next() => recorder.came_back(&room, outcome),
            () = &mut patience, if !recorder.is_idle() => {
                patience.as_mut().reset(recorder.lose_patience(Instant::now()));
            }
            _ = retry.tick() => recorder.retry(),
        }
    }
}

/// What is on its way into the histories.
struct Recorder<'a> {
    cluster: &'a Cluster,
    here: Here<'a>,
    writer: Writer<'a>,
    /// By room, those of which the store has not all.
    lines: HashMap<Room, Line>,
    waiting: Waiting,
    under_way: FuturesUnordered<Pending>,
    /// What the store has taken and this node was not seen to hear yet; what is for nobody here is not heard.
    taken: VecDeque<Taken>,
    /// Messages so far.
    count: u64,
    /// Messages that may be waited for, in the order of coming.
    awaited: VecDeque<Awaited>,
    /// Who waits until so many are recorded, or late.
    settling: VecDeque<(u64, oneshot::Sender<()>)>,
    /// Who waits until nothing of some rooms is late.
    catching_up: Vec<(Vec<Room>, oneshot::Sender<()>)>,
}

/// What is in all lines.
#[derive(Debug, Default, PartialEq, Eq)]
struct Waiting {
    count: usize,
    bytes: usize,
}

impl Waiting {
    /// Counts a message in; `false` when there is no place for it. The first has one, however long.
    fn add(&mut self, message: &Bytes) -> bool {
        let is_first = self.count == 0;
        let fits = self.count < WAITING_MAX && self.bytes + message.len() <= WAITING_BYTES_MAX;
        if is_first || fits {
            self.count += 1;
            self.bytes += message.len();
        }
        is_first || fits
    }

    fn remove(&mut self, message: &Bytes) {
        self.count -= 1;
        self.bytes -= message.len();
    }
}

/// A message, and until when members of this node wait for the store to have it.
struct Awaited {
    number: u64,
    room: Room,
    until: Instant,
}

/// A message that the store has, and until when members of this node wait for it to come back.
struct Taken {
    room: Room,
    envelope: Envelope,
    until: Instant,
}

type Outcome = Result<(), StoreError>;
type Pending = Pin<Box<dyn Future<Output = (Room, Outcome)> + Send>>;

impl Recorder<'_> {
    fn take(&mut self, Recording { room, bytes, early }: Recording) {
        if !self.waiting.add(&bytes) {
            self.cluster.counts.unrecorded.fetch_add(1, Ordering::Relaxed);
            self.lose(&room);
            return early.into_iter().for_each(|envelope| self.here.tell_unrecorded(envelope));
        }
        self.count += 1;
        let until = Instant::now() + PATIENCE;
        let line = self.lines.entry(room.clone()).or_default();
        line.push(Entry { number: self.count, until, bytes, early, follows_loss: false });
        if line.is_late() || !self.cluster.is_connected() {
            self.give_up(&room);
        } else {
            self.awaited.push_back(Awaited { number: self.count, room: room.clone(), until });
        }
        self.send(&room);
    }

    /// A message of a room is lost, behind all that has come for it.
    fn lose(&mut self, room: &Room) {
        self.lines.entry(room.clone()).or_default().lose();
        self.give_up(room);
    }

    /// Sends the next batch of a room, unless the last one is on its way or may be there.
    fn send(&mut self, room: &Room) {
        if let Some(batch) = self.lines.get_mut(room).and_then(Line::next) {
            self.under_way.push(self.writer.append(room.clone(), batch));
        }
    }

    /// Tries again to append what may be there or not, and to begin anew.
    fn retry(&mut self) {
        for (room, line) in &mut self.lines {
            if let Some(step) = line.again() {
                self.under_way.push(self.writer.take(room.clone(), step));
            }
        }
    }

    /// The store has answered about the batch of a room, or does not.
    fn came_back(&mut self, room: &Room, outcome: Outcome) {
        if outcome.is_err() {
            self.give_up(room);
        }
        let Some(line) = self.lines.get_mut(room) else { return };
        match outcome {
            Ok(()) => {
                for Entry { early, until, bytes, .. } in line.done() {
                    self.waiting.remove(&bytes);
                    let taken = |envelope| Taken { room: room.clone(), envelope, until };
                    self.taken.extend(early.map(taken));
                }
            }
            Err(StoreError::Refused(error)) => {
                let mut lost = 0;
                for entry in line.refused() {
                    self.waiting.remove(&entry.bytes);
                    lost += 1;
                }
                self.cluster.counts.unrecorded.fetch_add(lost, Ordering::Relaxed);
                tracing::error!(%error, lost, "not recorded");
                // A beginning that is refused waits until it is tried again.
                if lost > 0
                    && let Some(step) = line.again()
                {
                    self.under_way.push(self.writer.take(room.clone(), step));
                }
            }
            Err(_) => line.failed(),
        }
        if line.is_empty() {
            self.lines.remove(room);
        } else {
            self.send(room);
        }
        while let Some(Taken { room, envelope, .. }) = self.taken.front()
            && (self.taken.len() > TAKEN_MAX || self.here.is_told(room, envelope))
        {
            self.taken.pop_front();
        }
        self.answer();
    }

    /// Whether members here wait for nothing.
    fn is_idle(&self) -> bool {
        self.awaited.is_empty() && self.taken.is_empty()
    }

    /// Tells what members here have waited for long enough; gives when to look again.
    fn lose_patience(&mut self, now: Instant) -> Instant {
        while let Some(Taken { room, envelope, .. }) = self.taken.pop_front_if(|taken| taken.until <= now) {
            self.here.tell_early(&room, envelope);
        }
        while let Some(awaited) = self.awaited.pop_front_if(|awaited| awaited.until <= now) {
            if is_awaited(&self.lines, &awaited) {
                self.give_up(&awaited.room);
            }
        }
        self.answer();
        let next =
            [self.awaited.front().map(|first| first.until), self.taken.front().map(|first| first.until)];
        next.into_iter().flatten().min().unwrap_or(now + PATIENCE)
    }

    /// The store takes too long. Members of this node wait no longer, not for what came later either: it would overtake.
    fn give_up(&mut self, room: &Room) {
        let line = self.lines.get_mut(room);
        if line.as_ref().is_none_or(|line| !line.is_late()) {
            self.taken.drain(..).for_each(|taken| self.here.tell_early(&taken.room, taken.envelope));
        }
        let unknown = line.into_iter().flat_map(Line::give_up);
        unknown.for_each(|envelope| self.here.tell_early(room, envelope));
    }

    /// Answers once all that was taken is recorded, or late.
    fn settle(&mut self, done: oneshot::Sender<()>) {
        self.settling.push_back((self.count, done));
        self.answer();
    }

    /// Answers once nothing of these rooms is late, or lost and their history has not begun anew.
    fn catch_up(&mut self, rooms: Vec<Room>, done: oneshot::Sender<()>) {
        self.catching_up.push((rooms, done));
        self.answer();
    }

    /// Answers those who need not wait any more. Who asked may have given up.
    fn answer(&mut self) {
        while self.awaited.pop_front_if(|awaited| !is_awaited(&self.lines, awaited)).is_some() {}
        let settled = self.awaited.front().map_or(self.count, |first| first.number - 1);
        while let Some((_, done)) = self.settling.pop_front_if(|(until, _)| *until <= settled) {
            let _ = done.send(());
        }
        let (lines, overflow) = (&self.lines, &self.cluster.overflow);
        let is_behind = |room: &Room| lines.get(room).is_some_and(Line::is_behind) || overflow.has(room);
        for (_, done) in self.catching_up.extract_if(.., |(rooms, _)| !rooms.iter().any(is_behind)) {
            let _ = done.send(());
        }
        self.catching_up.retain(|(_, done)| !done.is_closed());
    }
}

/// Whether members of this node still wait for a message.
fn is_awaited(lines: &HashMap<Room, Line>, awaited: &Awaited) -> bool {
    lines.get(&awaited.room).is_some_and(|line| line.is_awaited(awaited.number))
}

/// The way into the histories.
struct Writer<'a> {
    cluster: &'a Cluster,
    keep: Retention,
}

impl Writer<'_> {
    fn take(&self, room: Room, step: Step) -> Pending {
        match step {
            Step::Append(batch) => self.append(room, batch),
            Step::BeginAnew => self.begin_anew(room),
        }
    }

    /// Ends the history, so that nobody who was in it before is told that nothing was missed.
    fn begin_anew(&self, room: Room) -> Pending {
        let (histories, keep) = (self.cluster.backbone.histories().clone(), self.keep);
        Box::pin(async move {
            let begun = match histories.position(&room, keep).await {
                // It has lost its end for whoever knows of more than it has.
                Ok(top) => {
                    let known = Position { offset: u64::MAX, ..top };
                    histories.position_past(&room, Some(known), keep).await
                }
                unknown => unknown,
            };
            (room, begun.map(drop))
        })
    }

    fn append(&self, room: Room, line::Batch { messages, may_be_there }: line::Batch) -> Pending {
        let (histories, keep) = (self.cluster.backbone.histories().clone(), self.keep);
        let known = self.cluster.interest.last(&Channel::Room(room.clone()));
        Box::pin(async move {
            let batch = Batch { messages: &messages, known };
            let appended = match may_be_there {
                true => histories.append_again(&room, batch, keep).await,
                false => histories.append(&room, batch, keep).await,
            };
            (room, appended.map(drop))
        })
    }
}

/// The members of this node.
struct Here<'a> {
    node: &'a Arc<Node>,
    cluster: &'a Cluster,
}

impl Here<'_> {
    fn tell_early(&self, room: &Room, envelope: Envelope) {
        if !self.is_told(room, &envelope) {
            self.node.send_here(envelope);
        }
    }

    fn tell_unrecorded(&self, envelope: Envelope) {
        self.node.send_here(envelope.with_standing(Standing::Unrecorded));
    }

    /// Whether they know of it, or nobody is to.
    fn is_told(&self, room: &Room, envelope: &Envelope) -> bool {
        let Operation::Emit { standing: Standing::Early { serial, .. }, .. } = &envelope.operation else {
            return true;
        };
        let channel = Channel::Room(room.clone());
        self.cluster.has_arrived(serial) || self.cluster.interest.of(&channel).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_bounded_in_messages_and_in_bytes() {
        for (length, fits) in [(1, WAITING_MAX), (1 << 20, WAITING_BYTES_MAX >> 20)] {
            let (mut waiting, message) = (Waiting::default(), Bytes::from(vec![0; length]));
            assert_eq!((0..).take_while(|_| waiting.add(&message)).count(), fits);
            waiting.remove(&message);
            assert!(waiting.add(&message) && !waiting.add(&message));
            (0..fits).for_each(|_| waiting.remove(&message));
            assert_eq!(waiting, Waiting::default());
        }
        let mut waiting = Waiting::default();
        assert!(waiting.add(&Bytes::from(vec![0; WAITING_BYTES_MAX + 1])), "it is the first");
        assert!(!waiting.add(&Bytes::from_static(b"x")));
    }
}
