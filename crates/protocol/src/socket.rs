//! Socket.IO v5: packets, their two encodings, and the arguments of events.
//!
//! Source: the Socket.IO protocol document, revision 5; the npm packages `socket.io-parser` 4.2 and
//! `socket.io-msgpack-parser` 3 where the document is silent.

pub mod args;
pub mod codec;
mod json;
mod msgpack;
pub mod packet;
