//! What the nodes of a fleet share: a bus of messages, each other's membership, leases, tickets, documents,
//! sessions and the histories of rooms. [`Backbone`] is the one handle; it keeps all of it in memory or in Redis (single, behind Sentinel,
//! or a Cluster), and nothing outside can tell which.
//!
//! This crate knows no node, no app and no lobby, and is the only one with a Redis client. Bytes go in and out; what they
//! mean is for others. Nothing here decides anything: each operation is one small atomic step.

mod backbone;
mod backoff;
mod bus;
mod channel;
mod config;
mod deliveries;
mod documents;
mod error;
mod histories;
mod leases;
mod members;
mod memory;
mod redis;
mod sessions;
mod status;
mod tickets;

pub use backbone::{Backbone, OpenError};
pub use backoff::Backoff;
pub use bus::{Bus, BusError, PAYLOAD_BYTES_MAX, Urgency};
pub use channel::{Channel, Room};
pub use config::{Config, Heartbeat, Store};
pub use deliveries::{Deliveries, Delivery, Missed};
pub use documents::{Document, DocumentError, DocumentKey, Documents, Expect, Terms};
pub use error::StoreError;
pub use histories::{Batch, Entry, Gone, Histories, Position, Replay, Retention};
pub use leases::{Lease, LeaseError, Leases};
pub use members::{Incarnation, Load, Member, Members};
pub use memory::MemoryStore;
pub use redis::{
    Address, BadKeyPrefix, BadRedisUrl, Credentials, Deployment, KeyPrefix, RedisConfig, Tls, TlsError,
};
pub use sessions::{Hold, Session, SessionError, SessionKey, Sessions};
pub use status::Status;
pub use tickets::{
    Commit, Committed, RECORDS_MAX, Receipt, Register, Scope, Tickets, TicketsError, VALUE_BYTES_MAX,
};
