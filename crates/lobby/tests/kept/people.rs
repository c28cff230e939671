//! What people and their hall do with a lobby that is kept, and what each may believe of where they are by what they were told.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use throng_backbone::{Commit, Committed, Register};
use throng_lobby::{Confirmed, Event, Lobby, Newcomer, PairingId, Restored, SideWish, Time, User, Wish};

use crate::crashes::Random;

/// How long a pairing may be confirmed, and how long somebody may be away: as in the lobby's configuration.
pub(crate) const CONFIRM: Duration = Duration::from_secs(5);
pub(crate) const LEASE: Duration = Duration::from_secs(30);

/// Where somebody is, as far as they were told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Out,
    /// Since this or earlier.
    Waits(Time),
    Paired(PairingId),
    /// Both have confirmed, and the hall has taken the record.
    InRoom(PairingId),
}

#[derive(Debug)]
struct Person {
    standing: Standing,
    /// What was begun for them and has not been answered.
    asking: u32,
    /// From when on the lobby may end it by itself.
    ends: Option<Time>,
}

/// Everyone, and the clock.
#[derive(Debug)]
pub(crate) struct Town {
    people: BTreeMap<User, Person>,
    pub(crate) now: Time,
    /// Which lobby is the one now: what earlier ones say counts no more.
    pub(crate) life: u32,
    pub(crate) paired: usize,
}

/// A town that all share, a lobby, and what the hall writes beside it.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) town: Arc<Mutex<Town>>,
    pub(crate) lobby: Lobby,
    pub(crate) register: Register,
    pub(crate) life: u32,
}

pub(crate) fn locked(town: &Mutex<Town>) -> MutexGuard<'_, Town> {
    // Also after an objection.
    town.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Town {
    pub(crate) fn new(people: usize) -> Self {
        let out = || Person { standing: Standing::Out, asking: 0, ends: None };
        let people = (0..people).map(|number| (User::from(format!("user-{number}")), out())).collect();
        Self { people, now: Time(Duration::from_secs(3600)), life: 0, paired: 0 }
    }

    pub(crate) fn users(&self) -> Vec<User> {
        self.people.keys().cloned().collect()
    }

    pub(crate) fn standing(&self, user: &User) -> Standing {
        self.people[user].standing
    }

    fn asking(&mut self, users: &[&User], by: i32) {
        for user in users {
            let person = self.people.get_mut(*user).expect("one of them");
            person.asking = person.asking.checked_add_signed(by).expect("as many as began");
        }
    }

    fn set(&mut self, user: &User, standing: Standing) {
        let person = self.people.get_mut(user).expect("one of them");
        (person.standing, person.ends) = (standing, None);
    }

    /// The lobby of this life tells something.
    pub(crate) fn on_event(&mut self, event: &Event) {
        match event {
            Event::Paired(pairing) => {
                self.paired += 1;
                for ticket in &pairing.tickets {
                    let before = self.standing(&ticket.user);
                    assert!(
                        !matches!(before, Standing::Paired(_) | Standing::InRoom(_)),
                        "{before:?}, {pairing:?}"
                    );
                    self.paired(&ticket.user, pairing.id);
                }
            }
            Event::Returned { pairing, user, .. } => {
                assert_eq!(self.standing(user), Standing::Paired(*pairing), "{user} returns");
                self.set(user, Standing::Waits(self.now));
            }
            Event::Lapsed { pairing, user } => {
                assert_eq!(self.standing(user), Standing::Paired(*pairing), "{user} lapses");
                self.set(user, Standing::Out);
            }
            Event::Expired { user } => {
                assert!(matches!(self.standing(user), Standing::Waits(_)), "{user} expires");
                self.set(user, Standing::Out);
            }
            Event::Deposed => panic!("nobody else has this lobby"),
        }
    }

    fn paired(&mut self, user: &User, pairing: PairingId) {
        self.set(user, Standing::Paired(pairing));
        self.people.get_mut(user).expect("one of them").ends = Some(self.now + CONFIRM);
    }

    /// Looks at what another lobby goes on with: everybody must be where they were told that they are, and nobody twice.
    pub(crate) fn check(&self, restored: &Restored) {
        let mut places: BTreeMap<&str, Vec<Standing>> = BTreeMap::new();
        for ticket in &restored.waiting {
            places.entry(ticket.user.as_str()).or_default().push(Standing::Waits(ticket.since()));
        }
        for pairing in &restored.pairings {
            for ticket in &pairing.tickets {
                places.entry(ticket.user.as_str()).or_default().push(Standing::Paired(pairing.id));
            }
        }
        let rooms = rooms(restored);
        for (pairing, users) in &rooms {
            for user in users {
                places.entry(user).or_default().push(Standing::InRoom(*pairing));
            }
        }
        for (user, person) in &self.people {
            let at = places.remove(user.as_str()).unwrap_or_default();
            assert!(at.len() <= 1, "{user} is doubled: {at:?}");
            if person.asking > 0 {
                continue;
            }
            let may_be_over = person.ends.is_some_and(|ends| ends <= self.now);
            match (person.standing, at.first()) {
                (Standing::Out, at) => assert_eq!(at, None, "{user} is out"),
                (believed, None) => assert!(may_be_over, "{user} is lost: {believed:?}"),
                (Standing::InRoom(room), Some(at)) => assert_eq!(*at, Standing::InRoom(room), "{user}"),
                (Standing::Waits(since), Some(Standing::Waits(at))) => {
                    assert!(*at <= since, "{user} has lost some of their wait");
                }
                // The lobby was further than it had told.
                (Standing::Waits(_) | Standing::Paired(_), Some(_)) => {}
            }
        }
        assert!(places.is_empty(), "nobody knows {places:?}");
    }

    /// Everybody is told where they are now.
    pub(crate) fn go_on(&mut self, restored: &Restored) {
        self.life += 1;
        let lease = self.now + LEASE;
        for person in self.people.values_mut() {
            *person = Person { standing: Standing::Out, asking: 0, ends: None };
        }
        for ticket in &restored.waiting {
            self.set(&ticket.user, Standing::Waits(ticket.since()));
            self.people.get_mut(&ticket.user).expect("one of them").ends = Some(lease);
        }
        for pairing in &restored.pairings {
            pairing.tickets.iter().for_each(|ticket| self.paired(&ticket.user, pairing.id));
        }
        for (pairing, users) in rooms(restored) {
            users.iter().for_each(|user| self.set(&User::from(user.as_str()), Standing::InRoom(pairing)));
        }
    }
}

