//! Engine.IO v4: packets, polling payloads, the handshake and its refusals.
//!
//! Source: the Engine.IO protocol document, revision 4.

pub mod handshake;
pub mod packet;
pub mod payload;
