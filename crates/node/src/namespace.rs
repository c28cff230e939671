//! What a namespace does: its middleware and listeners, registered once and shared by every socket in it.

use std::future::Future;
use std::sync::Arc;

use hashbrown::HashMap;
use throng_protocol::end::End;
use throng_protocol::socket::args::{Args, FromArgs, IntoArgs};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use crate::broadcast::Broadcast;
use crate::handler::{
    AnyListener, ConnectListener, EndListener, EventListener, Handler, Middleware, MissedListener, Refusal,
    ServerListener,
};
use crate::identity::Role;
use crate::limits::Rate;
use crate::socket::Socket;
use crate::throttle::NamedRates;

/// The behaviour of one namespace, or of all that match a pattern.
#[derive(Default)]
pub struct Namespace {
    pub(crate) least_role: Option<Role>,
    publishing_role: Option<Role>,
    pub(crate) rates: NamedRates,
    pub(crate) middleware: Vec<Middleware>,
    pub(crate) connect: Vec<ConnectListener>,
    pub(crate) events: HashMap<Box<str>, Vec<EventListener>>,
    pub(crate) any: Vec<AnyListener>,
    pub(crate) any_outgoing: Vec<AnyListener>,
    pub(crate) disconnecting: Vec<EndListener>,
    pub(crate) disconnect: Vec<EndListener>,
    pub(crate) server_side: HashMap<Box<str>, Vec<ServerListener>>,
    pub(crate) missed: Vec<MissedListener>,
    pub(crate) described: Vec<EventDoc>,
}

/// What the documents say of an event.
#[derive(Debug)]
pub(crate) struct EventDoc {
    pub(crate) event: Box<str>,
    pub(crate) direction: Direction,
    pub(crate) summary: Box<str>,
    pub(crate) payload: RefOr<Schema>,
    /// What it is acknowledged with when it is done.
    pub(crate) answer: Option<RefOr<Schema>>,
    /// The codes that the app refuses it with, with their meanings.
    pub(crate) refusals: Vec<(&'static str, &'static str)>,
    /// What the two refer to.
    pub(crate) schemas: Vec<(String, RefOr<Schema>)>,
}

impl EventDoc {
    pub(crate) fn received<T: ToSchema, A: ToSchema>(
        event: &str,
        summary: &str,
        refusals: &[(&'static str, &'static str)],
    ) -> Self {
        let sent = Self::sent::<T>(event, summary);
        let mut schemas = sent.schemas;
        A::schemas(&mut schemas);
        let (answer, refusals) = (Some(A::schema()), refusals.to_vec());
        Self { direction: Direction::Received, answer, refusals, schemas, ..sent }
    }

    pub(crate) fn sent<T: ToSchema>(event: &str, summary: &str) -> Self {
        let mut schemas = Vec::new();
        T::schemas(&mut schemas);
        Self {
            event: event.into(),
            direction: Direction::Sent,
            summary: summary.into(),
            payload: T::schema(),
            answer: None,
            refusals: Vec::new(),
            schemas,
        }
    }
}

/// Who sends an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Clients.
    Received,
    /// The server.
    Sent,
}

impl Namespace {
    /// Says who may join, on a node that asks for tokens: whoever has at least this role. With [`Role::Guest`] a client
    /// without a token may too. A namespace that says nothing is for users.
    pub fn open_to(&mut self, role: Role) -> &mut Self {
        self.least_role = Some(role);
        self
    }

    /// Says whose users may publish here over HTTP, `POST /api/publish`: those with at least this role. Nobody without a
    /// token may, and nobody below [`Role::User`]. A namespace that says nothing leaves it to staff or, where it is open
    /// only to those above, to them. Servers with a key always may.
    pub fn publishable_by(&mut self, role: Role) -> &mut Self {
        self.publishing_role = Some(role);
        self
    }

    /// The least role that may publish here.
    pub(crate) fn publishing_role(&self) -> Role {
        let default = || self.least_role.map_or(Role::Staff, |least| least.max(Role::Staff));
        self.publishing_role.unwrap_or_else(default).max(Role::User)
    }

    /// Gives an event a rate of its own in the place of that of all events: more for one that is sent often and costs
    /// little, less for one that costs much. A rate that the configuration names for the event wins over it; where
    /// events are not limited at all, this one is not either. `None` is no limit.
    pub fn rate(&mut self, event: &str, rate: Option<Rate>) -> &mut Self {
        self.rates.set(event, rate);
        self
    }

    /// Adds a check that runs before a client is connected; several run in order, the first refusal wins.
    pub fn middleware<F, Fut>(&mut self, check: F) -> &mut Self
    where
        F: Fn(Socket) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Refusal>> + 'static,
    {
        self.middleware.push(Box::new(move |socket| Box::pin(check(socket))));
        self
    }

