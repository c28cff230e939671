//! Messages that wait to leave, by partition. They leave in the order in which they were published: what a node tells another
//! by one server arrives in that order, whatever the channels. Neighbours of one channel leave as one message of the store.
//! Bounded in bytes; what is volatile does not wait for a connection.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

use crate::bus::{BusError, Urgency};
use crate::channel::Channel;
use crate::status::Counters;

/// Bytes that leave in one batch, but for the last message.
const BATCH_BYTES_MAX: usize = 1024 * 1024;
/// Bytes that leave in one message of the store, if they are several.
const PARCEL_BYTES_MAX: usize = 64 * 1024;
/// What a message costs beside its bytes.
const OVERHEAD_BYTES: usize = 128;

/// What waits.
#[derive(Debug)]
pub(crate) struct Outbox {
    state: Mutex<State>,
    bytes_max: usize,
    counters: Arc<Counters>,
}

#[derive(Debug)]
struct State {
    queues: Vec<Queue>,
    /// Of all that waits or is on its way.
    bytes: usize,
    /// How many messages there were.
    published: u64,
}

/// The messages of a partition.
#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<(Channel, Message)>,
    lane: Option<Arc<Lane>>,
    /// Parcels on their way.
    flying: usize,
    /// Whether these left another way: they may come back, and go first.
    held: bool,
}

/// The way out of some partitions: a connection that takes what waits, a batch at a time.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    /// Woken when something waits.
    pub(crate) arrived: Notify,
}

#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) bytes: Bytes,
    urgency: Urgency,
    /// How many were published before.
    order: u64,
}

/// Messages of one channel on their way. Their bytes are free only when they have arrived: they may come back.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(crate) partition: u16,
    pub(crate) channel: Channel,
    pub(crate) messages: Vec<Message>,
}

impl Outbox {
    pub(crate) fn new(partitions: u16, bytes_max: usize, counters: Arc<Counters>) -> Self {
        let queues = (0..partitions).map(|_| Queue::default()).collect();
        Self { state: Mutex::new(State { queues, bytes: 0, published: 0 }), bytes_max, counters }
    }

    /// Takes a message, never waits.
    pub(crate) fn publish(
        &self,
        (partition, channel): (u16, Channel),
        bytes: Bytes,
        urgency: Urgency,
    ) -> Result<(), BusError> {
        let mut state = self.lock();
        let message = Message { bytes, urgency, order: state.published };
        let cost = message.cost();
        let full = state.bytes + cost > self.bytes_max;
        let queue = &mut state.queues[usize::from(partition)];
        if urgency == Urgency::Volatile && (full || queue.lane.is_none()) {
            drop(state);
            Counters::add(&self.counters.volatile_dropped, 1);
            return Ok(());
        }
        if full {
            drop(state);
            Counters::add(&self.counters.publishes_refused, 1);
            return Err(BusError::QueueFull);
        }
        queue.waiting.push_back((channel, message));
        let lane = queue.lane.clone();
        state.bytes += cost;
        state.published += 1;
        drop(state);
        if let Some(lane) = lane {
            lane.arrived.notify_one();
        }
        Ok(())
    }

    /// Says which way a partition goes.
    pub(crate) fn open(&self, partition: u16, lane: Arc<Lane>) {
        let mut state = self.lock();
        let queue = &mut state.queues[usize::from(partition)];
        queue.held = queue.flying > 0;
        queue.lane = Some(lane.clone());
        drop(state);
        lane.arrived.notify_one();
    }

    /// Says that a partition does not go this way any more. What is volatile is dropped.
    pub(crate) fn close(&self, partition: u16, lane: &Arc<Lane>) {
        let mut state = self.lock();
        let queue = &mut state.queues[usize::from(partition)];
        if !queue.goes(lane) {
            return;
        }
        queue.lane = None;
        let (mut count, mut bytes) = (0, 0);
        queue.waiting.retain(|(_, message)| {
            let stays = message.urgency == Urgency::Kept;
            if !stays {
                count += 1;
                bytes += message.cost();
            }
            stays
        });
        state.bytes -= bytes;
        drop(state);
        Counters::add(&self.counters.volatile_dropped, count);
    }

