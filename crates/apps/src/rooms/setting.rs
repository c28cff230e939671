//! What the two apps do differently, and what a room of each is about.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use throng_lobby::{Pairing, Time, Topic, User};
use utoipa::ToSchema;

use super::events::Joined;
use super::refusal::UNAVAILABLE;
use super::requests::Join;
use super::room::Seat;
use super::wish::Wanted;
use crate::debate::catalogue::Catalogue;
use crate::request::Failure;
use crate::roulette::CALL_TOPIC;
use crate::roulette::ice::{Ice, IceServer};
use crate::roulette::media::{Media, Role};

/// An app.
#[derive(Debug)]
pub(crate) enum Theme {
    /// People of opposite sides talk about a topic.
    Debate(Arc<Catalogue>),
    /// People call each other.
    Roulette(Ice),
}

/// What a room is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Setting {
    /// A topic, and the side of each.
    Debate { topic: Topic, sides: [Side; 2] },
    /// A call.
    Call { media: Media },
}

/// The side that someone has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Side {
    For,
    Against,
}

impl From<throng_lobby::Side> for Side {
    fn from(side: throng_lobby::Side) -> Self {
        match side {
            throng_lobby::Side::For => Self::For,
            throng_lobby::Side::Against => Self::Against,
        }
    }
}

/// The side that someone asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SideWish {
    For,
    Against,
    Any,
}

impl From<SideWish> for throng_lobby::SideWish {
    fn from(side: SideWish) -> Self {
        match side {
            SideWish::For => Self::For,
            SideWish::Against => Self::Against,
            SideWish::Any => Self::Any,
        }
    }
}

/// `room:joined` of a debate.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DebateJoined<'a> {
    #[serde(flatten)]
    room: Joined<'a>,
    topic: &'a str,
    side: Side,
    partner_side: Side,
}

/// `room:joined` of a call.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CallJoined<'a> {
    #[serde(flatten)]
    room: Joined<'a>,
    media: Media,
    /// Who makes the first offer.
    role: Role,
    /// For `RTCPeerConnection`; none where people only write.
    ice_servers: Vec<IceServer>,
}

impl Theme {
    /// As statistics and analytics have it.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Debate(_) => "debate",
            Self::Roulette(_) => "roulette",
        }
    }

    /// What somebody wishes for.
    ///
    /// # Errors
    /// Whatever is wrong with the wish; `unavailable` for one of another app, which no node of the same version hands on.
    pub(crate) fn wanted(&self, join: Join) -> Result<Wanted, Failure> {
        match (self, join) {
            (Self::Debate(catalogue), Join::Debate(join)) => join.wanted(catalogue),
            (Self::Roulette(_), Join::Call(join)) => join.wanted(),
            _ => Err(UNAVAILABLE),
        }
    }

    /// What two people who were paired do. `media` is what each asked to call with, where they did.
    pub(crate) fn setting(&self, pairing: &Pairing, media: [Option<Media>; 2]) -> Setting {
        match self {
            Self::Debate(_) => {
                let topic = pairing.topic.clone().unwrap_or_else(|| "".into());
                let sides = pairing.sides.map(|side| side.map(Side::from));
                let sides = [sides[0].unwrap_or(Side::For), sides[1].unwrap_or(Side::Against)];
                Setting::Debate { topic, sides }
            }
            // A call is the lesser of two wishes.
            Self::Roulette(_) => {
                // What somebody asked for is not written down; that it was to call, or to write, is.
                let calls = pairing.topic.as_ref().is_some_and(|topic| topic.as_str() == CALL_TOPIC);
                let unknown = if calls { Media::Audio } else { Media::Text };
                Setting::Call { media: media.into_iter().flatten().min().unwrap_or(unknown) }
            }
        }
    }

    /// The servers that help a member of a call to connect.
    pub(crate) fn ice_servers(&self, media: Media, user: &User, now: Time) -> Vec<IceServer> {
        match self {
            Self::Roulette(ice) if media.is_call() => ice.servers(user, now),
            _ => Vec::new(),
        }
    }
}

impl Setting {
    /// The media of a call; none in a debate.
    pub(crate) fn media(&self) -> Option<Media> {
        match self {
            Self::Debate { .. } => None,
            Self::Call { media } => Some(*media),
        }
    }
}

impl<'a> DebateJoined<'a> {
    /// As whoever has the seat is told.
    pub(crate) fn new(room: Joined<'a>, topic: &'a Topic, sides: [Side; 2], seat: Seat) -> Self {
        let (side, partner_side) = (sides[seat.index()], sides[seat.other().index()]);
        Self { room, topic: topic.as_str(), side, partner_side }
    }
}

impl<'a> CallJoined<'a> {
    /// As whoever has the seat is told.
    pub(crate) fn new(room: Joined<'a>, media: Media, seat: Seat, ice_servers: Vec<IceServer>) -> Self {
        let role = match seat {
            Seat::First => Role::Offerer,
            Seat::Second => Role::Answerer,
        };
        Self { room, media, role, ice_servers }
    }
}
