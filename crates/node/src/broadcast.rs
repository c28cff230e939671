//! Operations on many sockets: whom they are for, and what is done.

use std::sync::Arc;
use std::time::Duration;

use throng_protocol::id::Id;
use throng_protocol::socket::args::{Args, FromArgs, IntoArgs};
use tokio::sync::mpsc;

use crate::ack::{Answers, AskError, Collector};
use crate::envelope::{Closing, Envelope, Operation, Room, Selection, Urgency};
use crate::node::Node;
use crate::outgoing::Outgoing;
use crate::remote::RemoteSocket;
use crate::tenants::Space;

/// How long acknowledgements are awaited when the caller does not say.
pub(crate) const ASK_TIMEOUT: Duration = Duration::from_secs(10);

/// A selection of the sockets of a namespace: all of them until it is narrowed down.
#[derive(Debug, Clone)]
#[must_use = "a selection does nothing until something is done with it"]
pub struct Broadcast {
    /// Nobody is reached without a node, or at a tenant that it does not know.
    reach: Option<(Arc<Node>, Space)>,
    to: Selection,
    urgency: Urgency,
    timeout: Duration,
}

impl Broadcast {
    pub(crate) fn new(reach: Option<(Arc<Node>, Space)>) -> Self {
        Self { reach, to: Selection::default(), urgency: Urgency::Queued, timeout: ASK_TIMEOUT }
    }

    pub(crate) fn without(mut self, sender: Id) -> Self {
        self.to.sender = Some(sender);
        self
    }

    /// Adds a room; with several, a socket in any of them is reached, once. A socket's identifier is a room of its own.
    pub fn to(mut self, room: impl Into<Room>) -> Self {
        self.to.rooms.push(room.into());
        self
    }

    /// Excludes the members of a room.
    pub fn except(mut self, room: impl Into<Room>) -> Self {
        self.to.except.push(room.into());
        self
    }

    /// Only the sockets of this node. A node that has no others reaches the same sockets without it.
    pub fn local(self) -> Self {
        self
    }

    /// A message may be dropped for a receiver that is not keeping up.
    pub fn volatile(self) -> Self {
        Self { urgency: Urgency::Volatile, ..self }
    }

    /// How long [`Broadcast::emit_with_ack`] and [`Broadcast::fetch_sockets`] wait. Default 10 s.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Sends an event. A payload that cannot be encoded is logged, not sent.
    pub fn emit(&self, event: &str, payload: impl IntoArgs) {
        let (Some((node, space)), Some(args)) = (&self.reach, encoded(event, payload)) else { return };
        let out = Outgoing::event(&node.codec, &space.nsp, None, event, &args);
        let spoken = node.overheard.then(|| Arc::new((event.to_owned(), args)));
        node.send(self.envelope(space, Operation::Emit { out, spoken, urgency: self.urgency }));
    }

    /// Sends an event and collects acknowledgements until all have answered or the timeout passes: what did come is
    /// never lost to what did not.
    pub async fn emit_with_ack<T: FromArgs>(
        &self,
        event: &str,
        payload: impl IntoArgs,
    ) -> Result<Answers<T>, AskError> {
        let args = payload.into_args()?;
        let Some((node, space)) = &self.reach else { return Ok(Answers { answers: Vec::new(), missing: 0 }) };
        let ack = node.next_ack();
        let out = Outgoing::event(&node.codec, &space.nsp, Some(ack), event, &args);
        let spoken = node.overheard.then(|| Arc::new((event.to_owned(), args)));
        let answers = Arc::new(Collector::new(node.ports.len()));
        node.send(self.envelope(space, Operation::Ask { out, spoken, ack, answers: answers.clone() }));
        let mut forget = Forget { node, space, ack: Some(ack) };
        let collected = answers.wait(self.timeout).await;
        if collected.missing == 0 {
            forget.ack = None;
        }
        Ok(collected)
    }

    /// Describes the selected sockets.
    pub async fn fetch_sockets(&self) -> Vec<RemoteSocket> {
        let Some((node, space)) = &self.reach else { return Vec::new() };
        let (found, mut arriving) = mpsc::channel(node.ports.len());
        node.send(self.envelope(space, Operation::Fetch(found)));
        let mut all = Vec::new();
        let gather = async {
            while let Some(some) = arriving.recv().await {
                all.extend(some);
            }
        };
        // A shard that does not answer in time is missing from the list.
        let _ = tokio::time::timeout(self.timeout, gather).await;
        all
    }

    /// Makes the selected sockets join a room.
    pub fn sockets_join(&self, room: impl Into<Room>) {
        self.send(Operation::Join(room.into()));
    }

    /// Makes the selected sockets leave a room.
    pub fn sockets_leave(&self, room: impl Into<Room>) {
        self.send(Operation::Leave(room.into()));
    }

    /// Disconnects the selected sockets.
    pub fn disconnect_sockets(&self, closing: Closing) {
        self.send(Operation::Disconnect(closing));
    }

    /// Sends an event to the server-side listeners of this namespace on every other node.
    pub fn server_side_emit(&self, event: &str, payload: impl IntoArgs) {
        // A node without a backbone has no others to tell; the payload is still checked, so that a mistake shows early.
        let _ = encoded(event, payload);
    }

    /// The same, and collects what the other nodes answer.
    pub async fn server_side_emit_with_ack<T: FromArgs>(
        &self,
        _event: &str,
        payload: impl IntoArgs,
    ) -> Result<Answers<T>, AskError> {
        payload.into_args()?;
        Ok(Answers { answers: Vec::new(), missing: 0 })
    }

    fn send(&self, operation: Operation) {
        if let Some((node, space)) = &self.reach {
            node.send(self.envelope(space, operation));
        }
    }

    fn envelope(&self, space: &Space, operation: Operation) -> Envelope {
        Envelope { space: space.clone(), to: self.to.clone(), operation }
    }
}

/// Stops waiting for an acknowledgement, also when the caller drops the wait.
struct Forget<'a> {
    node: &'a Arc<Node>,
    space: &'a Space,
    ack: Option<u64>,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        let Some(ack) = self.ack else { return };
        // The whole namespace: whoever was asked may have left the room since.
        let (space, to) = (self.space.clone(), Selection::default());
        self.node.send(Envelope { space, to, operation: Operation::Forget(ack) });
    }
}

/// Encodes a payload for sending; a failure is the server's own mistake, so it is the log's business, not the caller's.
pub(crate) fn encoded(event: &str, payload: impl IntoArgs) -> Option<Args> {
    payload.into_args().map_err(|error| tracing::error!(event, %error, "event not sent")).ok()
}
