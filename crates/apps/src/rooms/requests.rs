//! The requests that both apps take, and what they are answered with.

use std::future::ready;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use throng_node::{Ack, FromArgs, Namespace, Rate, Role, Socket};
use utoipa::ToSchema;

use super::events::{Active, Away, Ended, Message, Queued, Reported, Sent, Typing, Waiting, Warning};
use super::halls::Halls;
use super::records::Offence;
use super::refusal::{
    ALREADY_RATED, ALREADY_REPORTED, INVALID_PROPERTY, INVALID_RATING, INVALID_TEXT, NO_WISH, NOT_WAITING,
    NOT_YOUR_ROOM, OF_QUEUE, OF_ROOM, ROOM_ENDED, UNAVAILABLE,
};
use crate::request::{Done, Failure, Success};
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
    #[schema(min_length = 1, max_length = 500)]
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
    #[schema(min_length = 1, max_length = 500)]
    pub(super) text: Option<String>,
    /// The current or the last room, which it is about when this is missing.
    pub(super) room: Option<String>,
}

/// A rating.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FeedbackRequest {
    #[schema(minimum = 1, maximum = 5)]
    pub(super) rating: u8,
    #[schema(min_length = 1, max_length = 500)]
    pub(super) text: Option<String>,
    /// The current or the last room, which it is about when this is missing.
    pub(super) room: Option<String>,
}

/// A request whose fields are all optional may come without any.
fn named(request: Option<InRoom>) -> Option<String> {
    request.unwrap_or_default().room
}

/// What clients ask for by an event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) event: &'static str,
    /// What it is for.
    pub(crate) summary: &'static str,
    /// Why it may be refused, beside [`UNAVAILABLE`], which holds for all.
    pub(crate) failures: &'static [&'static [Failure]],
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

impl Asked {
    /// Has such requests of sockets done, and answers with what came of it. To the documents they have the fields `P`, and
    /// what is done is answered with `A`.
    pub(crate) fn listen<P: ToSchema, A: ToSchema, T: FromArgs>(
        self,
        nsp: &mut Namespace,
        halls: &Arc<Halls>,
        request: impl Fn(T) -> Request + Send + Sync + 'static,
    ) {
        let refusals: Vec<_> = self.failures().map(|failure| (failure.code, failure.message)).collect();
        nsp.describe::<P, Success<A>>(self.event, self.summary, &refusals);
        let halls = halls.clone();
        nsp.on(self.event, move |socket: Socket, asked: T, ack: Ack| {
            let (door, request) = (halls.of(&socket), request(asked));
            async move {
                let outcome = door.ask(&socket, request).await;
                debug_assert!(
                    outcome.code().is_none_or(|code| self.failures().any(|failure| failure.code == code)),
                    "{} does not say that it may be refused: {outcome:?}",
                    self.event
                );
                outcome.send(ack);
            }
        });
    }

    fn failures(self) -> impl Iterator<Item = Failure> {
        self.failures.iter().copied().flatten().copied().chain([UNAVAILABLE])
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
    Asked { event: "queue:leave", summary: "Waits no more.", failures: &[&[NOT_WAITING]] }
        .listen::<Nothing, Done, Option<Nothing>>(nsp, halls, |_| Request::LeaveQueue);
    Asked {
        event: "room:next",
        summary: "Leaves the room, if there is one, and waits for the next partner with the last wish.",
        failures: &[&[NO_WISH, ROOM_ENDED, NOT_YOUR_ROOM, INVALID_PROPERTY], OF_QUEUE],
    }
    .listen::<InRoom, Queued, _>(nsp, halls, |asked| Request::Next(named(asked)));
}

fn talk(nsp: &mut Namespace, halls: &Arc<Halls>) {
    Asked { event: "room:message", summary: "Says something.", failures: &[&[INVALID_TEXT], OF_ROOM] }
        .listen::<MessageRequest, Sent, _>(nsp, halls, Request::Say);
    Asked { event: "room:typing", summary: "Is writing, or no longer.", failures: &[OF_ROOM] }
        .listen::<TypingRequest, Done, _>(nsp, halls, Request::Type);
    Asked { event: "room:leave", summary: "Ends the room.", failures: &[OF_ROOM] }.listen::<InRoom, Done, _>(
        nsp,
        halls,
        |asked| Request::Leave(named(asked)),
    );
}

fn judge(nsp: &mut Namespace, halls: &Arc<Halls>) {
    Asked {
        event: "room:report",
        summary: "Accuses the partner: the room ends and the two never meet again.",
        failures: &[&[INVALID_TEXT, ALREADY_REPORTED], OF_ROOM],
    }
    .listen::<ReportRequest, Reported, _>(nsp, halls, Request::Report);
    Asked {
        event: "room:feedback",
        summary: "Rates the room, once.",
        failures: &[&[INVALID_RATING, INVALID_TEXT, ALREADY_RATED], OF_ROOM],
    }
    .listen::<FeedbackRequest, Done, _>(nsp, halls, Request::Rate);
    Asked {
        event: "user:block",
        summary: "Never wants to meet the partner again: the room ends.",
        failures: &[OF_ROOM],
    }
    .listen::<InRoom, Done, _>(nsp, halls, |asked| Request::Block(named(asked)));
}

/// Says what the server sends in both apps.
fn describe(nsp: &mut Namespace) {
    nsp.describe_sent::<Waiting<'_>>(
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
