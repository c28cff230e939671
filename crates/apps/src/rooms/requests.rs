//! The requests that both apps take, and what they are answered with.

use std::future::ready;
use std::sync::Arc;

use serde::Deserialize;
use throng_node::{Ack, Namespace, Rate, Role, Socket};
use utoipa::ToSchema;

use super::events::{Active, Away, Ended, Message, Queued, Reported, Sent, Typing, Waiting, Warning};
use super::halls::Halls;
use super::records::Offence;
use crate::request::{Answer, Done, answer, request};

/// A request without fields.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// A request that may name its room.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InRoom {
    /// The room that it is for; the current one when it is missing.
    room: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MessageRequest {
    /// 1 to 500 characters.
    text: String,
    /// The room that it is for; the current one when it is missing.
    room: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TypingRequest {
    typing: bool,
    /// The room that it is for; the current one when it is missing.
    room: Option<String>,
}

/// An accusation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReportRequest {
    pub(super) reason: Offence,
    /// 1 to 500 characters.
    pub(super) text: Option<String>,
    /// The current or the last room, which it is about when this is missing.
    pub(super) room: Option<String>,
}

/// A rating.
#[derive(Debug, Deserialize, ToSchema)]
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
    attend(nsp, halls);
    queue(nsp, halls);
    talk(nsp, halls);
    judge(nsp, halls);
    describe(nsp);
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
    let here = halls.clone();
    nsp.on("queue:leave", move |socket: Socket, _: Option<Nothing>, ack: Ack| {
        let hall = here.of(&socket);
        async move { ack.send(answer(hall.leave_queue(&socket).await)) }
    });
    let here = halls.clone();
    nsp.on("room:next", move |socket: Socket, asked: Option<InRoom>, ack: Ack| {
        let hall = here.of(&socket);
        async move { ack.send(answer(hall.next(&socket, named(asked).as_deref()).await)) }
    });
}

fn talk(nsp: &mut Namespace, halls: &Arc<Halls>) {
    let here = halls.clone();
    nsp.on(
        "room:message",
        request(move |socket, asked: MessageRequest| {
            here.of(socket).say(socket, &asked.text, asked.room.as_deref())
        }),
    );
    let here = halls.clone();
    nsp.on(
        "room:typing",
        request(move |socket, asked: TypingRequest| {
            here.of(socket).typing(socket, asked.typing, asked.room.as_deref())
        }),
    );
    let here = halls.clone();
    nsp.on(
        "room:leave",
        request(move |socket, asked| here.of(socket).leave_room(socket, named(asked).as_deref())),
    );
}

fn judge(nsp: &mut Namespace, halls: &Arc<Halls>) {
    let here = halls.clone();
    nsp.on("room:report", request(move |socket, asked| here.of(socket).report(socket, asked)));
    let here = halls.clone();
    nsp.on("room:feedback", request(move |socket, asked| here.of(socket).feedback(socket, asked)));
    let here = halls.clone();
    nsp.on(
        "user:block",
        request(move |socket, asked| here.of(socket).block(socket, named(asked).as_deref())),
    );
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
