//! Pairing: people say whom they wish to meet, and the lobby finds each a partner.
//!
//! A wish becomes a [`Ticket`]. Whenever something changes for a ticket (it arrives, it has waited long enough to ask for
//! less, it is back) it looks for a partner among those who wait: the store gives the oldest candidates that its index
//! finds, [`decide`] chooses one, the store commits both tickets or neither. Nothing is polled and there are no rounds.
//!
//! Owns: who waits, and who was paired but has not confirmed. Knows nothing of sockets, rooms or texts; reads no clock:
//! the time is an argument. Only [`service`], which calls [`Lobby::advance`] when something is due, has a clock.

pub mod service;

mod accept;
mod config;
mod criteria;
mod decide;
mod event;
mod facet;
mod few;
mod lobby;
mod names;
mod pairing;
mod policy;
mod record;
mod sketch;
mod statistics;
mod store;
mod ticket;
mod time;
mod wish;

pub use accept::Familiarity;
pub use config::{LobbyConfig, QueueConfig};
pub use criteria::{Condition, Criteria, PROPERTIES_MAX, Properties, Test, Value};
pub use decide::{Choice, decide};
pub use event::{Event, Place};
pub use facet::{Facet, Facets};
pub use few::Few;
pub use lobby::{Bound, JoinError, Lobby, Newcomer, Restored, Written};
pub use names::{Language, PropertyName, QueueName, Region, Tag, Topic, User};
pub use pairing::{Confirmed, Pairing, PairingId};
pub use policy::{Policy, PolicyProblem, STEPS_MAX, Step, TopicScope, Weights};
pub use statistics::{QueueStatistics, Statistics, WAIT_BOUNDS, WaitHistogram};
pub use ticket::{People, Ticket, TicketId};
pub use time::Time;
pub use wish::{AnyTopic, OTHER_TOPICS_MAX, Side, SideWish, TAGS_MAX, Tags, Wish};
