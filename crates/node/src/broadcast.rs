//! Operations on many sockets: whom they are for, and what is done.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use throng_protocol::id::Id;
use throng_protocol::socket::args::{Args, EncodeError, FromArgs, IntoArgs, event_args};

use crate::ack::{Answers, AskError, Collector};
use crate::cluster::{Asked, Asking, Packet, Question, SpaceName, Target, WireArgs};
use crate::envelope::{Closing, Envelope, Operation, Reach, Room, Selection, Standing, Urgency};
use crate::ids::NodeTag;
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
    span: Reach,
}

impl Broadcast {
    pub(crate) fn new(reach: Option<(Arc<Node>, Space)>) -> Self {
        Self {
            reach,
            to: Selection::default(),
            urgency: Urgency::Queued,
            timeout: ASK_TIMEOUT,
            span: Reach::Fleet,
        }
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

    /// Only the sockets of this node.
    pub fn local(self) -> Self {
        Self { span: Reach::Node, ..self }
    }

    /// A message may be dropped for a receiver that is not keeping up.
    pub fn volatile(self) -> Self {
        Self { urgency: Urgency::Volatile, ..self }
    }

    /// How long [`Broadcast::emit_with_ack`] and [`Broadcast::fetch_sockets`] wait. Default 10 s.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Sends an event. A payload that cannot be encoded is logged, not sent, and so is a name that clients keep for their own
    /// events, such as `connect`.
    pub fn emit(&self, event: &str, payload: impl IntoArgs) {
        let args = encoded(event, event_args(event, payload));
        let (Some((node, space)), Some(args)) = (&self.reach, args) else { return };
        let out = Outgoing::event(&node.codec, &space.nsp, None, event, &args);
        let spoken = node.overheard.then(|| Arc::new((event.to_owned(), args)));
        node.send(
            self.envelope(
                space,
                Operation::Emit { out, spoken, urgency: self.urgency, standing: Standing::Unrecorded },
            ),
            self.span,
        );
    }

    /// Sends an event and collects acknowledgements until all have answered or the timeout passes: what did come is
    /// never lost to what did not.
    pub async fn emit_with_ack<T: FromArgs>(
        &self,
        event: &str,
        payload: impl IntoArgs,
    ) -> Result<Answers<T>, AskError> {
        let args = event_args(event, payload)?;
        let Some((node, space)) = &self.reach else { return Ok(Answers::default()) };
        let ack = node.next_ack();
        let out = Outgoing::event(&node.codec, &space.nsp, Some(ack), event, &args);
        let spoken = node.overheard.then(|| Arc::new((event.to_owned(), args)));
        let (nodes, collector) = self.concerned(node);
        let question =
            Question::Emit { to: Target::new(space, &self.to), packet: Packet::new(&out, spoken.as_deref()) };
        let asking = Asking {
            number: ack,
            patience: self.timeout,
            collector: Asked::Args(collector.clone()),
            question,
        };
        let pending = node.cluster(self.span).map(|cluster| cluster.ask(&nodes, asking));
        let operation =
            Operation::Ask { out: out.clone(), spoken: spoken.clone(), ack, answers: collector.clone() };
        node.send_here(self.envelope(space, operation));
        let mut forget = Forget { node, space, ack: Some(ack) };
        let collected = collector.wait(self.timeout).await;
        if collected.is_whole() {
            forget.ack = None;
        }
        drop(pending);
        Ok(collected.decode())
    }

    /// Describes the selected sockets. A node that does not say in time which it has is named as silent; nothing else is ever
    /// missing.
    pub async fn fetch_sockets(&self) -> Answers<RemoteSocket> {
        let Some((node, space)) = &self.reach else { return Answers::default() };
        let (nodes, collector) = self.concerned(node);
        let asking = Asking {
            number: node.next_ack(),
            patience: self.timeout,
            collector: Asked::Sockets(collector.clone()),
            question: Question::Fetch { to: Target::new(space, &self.to) },
        };
        let pending = node.cluster(self.span).map(|cluster| cluster.ask(&nodes, asking));
        node.send_here(self.envelope(space, Operation::Fetch(collector.clone())));
        let found = collector.wait(self.timeout).await;
        drop(pending);
        found
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
        let (Some((node, space)), Some(args)) = (&self.reach, encoded(event, payload.into_args())) else {
            return;
        };
        if let Some(cluster) = &node.cluster {
            cluster.tell(space, event, &args);
        }
    }

    /// Sends an event to the server-side listeners of this namespace on one other node, whether this one sees it among the
    /// members or not. Nobody says whether it has come; [`Broadcast::volatile`] lets it be dropped where it cannot be sent.
    pub fn tell_node(&self, tag: NodeTag, event: &str, payload: impl IntoArgs) {
        let (Some((node, space)), Some(args)) = (&self.reach, encoded(event, payload.into_args())) else {
            return;
        };
        if let Some(cluster) = &node.cluster {
            cluster.tell_one(tag, (space, event, &args), self.urgency);
        }
    }

    /// Sends an event to the server-side listeners of this namespace on every other node, and collects what they answer, one
    /// answer each. A node without a listener for it, or whose listeners have nothing to say, is missing.
    pub async fn server_side_emit_with_ack<T: FromArgs>(
        &self,
        event: &str,
        payload: impl IntoArgs,
    ) -> Result<Answers<T>, AskError> {
        let args = payload.into_args()?;
        let Some((node, space)) = &self.reach else { return Ok(Answers::default()) };
        let Some(cluster) = &node.cluster else { return Ok(Answers::default()) };
        let nodes = cluster.others();
        let collector = Arc::new(Collector::new(node.tag, 0, nodes.clone()));
        let (collected, args) = (Asked::Args(collector.clone()), WireArgs::new(&args));
        let question = Question::Tell { space: SpaceName::of(space), event, args };
        let asking =
            Asking { number: node.next_ack(), patience: self.timeout, collector: collected, question };
        let pending = cluster.ask(&nodes, asking);
        let answers = collector.wait(self.timeout).await;
        drop(pending);
        Ok(Answers { missing: answers.missing + answers.silent.len(), ..answers }.decode())
    }

    /// Asks the server-side listeners of this namespace on one other node, and gives what they say.
    ///
    /// # Errors
    /// `Disconnected`, and nobody has heard the question, when there is no such node, no such listener, or the listener has
    /// nothing to say. `Timeout` when nothing came back in time: what was asked may have been done.
    pub async fn ask_node<T: FromArgs>(
        &self,
        tag: NodeTag,
        event: &str,
        payload: impl IntoArgs,
    ) -> Result<T, AskError> {
        let args = payload.into_args()?;
        let (node, space) = self.reach.as_ref().ok_or(AskError::Disconnected)?;
        let cluster = node.cluster.as_ref().ok_or(AskError::Disconnected)?;
        if !cluster.others().contains(&tag) {
            return Err(AskError::Disconnected);
        }
        let collector = Arc::new(Collector::new(node.tag, 0, vec![tag]));
        let (collected, args) = (Asked::Args(collector.clone()), WireArgs::new(&args));
        let question = Question::Tell { space: SpaceName::of(space), event, args };
        let asking =
            Asking { number: node.next_ack(), patience: self.timeout, collector: collected, question };
        let began = Instant::now();
        let pending = cluster.ask(&[tag], asking);
        let said = collector.wait(self.timeout).await;
        drop(pending);
        match said.answers.into_iter().next() {
            Some(answer) => Ok(answer.decode()?),
            None if began.elapsed() >= self.timeout => Err(AskError::Timeout),
            None => Err(AskError::Disconnected),
        }
    }

    /// The other nodes to ask, and what collects their answers and those of this one.
    fn concerned<T>(&self, node: &Node) -> (Vec<NodeTag>, Arc<Collector<T>>) {
        let nodes = node.cluster(self.span).map(|cluster| cluster.concerned(&self.to)).unwrap_or_default();
        let collector = Collector::new(node.tag, node.ports.len(), nodes.clone());
        (nodes, Arc::new(collector))
    }

    fn send(&self, operation: Operation) {
        if let Some((node, space)) = &self.reach {
            node.send(self.envelope(space, operation), self.span);
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
        self.node.send_here(Envelope { space, to, operation: Operation::Forget(ack) });
    }
}

/// A payload encoded for sending; a failure is the server's own mistake, so it is the log's business, not the caller's.
pub(crate) fn encoded(event: &str, args: Result<Args, EncodeError>) -> Option<Args> {
    args.map_err(|error| tracing::error!(event, %error, "event not sent")).ok()
}
