//! The bus in memory: who is subscribed to what, and the seat of each backbone at it.

use std::sync::Arc;

use bytes::Bytes;
use hashbrown::HashMap;

use super::{MemoryStore, lock};
use crate::backbone::random_u64;
use crate::channel::Channel;
use crate::deliveries::{Arrival, Inbox};
use crate::error::StoreError;
use crate::histories::{Append, Attempt, Batch, Position};
use crate::status::Counters;

/// The subscribers of every channel, by the number of their seat.
#[derive(Debug, Default)]
pub(super) struct Switchboard {
    channels: HashMap<Arc<Channel>, HashMap<u64, Arc<Inbox>>>,
}

impl Switchboard {
    /// Hands a message to every subscriber but one.
    fn deliver(&self, channel: &Channel, (bytes, position): (&Bytes, Option<Position>), but: Option<u64>) {
        let Some((channel, seats)) = self.channels.get_key_value(channel) else { return };
        for (_, inbox) in seats.iter().filter(|(number, _)| Some(**number) != but) {
            inbox.deliver([Arrival { channel: channel.clone(), bytes: bytes.clone(), position }]);
        }
    }
}

/// One backbone's place at a store: what it is subscribed to ends with it.
#[derive(Debug)]
pub(crate) struct Seat {
    store: MemoryStore,
    number: u64,
    inbox: Arc<Inbox>,
    counters: Arc<Counters>,
}

impl MemoryStore {
    pub(crate) fn seat(&self, inbox: Arc<Inbox>, counters: Arc<Counters>) -> Arc<Seat> {
        Arc::new(Seat { store: self.clone(), number: random_u64(), inbox, counters })
    }
}

impl Seat {
    pub(crate) fn store(&self) -> &MemoryStore {
        &self.store
    }

    pub(crate) fn publish(&self, channel: &Channel, bytes: &Bytes) {
        lock(&self.store.tables.bus).deliver(channel, (bytes, None), Some(self.number));
        Counters::add(&self.counters.published, 1);
    }

    pub(crate) fn subscribe(&self, channel: Channel) {
        let mut bus = lock(&self.store.tables.bus);
        bus.channels.entry(Arc::new(channel)).or_default().insert(self.number, self.inbox.clone());
    }

    pub(crate) fn release(&self, channel: &Channel) {
        let mut bus = lock(&self.store.tables.bus);
        if let Some(seats) = bus.channels.get_mut(channel) {
            seats.remove(&self.number);
            if seats.is_empty() {
                bus.channels.remove(channel);
            }
        }
    }

    /// Appends and publishes under one lock, so that both have one order.
    pub(crate) async fn append(&self, append: Append<'_>) -> Result<Position, StoreError> {
        let Append { attempt, room, batch: Batch { messages, known }, keep } = append;
        let hanging = self.store.histories().hanging();
        if let Some(broken) = hanging {
            let _ = broken.await;
            return Err(StoreError::Away);
        }
        let mut histories = self.store.histories();
        let mut top = histories.position(room, known, keep);
        let last = messages.last().filter(|_| attempt == Attempt::Again);
        if let Some(there) = last.and_then(|last| histories.find(room, last)) {
            return Ok(there);
        }
        let (bus, channel) = (lock(&self.store.tables.bus), Channel::Room(room.clone()));
        for bytes in messages {
            top = histories.append(room, bytes.clone(), keep);
            bus.deliver(&channel, (bytes, Some(top)), None);
        }
        Ok(top)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        lock(&self.store.tables.bus).channels.retain(|_, seats| {
            seats.remove(&self.number);
            !seats.is_empty()
        });
    }
}
