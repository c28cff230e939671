//! What crosses a shard boundary: an operation on the sockets of a namespace that a selection names. A shard is a very
//! small node, so this is also the shape of what crosses a node boundary.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use throng_backbone::Position;
use throng_protocol::engine::handshake::RequestError;
use throng_protocol::id::Id;
use throng_protocol::socket::args::Args;
use throng_protocol::websocket::deflate::Window;
use tokio::sync::oneshot;

use crate::ack::{Collector, Sink};
use crate::http::Trail;
use crate::ids::NodeTag;
use crate::outgoing::Outgoing;
use crate::remote::RemoteSocket;
use crate::shard::survey::Survey;
use crate::socket::Socket;
use crate::tenants::{Space, Tenant};

/// The name of a room.
pub type Room = Arc<str>;

/// Which sockets of a namespace an operation is for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selection {
    /// Members of any of these; of no room named, the whole namespace.
    pub(crate) rooms: Vec<Room>,
    /// But of none of these.
    pub(crate) except: Vec<Room>,
    /// And not this one: the sender.
    pub(crate) sender: Option<Id>,
}

/// What is done to each of them.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    /// Deliver a packet.
    Emit { out: Outgoing, spoken: Option<Spoken>, urgency: Urgency, standing: Standing },
    /// Deliver a packet, and bring back what the receivers acknowledge.
    Ask { out: Outgoing, spoken: Option<Spoken>, ack: u64, answers: Arc<dyn Sink<Args>> },
    /// Stop waiting for an acknowledgement.
    Forget(u64),
    /// Join a room.
    Join(Room),
    /// Leave a room.
    Leave(Room),
    /// Remove from the namespace, or close the sessions.
    Disconnect(Closing),
    /// Messages of the history of this room are lost: its members cannot recover.
    Lost(Room),
    /// Describe.
    Fetch(Arc<Collector<RemoteSocket>>),
}

/// How an event stands to the histories that clients recover from.
#[derive(Debug, Clone)]
pub(crate) enum Standing {
    /// In none: who misses it has missed it.
    Unrecorded,
    /// At a position of the history of a room.
    Recorded { room: Room, position: Position, serial: (NodeTag, u64) },
    /// Told before it has a position in the history of a room.
    Early { room: Room, serial: (NodeTag, u64) },
    /// For one socket alone, in whose own history it is put.
    Private,
}

/// Event and arguments for outgoing catch-all listeners; absent when the namespace has none.
pub(crate) type Spoken = Arc<(String, Args)>;

/// What may happen to a message whose receiver is not keeping up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// It is queued, within the bound.
    Queued,
    /// It is dropped.
    Volatile,
}

/// Whose sockets an operation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Those of every node.
    Fleet,
    /// Those of this node.
    Node,
}

/// How far a disconnect goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// The socket leaves its namespace; the session and its other sockets stay.
    Socket,
    /// The whole session ends, with all of its sockets.
    Session,
}

/// An operation on a selection.
#[derive(Debug, Clone)]
pub(crate) struct Envelope {
    pub(crate) space: Space,
    pub(crate) to: Selection,
    pub(crate) operation: Operation,
}

impl Envelope {
    /// The same event with another standing.
    pub(crate) fn with_standing(mut self, new: Standing) -> Self {
        if let Operation::Emit { standing, .. } = &mut self.operation {
            *standing = new;
        }
        self
    }
}

/// A request of the polling transport, or an upgraded connection, for the shard that owns the session.
#[derive(Debug)]
pub(crate) enum Errand {
    /// Everything below is addressed to a socket that another thread holds.
    Socket(Id, SocketErrand),
    /// An operation on a selection.
    Envelope(Envelope),
    /// Something for a session of this shard.
    Session(SessionName, SessionErrand),
    /// A connection that another shard accepted and this one shall serve.
    Connection(std::net::TcpStream, std::net::SocketAddr),
    /// Something was sent to these, and outgoing catch-all listeners are to hear of it.
    Overheard(Vec<Socket>, Spoken),
    /// An operator's question.
    Survey(Survey),
    /// The client of a socket goes on elsewhere; whoever waits is told when nothing of it is left here.
    Superseded(Id, oneshot::Sender<()>),
    /// Have a turn, and see in it what there is to do.
    Wake,
    /// Ask whether sockets are still this node's: it was taken for dead.
    Reclaim,
    /// Stop accepting; close the sessions spread over a time.
    Drain(Duration),
    /// Close what is left, and stop.
    Stop,
}

/// For one socket.
#[derive(Debug)]
pub(crate) enum SocketErrand {
    Emit(Outgoing, Urgency),
    /// An event that the client may recover.
    Tell(Outgoing),
    /// What is attached to it has changed.
    DataChanged,
    Ask(Outgoing, u64, oneshot::Sender<Args>),
    Forget(u64),
    Overheard(Spoken),
    Join(Room),
    Leave(Room),
    Disconnect(Closing),
    DropTransport,
}

/// A session as a request names it: its identifier, and the tenant whose host the request was for, when hosts name
/// tenants. A session of another tenant is not found.
#[derive(Debug, Clone)]
pub(crate) struct SessionName {
    pub(crate) id: Id,
    pub(crate) tenant: Option<Arc<Tenant>>,
    /// What the request is called where the session lives.
    pub(crate) trail: Arc<Trail>,
}

/// For one session.
#[derive(Debug)]
pub(crate) enum SessionErrand {
    /// A poll waits for messages.
    Poll(oneshot::Sender<PollAnswer>),
    /// The client gave up a poll before its answer.
    PollGone,
    /// A body was posted; `false` comes back when it was malformed.
    Post(Bytes, oneshot::Sender<Result<bool, RequestError>>),
    /// A body over the payload limit was posted.
    TooLarge,
    /// May this session move to a WebSocket?
    MayUpgrade(oneshot::Sender<Result<(), RequestError>>),
    /// It does.
    Upgrade(Upgraded),
}

/// A connection that has become a WebSocket.
#[derive(Debug)]
pub(crate) struct Upgraded {
    pub(crate) stream: std::net::TcpStream,
    /// What the client sent behind its request.
    pub(crate) early: Bytes,
    /// The window of permessage-deflate, when it was negotiated.
    pub(crate) window: Option<Window>,
}

/// What a poll is answered with.
#[derive(Debug)]
pub(crate) enum PollAnswer {
    /// A payload.
    Payload(Vec<u8>),
    /// 400: another poll was waiting already, and the session is over.
    Overlap,
    /// 400: the session has another transport.
    WrongTransport,
    /// 400: there is no such session.
    Unknown,
}

/// The data of a socket that other sockets and nodes may see.
pub(crate) type Data = Value;
