//! A lobby that is kept: what it says is written, and whoever opens the scope next goes on with it. The store is in memory;
//! what every store must do is tested where the stores are.

mod crashes;
mod people;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use throng_backbone::{Backbone, Commit, Committed, Config, MemoryStore, Register, Scope, Store};
use throng_lobby::{
    AnyTopic, Condition, Confirmed, Criteria, Event, Facet, Few, JoinError, Lobby, LobbyConfig, Newcomer,
    Pairing, Policy, Properties, PropertyName, QueueConfig, QueueName, Restored, SideWish, Tag, Tags, Test,
    Time, Topic, User, Value, Wish, Written, service,
};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Where lobbies are kept, one after the other.
pub(crate) struct House {
    pub(crate) store: MemoryStore,
    backbone: Backbone,
    fence: u64,
}

/// A lobby and what it told.
struct Life {
    lobby: Lobby,
    restored: Restored,
    register: Register,
    told: Arc<Mutex<Vec<Event>>>,
    service: JoinHandle<()>,
}

impl House {
    pub(crate) async fn new() -> Self {
        let store = MemoryStore::new();
        let config = Config::new("a", Store::Memory(store.clone()));
        let (backbone, _) = Backbone::open(config).await.expect("memory is always there");
        Self { store, backbone, fence: 0 }
    }

    /// Opens the scope for the next lobby.
    pub(crate) async fn open(&mut self) -> (Register, Vec<(Box<str>, bytes::Bytes)>) {
        self.fence += 1;
        self.backbone.tickets().open(&Scope::new("t", "debate"), self.fence).await.expect("opened")
    }

    async fn next(&mut self) -> Life {
        let told = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&told);
        let on_event = move |event| sink.lock().expect("nobody panics").push(event);
        let (register, records) = self.open().await;
        let written = Written { register: register.clone(), records, now: service::now() };
        let (lobby, restored) = Lobby::restore(config(), written, on_event);
        let service = tokio::spawn(service::run(&lobby));
        Life { lobby, restored, register, told, service }
    }
}

impl Life {
    async fn join(&self, user: &str, topic: &str) -> Result<(), JoinError> {
        self.lobby.join(Newcomer::new(user, wish(topic)), service::now()).await.map(|_| ())
    }

    fn told(&self) -> Vec<Event> {
        std::mem::take(&mut *self.told.lock().expect("nobody panics"))
    }

    #[track_caller]
    fn pairing(&self) -> Pairing {
        match self.told().as_slice() {
            [Event::Paired(pairing)] => pairing.clone(),
            other => panic!("not one pairing: {other:?}"),
        }
    }

    /// Ends as in a crash.
    async fn crash(self) {
        self.service.abort();
        let _ = self.service.await;
    }

    fn waiting(&self) -> Vec<&str> {
        let mut users: Vec<&str> = self.restored.waiting.iter().map(|ticket| ticket.user.as_str()).collect();
        users.sort_unstable();
        users
    }
}

pub(crate) fn config() -> LobbyConfig {
    let queues = [(QueueName::from("default"), QueueConfig::default())].into();
    LobbyConfig { queues, ..LobbyConfig::default() }
}

pub(crate) fn wish(topic: &str) -> Wish {
    let mut wish = Wish::new("default");
    wish.topic = Some(Topic::from(topic));
    wish
}

