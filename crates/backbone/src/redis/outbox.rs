//! Messages that wait to leave, by partition and channel. Those of one channel leave together: what waits while the last
//! batch is on its way becomes one message of the store. Bounded in bytes; what is volatile does not wait for a connection.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use hashbrown::DefaultHashBuilder;
use indexmap::IndexMap;
use tokio::sync::Notify;

use crate::bus::{BusError, Urgency};
use crate::channel::Channel;
use crate::status::Counters;

/// Bytes that leave in one batch, but for the messages of the last channel.
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
    /// The partition that the next batch begins with.
    turn: usize,
}

/// The messages of a partition.
#[derive(Debug, Default)]
struct Queue {
    channels: IndexMap<Channel, Vec<Message>, DefaultHashBuilder>,
    lane: Option<Arc<Lane>>,
    /// Parcels on their way.
    flying: usize,
}

/// The way out of some partitions: a connection that takes what waits.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    /// Woken when something waits.
    pub(crate) arrived: Notify,
}

#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) bytes: Bytes,
    urgency: Urgency,
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
        Self { state: Mutex::new(State { queues, bytes: 0, turn: 0 }), bytes_max, counters }
    }

    /// Takes a message, never waits.
    pub(crate) fn publish(
        &self,
        (partition, channel): (u16, Channel),
        bytes: Bytes,
        urgency: Urgency,
    ) -> Result<(), BusError> {
        let message = Message { bytes, urgency };
        let cost = message.cost();
        let mut state = self.lock();
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
        queue.channels.entry(channel).or_default().push(message);
        let lane = queue.lane.clone();
        state.bytes += cost;
        drop(state);
        if let Some(lane) = lane {
            lane.arrived.notify_one();
        }
        Ok(())
    }

    /// Says which way a partition goes.
    pub(crate) fn open(&self, partition: u16, lane: Arc<Lane>) {
        self.lock().queues[usize::from(partition)].lane = Some(lane.clone());
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
        queue.channels.retain(|_, messages| {
            for message in messages.extract_if(.., |message| message.urgency == Urgency::Volatile) {
                count += 1;
                bytes += message.cost();
            }
            !messages.is_empty()
        });
        state.bytes -= bytes;
        drop(state);
        Counters::add(&self.counters.volatile_dropped, count);
    }

    /// Takes what goes this way, as much as may leave together.
    pub(crate) fn take(&self, lane: &Arc<Lane>) -> Vec<Parcel> {
        let mut state = self.lock();
        let State { queues, turn, .. } = &mut *state;
        let (mut parcels, mut bytes) = (Vec::new(), 0);
        for step in 0..queues.len() {
            let place = (*turn + step) % queues.len();
            let queue = &mut queues[place];
            // What left another way may come back, and goes first.
            if queue.channels.is_empty() || queue.flying > 0 || !queue.goes(lane) {
                continue;
            }
            if bytes >= BATCH_BYTES_MAX {
                *turn = place;
                break;
            }
            let mut count = 0;
            for messages in queue.channels.values() {
                if bytes >= BATCH_BYTES_MAX {
                    break;
                }
                bytes += cost(messages);
                count += 1;
            }
            let before = parcels.len();
            for (channel, messages) in queue.channels.drain(..count) {
                pack(place as u16, channel, messages, &mut parcels);
            }
            queue.flying = parcels.len() - before;
        }
        parcels
    }

    /// Says what became of messages: the store took them, or refused them for good.
    pub(crate) fn done(&self, parcel: &Parcel, counter: &std::sync::atomic::AtomicU64) {
        Counters::add(counter, parcel.messages.len() as u64);
        let mut state = self.lock();
        state.bytes -= cost(&parcel.messages);
        state.queues[usize::from(parcel.partition)].land();
    }

    /// Puts back what could not leave, before all that came later, without what is volatile.
    pub(crate) fn put_back(&self, parcels: Vec<Parcel>) {
        if parcels.is_empty() {
            return;
        }
        let mut dropped = 0;
        let mut state = self.lock();
        for Parcel { partition, channel, messages } in parcels.into_iter().rev() {
            let (kept, volatile): (Vec<Message>, Vec<Message>) =
                messages.into_iter().partition(|message| message.urgency == Urgency::Kept);
            dropped += volatile.len() as u64;
            state.bytes -= cost(&volatile);
            let queue = &mut state.queues[usize::from(partition)];
            if !kept.is_empty() {
                queue.channels.entry(channel).or_default().splice(0..0, kept);
            }
            queue.land();
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

    /// A parcel is not on its way any more.
    fn land(&mut self) {
        self.flying -= 1;
        if let Some(lane) = self.lane.as_ref().filter(|_| self.flying == 0 && !self.channels.is_empty()) {
            lane.arrived.notify_one();
        }
    }
}

impl Message {
    fn cost(&self) -> usize {
        self.bytes.len() + OVERHEAD_BYTES
    }
}

fn cost(messages: &[Message]) -> usize {
    messages.iter().map(Message::cost).sum()
}

/// Makes parcels of the messages of a channel, of as many as may leave as one.
fn pack(partition: u16, channel: Channel, messages: Vec<Message>, into: &mut Vec<Parcel>) {
    if cost(&messages) <= PARCEL_BYTES_MAX {
        into.push(Parcel { partition, channel, messages });
        return;
    }
    let (mut parcel, mut bytes) = (Vec::new(), 0);
    for message in messages {
        if bytes + message.cost() > PARCEL_BYTES_MAX && !parcel.is_empty() {
            let messages = std::mem::take(&mut parcel);
            into.push(Parcel { partition, channel: channel.clone(), messages });
            bytes = 0;
        }
        bytes += message.cost();
        parcel.push(message);
    }
    into.push(Parcel { partition, channel, messages: parcel });
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
    fn messages_of_a_channel_leave_together_and_in_order() {
        let (outbox, lane) = outbox(10_000);
        for (room, text) in [("a", "1"), ("b", "2"), ("a", "3")] {
            publish(&outbox, room, text, Urgency::Kept).unwrap();
        }
        assert_eq!(texts(&outbox.take(&Arc::default())), Vec::<String>::new(), "another way");
        assert_eq!(texts(&outbox.take(&lane)), ["1 3", "2"]);
        assert_eq!(texts(&outbox.take(&lane)), Vec::<String>::new());
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
    fn a_batch_is_bounded_and_every_partition_has_its_turn() {
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
        assert_eq!(rooms(), [room("c")]);
        assert_eq!(rooms(), [room("b")]);
    }
}
