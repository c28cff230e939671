//! The hall: who is here, who waits, which debates are on. The one owner of that state; it is changed under a lock that
//! is never held across an await, and whoever has to be told is told by queueing, so nothing here waits.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use throng_node::{Closing, Io, Socket};
use tokio::time::Instant;
use utoipa::ToSchema;

use super::pace::Pace;
use super::pairing::{Queue, Side, Wish};
use super::{Config, NAMESPACE, text};
use crate::request::{Done, Failure};

/// Messages of a debate that are kept for one who comes back.
const HISTORY_MAX: usize = 100;
/// Topics shown in the lobby, the busiest ones.
const TOPICS_SHOWN_MAX: usize = 30;
/// The lobby is shown at most this often.
const LOBBY_INTERVAL: Duration = Duration::from_secs(1);

const NOT_WAITING: Failure = Failure { code: "not_waiting", message: "you are not waiting for a debate" };
const NO_ROOM: Failure = Failure { code: "no_room", message: "you are not in a debate" };
const IN_ROOM: Failure = Failure { code: "in_room", message: "you are in a debate; leave it first" };
const QUEUE_FULL: Failure =
    Failure { code: "queue_full", message: "too many people are waiting; try again soon" };

/// Whoever is behind a socket: the user, or the socket itself where nobody is asked who they are.
type Person = Arc<str>;

/// The state of the app.
#[derive(Debug)]
pub(super) struct Hall {
    config: Config,
    io: Io,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    people: HashMap<Person, Presence>,
    queue: Queue<Person>,
    debates: HashMap<u64, Debate>,
    next_debate: u64,
    lobby: Lobby,
    pace: Pace,
}

/// When the lobby was shown, and whether it will be again.
#[derive(Debug, Default)]
struct Lobby {
    shown: Option<Instant>,
    scheduled: bool,
}

/// Someone, as long as there is a connection or a debate to come back to.
#[derive(Debug)]
struct Presence {
    socket: Option<Socket>,
    doing: Doing,
}

#[derive(Debug, Clone, PartialEq)]
enum Doing {
    Nothing,
    Waiting { topic: String, since: Instant },
    Debating { debate: u64 },
}

#[derive(Debug)]
struct Debate {
    topic: String,
    sides: [(Person, Side); 2],
    ends_at: u64,
    history: VecDeque<(Person, String, u64)>,
}

/// Why a debate ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Ended {
    /// The clock ran out.
    Time,
    /// One of the two left.
    Left,
    /// One of the two vanished and did not come back in time.
    PartnerGone,
    /// The server is going away.
    Drain,
}

/// A debate that somebody is in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Joined<'a> {
    room: String,
    topic: &'a str,
    side: Side,
    /// In milliseconds since the epoch.
    ends_at: u64,
    resumed: bool,
    /// The latest messages.
    history: Vec<Said<'a>>,
}

/// A message of a debate.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Said<'a> {
    text: &'a str,
    /// `you` or `partner`.
    from: &'static str,
    /// In milliseconds since the epoch.
    at: u64,
}

/// The end of a debate.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RoomEnded {
    reason: Ended,
}

/// How busy it is: the busiest topics.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LobbyState<'a> {
    topics: Vec<LobbyTopic<'a>>,
}

/// A topic, and how many people are on it.
#[derive(Debug, Serialize, ToSchema)]
struct LobbyTopic<'a> {
    topic: &'a str,
    waiting: usize,
    debating: usize,
}

/// What a successful `queue:join` adds: how many others wait on the topic.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Queued {
    waiting: usize,
}

/// How busy a hall is.
#[derive(Debug)]
pub(super) struct Busy {
    pub(super) debates: usize,
    pub(super) waiting: usize,
    /// The sum of the latest waits, and how many they are.
    pub(super) waits: (Duration, u32),
    /// Debates begun in the last hour.
    pub(super) debates_per_hour: u64,
}

