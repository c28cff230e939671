//! Throng for embedding: build an [`App`], give it to a [`Server`], run that with a listener and a shutdown signal.
//!
//! Shown by the examples `echo` and `chat`.

pub use throng_node::{
    Ack, Answers, App, AppStatistics, ArgValue, Args, AskError, Broadcast, Closing, Config, DecodeError,
    Distribution, Drain, Drained, EdgeConfig, EncodeError, End, EventLimits, Family, FamilyKind, Fleet,
    FleetConfig, FleetError, FromArgs, GuestPolicy, Handler, Handshake, Id, Identity, IntoArgs, Io, Limits,
    MetricsAccess, NamedRates, Namespace, Origins, PacketLimits, Parser, Problem, Quotas, Rate, RawMessage,
    Recovery, Refusal, RemoteSocket, Role, Room, RunError, Series, Server, ServerKeys, Socket, Status,
    Tenancy, TenantError, TenantName, TenantSettings, TlsHandle, Transport, Waits, identity, text,
};

pub use throng_backbone as backbone;
