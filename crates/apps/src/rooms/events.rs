//! What rooms and queues send to the pages, event by event.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::clock::{millis, whole_millis};
use super::ending::{Next, Reason};
use super::history::Line;
use super::room::{Arrival, Room, Seat, Stage};

/// What both apps tell in `room:joined`: a room that somebody is in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Joined<'a> {
    room: &'a str,
    queue: &'a str,
    state: RoomState,
    /// In milliseconds since the epoch.
    started_at: u64,
    /// In milliseconds since the epoch.
    ends_at: u64,
    resumed: bool,
    /// The latest messages, oldest first.
    history: Vec<Said<'a>>,
    /// The tags that both have.
    tags: Vec<&'a str>,
    /// The language that both have.
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
}

/// How far a room is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum RoomState {
    /// Not both have shown that they are there.
    Waiting,
    /// Both have.
    Active,
}

/// A message of a room.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Said<'a> {
    /// Its number in the room, from 1. Two that are sent at once may arrive in either order.
    seq: u64,
    text: &'a str,
    from: From,
    /// In milliseconds since the epoch.
    at: u64,
}

/// Who says something.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum From {
    You,
    Partner,
}

/// `room:message`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Message<'a> {
    room: &'a str,
    #[serde(flatten)]
    said: Said<'a>,
}

/// `room:active`: both are there.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Active<'a> {
    pub(crate) room: &'a str,
}

/// `room:warning`: it ends soon.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Warning<'a> {
    pub(crate) room: &'a str,
    /// In milliseconds since the epoch.
    pub(crate) ends_at: u64,
    pub(crate) remaining_ms: u64,
}

/// `room:typing`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Typing {
    pub(crate) typing: bool,
}

/// `partner:away`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Away {
    /// Until when it is waited for, in milliseconds since the epoch.
    pub(crate) until: u64,
}

/// `room:ended`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ended<'a> {
    pub(crate) room: &'a str,
    pub(crate) reason: Reason,
    pub(crate) next: Next,
}

/// `queue:waiting`: you wait, and have waited for a while.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Waiting<'a> {
    pub(crate) queue: &'a str,
    /// Since when, in milliseconds since the epoch.
    pub(crate) since: u64,
    /// How long people waited lately; `null` when nobody knows.
    pub(crate) estimated_wait_ms: Option<u64>,
}

/// What a successful `queue:join` or `room:next` adds.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Queued {
    pub(crate) queue: String,
    /// Others who wait on the topic.
    pub(crate) waiting: usize,
    /// How long people waited lately; `null` when nobody knows.
    pub(crate) estimated_wait_ms: Option<u64>,
}

/// What a successful `room:message` adds.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Sent {
    /// Its number in the room, from 1.
    pub(crate) seq: u64,
    /// In milliseconds since the epoch.
    pub(crate) at: u64,
}

/// What a successful `room:report` adds.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Reported {
    /// The name of the report.
    pub(crate) report: String,
}

impl<'a> Joined<'a> {
    /// A room as one of its members is told.
    pub(crate) fn new(room: &'a Room, seat: Seat, arrival: Arrival) -> Self {
        Self {
            room: &room.id,
            queue: room.queue.as_str(),
            state: match room.stage {
                Stage::Waiting { .. } => RoomState::Waiting,
                Stage::Active => RoomState::Active,
            },
            started_at: millis(room.started),
            ends_at: millis(room.ends),
            resumed: arrival == Arrival::Resumed,
            history: room.history.lines().map(|line| Said::new(line, seat)).collect(),
            tags: room.tags.iter().map(throng_lobby::Tag::as_str).collect(),
            language: room.language.as_ref().map(throng_lobby::Language::as_str),
        }
    }
}

impl<'a> Said<'a> {
    /// A message as somebody in a seat hears it.
    fn new(line: &'a Line, hearer: Seat) -> Self {
        let from = if line.by == hearer { From::You } else { From::Partner };
        Self { seq: line.seq, text: &line.text, from, at: millis(line.at) }
    }
}

impl<'a> Message<'a> {
    pub(crate) fn new(room: &'a str, line: &'a Line, hearer: Seat) -> Self {
        Self { room, said: Said::new(line, hearer) }
    }
}

impl<'a> Warning<'a> {
    pub(crate) fn new(room: &'a str, ends: throng_lobby::Time, remaining: std::time::Duration) -> Self {
        Self { room, ends_at: millis(ends), remaining_ms: whole_millis(remaining) }
    }
}
