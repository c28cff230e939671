//! The topics that there are to debate.

use serde::Serialize;
use throng_lobby::Topic;
use utoipa::ToSchema;

use crate::request::Failure;
use crate::rooms::refusal::UNKNOWN_TOPIC;
use crate::rooms::text;

/// Topics shown in the lobby beside those of the catalogue, the busiest ones.
const OWN_SHOWN_MAX: usize = 30;

/// Whether people may debate topics that are not in the catalogue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OwnTopics {
    /// They may.
    #[default]
    Allowed,
    /// They may not.
    Refused,
}

/// The topics, in the order of the configuration, and whether there may be others.
#[derive(Debug)]
pub(crate) struct Catalogue {
    topics: Vec<Topic>,
    own: OwnTopics,
}

/// `lobby:state` of debates: what there is to debate, and how busy each topic is.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Topics {
    /// The catalogue, in its order.
    topics: Vec<TopicState>,
    /// Topics of people's own: the 30 that most are on, the busiest first.
    others: Vec<TopicState>,
    /// Whether people may bring topics of their own.
    own_topics: bool,
}

/// A topic in the lobby, and how many people are on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct TopicState {
    pub(crate) topic: String,
    pub(crate) waiting: usize,
    pub(crate) debating: usize,
}

impl Catalogue {
    /// A catalogue of these topics; what is no topic, because it is empty or too long, is left out.
    pub(crate) fn new(topics: &[String], own: OwnTopics) -> Self {
        Self { topics: topics.iter().filter_map(|topic| text::topic(topic).ok()).collect(), own }
    }

    /// The topic that somebody has written: as it stands in the catalogue, whatever its case, or one of their own.
    ///
    /// # Errors
    /// `invalid_topic`, or `unknown_topic` where there are only those of the catalogue.
    pub(crate) fn find(&self, written: &str) -> Result<Topic, Failure> {
        let topic = text::topic(written)?;
        let folded = topic.as_str().to_lowercase();
        match (self.topics.iter().find(|known| known.as_str().to_lowercase() == folded), self.own) {
            (Some(known), _) => Ok(known.clone()),
            (None, OwnTopics::Allowed) => Ok(topic),
            (None, OwnTopics::Refused) => Err(UNKNOWN_TOPIC),
        }
    }

    /// What the lobby shows, when people are on these topics.
    pub(crate) fn shown(&self, busy: Vec<TopicState>) -> Topics {
        let is_known = |state: &TopicState| self.topics.iter().any(|topic| topic.as_str() == state.topic);
        let (mut known, mut others): (Vec<_>, Vec<_>) = busy.into_iter().partition(is_known);
        let topics = self.topics.iter().map(|topic| {
            let at = known.iter().position(|state| state.topic == topic.as_str());
            let quiet = || TopicState { topic: topic.to_string(), waiting: 0, debating: 0 };
            at.map_or_else(quiet, |at| known.swap_remove(at))
        });
        let topics = topics.collect();
        let people = |state: &TopicState| state.waiting + state.debating;
        others
            .sort_by(|one, other| people(other).cmp(&people(one)).then_with(|| one.topic.cmp(&other.topic)));
        others.truncate(OWN_SHOWN_MAX);
        Topics { topics, others, own_topics: self.own == OwnTopics::Allowed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue(own: OwnTopics) -> Catalogue {
        Catalogue::new(&["Tea".to_owned(), "Art".to_owned(), " ".to_owned()], own)
    }

    #[test]
    fn topics_are_found_whatever_their_case() {
        let closed = catalogue(OwnTopics::Refused);
        assert_eq!(closed.find(" tEA "), Ok("Tea".into()));
        assert_eq!(closed.find("war"), Err(UNKNOWN_TOPIC));
        assert_eq!(closed.find("").unwrap_err().code, "invalid_topic");
        assert_eq!(catalogue(OwnTopics::Allowed).find("war"), Ok("war".into()));
    }

    #[test]
    fn the_lobby_shows_the_catalogue_in_its_order_and_the_busiest_others() {
        let state =
            |topic: &str, waiting, debating| TopicState { topic: topic.to_owned(), waiting, debating };
        let busy = vec![state("war", 1, 0), state("Art", 0, 2), state("love", 0, 4)];
        let topics = vec![state("Tea", 0, 0), state("Art", 0, 2)];
        let others = vec![state("love", 0, 4), state("war", 1, 0)];
        assert_eq!(catalogue(OwnTopics::Allowed).shown(busy), Topics { topics, others, own_topics: true });

        let many = (0..50).map(|number| state(&format!("{number:02}"), 1, 0)).collect();
        let Topics { topics, others, .. } = catalogue(OwnTopics::Allowed).shown(many);
        assert_eq!((topics.len(), others.len(), others[29].topic.as_str()), (2, OWN_SHOWN_MAX, "29"));
        assert!(!catalogue(OwnTopics::Refused).shown(Vec::new()).own_topics);
    }
}
