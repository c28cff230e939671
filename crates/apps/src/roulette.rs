//! The video chat roulette, namespace `/roulette`: be paired with a stranger and call, or write, until the clock runs out.
//!
//! The two browsers connect to each other; the server passes on what they need for that (`signal`) and tells them of STUN
//! and TURN servers. What happens in queues and rooms is [`rooms`](crate::rooms)' business; this decodes requests.

pub(crate) mod call;
pub(crate) mod calls;
pub(crate) mod ice;
pub(crate) mod media;
mod routes;
pub(crate) mod signal;

use std::sync::Arc;

use axum::Router;
use serde::{Deserialize, Serialize};
use throng_lobby::Wish;
use throng_node::{App, Namespace, Rate};
use utoipa::ToSchema;

use crate::request::{Done, Failure};
use crate::rooms::board::Crowd;
use crate::rooms::events::Queued;
use crate::rooms::hall::AppSetup;
use crate::rooms::halls::Halls;
use crate::rooms::refusal::{
    INVALID_REPORT, INVALID_SIGNAL, NOT_A_CALL, OF_QUEUE, OF_ROOM, OF_WISH, SIGNAL_BACKLOG, SIGNAL_TOO_LARGE,
};
use crate::rooms::requests::{Asked, Request};
use crate::rooms::setting::{CallJoined, Theme};
use crate::rooms::wish::{Wanted, join};
use crate::rooms::{self, requests};
use call::CallReport;
use media::{Media, MediaState};
use signal::{Signal, SignalRequest};

pub use ice::Ice;

/// The namespace.
pub const NAMESPACE: &str = "/roulette";

/// The topic of all who call.
pub(crate) const CALL_TOPIC: &str = "call";

/// How calls go.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The servers that help browsers to connect.
    pub ice: Ice,
    /// How rooms and queues go.
    pub rooms: rooms::Config,
}

join! {
    /// Whom somebody wants to meet, and with what.
    {
        /// A call has the lesser of two wishes. Whoever wants to write only meets others who do.
        media: Media,
    }
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MediaRequest {
    camera: bool,
    microphone: bool,
    /// The room that it is for; the current one when it is missing.
    pub(crate) room: Option<String>,
}

impl MediaRequest {
    pub(crate) fn state(&self) -> MediaState {
        MediaState { camera: self.camera, microphone: self.microphone }
    }
}

impl Join {
    pub(crate) fn wanted(self) -> Result<Wanted, Failure> {
        // Those who call and those who write are kept apart as people of different topics are.
        let topic = if self.media.is_call() { CALL_TOPIC } else { "text" };
        let media = Some(self.media);
        let wish = Wish { topic: Some(topic.into()), ..self.about().wish()? };
        Ok(Wanted { wish: wish.into(), media })
    }
}

/// Adds the namespace to an app, and describes the routes that come back: `GET /api/webrtc/stats`.
pub fn install(app: &mut App, config: Config) -> Router {
    let theme = Theme::Roulette(config.ice);
    let setup = AppSetup { namespace: NAMESPACE, theme, config: config.rooms.complete() };
    let halls = Halls::new(app, setup);
    let (operators, described) = routes::for_operators(halls.clone()).split_for_parts();
    app.operator_routes(operators).document(described);
    let (routes, described) = routes::for_all(halls.clone()).split_for_parts();
    app.document(described);
    let counted = halls.clone();
    app.metrics(move || {
        let (calls, active) = counted.calls();
        calls.families(active)
    });
    app.namespace(NAMESPACE, |nsp| {
        requests::install(nsp, &halls);
        describe(nsp);
        // A browser finds its candidates all at once.
        nsp.rate("signal", Rate::per_second(50, 200));
        listen(nsp, &halls);
    });
    routes
}

fn listen(nsp: &mut Namespace, halls: &Arc<Halls>) {
    let join = |join| Request::Join(Arc::new(requests::Join::Call(join)));
    Asked {
        event: "queue:join",
        summary: "Waits for somebody to call or to write with; a second wish replaces the first.",
        failures: &[OF_WISH, OF_QUEUE],
    }
    .listen::<Join, Queued, _>(nsp, halls, join);
    Asked {
        event: "signal",
        summary: "Passes a session description, a network candidate or a renewal on to the partner, kept while that one is away.",
        failures: &[&[INVALID_SIGNAL, SIGNAL_TOO_LARGE, SIGNAL_BACKLOG, NOT_A_CALL], OF_ROOM],
    }
    .listen::<SignalRequest, Done, _>(nsp, halls, |asked| Request::Signal(Box::new(asked)));
    Asked {
        event: "media:state",
        summary: "Turns camera and microphone on or off.",
        failures: &[&[NOT_A_CALL], OF_ROOM],
    }
    .listen::<MediaRequest, Done, _>(nsp, halls, Request::Show);
    Asked {
        event: "call:report",
        summary: "Says how far the call is.",
        failures: &[&[INVALID_REPORT, NOT_A_CALL], OF_ROOM],
    }
    .listen::<CallReport, Done, _>(nsp, halls, Request::CallReport);
}

/// Says what the server sends in calls alone.
fn describe(nsp: &mut Namespace) {
    nsp.describe_sent::<Crowd>("lobby:state", "How busy it is: on connect, then at most once a second.")
    .describe_sent::<CallJoined<'_>>(
        "room:joined",
        "A room begins, or goes on for one who came back. An acknowledgement confirms that you are there.",
    )
    .describe_sent::<Signal>("signal", "What the partner's page has for yours, in the order sent.")
    .describe_sent::<MediaState>("media:state", "Which devices the partner has on.");
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn topic(join: Value) -> Result<String, String> {
        let join: Join = serde_json::from_value(join).map_err(|error| error.to_string())?;
        let wanted = join.wanted().map_err(|failure| failure.code.to_owned())?;
        Ok(wanted.wish.topic.as_ref().unwrap().to_string())
    }

    #[test]
    fn those_who_call_and_those_who_write_are_kept_apart() {
        for (media, expect) in [("video", "call"), ("audio", "call"), ("text", "text")] {
            assert_eq!(topic(json!({"media": media})).as_deref(), Ok(expect));
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (wrong, named) in [
            (json!({}), "media"),
            (json!({"media": "smell"}), "smell"),
            (json!({"media": "text", "topic": "tea"}), "topic"),
            (json!({"media": "text", "tags": 1}), "invalid type"),
            (json!({"media": "text", "region": "?"}), "invalid_region"),
        ] {
            let error = topic(wrong.clone()).unwrap_err();
            assert!(error.contains(named), "{wrong}: {error}");
        }
    }
}
