//! Socket.IO v5: packets, their two encodings, and the arguments of events.
//!
//! Source: the Socket.IO protocol document, revision 5; the npm package `socket.io-msgpack-parser` for the second
//! encoding.

pub mod args;
pub mod codec;
mod json;
mod msgpack;
pub mod packet;
