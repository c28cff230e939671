//! A Throng node: shards, transports, the hub, and the public API of the server.
//!
//! An [`App`] says what the node does, [`Server::run`] serves it on a listener until it is told to stop. This crate knows
//! sockets and HTTP, never an application.

mod ack;
mod admission;
mod app;
mod audit;
mod broadcast;
mod client;
mod cluster;
mod config;
mod envelope;
mod fleet;
mod handler;
mod handshake;
mod http;
pub mod identity;
mod ids;
mod io;
mod limits;
mod metrics;
mod namespace;
mod node;
mod operator;
mod outgoing;
mod problem;
mod publish;
mod recovery;
mod remote;
mod run;
mod shard;
mod socket;
mod tenants;
pub mod text;
mod throttle;

pub use ack::{Ack, Answers, AskError};
pub use app::{App, RawMessage, Reply};
pub use broadcast::Broadcast;
pub use client::ClientAddress;
pub use config::{Config, Drain, MetricsAccess, Origins, PacketLimits, Parser, ServerKeys};
pub use envelope::{Closing, Room};
pub use fleet::{Fleet, FleetConfig};
pub use handler::{Handler, Incoming, Refusal};
pub use handshake::Handshake;
pub use http::{EdgeConfig, RequestId, TlsError, TlsHandle, TraceContext};
pub use identity::{Identity, Role};
pub use ids::NodeTag;
pub use io::Io;
pub use ipnet::IpNet;
pub use limits::{Limits, Rate};
pub use metrics::family::{Family, FamilyKind, Series};
pub use namespace::Namespace;
pub use operator::statistics::{AppStatistics, Distribution, Waits};
pub use problem::Problem;
pub use recovery::Recovery;
pub use remote::RemoteSocket;
pub use run::{Drained, RunError, Server};
pub use socket::{Socket, Within};
pub use tenants::{GuestPolicy, Quotas, Status, Tenancy, TenantError, TenantName, TenantSettings};
pub use throng_protocol::end::End;
pub use throng_protocol::engine::handshake::Transport;
pub use throng_protocol::id::Id;
pub use throng_protocol::socket::args::{Args, ArgsRef, DecodeError, EncodeError, FromArgs, IntoArgs};
pub use throng_protocol::socket::packet::ArgValue;
pub use throttle::{EventLimits, NamedRates};
