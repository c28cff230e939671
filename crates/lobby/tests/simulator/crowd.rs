//! Who comes, when, and what they wish for, in each of the situations that a lobby must bear.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use throng_lobby::{
    AnyTopic, Condition, Criteria, Facet, Few, LobbyConfig, Newcomer, People, Policy, Properties,
    PropertyName, QueueConfig, QueueName, SideWish, Step, Tag, Tags, Test, Topic, TopicScope, User, Value,
    Weights, Wish,
};

use crate::random::Random;

/// A kind of crowd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Situation {
    /// They come one after the other.
    Steady,
    /// They all come at once.
    Burst,
    /// Nine of ten want the same side.
    Lopsided,
    /// No two share a tag.
    AllDifferent,
    /// Many of them have blocked one another.
    BlockedClique,
    /// Everything that a wish can say, two queues, little room.
    Motley,
}

impl Situation {
    pub(crate) const ALL: [Self; 6] =
        [Self::Steady, Self::Burst, Self::Lopsided, Self::AllDifferent, Self::BlockedClique, Self::Motley];
}

/// The queues of a lobby for such a crowd.
pub(crate) fn config(situation: Situation, random: &mut Random) -> LobbyConfig {
    let waiting_max = if situation == Situation::Motley { 8 + random.below(16) } else { 10_000 };
    let queue = |policy: Policy| QueueConfig { policy: Arc::new(policy), waiting_max };
    let mut queues = HashMap::from([(QueueName::from("default"), queue(Policy::default()))]);
    if situation == Situation::Motley {
        queues.insert(QueueName::from("strict"), queue(strict()));
    }
    LobbyConfig { queues, ..LobbyConfig::default() }
}

/// Everything shared at first, and only slowly less.
fn strict() -> Policy {
    let step = |seconds, shared, topics| Step { after: Duration::from_secs(seconds), shared, topics };
    let steps = vec![
        step(0, Facet::ALL.into(), TopicScope::Same),
        step(2, [Facet::Tag, Facet::Region].into(), TopicScope::Same),
        step(4, [Facet::Region].into(), TopicScope::Allowed),
    ];
    Policy::new(steps, Duration::from_secs(1), Weights::default()).expect("it asks ever less")
}

/// How many come.
pub(crate) fn size(situation: Situation, random: &mut Random) -> usize {
    match situation {
        Situation::BlockedClique => 100 + random.below(60),
        _ => 20 + random.below(40),
    }
}

/// How long after the beginning the one with this number comes.
pub(crate) fn arrival(situation: Situation, number: usize, random: &mut Random) -> Duration {
    match situation {
        Situation::Burst => Duration::ZERO,
        Situation::BlockedClique => random.millis(500),
        _ => Duration::from_millis(number as u64 * 200) + random.millis(400),
    }
}

pub(crate) fn user(number: usize) -> User {
    User::from(format!("user-{number}"))
}

/// Somebody with a wish, who has met some people.
pub(crate) fn newcomer(
    situation: Situation,
    number: usize,
    recent: &[User],
    random: &mut Random,
) -> Newcomer {
    let mut newcomer = Newcomer::new(user(number), wish(situation, number, random));
    newcomer.recent = recent.iter().cloned().collect();
    newcomer.blocked = match situation {
        // All but the last few have blocked each other.
        Situation::BlockedClique if number < 90 => (0..90).map(user).collect(),
        Situation::BlockedClique => People::default(),
        _ => (0..random.below(4)).map(|_| user(random.below(60))).collect(),
    };
    if situation == Situation::Motley && random.percent(10) {
        newcomer.policy = Some(Arc::new(strict()));
    }
    newcomer
}

fn wish(situation: Situation, number: usize, random: &mut Random) -> Wish {
    let mut wish = Wish::new("default");
    let topic = |random: &mut Random| Topic::from(*random.pick(&["tea", "art", "war", "law"]));
    wish.topic = Some(topic(random));
    wish.side = Some(*random.pick(&[SideWish::For, SideWish::Against, SideWish::Any]));
    let tags = 1 + random.below(3);
    wish.tags =
        Tags::new((0..tags).map(|_| Tag::from(*random.pick(&["a", "b", "c", "d", "e"])))).expect("a few");
    match situation {
        Situation::Steady | Situation::Burst => {
            wish.other_topics = Few::new(vec![topic(random)]).expect("one");
        }
        Situation::Lopsided => {
            wish.side = Some(if random.percent(90) { SideWish::For } else { SideWish::Against });
            wish.any_topic = AnyTopic::Accepted;
        }
        Situation::AllDifferent => {
            wish.tags = Tags::new([Tag::from(format!("tag-{number}"))]).expect("one");
            wish.any_topic = if random.percent(50) { AnyTopic::Accepted } else { AnyTopic::Refused };
        }
        Situation::BlockedClique => {
            wish.topic = Some(Topic::from("tea"));
            wish.side = None;
            wish.tags = Tags::default();
        }
        Situation::Motley => motley(&mut wish, random),
    }
    wish
}

fn motley(wish: &mut Wish, random: &mut Random) {
    if random.percent(30) {
        wish.queue = QueueName::from("strict");
    }
    if random.percent(10) {
        wish.topic = None;
    }
    if random.percent(20) {
        wish.side = None;
    }
    if random.percent(20) {
        wish.tags = Tags::default();
    }
    if random.percent(20) {
        wish.any_topic = AnyTopic::Accepted;
    }
    wish.other_topics = Few::new(["law", "pop"].map(Topic::from)).expect("two");
    wish.language = random.percent(70).then(|| (*random.pick(&["en", "de"])).into());
    wish.region = random.percent(70).then(|| (*random.pick(&["eu", "us"])).into());
    let level = PropertyName::from("level");
    let number = random.below(4) as f64;
    wish.properties = Properties::new([(level.clone(), Value::Number(number))]).expect("one");
    if random.percent(30) {
        wish.requires.facets = [*random.pick(&Facet::ALL)].into();
    }
    if random.percent(30) {
        let test = Test::Between { min: number - 1.0, max: number + 1.0 };
        wish.requires.conditions = Few::new(vec![Condition { property: level.clone(), test }]).expect("one");
    }
    let test = Test::Between { min: number, max: number };
    let conditions = Few::new(vec![Condition { property: level, test }]).expect("one");
    wish.prefers = Criteria { facets: Facet::ALL.into(), conditions };
}
