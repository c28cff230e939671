//! WebSocket, RFC 6455, with permessage-deflate, RFC 7692, without context takeover: the frame codec of both sides and
//! the opening handshake.

pub mod close;
pub mod decoder;
pub mod deflate;
mod extension;
pub mod frame;
pub mod handshake;