impl Hall {
    pub(super) fn new(config: Config, io: Io) -> Self {
        let state = State {
            people: HashMap::new(),
            queue: Queue::default(),
            debates: HashMap::new(),
            next_debate: 0,
            lobby: Lobby::default(),
            pace: Pace::new(Instant::now()),
        };
        Self { config, io, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while the lock is held")
    }

    /// Someone connects: new, or back in time for their debate. The newest connection of a person is the one that counts.
    pub(super) fn arrive(self: &Arc<Self>, socket: &Socket) {
        let person = person(socket);
        let mut state = self.state();
        let fresh = || Presence { socket: None, doing: Doing::Nothing };
        let presence = state.people.entry(person.clone()).or_insert_with(fresh);
        let earlier = presence.socket.replace(socket.clone());
        match std::mem::replace(&mut presence.doing, Doing::Nothing) {
            Doing::Nothing => {}
            // The page that waited is gone; the new one says for itself what it wants.
            Doing::Waiting { topic, .. } => {
                state.queue.remove(&topic, &person);
                self.show_lobby(&mut state);
            }
            Doing::Debating { debate } => {
                state.set(&person, Doing::Debating { debate });
                state.show_debate(&person, debate, true);
                state.tell_partner(debate, &person, "partner:back", ());
            }
        }
        socket.emit("lobby:state", state.lobby_state());
        drop(state);
        if let Some(earlier) = earlier {
            earlier.disconnect(Closing::Socket);
        }
    }

    /// Someone's connection is gone. A debate waits for them, a place in the queue does not.
    pub(super) fn depart(self: &Arc<Self>, socket: &Socket) {
        let person = person(socket);
        let mut state = self.state();
        let Some(presence) = state.people.get_mut(&person) else { return };
        if presence.socket.as_ref().is_none_or(|current| current.id() != socket.id()) {
            return;
        }
        presence.socket = None;
        match presence.doing.clone() {
            Doing::Nothing => drop(state.people.remove(&person)),
            Doing::Waiting { topic, .. } => {
                state.queue.remove(&topic, &person);
                state.people.remove(&person);
                self.show_lobby(&mut state);
            }
            Doing::Debating { debate } => {
                state.tell_partner(debate, &person, "partner:away", ());
                let hall = self.clone();
                after(self.config.grace, move || hall.give_up(&person, debate));
            }
        }
    }

    /// The server is about to close someone's connection for good: their debate ends, and both can still be told.
    pub(super) fn drain(self: &Arc<Self>, socket: &Socket) {
        let mut state = self.state();
        if let Doing::Debating { debate } = state.doing(&person(socket)) {
            self.end(&mut state, debate, Ended::Drain);
        }
    }

    /// The grace period of someone who vanished is over.
    fn give_up(self: &Arc<Self>, person: &Person, debate: u64) {
        let mut state = self.state();
        let presence = state.people.get(person);
        let away = presence.is_some_and(|presence| presence.socket.is_none());
        if away && presence.map(|presence| &presence.doing) == Some(&Doing::Debating { debate }) {
            self.end(&mut state, debate, Ended::PartnerGone);
        }
    }

    pub(super) fn join(
        self: &Arc<Self>,
        socket: &Socket,
        topic: &str,
        wish: Wish,
    ) -> Result<Queued, Failure> {
        let topic = text::topic(topic)?;
        let person = person(socket);
        let mut state = self.state();
        match state.doing(&person) {
            Doing::Debating { .. } => return Err(IN_ROOM),
            // The second wish replaces the first.
            Doing::Waiting { topic, .. } => state.queue.remove(&topic, &person),
            Doing::Nothing => {}
        }
        let waiting = state.queue.waiting_on(&topic);
        if let Some((partner, side)) = state.queue.take_partner(&topic, wish) {
            self.begin(&mut state, topic, [(partner, side), (person, side.other())]);
        } else if state.queue.count() >= self.config.waiting_max {
            state.set(&person, Doing::Nothing);
            return Err(QUEUE_FULL);
        } else {
            state.queue.add(topic.clone(), person.clone(), wish);
            state.set(&person, Doing::Waiting { topic, since: Instant::now() });
        }
        self.show_lobby(&mut state);
        Ok(Queued { waiting })
    }

    pub(super) fn leave_queue(self: &Arc<Self>, socket: &Socket) -> Result<Done, Failure> {
        let person = person(socket);
        let mut state = self.state();
        let Doing::Waiting { topic, .. } = state.doing(&person) else { return Err(NOT_WAITING) };
        state.queue.remove(&topic, &person);
        state.set(&person, Doing::Nothing);
        self.show_lobby(&mut state);
        Ok(Done {})
    }

    pub(super) fn say(&self, socket: &Socket, text: &str) -> Result<Done, Failure> {
        let person = person(socket);
        let mut state = self.state();
        let Doing::Debating { debate } = state.doing(&person) else { return Err(NO_ROOM) };
        let text = text::message(text)?;
        let at = now_millis();
        let Some(talk) = state.debates.get_mut(&debate) else { return Err(NO_ROOM) };
        if talk.history.len() == HISTORY_MAX {
            talk.history.pop_front();
        }
        talk.history.push_back((person.clone(), text.clone(), at));
        socket.emit("room:message", Said { text: &text, from: "you", at });
        state.tell_partner(debate, &person, "room:message", Said { text: &text, from: "partner", at });
        Ok(Done {})
    }

    pub(super) fn leave_room(self: &Arc<Self>, socket: &Socket) -> Result<Done, Failure> {
        let person = person(socket);
        let mut state = self.state();
        let Doing::Debating { debate } = state.doing(&person) else { return Err(NO_ROOM) };
        self.end(&mut state, debate, Ended::Left);
        Ok(Done {})
    }

    /// How busy it is.
    pub(super) fn busy(&self) -> Busy {
        let state = self.state();
        Busy {
            debates: state.debates.len(),
            waiting: state.queue.count(),
            waits: state.pace.waits(),
            debates_per_hour: state.pace.per_hour(Instant::now()),
        }
    }

    // --- debates ---

    fn begin(self: &Arc<Self>, state: &mut State, topic: String, sides: [(Person, Side); 2]) {
        let debate = state.next_debate;
        state.next_debate += 1;
        let ends_at = now_millis() + u64::try_from(self.config.duration.as_millis()).unwrap_or(u64::MAX);
        let people = [sides[0].0.clone(), sides[1].0.clone()];
        let waited = people.each_ref().map(|person| match state.doing(person) {
            Doing::Waiting { since, .. } => since.elapsed(),
            _ => Duration::ZERO,
        });
        state.pace.begin(waited, Instant::now());
        state.debates.insert(debate, Debate { topic, sides, ends_at, history: VecDeque::new() });
        for person in &people {
            state.set(person, Doing::Debating { debate });
            state.show_debate(person, debate, false);
        }
        let hall = self.clone();
        after(self.config.duration, move || {
            let mut state = hall.state();
            hall.end(&mut state, debate, Ended::Time);
        });
    }

    /// Ends a debate; both members hear why.
    fn end(self: &Arc<Self>, state: &mut State, debate: u64, reason: Ended) {
        let Some(talk) = state.debates.remove(&debate) else { return };
        for (person, _) in &talk.sides {
            state.tell(person, "room:ended", RoomEnded { reason });
            state.set(person, Doing::Nothing);
        }
        self.show_lobby(state);
    }

    // --- the lobby ---

    /// Shows everyone how busy it is, soon, and once for many changes.
    fn show_lobby(self: &Arc<Self>, state: &mut State) {
        if std::mem::replace(&mut state.lobby.scheduled, true) {
            return;
        }
        let wait =
            state.lobby.shown.map_or(Duration::ZERO, |shown| LOBBY_INTERVAL.saturating_sub(shown.elapsed()));
        let hall = self.clone();
        after(wait, move || {
            let mut state = hall.state();
            state.lobby = Lobby { shown: Some(Instant::now()), scheduled: false };
            hall.io.of(NAMESPACE).volatile().emit("lobby:state", state.lobby_state());
        });
    }
}

impl State {
    fn doing(&self, person: &Person) -> Doing {
        self.people.get(person).map_or(Doing::Nothing, |presence| presence.doing.clone())
    }

