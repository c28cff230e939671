//! The handle to one socket: a session's membership of a namespace.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use throng_protocol::engine::handshake::Transport;
use throng_protocol::id::Id;
use throng_protocol::socket::args::{Args, FromArgs, IntoArgs, event_args};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::ack::{Awaited, Unanswered};
use crate::broadcast::{ASK_TIMEOUT, Broadcast, encoded};
use crate::envelope::{Closing, Data, Errand, Room, SocketErrand, Urgency};
use crate::handshake::Handshake;
use crate::identity::http::Caller;
use crate::identity::{Identity, Role};
use crate::ids::Place;
use crate::node::Node;
use crate::outgoing::Outgoing;
use crate::problem::Problem;
use crate::shard::Shard;
use crate::tenants::{Space, TenantName};

/// A socket. Cheap to clone, usable from any thread: on its own shard an operation happens at once, elsewhere it is sent
/// to the shard and happens in the order of sending. What one thread has done happens before what another does after it
/// knows of that; only a disconnect from elsewhere waits for the shard's turn. On a disconnected socket operations do nothing.
#[derive(Debug, Clone)]
pub struct Socket(pub(crate) Arc<SocketInner>);

#[derive(Debug)]
pub(crate) struct SocketInner {
    pub(crate) id: Id,
    /// Where it lives. Its identifier says the same, unless it was born elsewhere.
    pub(crate) place: Place,
    pub(crate) space: Space,
    pub(crate) node: Arc<Node>,
    pub(crate) handshake: Arc<Handshake>,
    pub(crate) auth: Option<Box<Value>>,
    pub(crate) connected: AtomicBool,
    /// It goes on where an earlier connection of its client has ended.
    pub(crate) recovered: bool,
    state: Mutex<SocketState>,
}

/// What changes while a socket lives. Its shard writes it; the lock is for readers elsewhere and is not on the delivery
/// path.
#[derive(Debug, Default)]
pub(crate) struct SocketState {
    pub(crate) rooms: Vec<Membership>,
    pub(crate) data: Option<Arc<Data>>,
    pub(crate) identity: Option<Arc<Identity>>,
}

/// A room, and where in its list of members the socket stands.
#[derive(Debug)]
pub(crate) struct Membership {
    pub(crate) room: Room,
    pub(crate) index: u32,
}

impl SocketInner {
    pub(crate) fn new(
        (id, place): (Id, Place),
        space: Space,
        node: Arc<Node>,
        handshake: Arc<Handshake>,
        auth: Option<Value>,
    ) -> Self {
        let (auth, connected, state) = (auth.map(Box::new), AtomicBool::new(false), Mutex::default());
        Self { id, place, space, node, handshake, auth, connected, recovered: false, state }
    }

    /// Goes on with what an earlier connection had.
    pub(crate) fn recovered(mut self, data: Option<Data>, rooms: Vec<Room>) -> Self {
        self.recovered = true;
        {
            let mut state = self.state();
            state.data = data.map(Arc::new);
            state.rooms = rooms.into_iter().map(|room| Membership { room, index: u32::MAX }).collect();
        }
        self
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, SocketState> {
        self.state.lock().expect("no panic while the lock is held")
    }

    pub(crate) fn identity(&self) -> Option<Arc<Identity>> {
        self.state().identity.clone()
    }

    pub(crate) fn is_own_room(&self, room: &str) -> bool {
        Id::parse(room) == Some(self.id)
    }

    /// Whether its identifier says where it is; if not, its own room is one like any other.
    pub(crate) fn is_at_birthplace(&self) -> bool {
        Place::of(self.id) == self.place
    }

    /// All rooms, the socket's own first.
    pub(crate) fn rooms(&self) -> Vec<Room> {
        let own = Room::from(self.id.to_string());
        let state = self.state();
        let others = state.rooms.iter().map(|membership| membership.room.clone()).filter(|room| *room != own);
        std::iter::once(own.clone()).chain(others).collect()
    }
}

impl Socket {
    /// The identifier, new with every connection; clients know it as `socket.id`.
    pub fn id(&self) -> Id {
        self.0.id
    }

