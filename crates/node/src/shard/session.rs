//! The sessions of a shard: an Engine.IO conversation over whichever transport it has now.

use std::rc::Rc;
use std::sync::Arc;

use smallvec::SmallVec;
use throng_protocol::end::End;
use throng_protocol::engine::handshake::Transport as TransportName;
use throng_protocol::id::Id;
use throng_protocol::socket::codec::Assembler;
use throng_protocol::websocket::decoder::Decoder;
use throng_protocol::websocket::deflate::Window;
use tokio::sync::oneshot;

use crate::envelope::PollAnswer;
use crate::handshake::Handshake;
use crate::limits::gcra::Gcra;
use crate::node::ConnectionPermit;
use crate::outgoing::Message;
use crate::shard::hub::Nsp;
use crate::shard::outbox::Outbox;
use crate::shard::stream::Stream;
use crate::tenants::Seat;

/// One session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: Id,
    /// Distinguishes this session from an earlier one in the same slot.
    pub(crate) stamp: u32,
    /// Stamp of the one heartbeat deadline that counts.
    pub(crate) beat: u32,
    /// A ping was sent and its pong has not come.
    pub(crate) pinged: bool,
    /// Something was queued in this turn.
    pub(crate) dirty: bool,
    /// Not read because its handlers lag behind.
    pub(crate) paused: bool,
    /// Rooms joined that other nodes do not send to yet; until they do, what it is told waits.
    pub(crate) held: u32,
    pub(crate) transport: Transport,
    /// A WebSocket that may replace polling.
    pub(crate) probe: Option<Box<Probe>>,
    pub(crate) handshake: Arc<Handshake>,
    /// Its sockets, one for each namespace joined. Nearly every session has one, which is found without a look elsewhere.
    pub(crate) sockets: SmallVec<[(Rc<Nsp>, u32); 1]>,
    /// Namespaces that are not decided about yet.
    pub(crate) joining: Vec<Arc<str>>,
    /// How often it has asked to join one.
    pub(crate) joins: Gcra,
    /// Its place at a tenant, once that is known.
    pub(crate) seat: Option<Seat>,
    pub(crate) assembler: Assembler,
}

/// How a session's packets travel.
#[derive(Debug)]
pub(crate) enum Transport {
    /// Frames on a TCP connection.
    WebSocket(WebSocket),
    /// Bodies of HTTP requests.
    Polling(Box<Polling>),
}

impl Transport {
    pub(crate) fn name(&self) -> TransportName {
        match self {
            Self::WebSocket(_) => TransportName::WebSocket,
            Self::Polling(_) => TransportName::Polling,
        }
    }
}

/// A WebSocket connection.
#[derive(Debug)]
pub(crate) struct WebSocket {
    pub(crate) stream: Stream,
    pub(crate) decoder: Decoder,
    pub(crate) outbox: Outbox,
    /// permessage-deflate was negotiated. One compressed form serves all connections, so a message that the window of
    /// this one does not admit goes uncompressed.
    pub(crate) window: Option<Window>,
    /// The kernel took no more; until it says so, writing is pointless.
    pub(crate) blocked: bool,
    /// The client has said its last; the end is behind what is still to be read.
    pub(crate) hung_up: bool,
    pub(crate) _permit: ConnectionPermit,
}

/// A connection that wants to take over from polling.
#[derive(Debug)]
pub(crate) struct Probe {
    pub(crate) socket: WebSocket,
    /// Distinguishes it from an earlier attempt.
    pub(crate) stamp: u32,
    /// The client's `2probe` was answered: its poll is released so that it can move.
    pub(crate) answered: bool,
    /// The session is over. A client that moves reads neither transport, so it is told once it has moved.
    pub(crate) parting: Option<End>,
}

/// The polling transport of a session.
#[derive(Debug, Default)]
pub(crate) struct Polling {
    pub(crate) queue: Vec<Message>,
    pub(crate) queued_bytes: usize,
    pub(crate) waiting: Option<oneshot::Sender<PollAnswer>>,
}