    /// Takes what goes this way, the longest waiting first, as much as may leave together.
    pub(crate) fn take(&self, lane: &Arc<Lane>) -> Vec<Parcel> {
        let mut state = self.lock();
        let first = |(partition, queue): (u16, &Queue)| {
            let order = queue.first().filter(|_| queue.goes(lane) && !queue.held)?;
            Some(Reverse((order, partition)))
        };
        let mut firsts: BinaryHeap<_> = (0..).zip(&state.queues).filter_map(first).collect();
        let mut batch = Batch::default();
        while let Some(Reverse((_, partition))) = firsts.pop() {
            let queue = &mut state.queues[usize::from(partition)];
            let others = firsts.peek().map_or(u64::MAX, |Reverse((order, _))| *order);
            while batch.bytes < BATCH_BYTES_MAX
                && queue.first().is_some_and(|order| order < others)
                && let Some((channel, message)) = queue.waiting.pop_front()
            {
                queue.flying += batch.add(partition, channel, message);
            }
            if batch.bytes >= BATCH_BYTES_MAX {
                break;
            }
            firsts.extend(queue.first().map(|order| Reverse((order, partition))));
        }
        batch.parcels
    }

    /// Says what became of messages: the store took them, or refused them for good.
    pub(crate) fn done(&self, parcel: &Parcel, counter: &std::sync::atomic::AtomicU64) {
        Counters::add(counter, parcel.messages.len() as u64);
        let mut state = self.lock();
        state.bytes -= parcel.messages.iter().map(Message::cost).sum::<usize>();
        state.queues[usize::from(parcel.partition)].land();
    }

