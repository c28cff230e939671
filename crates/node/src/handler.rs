//! Handlers: closures of several shapes, erased to one.

use std::future::Future;
use std::pin::Pin;

use serde_json::Value;
use throng_protocol::end::End;
use throng_protocol::socket::args::{Args, ArgsRef, DecodeError, FromArgs};

use crate::ack::Ack;
use crate::broadcast::Broadcast;
use crate::socket::Socket;

/// A running handler. It stays on its socket's shard, so it need not be `Send`.
pub(crate) type Running = Pin<Box<dyn Future<Output = ()>>>;

/// An incoming event, as a handler's wrapper sees it.
#[derive(Debug)]
pub struct Incoming<'a> {
    pub(crate) socket: Socket,
    pub(crate) args: ArgsRef<'a>,
    pub(crate) ack: Ack,
}

/// An event handler: an async closure over the socket, then what it wants of the arguments (see [`FromArgs`]), then the
/// [`Ack`], each of the latter two optional.
///
/// `Shape` only tells the shapes apart and is always inferred.
pub trait Handler<Shape>: Send + Sync + 'static {
    /// Decodes the arguments and starts the handler.
    fn start(&self, incoming: Incoming<'_>) -> Result<Running, (Ack, DecodeError)>;
}

impl<F, Fut> Handler<()> for F
where
    F: Fn(Socket) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + 'static,
{
    fn start(&self, incoming: Incoming<'_>) -> Result<Running, (Ack, DecodeError)> {
        Ok(Box::pin(self(incoming.socket)))
    }
}

impl<F, Fut, T> Handler<(T,)> for F
where
    F: Fn(Socket, T) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + 'static,
    T: FromArgs,
{
    fn start(&self, incoming: Incoming<'_>) -> Result<Running, (Ack, DecodeError)> {
        match T::from_args(incoming.args) {
            Ok(args) => Ok(Box::pin(self(incoming.socket, args))),
            Err(error) => Err((incoming.ack, error)),
        }
    }
}

impl<F, Fut, T> Handler<(T, Ack)> for F
where
    F: Fn(Socket, T, Ack) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + 'static,
    T: FromArgs,
{
    fn start(&self, incoming: Incoming<'_>) -> Result<Running, (Ack, DecodeError)> {
        match T::from_args(incoming.args) {
            Ok(args) => Ok(Box::pin(self(incoming.socket, args, incoming.ack))),
            Err(error) => Err((incoming.ack, error)),
        }
    }
}

/// Why a middleware turned a client away: what `connect_error` shows to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The text.
    pub message: String,
    /// Anything a program may want to know.
    pub data: Option<Value>,
}

impl Refusal {
    /// A refusal without data.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), data: None }
    }

    /// A refusal whose data is `{"code"}`, a stable word for programs.
    pub fn coded(code: &str, message: impl Into<String>) -> Self {
        Self::new(message).with_data(serde_json::json!({"code": code}))
    }

    /// The stable word in its data, when it has one.
    pub(crate) fn code(&self) -> Option<&str> {
        self.data.as_ref()?.get("code")?.as_str()
    }

    /// Adds data for the client.
    pub fn with_data(self, data: impl Into<Value>) -> Self {
        Self { data: Some(data.into()), ..self }
    }
}

pub(crate) type EventListener =
    Box<dyn Fn(Incoming<'_>) -> Result<Running, (Ack, DecodeError)> + Send + Sync>;
pub(crate) type ConnectListener = Box<dyn Fn(Socket) -> Running + Send + Sync>;
pub(crate) type EndListener = Box<dyn Fn(Socket, End) -> Running + Send + Sync>;
pub(crate) type AnyListener = Box<dyn Fn(&Socket, &str, &Args) + Send + Sync>;
pub(crate) type Verdict = Pin<Box<dyn Future<Output = Result<(), Refusal>>>>;
pub(crate) type Middleware = Box<dyn Fn(Socket) -> Verdict + Send + Sync>;
pub(crate) type Answer = Pin<Box<dyn Future<Output = Option<Args>> + Send>>;
pub(crate) type MissedListener =
    Box<dyn Fn(Broadcast) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;
pub(crate) type ServerListener = Box<dyn Fn(Broadcast, Args) -> Answer + Send + Sync>;
