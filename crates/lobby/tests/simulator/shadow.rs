//! The shadow model: what each user must be in, by what the lobby has told and answered so far. It objects to whatever
//! cannot be.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use throng_lobby::{
    Bound, Confirmed, Event, JoinError, LobbyConfig, Newcomer, Pairing, PairingId, Policy, QueueName, Ticket,
    Time, User, Wish,
};

use crate::oracle::{At, objection};

/// What the model knows.
pub(crate) struct Shadow {
    config: LobbyConfig,
    people: BTreeMap<User, Person>,
    pairings: BTreeMap<PairingId, Paired>,
    /// The waits of all pairings.
    pub(crate) waits: Vec<Duration>,
    pub(crate) story: Story,
}

/// What is said about a run.
pub(crate) enum Story {
    Untold,
    Told(Vec<String>),
}

#[derive(Default)]
struct Person {
    standing: Standing,
    /// The tickets that the user may have.
    tickets: Vec<Expected>,
    /// Joins so far.
    joins: usize,
    /// Those of them that have not been answered.
    joining: usize,
    away: Option<Time>,
    /// Whether they are about to be back, and may be paired by that.
    returning: bool,
    /// Whom they have met.
    met: Vec<User>,
}

/// What a user is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Standing {
    /// Nothing: has not come, has left, has met somebody.
    #[default]
    Out,
    /// Waits, or is about to be told of a pairing.
    Waiting,
    /// Two joins, of which one failed: waits or not.
    Unsure,
    Paired(PairingId),
}

/// A ticket as it must be.
#[derive(Debug, Clone)]
struct Expected {
    /// The number of the join that made it.
    join: usize,
    newcomer: Newcomer,
    enqueued: Since,
    credit: Duration,
    /// Whether the user went back after a pairing, into a queue that may be full.
    returned: Returned,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Returned {
    Never,
    Once,
}

/// A join that has not been answered.
pub(crate) struct Joining {
    user: User,
    join: usize,
    /// Whether another one had not been answered either when it began.
    alone: Alone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Alone {
    Yes,
    No,
}

#[derive(Debug, Clone, Copy)]
enum Since {
    Exactly(Time),
    NotBefore(Time),
}

struct Paired {
    pairing: Pairing,
    at: Time,
    /// Who has been answered that they confirmed.
    confirmed: Vec<User>,
}

impl Expected {
    fn is(&self, ticket: &Ticket) -> bool {
        let enqueued = match self.enqueued {
            Since::Exactly(at) => at == ticket.enqueued,
            Since::NotBefore(at) => at <= ticket.enqueued,
        };
        enqueued
            && self.credit == ticket.credit
            && Arc::ptr_eq(&self.newcomer.wish, &ticket.wish)
            && self.newcomer.blocked == ticket.blocked
            && self.newcomer.recent == ticket.recent
    }
}

impl Shadow {
    pub(crate) fn new(config: LobbyConfig, story: Story) -> Self {
        let (people, pairings) = (BTreeMap::new(), BTreeMap::new());
        Self { config, people, pairings, waits: Vec::new(), story }
    }

    pub(crate) fn tell(&mut self, now: Time, what: impl FnOnce() -> String) {
        if let Story::Told(lines) = &mut self.story {
            lines.push(format!("{:>9.3} s  {}", now.0.as_secs_f64() - 3600.0, what()));
        }
    }

    pub(crate) fn standing(&self, user: &User) -> Standing {
        self.people.get(user).map(|person| person.standing).unwrap_or_default()
    }

    pub(crate) fn met(&self, user: &User) -> Vec<User> {
        self.people.get(user).map(|person| person.met.clone()).unwrap_or_default()
    }

    pub(crate) fn is_away(&self, user: &User) -> bool {
        self.people.get(user).is_some_and(|person| person.away.is_some())
    }

    fn person(&mut self, user: &User) -> &mut Person {
        self.people.entry(user.clone()).or_default()
    }

    /// A join begins. Until it is answered the user may have either their former ticket or the one of this join.
    pub(crate) fn joins(&mut self, newcomer: &Newcomer, now: Time) -> Joining {
        let person = self.person(&newcomer.user);
        let alone = if person.joining == 0 { Alone::Yes } else { Alone::No };
        person.joins += 1;
        person.joining += 1;
        person.away = None;
        let join = person.joins;
        let same = person.tickets.iter().filter(|ticket| ticket.newcomer.wish == newcomer.wish);
        let kept: Vec<Expected> = same.cloned().collect();
        // After two joins at once it is open which ticket this one finds.
        let certain = person.standing == Standing::Waiting && person.tickets.len() == 1 && kept.len() == 1;
        let fresh = Expected {
            join,
            newcomer: newcomer.clone(),
            enqueued: Since::Exactly(now),
            credit: Duration::ZERO,
            returned: Returned::Never,
        };
        if alone == Alone::No {
            // The other one may find this one's ticket and keep its place.
            let others =
                kept.iter().map(|ticket| Expected { newcomer: ticket.newcomer.clone(), ..fresh.clone() });
            let others: Vec<Expected> = others.collect();
            person.tickets.extend(others);
        }
        person.tickets.extend(kept.into_iter().map(|ticket| Expected {
            newcomer: newcomer.clone(),
            join,
            ..ticket
        }));
        if !certain {
            person.tickets.push(fresh);
        }
        Joining { user: newcomer.user.clone(), join, alone }
    }