    /// The tenant that it belongs to; `default` when the node has no list of tenants.
    pub fn tenant(&self) -> &TenantName {
        &self.0.space.tenant.name
    }

    /// Who it is: what the token said that it came with or last brought, or the name that the server gave a guest. Nobody
    /// in particular on a node that does not ask for tokens.
    pub fn identity(&self) -> Option<Arc<Identity>> {
        self.0.identity()
    }

    /// Who it is, if that is someone who may do what `role` may; the same check as for HTTP routes.
    ///
    /// # Errors
    /// `token_missing` for nobody in particular, `forbidden` below the role.
    pub fn require(&self, role: Role) -> Result<Arc<Identity>, Problem> {
        Caller(self.identity()).require(role)
    }

    /// The name of the namespace.
    pub fn namespace(&self) -> &str {
        &self.0.space.nsp
    }

    /// Whether the client is still there.
    pub fn is_connected(&self) -> bool {
        self.0.connected.load(Ordering::Relaxed)
    }

    /// Whether this connection continues an earlier one with its rooms, data and missed events.
    pub fn recovered(&self) -> bool {
        self.0.recovered
    }

    /// The request that opened the session.
    pub fn handshake(&self) -> &Handshake {
        &self.0.handshake
    }

    /// The payload that the client connected with (`auth` in the clients); an empty object when there was none.
    pub fn auth(&self) -> &Value {
        static EMPTY: LazyLock<Value> = LazyLock::new(|| Value::Object(serde_json::Map::new()));
        self.0.auth.as_deref().unwrap_or(&EMPTY)
    }

    /// The transport that the session uses now.
    pub fn transport(&self) -> Transport {
        self.0.handshake.transport()
    }

    /// Attaches data, visible to `fetch_sockets`. Replaces what was there; a value that serde cannot turn into JSON is
    /// logged and not attached.
    pub fn set_data(&self, data: impl Serialize) {
        match serde_json::to_value(data) {
            Ok(data) => {
                self.0.state().data = Some(Arc::new(data));
                if self.0.node.config.recovery.is_some() {
                    self.run(SocketErrand::DataChanged);
                }
            }
            Err(error) => tracing::error!(%error, "socket data not attached"),
        }
    }

    /// The attached data, when they have this shape.
    pub fn data<T: DeserializeOwned>(&self) -> Option<T> {
        let data = self.0.state().data.clone()?;
        T::deserialize(&*data).ok()
    }

    /// The rooms of this socket; its own identifier is always among them.
    pub fn rooms(&self) -> Vec<Room> {
        self.0.rooms()
    }

    /// Joins a room. One more than its tenant may have is not joined, and counted as `rooms_refused`.
    pub fn join(&self, room: impl Into<Room>) {
        self.run(SocketErrand::Join(room.into()));
    }

    /// Leaves a room.
    pub fn leave(&self, room: impl Into<Room>) {
        self.run(SocketErrand::Leave(room.into()));
    }

    /// Sends an event to this client. A payload that cannot be encoded is logged, not sent, and so is a name that clients keep
    /// for their own events, such as `connect`.
    pub fn emit(&self, event: &str, payload: impl IntoArgs) {
        self.emit_as(event, payload, Urgency::Queued);
    }

    /// Sends an event that may be dropped when the client is not keeping up.
    pub fn emit_volatile(&self, event: &str, payload: impl IntoArgs) {
        self.emit_as(event, payload, Urgency::Volatile);
    }

    /// Sends an event, and gives what waits up to 10 s for the client's acknowledgement.
    ///
    /// # Errors
    /// `Encode`, and nothing was sent, when the payload cannot be encoded or clients keep the name for their own events. `Timeout`
    /// when no answer came in time, `Disconnected` when the socket was gone before it: what was asked may have been done. `Decode`
    /// when the answer has another shape.
    pub fn emit_with_ack<T: FromArgs + 'static>(&self, event: &str, payload: impl IntoArgs) -> Awaited<T> {
        self.timeout(ASK_TIMEOUT).emit_with_ack(event, payload)
    }

