//! Lobbies that end at any moment, and the next ones that go on. Tasks take turns in an order that the seed decides; the lobby
//! may be gone after any of them, so between any two steps of any commit. `THRONG_SEED=n` runs one seed.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use throng_lobby::{Event, Lobby, Written, service};
use tokio::task::JoinSet;

use crate::House;
use crate::people::{Town, World, live, locked};

const SEEDS: u64 = 40;
const PEOPLE: usize = 12;

/// SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// What becomes of a lobby when the next one begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Former {
    /// Its process is gone.
    Dead,
    /// It does not know yet, and goes on for a while.
    Zombie,
}

/// A lobby that lives: its tasks, until they are dropped.
struct Life {
    tasks: JoinSet<()>,
    lobby: Lobby,
    told: Arc<Mutex<Vec<Event>>>,
}

/// One run: a lobby after the other, each for so many turns.
async fn run(seed: u64, lives: &[usize], former: Former) -> usize {
    let mut random = Random(seed);
    let mut house = House::new().await;
    let town = Arc::new(Mutex::new(Town::new(PEOPLE)));
    let mut zombies: Vec<Life> = Vec::new();
    for turns in lives.iter().copied().chain([0]) {
        let life = begin(&mut house, &town, &mut random).await;
        for zombie in zombies.drain(..) {
            bury(zombie).await;
        }
        for _ in 0..turns {
            tokio::task::yield_now().await;
            let now = {
                let mut town = locked(&town);
                let step = if random.below(20) == 0 { random.below(8000) } else { random.below(40) };
                town.now = town.now + Duration::from_millis(step as u64);
                town.now
            };
            // It waits for nothing: what it does is told later.
            life.lobby.advance(now).await;
        }
        match former {
            Former::Dead => drop(life),
            Former::Zombie => zombies.push(life),
        }
    }
    let paired = locked(&town).paired;
    paired
}

/// The next lobby goes on with what is written, which must fit what everybody was told.
async fn begin(house: &mut House, town: &Arc<Mutex<Town>>, random: &mut Random) -> Life {
    let (register, records) = house.open().await;
    let number = locked(town).life + 1;
    let told = Arc::new(Mutex::new(Vec::new()));
    let (heard, late) = (Arc::clone(town), Arc::clone(&told));
    let written = Written { register: register.clone(), records, now: locked(town).now };
    let (lobby, restored) = Lobby::restore(crate::config(), written, move |event| {
        let mut town = locked(&heard);
        if town.life == number {
            town.on_event(&event);
        } else {
            late.lock().expect("nobody panics").push(event);
        }
    });
    {
        let mut town = locked(town);
        town.check(&restored);
        town.go_on(&restored);
    }
    let mut tasks = JoinSet::new();
    tasks.spawn(service::tell(&lobby));
    for user in locked(town).users() {
        let world =
            World { town: Arc::clone(town), lobby: lobby.clone(), register: register.clone(), life: number };
        tasks.spawn(live(world, user, Random(random.next())));
    }
    Life { tasks, lobby, told }
}

/// Somebody else has the scope: the former lobby finds out as soon as it does anything, and says so once.
async fn bury(mut zombie: Life) {
    let deposed = |told: &Mutex<Vec<Event>>| {
        let told = told.lock().expect("nobody panics");
        told.iter().filter(|event| matches!(event, Event::Deposed)).count()
    };
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    let _ =
        zombie.lobby.join(throng_lobby::Newcomer::new("zombie", crate::wish("tea")), service::now()).await;
    assert_eq!(deposed(&zombie.told), 1);
    let told = zombie.told.lock().expect("nobody panics").len();
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    assert_eq!(zombie.told.lock().expect("nobody panics").len(), told, "nothing follows");
    zombie.tasks.shutdown().await;
}

/// On one thread, with a clock that stands still.
fn play(seed: u64, lives: &[usize], former: Former) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime without sockets");
    let played = catch_unwind(AssertUnwindSafe(|| runtime.block_on(run(seed, lives, former))));
    played.unwrap_or_else(|objection| {
        println!("this was seed {seed}, {former:?}, {lives:?}");
        resume_unwind(objection)
    })
}

fn seeds() -> Range<u64> {
    let chosen: Option<u64> = std::env::var("THRONG_SEED").ok().and_then(|seed| seed.parse().ok());
    chosen.map_or(0..SEEDS, |seed| seed..seed + 1)
}

#[test]
fn a_crash_neither_loses_nor_doubles_anybody() {
    let mut paired = 0;
    for seed in seeds() {
        let mut random = Random(seed);
        let lives: Vec<usize> = (0..6).map(|_| 1 + random.below(400)).collect();
        paired += play(seed, &lives, Former::Dead);
    }
    assert!(seeds().count() == 1 || paired > 1000, "only {paired} were paired");
}

#[test]
fn a_zombie_neither_loses_nor_doubles_anybody() {
    for seed in seeds() {
        let mut random = Random(seed);
        let lives: Vec<usize> = (0..6).map(|_| 1 + random.below(400)).collect();
        play(seed, &lives, Former::Zombie);
    }
}

/// The same story, ended after each of its turns.
#[test]
fn a_crash_may_come_at_every_moment() {
    for turns in 1..=250 {
        play(1, &[turns, 20], Former::Dead);
    }
}