fn user(name: &str) -> User {
    User::from(name)
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_there_for_the_next() {
    let mut house = House::new().await;
    let first = house.next().await;
    for (user, topic) in [("ann", "tea"), ("bob", "art"), ("cy", "law")] {
        first.join(user, topic).await.expect("there is room");
    }
    assert!(first.lobby.leave(&user("cy")).await);
    first.crash().await;
    tokio::time::sleep(Duration::from_secs(7)).await;
    let second = house.next().await;
    assert_eq!(second.waiting(), ["ann", "bob"]);
    assert!(second.restored.waiting.iter().all(|ticket| ticket.waited(service::now()).as_secs() == 7));
    second.join("dee", "tea").await.expect("there is room");
    assert!(second.told().is_empty(), "ann is away");
    assert!(second.lobby.back(&user("ann"), service::now()).await);
    let pairing = until_told(&second).await;
    assert_eq!(pairing.tickets.each_ref().map(|ticket| ticket.user.as_str()), ["ann", "dee"]);
}

/// The pairing that is told next.
async fn until_told(life: &Life) -> Pairing {
    // Whatever was done before is told before this one's answer.
    life.join("somebody else", "nothing").await.expect("there is room");
    life.pairing()
}

#[tokio::test(start_paused = true)]
async fn a_lease_begins_anew_and_ends() {
    let mut house = House::new().await;
    let first = house.next().await;
    first.join("ann", "tea").await.expect("there is room");
    first.crash().await;
    let second = house.next().await;
    tokio::time::sleep(Duration::from_secs(31)).await;
    assert!(matches!(second.told().as_slice(), [Event::Expired { user }] if user.as_str() == "ann"));
    second.crash().await;
    assert!(house.next().await.waiting().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_pairing_goes_on_until_its_record_is_taken() {
    let mut house = House::new().await;
    let first = house.next().await;
    first.join("ann", "tea").await.expect("there is room");
    first.join("bob", "tea").await.expect("there is room");
    let told = first.pairing();
    assert_eq!(first.lobby.confirm(told.id, &user("ann")).await, Confirmed::One);
    assert_eq!(first.lobby.confirm(told.id, &user("bob")).await, Confirmed::Both);
    first.crash().await;
    let second = house.next().await;
    let [pairing] = &second.restored.pairings[..] else { panic!("one pairing: {:?}", second.restored) };
    assert_eq!((pairing.id, &pairing.topic, pairing.waits), (told.id, &told.topic, told.waits));
    assert_eq!(second.join("ann", "tea").await, Err(JoinError::Paired(told.id)), "to be confirmed anew");
    second.lobby.confirm(told.id, &user("ann")).await;
    assert_eq!(second.lobby.confirm(told.id, &user("bob")).await, Confirmed::Both);
    let room = Commit { take: vec![told.id.key()], ..Commit::put("r:1", "a room") };
    assert_eq!(second.register.commit(room).await, Ok(Committed::Done));
    second.crash().await;
    let third = house.next().await;
    assert!(third.restored.pairings.is_empty() && third.waiting().is_empty());
    assert_eq!(third.restored.others, [("r:1".into(), bytes::Bytes::from("a room"))]);
    third.join("ann", "tea").await.expect("nothing holds them");
    third.join("bob", "tea").await.expect("nothing holds them");
    assert!(third.pairing().id > told.id, "a name is never used again");
}

#[tokio::test(start_paused = true)]
async fn the_survivor_of_a_pairing_waits_for_the_next() {
    let mut house = House::new().await;
    let first = house.next().await;
    first.join("ann", "tea").await.expect("there is room");
    first.join("bob", "tea").await.expect("there is room");
    assert!(first.lobby.drop_out(first.pairing().id, &user("ann"), service::now()).await);
    assert!(matches!(first.told().as_slice(), [Event::Returned { user, .. }] if user.as_str() == "bob"));
    first.crash().await;
    let second = house.next().await;
    assert_eq!(second.waiting(), ["bob"]);
    // A pairing that nobody confirms leaves nobody behind.
    second.join("cy", "law").await.expect("there is room");
    second.join("dee", "law").await.expect("there is room");
    second.pairing();
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(matches!(second.told().as_slice(), [Event::Lapsed { .. }, Event::Lapsed { .. }]));
    second.crash().await;
    let third = house.next().await;
    assert_eq!(third.waiting(), ["bob"]);
    assert!(third.restored.pairings.is_empty());
}

#[tokio::test(start_paused = true)]
async fn nobody_is_let_in_while_the_store_is_away() {
    let mut house = House::new().await;
    let life = house.next().await;
    life.join("ann", "tea").await.expect("there is room");
    house.store.suspend_tickets();
    let begun = tokio::time::Instant::now();
    assert_eq!(life.join("bob", "art").await, Err(JoinError::StoreAway));
    assert!((5..=7).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    assert!(life.told().is_empty());
    house.store.resume_tickets();
    life.join("cy", "law").await.expect("it is back");
    life.crash().await;
    assert_eq!(house.next().await.waiting(), ["ann", "cy"]);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_paired_while_the_store_is_away() {
    let mut house = House::new().await;
    let life = house.next().await;
    life.join("ann", "tea").await.expect("there is room");
    house.store.suspend_tickets();
    // Something waits, so the register knows.
    let cy = tokio::spawn({
        let lobby = life.lobby.clone();
        async move { lobby.join(Newcomer::new("cy", wish("law")), service::now()).await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let bob = tokio::spawn({
        let lobby = life.lobby.clone();
        async move { lobby.join(Newcomer::new("bob", wish("tea")), service::now()).await }
    });
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(!bob.is_finished() && life.told().is_empty());
    house.store.resume_tickets();
    bob.await.expect("it ends").expect("in time");
    cy.await.expect("it ends").expect("in time");
    let pairing = timeout(Duration::from_secs(5), async {
        loop {
            match life.told().pop() {
                Some(Event::Paired(pairing)) => break pairing,
                _ => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    });
    let pairing = pairing.await.expect("they are paired once it is back");
    assert_eq!(pairing.tickets.each_ref().map(|ticket| ticket.user.as_str()), ["ann", "bob"]);
}

#[tokio::test(start_paused = true)]
async fn whoever_is_deposed_says_so_once_and_has_nobody() {
    let mut house = House::new().await;
    let first = house.next().await;
    first.join("ann", "tea").await.expect("there is room");
    let second = house.next().await;
    assert!(!first.lobby.leave(&user("ann")).await, "that is not for the first to say");
    assert_eq!(first.join("bob", "art").await, Err(JoinError::Deposed));
    assert!(matches!(first.told().as_slice(), [Event::Deposed]));
    assert_eq!(first.lobby.statistics(service::now()).queues[&QueueName::from("default")].waiting, 0);
    assert_eq!(first.lobby.due(), None);
    assert_eq!(second.waiting(), ["ann"]);
    second.join("ann", "law").await.expect("the second is the lobby now");
}

#[tokio::test(start_paused = true)]
async fn a_wish_that_cannot_be_written_is_refused() {
    let mut house = House::new().await;
    let life = house.next().await;
    let mut newcomer = Newcomer::new("ann", wish("tea"));
    newcomer.blocked = (0..10_000).map(|n| user(&format!("somebody with number {n}"))).collect();
    let refused = life.lobby.join(newcomer, service::now()).await.err();
    assert_eq!(refused, Some(JoinError::TooLarge));
}

/// Everything that a wish can say comes back as it was.
#[tokio::test(start_paused = true)]
async fn a_wish_is_written_whole() {
    let mut wish = wish("tea");
    wish.other_topics = Few::new(vec![Topic::from("art"), Topic::from("law")]).expect("two");
    wish.any_topic = AnyTopic::Accepted;
    wish.side = Some(SideWish::Against);
    wish.tags = Tags::new(["b", "a"].map(Tag::from)).expect("two");
    wish.language = Some("en".into());
    wish.region = Some("eu".into());
    let level = PropertyName::from("level");
    let properties = [(level.clone(), Value::Number(0.5)), ("title".into(), Value::Text("dr".into()))];
    wish.properties = Properties::new(properties).expect("two");
    let conditions = vec![
        Condition { property: level, test: Test::Between { min: -1.0, max: 1e300 } },
        Condition { property: "title".into(), test: Test::Equals("dr".into()) },
    ];
    let conditions = Few::new(conditions).expect("two");
    wish.requires = Criteria { facets: [Facet::Tag, Facet::Region].into(), conditions };
    wish.prefers.facets = [Facet::Language].into();
    let mut newcomer = Newcomer::new("ann:%\u{1F600}", wish.clone());
    newcomer.blocked = [user("bob"), user("cy")].into_iter().collect();
    newcomer.recent = [user("dee")].into_iter().collect();
    newcomer.policy = Some(Arc::new(Policy::default()));

    let mut house = House::new().await;
    let first = house.next().await;
    let now = Time(service::now().0 - Duration::from_nanos(1));
    first.lobby.join(newcomer.clone(), now).await.expect("there is room");
    first.crash().await;
    let second = house.next().await;
    let [ticket] = &second.restored.waiting[..] else { panic!("one ticket: {:?}", second.restored) };
    assert_eq!((&ticket.user, &*ticket.wish), (&newcomer.user, &wish));
    assert_eq!((&ticket.blocked, &ticket.recent), (&newcomer.blocked, &newcomer.recent));
    assert_eq!((&ticket.policy, ticket.enqueued, ticket.credit), (&newcomer.policy, now, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_dropped_and_said() {
    let mut house = House::new().await;
    let (register, _) = house.open().await;
    for (key, value) in [("t:ann", "\u{2}of another time"), ("p:xyz", "\u{1}"), ("x:1", "kept")] {
        assert_eq!(register.commit(Commit::put(key, value)).await, Ok(Committed::Done));
    }
    let first = house.next().await;
    assert!(first.waiting().is_empty() && first.restored.pairings.is_empty());
    assert_eq!(first.restored.others.len(), 1);
    first.join("ann", "tea").await.expect("there is room");
    first.lobby.leave(&user("ann")).await;
    let (_, records) = house.open().await;
    assert_eq!(records, [("x:1".into(), bytes::Bytes::from("kept"))]);
}