    /// Sets how long an acknowledgement is awaited.
    pub fn timeout(&self, timeout: Duration) -> Within<'_> {
        Within { socket: self, timeout }
    }

    /// Everyone in the namespace but this socket.
    pub fn broadcast(&self) -> Broadcast {
        self.nsp().without(self.0.id)
    }

    /// The members of a room but this socket.
    pub fn to(&self, room: impl Into<Room>) -> Broadcast {
        self.broadcast().to(room)
    }

    /// Everyone in the namespace but this socket and the members of a room.
    pub fn except(&self, room: impl Into<Room>) -> Broadcast {
        self.broadcast().except(room)
    }

    /// Everyone in the namespace, this socket included.
    pub fn nsp(&self) -> Broadcast {
        Broadcast::new(Some((self.0.node.clone(), self.0.space.clone())))
    }

    /// Disconnects this socket, or its whole session.
    pub fn disconnect(&self, closing: Closing) {
        self.run(SocketErrand::Disconnect(closing));
    }

    /// Closes the transport under the session, as if the network had failed: clients reconnect.
    pub fn drop_transport(&self) {
        self.run(SocketErrand::DropTransport);
    }

    pub(crate) fn acknowledge(&self, number: u64, answer: impl IntoArgs) {
        let Some(args) = encoded("acknowledgement", answer.into_args()) else { return };
        let out = Outgoing::ack(&self.0.node.codec, &self.0.space.nsp, number, &args);
        self.run(SocketErrand::Emit(out, Urgency::Queued));
    }

    pub(crate) fn forget(&self, number: u64) {
        self.run(SocketErrand::Forget(number));
    }

    fn emit_as(&self, event: &str, payload: impl IntoArgs, urgency: Urgency) {
        let Some(args) = encoded(event, event_args(event, payload)) else { return };
        let out = Outgoing::event(&self.0.node.codec, &self.0.space.nsp, None, event, &args);
        let is_kept = self.0.node.config.recovery.is_some() && urgency == Urgency::Queued;
        self.run(if is_kept { SocketErrand::Tell(out) } else { SocketErrand::Emit(out, urgency) });
        self.overhear(event, args);
    }

    fn overhear(&self, event: &str, args: Args) {
        if self.0.node.overheard {
            self.run(SocketErrand::Overheard(Arc::new((event.to_owned(), args))));
        }
    }

    fn run(&self, errand: SocketErrand) {
        let shard = usize::from(self.0.place.shard);
        match Shard::on(&self.0.node, shard) {
            Some(shard) => {
                shard.hear_out();
                shard.run_socket(self.0.id, errand);
            }
            None => self.0.node.errand(shard, Errand::Socket(self.0.id, errand)),
        }
    }
}

/// A socket with a time limit for its acknowledgement.
#[derive(Debug, Clone, Copy)]
pub struct Within<'a> {
    socket: &'a Socket,
    timeout: Duration,
}

impl Within<'_> {
    /// Sends an event, and gives what waits for the client's acknowledgement.
    ///
    /// # Errors
    /// `Encode`, and nothing was sent, when the payload cannot be encoded or clients keep the name for their own events. `Timeout`
    /// when no answer came in time, `Disconnected` when the socket was gone before it: what was asked may have been done. `Decode`
    /// when the answer has another shape.
    pub fn emit_with_ack<T: FromArgs + 'static>(self, event: &str, payload: impl IntoArgs) -> Awaited<T> {
        let asked = event_args(event, payload).map(|args| self.ask(event, args));
        Box::pin(async move { asked?.answer().await })
    }

    fn ask(self, event: &str, args: Args) -> Unanswered {
        let (socket, inner) = (self.socket, &self.socket.0);
        let number = inner.node.next_ack();
        let (asker, answer) = oneshot::channel();
        let out = Outgoing::event(&inner.node.codec, &inner.space.nsp, Some(number), event, &args);
        socket.run(SocketErrand::Ask(out, number, asker));
        socket.overhear(event, args);
        Unanswered { socket: socket.clone(), number, answer, since: Instant::now(), timeout: self.timeout }
    }
}
