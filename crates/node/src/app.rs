//! What a node serves: its namespaces, and the handle that reaches them from anywhere.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use axum::Router;
use throng_protocol::websocket::decoder::Event;

use crate::beside::{Beside, Leaving};
use crate::io::Io;
use crate::metrics::family::{Families, Family};
use crate::namespace::Namespace;
use crate::operator::controls::LogLevels;
use crate::operator::statistics::{AppStatistics, Statistics};
use crate::operator::{self, Operations};
use crate::tenants::TenantName;

/// The behaviour of a node, put together before it runs.
#[derive(Default)]
pub struct App {
    pub(crate) io: Io,
    pub(crate) service: Service,
    pub(crate) operations: Operations,
    pub(crate) beside: Beside,
}

/// What the node's sessions speak.
#[derive(Debug)]
pub(crate) enum Service {
    /// Socket.IO with these namespaces.
    Sockets(Namespaces),
    /// Bare Engine.IO: each message is answered by a function.
    Engine(Reply),
    /// Bare WebSocket.
    WebSocket(Reply),
}

/// A pure answer to a bare message.
pub type Reply = fn(RawMessage<'_>) -> Option<RawMessage<'_>>;

/// A message below Socket.IO.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RawMessage<'a> {
    /// Text.
    Text(&'a str),
    /// Bytes.
    Binary(&'a [u8]),
}

impl<'a> RawMessage<'a> {
    pub(crate) fn of(event: &Event<'a>) -> Option<Self> {
        match event {
            Event::Text(text) => Some(Self::Text(text)),
            Event::Binary(bytes) => Some(Self::Binary(bytes)),
            _ => None,
        }
    }
}

/// The namespaces of a Socket.IO server.
#[derive(Debug, Default)]
pub(crate) struct Namespaces {
    fixed: Vec<(Arc<str>, Arc<Namespace>)>,
    dynamic: Vec<Dynamic>,
}

struct Dynamic {
    matches: Box<dyn Fn(&str) -> bool + Send + Sync>,
    behaviour: Arc<Namespace>,
}

impl Default for Service {
    fn default() -> Self {
        Self::Sockets(Namespaces::default())
    }
}

impl App {
    /// An app without namespaces; clients are refused until there are some.
    pub fn new() -> Self {
        Self::default()
    }

    /// An app that answers bare Engine.IO messages.
    pub fn engine(reply: Reply) -> Self {
        Self { service: Service::Engine(reply), ..Self::default() }
    }

    /// An app that answers bare WebSocket messages, on any path.
    pub fn websocket(reply: Reply) -> Self {
        Self { service: Service::WebSocket(reply), ..Self::default() }
    }

    /// Defines a namespace, such as `/` or `/chat`; once more adds to it.
    ///
    /// # Panics
    /// When the app is a bare one.
    pub fn namespace(&mut self, name: &str, define: impl FnOnce(&mut Namespace)) -> &mut Self {
        let fixed = &mut self.namespaces().fixed;
        let at = fixed.iter().position(|(known, _)| &**known == name).unwrap_or_else(|| {
            fixed.push((name.into(), Arc::default()));
            fixed.len() - 1
        });
        define(Arc::get_mut(&mut fixed[at].1).expect("behaviour is shared only once the app runs"));
        self
    }

    /// Adds all namespaces whose name fits; one exists while it has sockets. Fixed names are looked up first.
    ///
    /// # Panics
    /// When the app is a bare one.
    pub fn dynamic_namespace(
        &mut self,
        matches: impl Fn(&str) -> bool + Send + Sync + 'static,
        define: impl FnOnce(&mut Namespace),
    ) -> &mut Self {
        let mut behaviour = Namespace::default();
        define(&mut behaviour);
        self.namespaces()
            .dynamic
            .push(Dynamic { matches: Box::new(matches), behaviour: Arc::new(behaviour) });
        self
    }

    /// A handle to the running node, for code outside of handlers. Before the node runs, it reaches nobody.
    pub fn io(&self) -> Io {
        self.io.clone()
    }

    /// Says how to ask an app for its numbers, which `/api/stats` and `/metrics` show under its name: those of one tenant,
    /// or of all. Several apps may say so, each under a name of its own; the same name again replaces. Asked by whoever
    /// looks, and every few seconds for the rate of messages, so it must not wait.
    pub fn statistics(
        &mut self,
        app: &'static str,
        read: impl Fn(Option<&TenantName>) -> AppStatistics + Send + Sync + 'static,
    ) -> &mut Self {
        self.operations.statistics.retain(|known| known.app != app);
        self.operations.statistics.push(Statistics { app, ask: Arc::new(read), of_fleet: None });
        self
    }

    /// Says how to ask an app that counts for a whole fleet on one of its nodes for the numbers of them all, which `/api/stats`
    /// then shows. `/metrics` shows those of [`App::statistics`], so that the sum over the nodes is right. Does nothing for an
    /// app that has not said how to ask it for the latter.
    pub fn fleet_statistics(
        &mut self,
        app: &'static str,
        read: impl Fn(Option<&TenantName>) -> AppStatistics + Send + Sync + 'static,
    ) -> &mut Self {
        if let Some(known) = self.operations.statistics.iter_mut().find(|known| known.app == app) {
            known.of_fleet = Some(Arc::new(read));
        }
        self
    }

    /// Runs a task beside the node, on the runtime of [`Server::run`](crate::Server::run), from when it serves until it leaves.
    /// Then the task learns of it, and clients are only told to go when it has ended, or has taken 2 s.
    pub fn beside<Fut>(&mut self, task: impl FnOnce(Io, Leaving) -> Fut + Send + 'static) -> &mut Self
    where
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.beside.add(task);
        self
    }

    /// Adds metrics of an app's own to `/metrics`; every one must have a name that nothing else has. Asked whenever the
    /// page is read, so it must not wait.
    pub fn metrics(&mut self, read: impl Fn() -> Vec<Family> + Send + Sync + 'static) -> &mut Self {
        self.operations.families.push(Families(Arc::new(read)));
        self
    }

    /// Adds routes for operators of the node, best under `/api/admin/`. The node asks for the token, refuses others and
    /// keeps a record, as for its own. [`App::document`] describes them.
    pub fn operator_routes(&mut self, routes: Router) -> &mut Self {
        self.operations.routes = std::mem::take(&mut self.operations.routes).merge(routes);
        self
    }

    /// Says how operators read and change what is logged: a filter such as `info,throng_node=debug`, or why it is none.
    pub fn log_levels(
        &mut self,
        read: impl Fn() -> String + Send + Sync + 'static,
        change: impl Fn(&str) -> Result<(), String> + Send + Sync + 'static,
    ) -> &mut Self {
        self.operations.log_levels = Some(LogLevels { read: Arc::new(read), change: Arc::new(change) });
        self
    }

    /// Describes routes of the embedder in the node's documents, `/api/openapi.json` and `/api/docs`.
    pub fn document(&mut self, routes: utoipa::openapi::OpenApi) -> &mut Self {
        match &mut self.operations.documented {
            Some(documented) => documented.merge(routes),
            documented => *documented = Some(Box::new(routes)),
        }
        self
    }

    /// The AsyncAPI document of the namespaces with a fixed name, as `/api/asyncapi.json` shows it.
    pub fn event_document(&self) -> serde_json::Value {
        operator::events::document(&self.service)
    }

    /// Events with listeners that nobody has described, as `namespace event`.
    pub fn undescribed_events(&self) -> Vec<String> {
        let Service::Sockets(namespaces) = &self.service else { return Vec::new() };
        let of = |(name, nsp): &(Arc<str>, Arc<Namespace>)| {
            let name = name.clone();
            nsp.undescribed().into_iter().map(move |event| format!("{name} {event}")).collect::<Vec<_>>()
        };
        namespaces.fixed.iter().flat_map(of).collect()
    }

    fn namespaces(&mut self) -> &mut Namespaces {
        match &mut self.service {
            Service::Sockets(namespaces) => namespaces,
            Service::Engine(_) | Service::WebSocket(_) => panic!("a bare app has no namespaces"),
        }
    }
}

impl Namespaces {
    /// The behaviour behind a name.
    pub(crate) fn find(&self, name: &str) -> Option<Arc<Namespace>> {
        let fixed = self.fixed.iter().find(|(known, _)| &**known == name).map(|(_, behaviour)| behaviour);
        let dynamic = || self.dynamic.iter().find(|dynamic| dynamic.fits(name)).map(|found| &found.behaviour);
        fixed.or_else(dynamic).cloned()
    }

    /// Those with a fixed name, in the order of their definition.
    pub(crate) fn fixed(&self) -> impl Iterator<Item = (&str, &Namespace)> {
        self.fixed.iter().map(|(name, behaviour)| (&**name, &**behaviour))
    }

    /// Whether any namespace listens to outgoing events.
    pub(crate) fn overheard(&self) -> bool {
        let fixed = self.fixed.iter().map(|(_, behaviour)| behaviour);
        let dynamic = self.dynamic.iter().map(|dynamic| &dynamic.behaviour);
        fixed.chain(dynamic).any(|behaviour| !behaviour.any_outgoing.is_empty())
    }
}

impl Dynamic {
    /// Whether a name is one of its. The pattern is the app's own code: where it panics, the name is not.
    fn fits(&self, name: &str) -> bool {
        catch_unwind(AssertUnwindSafe(|| (self.matches)(name))).unwrap_or_else(|_| {
            tracing::error!("pattern of a dynamic namespace panicked");
            false
        })
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("service", &self.service).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Dynamic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dynamic").field("behaviour", &self.behaviour).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_panics_fits_nothing() {
        let mut app = App::new();
        app.dynamic_namespace(|name| name.starts_with("/a") || panic!("{name}"), |_| {});
        assert!(app.namespaces().find("/a").is_some());
        assert!(app.namespaces().find("/b").is_none());
    }
}
