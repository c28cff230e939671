//! Protocol-level clients and in-process nodes for tests, and a network between programs that fails as it is told.
//!
//! Everything blocks, and every wait has a deadline and says what it waited for: a test that hangs is a test that
//! fails. Nothing here is a client for production.

mod client;
mod http;
mod metrics;
mod node;
mod polling;
mod proxy;
pub mod tokens;
mod wait;
mod websocket;

pub use client::{Client, Memory, Received};
pub use http::{Door, Http, Response};
pub use metrics::Metrics;
pub use node::{Node, config};
pub use polling::Polling;
pub use proxy::{Proxy, Weather};
pub use wait::{WAIT, until};
pub use websocket::{Frame, Opcode, Outcome, WebSocket, upgrade_request};