    /// Notes what someone does now; one who is neither connected nor debating is forgotten.
    fn set(&mut self, person: &Person, doing: Doing) {
        if let Some(presence) = self.people.get_mut(person) {
            presence.doing = doing;
            if presence.socket.is_none() && presence.doing == Doing::Nothing {
                self.people.remove(person);
            }
        }
    }

    fn tell(&self, person: &Person, event: &str, payload: impl Serialize) {
        if let Some(socket) = self.people.get(person).and_then(|presence| presence.socket.as_ref()) {
            socket.emit(event, payload);
        }
    }

    fn tell_partner(&self, debate: u64, person: &Person, event: &str, payload: impl Serialize) {
        let partner =
            self.debates.get(&debate).and_then(|talk| talk.sides.iter().find(|(other, _)| other != person));
        if let Some((partner, _)) = partner {
            self.tell(partner, event, payload);
        }
    }

    fn show_debate(&self, person: &Person, debate: u64, resumed: bool) {
        let Some(talk) = self.debates.get(&debate) else { return };
        let Some((_, side)) = talk.sides.iter().find(|(member, _)| member == person) else { return };
        let is_away =
            |member: &Person| self.people.get(member).is_none_or(|presence| presence.socket.is_none());
        let history = talk.history.iter().map(|(from, text, at)| Said {
            text,
            from: if from == person { "you" } else { "partner" },
            at: *at,
        });
        let joined = Joined {
            room: debate.to_string(),
            topic: &talk.topic,
            side: *side,
            ends_at: talk.ends_at,
            resumed,
            history: history.collect(),
        };
        let away = talk.sides.iter().any(|(member, _)| member != person && is_away(member));
        self.tell(person, "room:joined", joined);
        if away {
            self.tell(person, "partner:away", ());
        }
    }

    fn lobby_state(&self) -> LobbyState<'_> {
        let mut topics: HashMap<&str, (usize, usize)> = HashMap::new();
        for (topic, waiting) in self.queue.topics() {
            topics.entry(topic).or_default().0 = waiting;
        }
        for talk in self.debates.values() {
            topics.entry(&talk.topic).or_default().1 += talk.sides.len();
        }
        let mut topics: Vec<_> = topics.into_iter().collect();
        topics.sort_by_key(|(topic, (waiting, debating))| (std::cmp::Reverse(waiting + debating), *topic));
        topics.truncate(TOPICS_SHOWN_MAX);
        let topic = |(topic, (waiting, debating))| LobbyTopic { topic, waiting, debating };
        LobbyState { topics: topics.into_iter().map(topic).collect() }
    }
}

fn person(socket: &Socket) -> Person {
    match socket.identity() {
        Some(identity) => identity.user.as_ref().into(),
        None => socket.id().to_string().into(),
    }
}

fn now_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Does something later, on whichever shard asked for it.
fn after(delay: Duration, work: impl FnOnce() + Send + 'static) {
    tokio::spawn(async move {
        tokio::time::sleep(delay).await;
        work();
    });
}