    /// A join was answered.
    pub(crate) fn joined(&mut self, joining: Joining, answer: Result<(), JoinError>) {
        let Joining { user, join, alone } = joining;
        let person = self.person(&user);
        person.joining -= 1;
        if let Standing::Paired(_) = person.standing {
            if person.joining == 0 {
                person.tickets.clear();
            }
            return;
        }
        match answer {
            Ok(()) => {
                if alone == Alone::Yes {
                    person.tickets.retain(|ticket| ticket.join >= join);
                }
                if person.standing == Standing::Out {
                    person.standing = Standing::Waiting;
                }
            }
            Err(JoinError::QueueFull)
                if alone == Alone::Yes && person.joining == 0 && person.joins == join =>
            {
                person.tickets.retain(|ticket| ticket.join < join);
                if person.tickets.is_empty() {
                    self.left(&user);
                } else {
                    // The place in another queue is still theirs, unless this one filled up while they looked.
                    person.standing = Standing::Unsure;
                }
            }
            Err(JoinError::QueueFull) => person.standing = Standing::Unsure,
            Err(_) => person.tickets.retain(|ticket| ticket.join != join),
        }
    }

    pub(crate) fn left(&mut self, user: &User) {
        let person = self.person(user);
        person.standing = Standing::Out;
        person.tickets.clear();
        person.away = None;
    }

    pub(crate) fn went_away(&mut self, user: &User, now: Time) {
        self.person(user).away = Some(now);
    }

    pub(crate) fn comes_back(&mut self, user: &User) {
        self.person(user).returning = true;
    }

    pub(crate) fn came_back(&mut self, user: &User, waits: bool) {
        let person = self.person(user);
        person.returning = false;
        if waits {
            person.away = None;
        }
    }

    pub(crate) fn confirmed(&mut self, pairing: PairingId, user: &User, answer: Confirmed) {
        let Some(paired) = self.pairings.get_mut(&pairing) else { return };
        match answer {
            Confirmed::Unknown => {}
            Confirmed::One => paired.confirmed.push(user.clone()),
            Confirmed::Both => {
                let tickets = paired.pairing.tickets.clone();
                self.pairings.remove(&pairing);
                for (mine, theirs) in [(&tickets[0], &tickets[1]), (&tickets[1], &tickets[0])] {
                    let person = self.person(&mine.user);
                    person.standing = Standing::Out;
                    person.met.push(theirs.user.clone());
                }
            }
        }
    }

    /// The lobby tells something, in a call that was made at some time up to now.
    pub(crate) fn on_event(&mut self, event: &Event, now: Time) {
        self.tell(now, || format!("{event:?}"));
        match event {
            Event::Paired(pairing) => self.on_paired(pairing, now),
            Event::Returned { pairing, user, .. } => self.on_returned(*pairing, user),
            Event::Lapsed { pairing, user } => self.on_lapsed(*pairing, user, now),
            Event::Deposed => panic!("nobody keeps this lobby"),
            Event::Expired { user } => {
                let lease = self.config.lease;
                let person = self.person(user);
                assert!(
                    person.away.is_some_and(|since| now.since(since) >= lease),
                    "{user} expired and was not away"
                );
                assert!(!matches!(person.standing, Standing::Paired(_)), "{user} expired in a pairing");
                self.left(user);
            }
        }
    }

    fn on_paired(&mut self, pairing: &Pairing, now: Time) {
        let [older, younger] = &pairing.tickets;
        assert_ne!(older.user, younger.user, "paired with themselves");
        assert!((older.since(), older.id) < (younger.since(), younger.id), "the older is not the first");
        for (ticket, wait) in pairing.tickets.iter().zip(pairing.waits) {
            let person = self.person(&ticket.user);
            assert!(!matches!(person.standing, Standing::Paired(_)), "{} is in two pairings", ticket.user);
            assert!(person.away.is_none() || person.returning, "{} was paired while away", ticket.user);
            assert!(
                person.tickets.iter().any(|expected| expected.is(ticket)),
                "{} was paired by a ticket that they do not have, but {:?}",
                ticket.user,
                person.tickets
            );
            assert!(wait <= ticket.waited(now), "{} waited longer than possible", ticket.user);
            person.standing = Standing::Paired(pairing.id);
            if person.joining == 0 {
                person.tickets.clear();
            }
        }
        let policy = self.policy(&pairing.queue);
        let [first, second] = pairing.tickets.each_ref().map(|ticket| newcomer(ticket));
        let sides =
            [At { who: &first, waited: pairing.waits[0] }, At { who: &second, waited: pairing.waits[1] }];
        let objection = objection(sides[0], sides[1], &policy);
        assert_eq!(objection, None, "{} and {} were paired", first.user, second.user);
        check_terms(pairing);
        self.waits.extend(pairing.waits);
        self.pairings.insert(pairing.id, Paired { pairing: pairing.clone(), at: now, confirmed: Vec::new() });
    }

