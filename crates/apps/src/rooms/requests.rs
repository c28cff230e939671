//! The requests that both apps take, and what they are answered with.

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use throng_node::{Ack, Namespace, Rate, Role, Socket};
use utoipa::ToSchema;

use super::events::{Active, Away, Ended, Message, Queued, Reported, Sent, Typing, Waiting, Warning};
use super::halls::Halls;
use super::records::Offence;
use crate::request::{Answer, Done};
use crate::roulette::MediaRequest;
use crate::roulette::call::CallReport;
use crate::roulette::signal::SignalRequest;
use crate::{debate, roulette};

/// What somebody asks for, whichever node their connection is on. Texts in it are as the client sent them: whoever keeps
/// the hall checks them.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Request {
    Join(Arc<Join>),
    LeaveQueue,
    Next(Option<String>),
    Say(MessageRequest),
    Type(TypingRequest),
    Leave(Option<String>),
    Report(ReportRequest),
    Rate(FeedbackRequest),
    Block(Option<String>),
    Signal(Box<SignalRequest>),
    Show(MediaRequest),
    CallReport(CallReport),
}

/// A wish, as each app has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Join {
    Debate(debate::Join),
    Call(roulette::Join),
}

/// What came of it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Reply {
    Queued(Queued),
    Sent(Sent),
    Reported(Reported),
    Done(Done),
}

impl Request {
    /// Whether it is between the two of a room, and changes nothing that others could contradict.
    pub(super) fn is_talk(&self) -> bool {
        matches!(self, Self::Say(_) | Self::Type(_) | Self::Signal(_) | Self::Show(_))
    }
}

/// A request that is read as JSON is, in which there are no bytes. For those with fields of another type: serde reads such
/// fields from a copy of them in which bytes pass for text.
pub(crate) struct Json<T>(pub(crate) T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Json<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(from)?;
        T::deserialize(value).map(Self).map_err(D::Error::custom)
    }
}

/// A request without fields.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// A request that may name its room.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InRoom {
    /// The room that it is for; the current one when it is missing.
    room: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MessageRequest {
    /// 1 to 500 characters.
    pub(super) text: String,
    /// The room that it is for; the current one when it is missing.
    pub(super) room: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TypingRequest {
    pub(super) typing: bool,
    /// The room that it is for; the current one when it is missing.
    pub(super) room: Option<String>,
}

/// An accusation.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReportRequest {
    pub(super) reason: Offence,
    /// 1 to 500 characters.
    pub(super) text: Option<String>,
    /// The current or the last room, which it is about when this is missing.
    pub(super) room: Option<String>,
}

/// A rating.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FeedbackRequest {
    /// 1 to 5.
    pub(super) rating: u8,
    /// 1 to 500 characters.
    pub(super) text: Option<String>,
    /// The current or the last room, which it is about when this is missing.
    pub(super) room: Option<String>,
}

/// A request whose fields are all optional may come without any.
fn named(request: Option<InRoom>) -> Option<String> {
    request.unwrap_or_default().room
}

/// Adds what both apps listen to.
pub(crate) fn install(nsp: &mut Namespace, halls: &Arc<Halls>) {
    nsp.open_to(Role::Guest);
    // Pages send it while somebody writes; it costs little and must not use up what their messages may.
    nsp.rate("room:typing", Rate::per_second(5, 10));
    halls.listen(nsp);
    attend(nsp, halls);
    queue(nsp, halls);
    talk(nsp, halls);
    judge(nsp, halls);
    describe(nsp);
}

/// A listener that has a request of its socket done, and answers with what came of it.
pub(crate) fn asking<T, F: Fn(T) -> Request>(
    halls: &Arc<Halls>,
    request: F,
) -> impl Fn(Socket, T, Ack) -> Pin<Box<dyn Future<Output = ()>>> + use<T, F> {
    let halls = halls.clone();
    move |socket, asked, ack| {
        let (door, request) = (halls.of(&socket), request(asked));
        Box::pin(async move { door.ask(&socket, request).await.send(ack) })
    }
}

fn attend(nsp: &mut Namespace, halls: &Arc<Halls>) {
    let here = halls.clone();
    nsp.on_connect(move |socket: Socket| {
        here.of(&socket).arrive(&socket);
        ready(())
    });
    let here = halls.clone();
    nsp.on_disconnecting(move |socket: Socket, end| {
        here.of(&socket).dismiss(&socket, end);
        ready(())
    });
    let here = halls.clone();
    nsp.on_disconnect(move |socket: Socket, _| {
        here.of(&socket).depart(&socket);
        ready(())
    });
}

fn queue(nsp: &mut Namespace, halls: &Arc<Halls>) {
    nsp.on("queue:leave", asking(halls, |_: Option<Nothing>| Request::LeaveQueue));
    nsp.on("room:next", asking(halls, |asked| Request::Next(named(asked))));
}

fn talk(nsp: &mut Namespace, halls: &Arc<Halls>) {
    nsp.on("room:message", asking(halls, Request::Say));
    nsp.on("room:typing", asking(halls, Request::Type));
    nsp.on("room:leave", asking(halls, |asked| Request::Leave(named(asked))));
}

fn judge(nsp: &mut Namespace, halls: &Arc<Halls>) {
    nsp.on("room:report", asking(halls, Request::Report));
    nsp.on("room:feedback", asking(halls, Request::Rate));
    nsp.on("user:block", asking(halls, |asked| Request::Block(named(asked))));
}

/// Says what the events are for.
fn describe(nsp: &mut Namespace) {
    nsp.describe::<Nothing, Answer<Done>>("queue:leave", "Waits no more.")
        .describe::<InRoom, Answer<Queued>>(
            "room:next",
            "Leaves the room, if there is one, and waits for the next partner with the last wish.",
        )
        .describe::<MessageRequest, Answer<Sent>>("room:message", "Says something.")
        .describe::<TypingRequest, Answer<Done>>("room:typing", "Is writing, or no longer.")
        .describe::<InRoom, Answer<Done>>("room:leave", "Ends the room.")
        .describe::<ReportRequest, Answer<Reported>>(
            "room:report",
            "Accuses the partner: the room ends and the two never meet again.",
        )
        .describe::<FeedbackRequest, Answer<Done>>("room:feedback", "Rates the room, once.")
        .describe::<InRoom, Answer<Done>>(
            "user:block",
            "Never wants to meet the partner again: the room ends.",
        )
        .describe_sent::<Waiting<'_>>(
            "queue:waiting",
            "You still wait: after a reconnection, or because your partner never came.",
        )
        .describe_sent::<Active<'_>>("room:active", "Both are there.")
        .describe_sent::<Warning<'_>>("room:warning", "The room ends soon.")
        .describe_sent::<Message<'_>>("room:message", "A message of either side.")
        .describe_sent::<Typing>("room:typing", "The partner is writing, or no longer.")
        .describe_sent::<Away>("partner:away", "The partner has vanished and may come back.")
        .describe_sent::<()>("partner:back", "The partner is back.")
        .describe_sent::<Ended<'_>>("room:ended", "The room is over.");
}
