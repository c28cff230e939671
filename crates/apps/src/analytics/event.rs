//! The events, and how they look to whoever gets them.

use std::time::Duration;

use serde::{Serialize, Serializer};
use throng_node::TenantName;

/// Whom and what an event is about.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// The app by its name, such as `debate`.
    pub app: &'static str,
    /// Where the users belong.
    pub tenant: &'a TenantName,
    /// The queue by its name in the configuration.
    pub queue: &'a str,
    /// The room by its identifier, where there is one.
    pub room: Option<&'a str>,
    /// The users by the `sub` of their tokens: of what one does that one, of what befalls a room both. The sink gets
    /// pseudonyms.
    pub users: &'a [&'a str],
}

/// What happened. Times are told in milliseconds; reasons are the codes that the pages get.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A user waits to be paired.
    QueueJoined,
    /// A user waits no longer, without having been paired.
    QueueLeft {
        /// How long it was.
        #[serde(rename = "waitMs", serialize_with = "millis")]
        wait: Duration,
    },
    /// A user was paired; of each pair there are two such events.
    Paired {
        /// How long this one waited.
        #[serde(rename = "waitMs", serialize_with = "millis")]
        wait: Duration,
    },
    /// Both are in the room, and debate.
    DebateStarted,
    /// A debate is over.
    DebateEnded {
        /// Why.
        reason: &'static str,
        /// How long it was.
        #[serde(rename = "lengthMs", serialize_with = "millis")]
        length: Duration,
        /// Messages of both.
        messages: u64,
    },
    /// Both are in the room, and may call.
    CallStarted {
        /// `video`, `audio` or `text`.
        media: &'static str,
    },
    /// The media of a call flow, by the report of a page.
    CallConnected {
        /// From the start to here.
        #[serde(rename = "setupMs", serialize_with = "millis")]
        setup: Duration,
        /// Whether through a relay, when the page says so.
        relayed: Option<bool>,
    },
    /// The media of a call do not flow, by the report of a page.
    CallFailed {
        /// Why.
        reason: &'static str,
    },
    /// A call is over.
    CallEnded {
        /// Why.
        reason: &'static str,
        /// How long it was.
        #[serde(rename = "lengthMs", serialize_with = "millis")]
        length: Duration,
        /// Messages of both.
        messages: u64,
    },
    /// A user reported the partner.
    Reported {
        /// For what.
        reason: &'static str,
    },
    /// A user blocked the partner.
    Blocked,
    /// A user rated a room.
    Feedback {
        /// 1 to 5.
        rating: u8,
    },
}

fn millis<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}
