//! The three layers of a Socket.IO conversation as pure codecs and state machines: WebSocket frames (RFC 6455, RFC
//! 7692), Engine.IO v4 packets and payloads, Socket.IO v5 packets in the default and the msgpack encoding.
//!
//! Nothing here does I/O, reads a clock, starts a task or draws a random number: bytes and arguments go in, values and
//! bytes come out. That is what makes every line of it testable by a function call and fuzzable without a server.

pub mod end;
pub mod engine;
pub mod id;
pub mod socket;
pub mod websocket;
