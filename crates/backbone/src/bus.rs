//! The bus: bytes on channels. It gives each message to every other node that is subscribed, at most once and in the
//! publisher's order per channel; whoever may have missed some is told ([`Delivery::Resynced`]). Its own members a node
//! serves itself, whether the store is there or not.
//!
//! [`Delivery::Resynced`]: crate::Delivery::Resynced

use bytes::Bytes;

use crate::backbone::Kind;
use crate::channel::Channel;

/// The most bytes of a message.
pub const PAYLOAD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What becomes of a message that cannot leave at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// It waits for the store in a bounded queue.
    Kept,
    /// It is dropped, and counted: it is worth nothing later.
    Volatile,
}

/// Why the bus did not take something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// The store is away or slow and as much is waiting for it as may. Try again later.
    #[error("the queue of messages to publish is full")]
    QueueFull,
    /// More than [`PAYLOAD_BYTES_MAX`].
    #[error("a message of {0} bytes is too large for the bus")]
    TooLarge(usize),
    /// The subscription is noted but the store has not confirmed it; when it does, the channel is reported as missed.
    #[error("the subscription waits for the store")]
    Waiting,
    /// As many subscriptions as there may be.
    #[error("too many channels are subscribed to")]
    TooManyChannels,
}

/// The bus of a backbone.
#[derive(Debug, Clone)]
pub struct Bus {
    kind: Kind,
}

impl Bus {
    pub(crate) fn new(kind: Kind) -> Self {
        Self { kind }
    }

    /// Publishes a message to the other nodes. Returns at once: it is delivered, or queued, or with [`Urgency::Volatile`] perhaps dropped.
    /// A message that was on its way while the connection broke is sent again when it is kept, so that it may arrive
    /// twice.
    pub fn publish(&self, channel: Channel, bytes: Bytes, urgency: Urgency) -> Result<(), BusError> {
        if bytes.len() > PAYLOAD_BYTES_MAX {
            return Err(BusError::TooLarge(bytes.len()));
        }
        match &self.kind {
            Kind::Memory(seat) => {
                seat.publish(&channel, &bytes);
                Ok(())
            }
            Kind::Redis(store) => store.publish(channel, bytes, urgency),
        }
    }

    /// Subscribes to a channel and waits until messages arrive. Who counts members is the owner: it subscribes with the
    /// first; a second call for the same channel changes nothing.
    pub async fn subscribe(&self, channel: Channel) -> Result<(), BusError> {
        match &self.kind {
            Kind::Memory(seat) => {
                seat.subscribe(channel);
                Ok(())
            }
            Kind::Redis(store) => store.subscribe(channel).await,
        }
    }

    /// Lets go of a channel: nothing of it is delivered from now on. The store keeps the subscription for a while, in case
    /// the owner comes back.
    pub fn release(&self, channel: &Channel) {
        match &self.kind {
            Kind::Memory(seat) => seat.release(channel),
            Kind::Redis(store) => store.release(channel),
        }
    }
}
