//! Operations on many sockets: whom they are for, and what is done.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use throng_protocol::id::Id;
use throng_protocol::socket::args::{Args, EncodeError, FromArgs, IntoArgs, event_args};

use crate::ack::{Answers, AskError, Awaited, Collector};
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

    /// Sends an event, and gives what collects acknowledgements until all have answered or the timeout passes: what did come
    /// is never lost to what did not.
    ///
    /// # Errors
    /// `Encode`, and nothing was sent, when the payload cannot be encoded or clients keep the name for their own events. Whoever
    /// does not answer, or with another shape, is missing from the answers.
    pub fn emit_with_ack<T: FromArgs + 'static>(
        &self,
        event: &str,
        payload: impl IntoArgs,
    ) -> Awaited<Answers<T>> {
        let asked = event_args(event, payload).map(|args| self.ask_sockets(event, args));
        Box::pin(async move { Ok(answers(asked?).await.decode()) })
    }

    fn ask_sockets(&self, event: &str, args: Args) -> Option<Outstanding<Args>> {
        let (node, space) = self.reach.as_ref()?;
        let (nodes, mut outstanding) = self.concerned(node);
        let (number, collector) = (outstanding.number, outstanding.collector.clone());
        let out = Outgoing::event(&node.codec, &space.nsp, Some(number), event, &args);
        let spoken = node.overheard.then(|| Arc::new((event.to_owned(), args)));
        if let Some(cluster) = node.cluster(self.span) {
            let (to, packet) = (Target::new(space, &self.to), Packet::new(&out, spoken.as_deref()));
            let question = Question::Emit { to, packet };
            let collector = Asked::Args(collector.clone());
            cluster.ask(&nodes, Asking { number, patience: self.timeout, collector, question });
        }
        node.send_here(self.envelope(space, Operation::Ask { out, spoken, ack: number, answers: collector }));
        outstanding.asked_here = Some(space.clone());
        Some(outstanding)
    }

    /// Asks for the selected sockets, and gives what waits for their descriptions. A node that does not say in time which it
    /// has is named as silent; nothing else is ever missing.
    pub fn fetch_sockets(&self) -> impl Future<Output = Answers<RemoteSocket>> + Send + use<> {
        answers(self.ask_for_sockets())
    }

    fn ask_for_sockets(&self) -> Option<Outstanding<RemoteSocket>> {
        let (node, space) = self.reach.as_ref()?;
        let (nodes, outstanding) = self.concerned(node);
        let (number, collector) = (outstanding.number, outstanding.collector.clone());
        if let Some(cluster) = node.cluster(self.span) {
            let question = Question::Fetch { to: Target::new(space, &self.to) };
            let collector = Asked::Sockets(collector.clone());
            cluster.ask(&nodes, Asking { number, patience: self.timeout, collector, question });
        }
        node.send_here(self.envelope(space, Operation::Fetch(collector)));
        Some(outstanding)
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

    /// Sends an event to the server-side listeners of this namespace on every other node, and gives what collects their
    /// answers, one each. A node without a listener for it, or whose listeners have nothing to say, is missing.
    ///
    /// # Errors
    /// `Encode`, and nothing was sent, when the payload cannot be encoded. A node that does not answer in time, or with another
    /// shape, is missing too.
    pub fn server_side_emit_with_ack<T: FromArgs + 'static>(
        &self,
        event: &str,
        payload: impl IntoArgs,
    ) -> Awaited<Answers<T>> {
        let asked = payload.into_args().map(|args| self.ask_listeners(|_| true, event, &args));
        Box::pin(async move {
            let said = answers(asked?).await;
            Ok(Answers { missing: said.missing + said.silent.len(), ..said }.decode())
        })
    }

    /// Asks the server-side listeners of this namespace on one other node, and gives what waits for what they say.
    ///
    /// # Errors
    /// `Disconnected`, and nobody has heard the question, when there is no such node, no such listener, or the listener has
    /// nothing to say. `Timeout` when nothing came back in time: what was asked may have been done.
    pub fn ask_node<T: FromArgs + 'static>(
        &self,
        tag: NodeTag,
        event: &str,
        payload: impl IntoArgs,
    ) -> Awaited<T> {
        let asked = payload.into_args().map(|args| self.ask_listeners(|other| other == tag, event, &args));
        let (since, timeout) = (Instant::now(), self.timeout);
        Box::pin(async move {
            let said = answers(asked?).await;
            match said.answers.into_iter().next() {
                Some(answer) => Ok(answer.decode()?),
                None if since.elapsed() >= timeout => Err(AskError::Timeout),
                None => Err(AskError::Disconnected),
            }
        })
    }

    fn ask_listeners(
        &self,
        on: impl Fn(NodeTag) -> bool,
        event: &str,
        args: &Args,
    ) -> Option<Outstanding<Args>> {
        let (node, space) = self.reach.as_ref()?;
        let cluster = node.cluster.as_ref()?;
        let nodes: Vec<NodeTag> = cluster.others().into_iter().filter(|other| on(*other)).collect();
        let collector = Collector::new(node.tag, 0, nodes.clone());
        let outstanding = self.outstanding(node, collector);
        let question = Question::Tell { space: SpaceName::of(space), event, args: WireArgs::new(args) };
        let (number, collector) = (outstanding.number, Asked::Args(outstanding.collector.clone()));
        cluster.ask(&nodes, Asking { number, patience: self.timeout, collector, question });
        Some(outstanding)
    }

    /// The other nodes to ask, and what collects their answers and those of this one.
    fn concerned<T>(&self, node: &Arc<Node>) -> (Vec<NodeTag>, Outstanding<T>) {
        let nodes = node.cluster(self.span).map(|cluster| cluster.concerned(&self.to)).unwrap_or_default();
        let collector = Collector::new(node.tag, node.ports.len(), nodes.clone());
        (nodes, self.outstanding(node, collector))
    }

    fn outstanding<T>(&self, node: &Arc<Node>, collector: Collector<T>) -> Outstanding<T> {
        Outstanding {
            node: node.clone(),
            number: node.next_ack(),
            collector: Arc::new(collector),
            asked_here: None,
            since: Instant::now(),
            timeout: self.timeout,
        }
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

/// A question to many. When it is dropped, it is forgotten wherever it was asked.
struct Outstanding<T> {
    node: Arc<Node>,
    number: u64,
    collector: Arc<Collector<T>>,
    /// The namespace whose sockets on this node were asked, while one of them may have yet to answer.
    asked_here: Option<Space>,
    since: Instant,
    timeout: Duration,
}

/// What was said in time; nothing, where nobody could be asked.
async fn answers<T: std::fmt::Debug + Send>(asked: Option<Outstanding<T>>) -> Answers<T> {
    let Some(mut asked) = asked else { return Answers::default() };
    let answers = asked.collector.wait(asked.timeout.saturating_sub(asked.since.elapsed())).await;
    if answers.is_whole() {
        asked.asked_here = None;
    }
    answers
}

impl<T> Drop for Outstanding<T> {
    fn drop(&mut self) {
        if let Some(cluster) = &self.node.cluster {
            cluster.forget(self.number);
        }
        if let Some(space) = self.asked_here.take() {
            // The whole namespace: whoever was asked may have left the room since.
            let (to, operation) = (Selection::default(), Operation::Forget(self.number));
            self.node.send_here(Envelope { space, to, operation });
        }
    }
}

/// A payload encoded for sending; a failure is the server's own mistake, so it is the log's business, not the caller's.
pub(crate) fn encoded(event: &str, args: Result<Args, EncodeError>) -> Option<Args> {
    args.map_err(|error| tracing::error!(event, %error, "event not sent")).ok()
}
