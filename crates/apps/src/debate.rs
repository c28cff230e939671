//! The debate matchmaker, namespace `/debate`: choose a topic and a side, be paired with a stranger of the other side,
//! talk until the clock runs out.
//!
//! It is open to guests. Whoever comes back as the same user within the grace period, a guest with the token of
//! `token:guest` for example, finds its debate and its place in the queue again; on a node that does not ask for tokens
//! nobody can. What happens in queues and rooms is [`rooms`](crate::rooms)' business; this decodes wishes.

pub(crate) mod catalogue;
mod routes;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use throng_lobby::{AnyTopic, Few, Wish};
use throng_node::{App, Namespace};
use utoipa::ToSchema;

use crate::request::Failure;
use crate::rooms::events::Queued;
use crate::rooms::hall::AppSetup;
use crate::rooms::halls::Halls;
use crate::rooms::refusal::{INVALID_TOPIC, OF_QUEUE, OF_WISH, UNKNOWN_TOPIC};
use crate::rooms::requests::{Asked, Request};
use crate::rooms::setting::{DebateJoined, SideWish, Theme};
use crate::rooms::wish::{Wanted, join};
use crate::rooms::{self, requests};

pub use catalogue::OwnTopics;
use catalogue::{Catalogue, Topics};

/// The namespace.
pub const NAMESPACE: &str = "/debate";

/// How debates go.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The topics that the lobby always shows, each 1 to 120 characters. Default none.
    pub topics: Vec<String>,
    /// Whether people may bring their own. Default they may.
    pub own_topics: OwnTopics,
    /// How rooms and queues go.
    pub rooms: rooms::Config,
}

join! {
    /// Whom somebody wants to debate with, and about what.
    {
        topic: WrittenTopic,
        side: SideWish,
        /// Others that will do after a while, the best first.
        #[serde(default)]
        #[schema(max_items = 5)]
        other_topics: Vec<WrittenTopic>,
        /// Whether any topic will do after a while.
        #[serde(default)]
        any_topic: bool,
    }
}

/// A topic as somebody has written it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(min_length = 1, max_length = 120)]
struct WrittenTopic(String);

impl Join {
    pub(crate) fn wanted(self, catalogue: &Catalogue) -> Result<Wanted, Failure> {
        let topic = catalogue.find(&self.topic.0)?;
        let others = self.other_topics.iter().map(|other| catalogue.find(&other.0));
        let others = Few::new(others.collect::<Result<Vec<_>, _>>()?).ok_or(INVALID_TOPIC)?;
        let wish = Wish {
            topic: Some(topic),
            other_topics: others,
            any_topic: if self.any_topic { AnyTopic::Accepted } else { AnyTopic::Refused },
            side: Some(self.side.into()),
            ..self.about().wish()?
        };
        Ok(Wanted { wish: wish.into(), media: None })
    }
}

/// Adds the namespace to an app.
pub fn install(app: &mut App, config: Config) {
    let catalogue = Arc::new(Catalogue::new(&config.topics, config.own_topics));
    let theme = Theme::Debate(catalogue);
    let setup = AppSetup { namespace: NAMESPACE, theme, config: config.rooms.complete() };
    let halls = Halls::new(app, setup);
    let (routes, described) = routes::routes(halls.clone()).split_for_parts();
    app.operator_routes(routes).document(described);
    app.namespace(NAMESPACE, |nsp| {
        requests::install(nsp, &halls);
        describe(nsp);
        let join = |join| Request::Join(Arc::new(requests::Join::Debate(join)));
        Asked {
            event: "queue:join",
            summary: "Waits for a partner on a topic; a second wish replaces the first.",
            failures: &[&[INVALID_TOPIC, UNKNOWN_TOPIC], OF_WISH, OF_QUEUE],
        }
        .listen::<Join, Queued, _>(nsp, &halls, join);
    });
}

/// Says what the server sends in debates alone.
fn describe(nsp: &mut Namespace) {
    nsp.describe_sent::<Topics>(
        "lobby:state",
        "What there is to debate, and how busy it is: on connect, then at most once a second.",
    )
    .describe_sent::<DebateJoined<'_>>(
        "room:joined",
        "A debate begins, or goes on for one who came back. An acknowledgement confirms that you are there.",
    );
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn join(join: Value) -> Result<Wanted, String> {
        let join: Join = serde_json::from_value(join).map_err(|error| error.to_string())?;
        let catalogue = Catalogue::new(&["Tea".to_owned()], OwnTopics::Refused);
        join.wanted(&catalogue).map_err(|failure| failure.code.to_owned())
    }

    #[test]
    fn a_wish_has_a_topic_a_side_and_more() {
        let wanted = join(json!({
            "topic": "tea", "side": "any", "otherTopics": ["TEA"], "anyTopic": true, "tags": ["x"],
        }));
        let wish = wanted.unwrap().wish;
        assert_eq!((wish.topic.clone(), &wish.other_topics[..]), (Some("Tea".into()), &["Tea".into()][..]));
        assert_eq!((wish.any_topic, wish.side), (AnyTopic::Accepted, Some(throng_lobby::SideWish::Any)));
        assert_eq!((wish.tags.iter().count(), wish.queue.as_str()), (1, "default"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (wrong, named) in [
            (json!({"topic": "tea"}), "side"),
            (json!({"side": "any"}), "topic"),
            (json!({"topic": "tea", "side": "any", "party": 2}), "party"),
            (json!({"topic": "tea", "side": "any", "about": {}}), "about"),
            (json!({"topic": "tea", "side": "any", "requires": {"speed": 1}}), "speed"),
            (json!({"topic": "tea", "side": "up"}), "up"),
            (json!({"topic": "war", "side": "any"}), "unknown_topic"),
            (json!({"topic": "tea", "side": "any", "otherTopics": ["war"]}), "unknown_topic"),
            (json!({"topic": "tea", "side": "any", "otherTopics": vec!["tea"; 6]}), "invalid_topic"),
            (json!({"topic": "tea", "side": "any", "tags": ["?"]}), "invalid_tag"),
        ] {
            let error = join(wrong.clone()).unwrap_err();
            assert!(error.contains(named), "{wrong}: {error}");
        }
    }
}