    fn on_returned(&mut self, pairing: PairingId, user: &User) {
        let paired = self.pairings.remove(&pairing).expect("whoever returns was in an open pairing");
        let index = paired.pairing.tickets.iter().position(|ticket| ticket.user == *user);
        let index = index.expect("whoever returns was in the pairing");
        let ticket = &paired.pairing.tickets[index];
        let wait = paired.pairing.waits[index];
        let expected = Expected {
            join: 0,
            returned: Returned::Once,
            newcomer: newcomer(ticket),
            enqueued: Since::NotBefore(ticket.since() + wait),
            credit: wait,
        };
        let person = self.person(user);
        assert_eq!(person.standing, Standing::Paired(pairing), "{user} returned from elsewhere");
        person.standing = Standing::Waiting;
        if person.joining == 0 {
            person.tickets.clear();
        }
        person.tickets.push(Expected { join: person.joins, ..expected });
    }

    fn on_lapsed(&mut self, pairing: PairingId, user: &User, now: Time) {
        let paired = self.pairings.get(&pairing);
        if let Some(paired) = paired {
            let late = paired.at + self.config.confirm_timeout;
            // A pairing may be told a little after it was made.
            assert!(now + Duration::from_millis(500) >= late, "{user} lapsed too early");
            assert!(!paired.confirmed.contains(user), "{user} had confirmed and lapsed");
        }
        assert_eq!(self.standing(user), Standing::Paired(pairing), "{user} lapsed from elsewhere");
        self.left(user);
    }

    fn policy(&self, queue: &QueueName) -> Arc<Policy> {
        Arc::clone(&self.config.queues[queue].policy)
    }

    /// How many may be waiting in a queue: those who went back count on top.
    pub(crate) fn waiting_max(&self, queue: &QueueName) -> usize {
        let returned =
            |person: &&Person| person.tickets.iter().any(|ticket| ticket.returned == Returned::Once);
        self.config.queues[queue].waiting_max + self.people.values().filter(returned).count()
    }

    /// Nothing is left to happen: whoever waits must be among these, and no two of them accept each other.
    pub(crate) fn at_rest(&self, waiting: &[Ticket], now: Time) {
        let mut seen = BTreeMap::new();
        for ticket in waiting {
            assert!(seen.insert(&ticket.user, ()).is_none(), "{} waits twice", ticket.user);
            let person = &self.people[&ticket.user];
            assert!(
                matches!(person.standing, Standing::Waiting | Standing::Unsure),
                "{} waits but is {:?}",
                ticket.user,
                person.standing
            );
            let known = person.tickets.iter().any(|expected| expected.is(ticket));
            assert!(known, "{} waits by a ticket that they do not have", ticket.user);
        }
        for (user, person) in &self.people {
            assert!(person.standing != Standing::Waiting || seen.contains_key(user), "{user} is lost");
            assert!(!matches!(person.standing, Standing::Paired(_)), "{user} is stuck in a pairing");
        }
        for (index, first) in waiting.iter().enumerate() {
            for second in &waiting[index + 1..] {
                let (one, other) = (newcomer(first), newcomer(second));
                let policy = self.policy(&first.wish.queue);
                let objection = objection(
                    At { who: &one, waited: first.waited(now) },
                    At { who: &other, waited: second.waited(now) },
                    &policy,
                );
                assert!(
                    objection.is_some(),
                    "{} and {} accept each other and both wait",
                    one.user,
                    other.user
                );
            }
        }
    }
}

/// What the two were told fits what they wished for.
fn check_terms(pairing: &Pairing) {
    let takes = |wish: &Wish, topic| {
        wish.topic.is_none()
            || wish.topic.as_ref() == Some(topic)
            || wish.other_topics.contains(topic)
            || wish.any_topic == throng_lobby::AnyTopic::Accepted
    };
    for (ticket, side) in pairing.tickets.iter().zip(pairing.sides) {
        let wish = &ticket.wish;
        assert!(
            pairing.topic.as_ref().is_none_or(|topic| takes(wish, topic)),
            "{} gets another topic",
            ticket.user
        );
        assert!(pairing.topic.is_some() || wish.topic.is_none(), "{} gets no topic", ticket.user);
        use throng_lobby::{Side, SideWish};
        let fits = match wish.side {
            None => side.is_none(),
            Some(SideWish::Any) => side.is_some(),
            Some(SideWish::For) => side == Some(Side::For),
            Some(SideWish::Against) => side == Some(Side::Against),
        };
        assert!(fits, "{} gets another side", ticket.user);
    }
    assert!(pairing.sides[0].is_none() || pairing.sides[0] != pairing.sides[1], "both on one side");
}

fn newcomer(ticket: &Ticket) -> Newcomer {
    Newcomer {
        user: ticket.user.clone(),
        wish: Arc::clone(&ticket.wish),
        blocked: ticket.blocked.clone(),
        recent: ticket.recent.clone(),
        policy: ticket.policy.clone(),
        bound: Bound::Kept,
    }
}