    /// Adds a listener for new sockets. A socket's events wait until it has finished; start what runs on for long with
    /// `tokio::spawn`.
    pub fn on_connect<F, Fut>(&mut self, listener: F) -> &mut Self
    where
        F: Fn(Socket) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + 'static,
    {
        self.connect.push(Box::new(move |socket| Box::pin(listener(socket))));
        self
    }

    /// Adds a listener for an event; several for the same event run one after the other, in this order.
    ///
    /// A socket's events are handled in the order sent: the next one starts when all listeners of the one before have
    /// finished. Acknowledgements do not wait in that line.
    pub fn on<Shape>(&mut self, event: &str, handler: impl Handler<Shape>) -> &mut Self {
        let listeners = self.events.entry(event.into()).or_default();
        listeners.push(Box::new(move |incoming| handler.start(incoming)));
        self
    }

    /// Describes an event that clients send, for the documents: what it is for, the payload `T` (the argument, or the tuple
    /// of several), the acknowledgement `A` when it is done, and the codes with their meanings when it is refused with
    /// `{ok: false, error: {code, message}}`. Changes nothing about what the listeners take.
    pub fn describe<T: ToSchema, A: ToSchema>(
        &mut self,
        event: &str,
        summary: &str,
        refusals: &[(&'static str, &'static str)],
    ) -> &mut Self {
        self.add(EventDoc::received::<T, A>(event, summary, refusals))
    }

    /// Describes an event that the server sends.
    pub fn describe_sent<T: ToSchema>(&mut self, event: &str, summary: &str) -> &mut Self {
        self.add(EventDoc::sent::<T>(event, summary))
    }

    fn add(&mut self, doc: EventDoc) -> &mut Self {
        self.described.retain(|known| known.event != doc.event || known.direction != doc.direction);
        self.described.push(doc);
        self
    }

    /// Events with listeners and without a description, in order.
    pub(crate) fn undescribed(&self) -> Vec<&str> {
        let described = |event: &str| {
            self.described.iter().any(|doc| *doc.event == *event && doc.direction == Direction::Received)
        };
        let mut events: Vec<_> =
            self.events.keys().map(|event| &**event).filter(|event| !described(event)).collect();
        events.sort_unstable();
        events
    }

    /// Adds a listener that sees every incoming event before its own listeners do.
    pub fn on_any(&mut self, listener: impl Fn(&Socket, &str, &Args) + Send + Sync + 'static) -> &mut Self {
        self.any.push(Box::new(listener));
        self
    }

    /// Adds a listener that sees every event sent to a socket of this namespace, broadcasts included.
    pub fn on_any_outgoing(
        &mut self,
        listener: impl Fn(&Socket, &str, &Args) + Send + Sync + 'static,
    ) -> &mut Self {
        self.any_outgoing.push(Box::new(listener));
        self
    }

    /// Adds a listener for a socket that is about to leave; it is still in its rooms.
    pub fn on_disconnecting<F, Fut>(&mut self, listener: F) -> &mut Self
    where
        F: Fn(Socket, End) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + 'static,
    {
        self.disconnecting.push(Box::new(move |socket, end| Box::pin(listener(socket, end))));
        self
    }

    /// Adds a listener for a socket that has left its rooms and its namespace.
    pub fn on_disconnect<F, Fut>(&mut self, listener: F) -> &mut Self
    where
        F: Fn(Socket, End) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + 'static,
    {
        self.disconnect.push(Box::new(move |socket, end| Box::pin(listener(socket, end))));
        self
    }

    /// Adds a listener for events that another node sends with `server_side_emit`; what it returns answers
    /// `server_side_emit_with_ack`. It is given the sockets of the namespace and tenant that the event was sent to.
    pub fn on_server_side<T, A, F, Fut>(&mut self, event: &str, listener: F) -> &mut Self
    where
        T: FromArgs + Send,
        A: IntoArgs,
        F: Fn(Broadcast, T) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = A> + Send + 'static,
    {
        let listener = Arc::new(listener);
        self.server_side.entry(event.into()).or_default().push(Box::new(move |nsp, args: Args| {
            let running = args.decode().map(|args| listener(nsp, args));
            Box::pin(async move { running.ok()?.await.into_args().ok() })
        }));
        self
    }

    /// Adds a listener for when this node may have missed something that other nodes sent, and hears them again. It is given the
    /// sockets of this node that it may have been for, of one tenant: the members of some rooms, or all. What was sent meanwhile is
    /// told at most once, so this is when to read again what was to be known. Where clients may recover, events that are recorded
    /// come all the same. May be called several times in a row.
    pub fn on_missed<F, Fut>(&mut self, listener: F) -> &mut Self
    where
        F: Fn(Broadcast) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.missed.push(Box::new(move |here| Box::pin(listener(here))));
        self
    }
}

impl std::fmt::Debug for Namespace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Namespace").field("events", &self.events.keys()).finish_non_exhaustive()
    }
}
