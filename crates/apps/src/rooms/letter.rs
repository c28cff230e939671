//! What nodes write to each other about halls: letters to the keeper, each of which is answered, and news from it to all.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use throng_node::{AskError, Io, NodeTag};

use super::figures::Figures;
use super::guest::Name;
use super::hall::Dismissal;
use super::records::review;
use super::requests::Request;
use super::roll::{Part, Rolled};
use super::room::RoomId;

/// The event of a letter.
pub(crate) const LETTER: &str = "hall:letter";
/// The event of news.
pub(crate) const NEWS: &str = "hall:news";
/// The event of something for a client of another node.
pub(crate) const TELLING: &str = "hall:telling";
/// The event of whoever looks for a keeper, with the tenant.
pub(crate) const SEEK: &str = "hall:seek";

/// How long an answer is waited for. Whoever asked is then told to try again.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// To the keeper of a tenant's hall.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Letter {
    pub(crate) tenant: Box<str>,
    pub(crate) from: NodeTag,
    /// Of the keeper that it is meant for.
    pub(crate) fence: u64,
    pub(crate) body: Body,
}

/// What is written.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Body {
    /// Somebody connects.
    Arrive(Name),
    /// Somebody's connection is gone.
    Depart(Name),
    /// The server is about to close somebody's connection.
    Dismiss(Name, Dismissal),
    /// Who is connected, and what they know.
    Roll(Part),
    /// Somebody's page has shown the room.
    Confirm(Box<str>, RoomId),
    /// Somebody asks for something; what it is answered with goes to the client as it is.
    Ask(Box<str>, Request),
    /// What people said about rooms.
    Review(review::Wanted),
    /// How calls fare.
    Calls,
}

/// From the keeper of a tenant's hall.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct News {
    pub(crate) tenant: Box<str>,
    pub(crate) keeper: NodeTag,
    pub(crate) fence: u64,
    pub(crate) said: Said,
}

/// What the keeper says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Said {
    /// It keeps the hall, and knows all connections of these nodes.
    Kept { rolled: Vec<Rolled>, figures: Box<Figures> },
    /// It does no longer; somebody else shall.
    Released,
}

/// How a letter fared.
#[derive(Debug)]
pub(crate) enum Fate {
    /// It was answered.
    Answered(Value),
    /// It came to nobody who keeps the hall: nothing was done.
    Returned,
    /// No answer came: perhaps it was done.
    Lost,
}

/// A letter on its way.
pub(crate) type Sending = Pin<Box<dyn Future<Output = Fate> + Send>>;

/// Sends a letter; it is on its way when this returns, behind those that were sent before.
pub(crate) fn send(io: &Io, namespace: &'static str, (to, letter): (NodeTag, &Letter)) -> Sending {
    let written = serde_json::to_value(letter);
    let all = io.of(namespace).timeout(PATIENCE);
    let mut sending: Sending = Box::pin(async move {
        let Ok(written) = written else { return Fate::Returned };
        match all.ask_node::<Option<Value>>(to, LETTER, written).await {
            Ok(Some(answer)) => Fate::Answered(answer),
            Ok(None) | Err(AskError::Disconnected) => Fate::Returned,
            Err(error) => {
                tracing::debug!(%error, "the keeper of a hall does not answer");
                Fate::Lost
            }
        }
    });
    // With the first poll it leaves, or its fate is known.
    match sending.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        std::task::Poll::Ready(fate) => Box::pin(std::future::ready(fate)),
        std::task::Poll::Pending => sending,
    }
}
