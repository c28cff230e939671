//! Throng for embedding: build an [`App`], give it to [`run`] with a listener and a shutdown signal.
//!
//! Shown by the examples `echo` and `chat`.

pub use throng_node::{
    Ack, Answers, App, ArgValue, Args, AskError, Broadcast, Closing, Config, DecodeError, Drain, Drained,
    EncodeError, End, FromArgs, Handler, Handshake, Id, IntoArgs, Io, Limits, Namespace, Origins, Parser,
    RawMessage, Refusal, RemoteSocket, Room, RunError, Socket, Transport, run,
};
