//! The people of these tests, and the nodes that they meet on.

use std::num::NonZeroUsize;
use std::sync::Arc;

use serde_json::{Value, json};
use throng_apps::{debate, experiments, rooms, roulette};
use throng_lobby::{Facets, Policy, Step, TopicScope, Weights};
use throng_node::{App, Config, Role, Tenancy};
use throng_testkit::tokens::{SECRET, auth, identities};
use throng_testkit::{Client, Door, Http, Node, Received};

use std::time::Duration;

/// Long enough never to be waited for.
pub(crate) const LONG: Duration = Duration::from_secs(600);
/// Short enough to wait for.
pub(crate) const SHORT: Duration = Duration::from_millis(40);

/// A node with both apps, which knows people by their tokens.
pub(crate) fn node(debates: debate::Config, calls: roulette::Config) -> Node {
    node_with(1, Tenancy::unlimited(), (debates, calls))
}

/// The same with so many shards and such tenants.
pub(crate) fn node_with(
    shards: usize,
    tenancy: Tenancy,
    (debates, calls): (debate::Config, roulette::Config),
) -> Node {
    let mut app = App::new();
    experiments::install(&mut app, [("debate", debates.rooms.experiments.clone())]);
    debate::install(&mut app, debates);
    let routes = roulette::install(&mut app, calls);
    let tenancy = Arc::new(Tenancy { identities: Some(identities(SECRET)), ..tenancy });
    let shards = NonZeroUsize::new(shards).expect("a node has shards");
    Node::start_with(Config { shards, tenancy, ..throng_testkit::config() }, app, routes)
}

/// A node whose rooms and queues go like this.
pub(crate) fn node_of(rooms: rooms::Config) -> Node {
    let debates = debate::Config { rooms: rooms.clone(), ..debate::Config::default() };
    node(debates, roulette::Config { rooms, ..roulette::Config::default() })
}

/// Rooms with this duration, in a queue that pairs at once.
pub(crate) fn lasting(duration: Duration) -> rooms::Config {
    with_queue(rooms::Queue { duration, ..rooms::Queue::default() })
}

/// Rooms whose default queue goes like this.
pub(crate) fn with_queue(queue: rooms::Queue) -> rooms::Config {
    rooms::Config { queues: [("default".to_owned(), queue)].into(), ..rooms::Config::default() }
}

/// A policy that demands this at first and little soon after. Recent partners meet again at once, if nobody else is there.
pub(crate) fn widening(shared: Facets) -> Arc<Policy> {
    let step = |after, shared, topics| Step { after, shared, topics };
    let steps = vec![
        step(Duration::ZERO, shared, TopicScope::Same),
        step(SHORT, Facets::NONE, TopicScope::Same),
        step(2 * SHORT, Facets::NONE, TopicScope::Allowed),
    ];
    Arc::new(Policy::new(steps, Duration::ZERO, Weights::default()).expect("a good policy"))
}

/// Somebody at one of the apps.
pub(crate) struct Person(pub(crate) Client);

impl Person {
    /// A user of the debates.
    pub(crate) fn debating(door: impl Into<Door>, name: &str) -> Self {
        Self::at(door, debate::NAMESPACE, Some(auth(name, Role::User)))
    }

    /// A user of the roulette.
    pub(crate) fn calling(door: impl Into<Door>, name: &str) -> Self {
        Self::at(door, roulette::NAMESPACE, Some(auth(name, Role::User)))
    }

    pub(crate) fn at(door: impl Into<Door>, nsp: &str, auth: Option<Value>) -> Self {
        let mut client = Client::websocket(door).at_home_in(nsp);
        client.join(nsp, auth);
        Self(client)
    }

    /// Asks, and gives the whole answer.
    pub(crate) fn ask(&mut self, event: &str, fields: Value) -> Value {
        self.0.call(event, fields).decode().expect("one JSON value")
    }

    /// Asks for what is done.
    #[track_caller]
    pub(crate) fn done(&mut self, event: &str, fields: Value) -> Value {
        let answer = self.ask(event, fields.clone());
        assert_eq!(answer["ok"], true, "{event} {fields}: {answer}");
        answer
    }

    /// Asks for what is refused with this code.
    #[track_caller]
    pub(crate) fn refused(&mut self, event: &str, fields: Value, code: &str) -> String {
        let answer = self.ask(event, fields.clone());
        assert_eq!(answer["error"]["code"], code, "{event} {fields}: {answer}");
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(answer["ok"] == false && !message.is_empty(), "{event} {fields}: {answer}");
        message.to_owned()
    }

    /// Waits for an event.
    pub(crate) fn event(&mut self, name: &str) -> Value {
        self.0.event(name).decode().expect("one JSON value")
    }

    /// Waits for a room, without a word.
    pub(crate) fn joined_silently(&mut self) -> Value {
        self.event("room:joined")
    }

    /// Waits for a room and says that it is there.
    pub(crate) fn joined(&mut self) -> Value {
        let (joined, ack) = self.0.asked("room:joined");
        self.0.acknowledge(ack.expect("the server asks for an acknowledgement"), ());
        joined.decode().expect("one JSON value")
    }

    /// Waits until the server has disconnected it.
    pub(crate) fn disconnected(&mut self, nsp: &str) {
        self.0.wait_in(nsp, "its end", |packet| *packet == Received::Disconnected);
    }

    /// Wants to debate.
    pub(crate) fn debate(&mut self, topic: &str, side: &str) -> Value {
        self.done("queue:join", json!({"topic": topic, "side": side}))
    }
}

/// Waits until two people are both in a room; gives its name. Neither waits for the other to be waited for.
#[track_caller]
pub(crate) fn meet(one: &mut Person, other: &mut Person) -> Value {
    let rooms = [one.joined()["room"].clone(), other.joined()["room"].clone()];
    assert_eq!(rooms[0], rooms[1]);
    one.event("room:active");
    other.event("room:active");
    rooms.into_iter().next().expect("there are two")
}

/// Two people in a debate on tea, for and against, who are both there; and its room.
pub(crate) fn two(node: &Node) -> (Person, Person, String) {
    let (one, two) = (Person::debating(node.address(), "one"), Person::debating(node.address(), "two"));
    introduced(one, two, |one, two| {
        one.debate("tea", "for");
        two.debate("tea", "against");
    })
}

/// Two people in a video call, who are both there; and its room. The first makes the offer.
pub(crate) fn callers(node: &Node) -> (Person, Person, String) {
    let (one, two) = (Person::calling(node.address(), "one"), Person::calling(node.address(), "two"));
    introduced(one, two, |one, two| {
        one.done("queue:join", json!({"media": "video"}));
        two.done("queue:join", json!({"media": "video"}));
    })
}

fn introduced(
    mut one: Person,
    mut two: Person,
    wish: impl FnOnce(&mut Person, &mut Person),
) -> (Person, Person, String) {
    wish(&mut one, &mut two);
    let room = meet(&mut one, &mut two).as_str().expect("a room has a name").to_owned();
    (one, two, room)
}

/// What a route answers to anybody.
pub(crate) fn get(node: &Node, path: &str) -> Value {
    serde_json::from_str(&Http::get(node.address(), path).body).expect("JSON")
}

/// What a route answers to an operator.
pub(crate) fn as_operator(node: &Node, method: &str, path: &str) -> Value {
    let token = auth("olga", Role::Operator)["token"].as_str().expect("a token").to_owned();
    let mut http = Http::connect(node.address());
    http.request(method, path, &format!("connection: close\r\nauthorization: Bearer {token}\r\n"), b"");
    serde_json::from_str(&http.response().body).expect("JSON")
}