/// The rooms that the hall has written, with who is in them.
fn rooms(restored: &Restored) -> Vec<(PairingId, Vec<String>)> {
    let room = |(key, value): &(Box<str>, bytes::Bytes)| {
        let id = key.strip_prefix("r:").expect("nothing else is written").parse().expect("a number");
        let users = std::str::from_utf8(value).expect("text").split(' ').map(str::to_owned).collect();
        (PairingId(id), users)
    };
    restored.others.iter().map(room).collect()
}

impl World {
    fn town(&self) -> MutexGuard<'_, Town> {
        locked(&self.town)
    }

    fn now(&self) -> Time {
        self.town().now
    }

    /// Does something that concerns some people, and has them believe what the answer says.
    async fn ask<T>(
        &self,
        users: &[&User],
        doing: impl Future<Output = T>,
        believe: impl FnOnce(&mut Town, T),
    ) {
        self.town().asking(users, 1);
        let answer = doing.await;
        let mut town = self.town();
        // Nobody listens to a lobby that is not the one any more.
        if town.life == self.life {
            town.asking(users, -1);
            believe(&mut town, answer);
        }
    }

    fn is_over(&self) -> bool {
        self.town().life != self.life
    }
}

fn wish(random: &mut Random) -> Wish {
    let mut wish = crate::wish(["tea", "art"][random.below(2)]);
    wish.side = Some([SideWish::For, SideWish::Against, SideWish::Any][random.below(3)]);
    wish
}

/// Lets others run for a while.
async fn dawdle(random: &mut Random) {
    for _ in 0..random.below(12) {
        tokio::task::yield_now().await;
    }
}

/// Goes on from wherever they are, for good.
pub(crate) async fn live(world: World, user: User, mut random: Random) {
    loop {
        dawdle(&mut random).await;
        if world.is_over() {
            haunt(&world, &user, &mut random).await;
            continue;
        }
        let standing = world.town().standing(&user);
        match standing {
            Standing::Out => join(&world, &user, &mut random).await,
            Standing::Waits(_) => wait(&world, &user, &mut random).await,
            Standing::Paired(pairing) => meet(&world, pairing, &user, &mut random).await,
            Standing::InRoom(pairing) => end(&world, pairing, &user, &mut random).await,
        }
    }
}

