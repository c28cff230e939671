//! Protocol-level clients and in-process nodes for tests.
//!
//! Everything blocks, and every wait has a deadline and says what it waited for: a test that hangs is a test that
//! fails. Nothing here is a client for production.

mod client;
mod http;
mod metrics;
mod node;
mod polling;
pub mod tokens;
mod wait;
mod websocket;

pub use client::{Client, Memory, Received};
pub use http::{Door, Http, Response};
pub use metrics::Metrics;
pub use node::{Node, config};
pub use polling::Polling;
pub use wait::{WAIT, until};
pub use websocket::{Frame, Opcode, Outcome, WebSocket, upgrade_request};