    /// Puts back what could not leave, before all that came later, without what is volatile.
    pub(crate) fn put_back(&self, parcels: Vec<Parcel>) {
        let mut dropped = 0;
        let mut state = self.lock();
        for Parcel { partition, channel, messages } in parcels.into_iter().rev() {
            let mut bytes = 0;
            let queue = &mut state.queues[usize::from(partition)];
            for message in messages.into_iter().rev() {
                if message.urgency == Urgency::Volatile {
                    dropped += 1;
                    bytes += message.cost();
                } else {
                    queue.waiting.push_front((channel.clone(), message));
                }
            }
            queue.land();
            state.bytes -= bytes;
        }
        drop(state);
        Counters::add(&self.counters.volatile_dropped, dropped);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn goes(&self, lane: &Arc<Lane>) -> bool {
        self.lane.as_ref().is_some_and(|its| Arc::ptr_eq(its, lane))
    }

    /// How many messages were published before the first that waits.
    fn first(&self) -> Option<u64> {
        self.waiting.front().map(|(_, message)| message.order)
    }

    /// A parcel is not on its way any more.
    fn land(&mut self) {
        self.flying -= 1;
        if self.flying == 0 {
            self.held = false;
            if let Some(lane) = self.lane.as_ref().filter(|_| !self.waiting.is_empty()) {
                lane.arrived.notify_one();
            }
        }
    }
}

/// What leaves together.
#[derive(Default)]
struct Batch {
    parcels: Vec<Parcel>,
    bytes: usize,
    /// Of the last parcel.
    parcel_bytes: usize,
}

impl Batch {
    /// Adds a message; says how many parcels that made.
    fn add(&mut self, partition: u16, channel: Channel, message: Message) -> usize {
        let cost = message.cost();
        self.bytes += cost;
        self.parcel_bytes += cost;
        match self.parcels.last_mut() {
            Some(last) if last.channel == channel && self.parcel_bytes <= PARCEL_BYTES_MAX => {
                last.messages.push(message);
                0
            }
            _ => {
                self.parcel_bytes = cost;
                self.parcels.push(Parcel { partition, channel, messages: vec![message] });
                1
            }
        }
    }
}

impl Message {
    fn cost(&self) -> usize {
        self.bytes.len() + OVERHEAD_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbox(bytes_max: usize) -> (Outbox, Arc<Lane>) {
        let (outbox, lane) = (Outbox::new(2, bytes_max, Arc::default()), Arc::new(Lane::default()));
        outbox.open(0, lane.clone());
        (outbox, lane)
    }

    fn publish(outbox: &Outbox, room: &str, text: &str, urgency: Urgency) -> Result<(), BusError> {
        outbox.publish((0, Channel::room("t", "/", room)), Bytes::from(text.to_owned()), urgency)
    }

    fn texts(parcels: &[Parcel]) -> Vec<String> {
        let text = |message: &Message| String::from_utf8_lossy(&message.bytes).into_owned();
        parcels.iter().map(|parcel| parcel.messages.iter().map(text).collect::<Vec<_>>().join(" ")).collect()
    }

    #[test]
    fn messages_leave_in_order_and_neighbours_of_a_channel_together() {
        let (outbox, lane) = outbox(10_000);
        outbox.open(1, lane.clone());
        for (partition, room, text) in
            [(0, "a", "1"), (0, "a", "2"), (1, "b", "3"), (0, "a", "4"), (0, "c", "5"), (1, "b", "6")]
        {
            outbox
                .publish((partition, Channel::room("t", "/", room)), Bytes::from(text), Urgency::Kept)
                .unwrap();
        }
        assert_eq!(texts(&outbox.take(&Arc::default())), Vec::<String>::new(), "another way");
        let parcels = outbox.take(&lane);
        assert_eq!(texts(&parcels), ["1 2", "3", "4", "5", "6"]);
        assert_eq!(texts(&outbox.take(&lane)), Vec::<String>::new());
        outbox.put_back(parcels);
        assert_eq!(texts(&outbox.take(&lane)), ["1 2", "3", "4", "5", "6"]);
    }

    #[test]
    fn what_comes_back_goes_before_what_came_later_but_for_the_volatile() {
        let (outbox, lane) = outbox(1_000_000);
        let long = "x".repeat(PARCEL_BYTES_MAX);
        for (text, urgency) in [("1", Urgency::Kept), ("2", Urgency::Volatile), (&long, Urgency::Kept)] {
            publish(&outbox, "a", text, urgency).unwrap();
        }
        let parcels = outbox.take(&lane);
        assert_eq!(texts(&parcels), ["1 2", &long]);
        publish(&outbox, "a", "4", Urgency::Kept).unwrap();
        outbox.put_back(parcels);
        assert_eq!(texts(&outbox.take(&lane)), ["1", &long, "4"]);
        assert_eq!(outbox.counters.read().volatile_dropped, 1);
    }

    #[test]
    fn what_does_not_fit_is_refused_until_some_has_arrived() {
        let (outbox, lane) = outbox(OVERHEAD_BYTES + 1);
        publish(&outbox, "a", "1", Urgency::Kept).unwrap();
        let parcels = outbox.take(&lane);
        assert_eq!(publish(&outbox, "a", "2", Urgency::Kept), Err(BusError::QueueFull));
        assert_eq!(publish(&outbox, "a", "3", Urgency::Volatile), Ok(()));
        outbox.done(&parcels[0], &outbox.counters.published);
        publish(&outbox, "a", "4", Urgency::Kept).unwrap();
        assert_eq!(texts(&outbox.take(&lane)), ["4"]);
        let counted = outbox.counters.read();
        assert_eq!((counted.published, counted.publishes_refused, counted.volatile_dropped), (1, 1, 1));
    }

    #[test]
    fn without_a_way_out_what_is_kept_waits() {
        let (outbox, lane) = outbox(1000);
        publish(&outbox, "a", "1", Urgency::Kept).unwrap();
        publish(&outbox, "b", "2", Urgency::Volatile).unwrap();
        outbox.close(0, &Arc::default());
        outbox.close(0, &lane);
        publish(&outbox, "a", "3", Urgency::Volatile).unwrap();
        assert_eq!(outbox.counters.read().volatile_dropped, 2);
        assert!(outbox.take(&lane).is_empty());
        outbox.open(0, lane.clone());
        assert_eq!(texts(&outbox.take(&lane)), ["1"]);
    }

    #[test]
    fn another_way_waits_for_what_may_come_back() {
        let (outbox, lane) = outbox(1000);
        publish(&outbox, "a", "1", Urgency::Kept).unwrap();
        let parcels = outbox.take(&lane);
        publish(&outbox, "a", "2", Urgency::Kept).unwrap();
        let other = Arc::new(Lane::default());
        outbox.open(0, other.clone());
        assert!(outbox.take(&other).is_empty());
        outbox.put_back(parcels);
        assert_eq!(texts(&outbox.take(&other)), ["1 2"]);
    }

    #[test]
    fn a_batch_is_bounded() {
        let (outbox, lane) = outbox(100 * BATCH_BYTES_MAX);
        outbox.open(1, lane.clone());
        let large = Bytes::from(vec![0; BATCH_BYTES_MAX]);
        for (partition, room) in [(0, "a"), (0, "b"), (1, "c")] {
            outbox.publish((partition, Channel::room("t", "/", room)), large.clone(), Urgency::Kept).unwrap();
        }
        let rooms = || {
            let parcels = outbox.take(&lane);
            parcels.iter().for_each(|parcel| outbox.done(parcel, &outbox.counters.published));
            parcels.into_iter().map(|parcel| parcel.channel).collect::<Vec<_>>()
        };
        let room = |name: &str| Channel::room("t", "/", name);
        assert_eq!(rooms(), [room("a")]);
        assert_eq!(rooms(), [room("b")]);
        assert_eq!(rooms(), [room("c")]);
    }
}