/// Asks a lobby that another has replaced, which must not say that it did anything.
async fn haunt(world: &World, user: &User, random: &mut Random) {
    assert!(!world.lobby.leave(user).await, "{user} cannot leave what is elsewhere");
    let newcomer = Newcomer::new(user.as_str(), wish(random));
    assert!(world.lobby.join(newcomer, world.now()).await.is_err(), "{user} cannot join what is elsewhere");
}

async fn join(world: &World, user: &User, random: &mut Random) {
    let now = world.now();
    let newcomer = Newcomer::new(user.as_str(), wish(random));
    world
        .ask(&[user], world.lobby.join(newcomer, now), |town, answer| match answer {
            // They may have been paired by now.
            Ok(_) if town.standing(user) == Standing::Out => town.set(user, Standing::Waits(now)),
            Ok(_) => {}
            // Whoever has asked for something else may have been paired before.
            Err(error) => assert!(matches!(error, throng_lobby::JoinError::Paired(_)), "{error}"),
        })
        .await;
}

async fn wait(world: &World, user: &User, random: &mut Random) {
    match random.below(10) {
        0 => {
            world
                .ask(&[user], world.lobby.leave(user), |town, left| {
                    if left {
                        town.set(user, Standing::Out);
                    }
                })
                .await;
        }
        1 => {
            // They may be back with another wish: then they begin anew.
            let now = world.now();
            let newcomer = Newcomer::new(user.as_str(), wish(random));
            world
                .ask(&[user], world.lobby.join(newcomer, now), |town, answer| {
                    if answer.is_ok() && matches!(town.standing(user), Standing::Waits(_) | Standing::Out) {
                        town.set(user, Standing::Waits(now));
                    }
                })
                .await;
        }
        2 => {
            if world.is_over() {
                return;
            }
            let now = world.now();
            world.town().people.get_mut(user).expect("one of them").ends = Some(now + LEASE);
            world.lobby.away(user, now).await;
            dawdle(random).await;
            come_back(world, user).await;
        }
        _ => come_back(world, user).await,
    }
}

async fn come_back(world: &World, user: &User) {
    let waits = world.lobby.back(user, world.now()).await;
    let mut town = world.town();
    if waits && town.life == world.life && matches!(town.standing(user), Standing::Waits(_)) {
        town.people.get_mut(user).expect("one of them").ends = None;
    }
}

async fn meet(world: &World, pairing: PairingId, user: &User, random: &mut Random) {
    match random.below(10) {
        0 | 1 => {
            let doing = world.lobby.drop_out(pairing, user, world.now());
            world
                .ask(&[user], doing, |town, over| {
                    if over {
                        assert_eq!(town.standing(user), Standing::Paired(pairing));
                        town.set(user, Standing::Out);
                    }
                })
                .await;
        }
        2 => {}
        _ => {
            if world.lobby.confirm(pairing, user).await == Confirmed::Both {
                begin(world, pairing).await;
            }
        }
    }
}

/// The hall takes a pairing that both have confirmed.
async fn begin(world: &World, pairing: PairingId) {
    if world.is_over() {
        return;
    }
    let users = world.town().users();
    let users: Vec<&User> =
        users.iter().filter(|user| world.town().standing(user) == Standing::Paired(pairing)).collect();
    assert_eq!(users.len(), 2, "{pairing:?}");
    let names = format!("{} {}", users[0], users[1]);
    let room = Commit { take: vec![pairing.key()], ..Commit::put(format!("r:{}", pairing.0), names) };
    {
        // It is the hall's now, however long that takes.
        let mut town = world.town();
        users.iter().for_each(|user| town.people.get_mut(*user).expect("one of them").ends = None);
    }
    let outcome = world.register.commit(room).await;
    let mut town = world.town();
    if town.life == world.life {
        assert_eq!(outcome, Ok(Committed::Done));
        users.iter().for_each(|user| town.set(user, Standing::InRoom(pairing)));
    }
}

/// A room ends, by whoever goes first.
async fn end(world: &World, pairing: PairingId, user: &User, random: &mut Random) {
    if random.below(3) > 0 {
        return;
    }
    let users = world.town().users();
    let users: Vec<&User> =
        users.iter().filter(|user| world.town().standing(user) == Standing::InRoom(pairing)).collect();
    assert!(users.contains(&user));
    let over = world.register.commit(Commit::remove(format!("r:{}", pairing.0)));
    world
        .ask(&users, over, |town, outcome| {
            assert_eq!(outcome, Ok(Committed::Done));
            for user in &users {
                if town.standing(user) == Standing::InRoom(pairing) {
                    town.set(user, Standing::Out);
                }
            }
        })
        .await;
}
