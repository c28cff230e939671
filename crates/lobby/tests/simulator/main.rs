//! The lobby under crowds that a seed decides: a virtual clock, people who vanish and confirm late, and store calls that
//! overtake one another, so that claims fail. A shadow model objects to whatever must not be. `THRONG_SEED=n` runs one
//! seed and tells its story (with `--nocapture`).

mod crowd;
mod executor;
mod oracle;
mod person;
mod random;
mod shadow;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use throng_lobby::Lobby;

use crowd::Situation;
use executor::Executor;
use person::World;
use random::Random;
use shadow::{Shadow, Story};

const SEEDS: u64 = 256;

/// What a run was like.
#[derive(Default)]
struct Outcome {
    waits: Vec<Duration>,
    still_waiting: usize,
}

/// Runs one seed and panics with whatever the shadow model objects to.
fn run(seed: u64, told: bool) -> Outcome {
    let mut random = Random::new(seed);
    let situation = situation_of(seed);
    let executor = Executor::new();
    let config = crowd::config(situation, &mut random);
    let story = if told { Story::Told(Vec::new()) } else { Story::Untold };
    let shadow = Arc::new(Mutex::new(Shadow::new(config.clone(), story)));
    let clock = Arc::new(Mutex::new(executor.now()));
    let lobby = {
        let (shadow, clock) = (Arc::clone(&shadow), Arc::clone(&clock));
        Lobby::yielding(config, move |event| {
            let now = *locked(&clock);
            locked(&shadow).on_event(&event, now);
        })
    };
    let world = World {
        situation,
        executor: executor.clone(),
        lobby: lobby.clone(),
        shadow: Arc::clone(&shadow),
        closed: Rc::default(),
        busy: Rc::default(),
    };
    for number in 0..crowd::size(situation, &mut random) {
        executor.start(person::live(world.clone(), number, random.split()));
    }
    if seed.is_multiple_of(3) {
        executor.start(person::hand_over(world.clone(), random.split()));
    }
    let polls = Cell::new(0);
    let played = catch_unwind(AssertUnwindSafe(|| {
        executor.run(&lobby, &mut random, || {
            *locked(&clock) = executor.now();
            polls.set(polls.get() + 1);
            if polls.get() % 64 == 0 {
                check_bounds(&world);
            }
        });
        at_rest(&world)
    }));
    let shadow = locked(&shadow);
    if let Story::Told(lines) = &shadow.story {
        say(&format!("seed {seed}: {situation:?}\n{}", lines.join("\n")));
    }
    match played {
        Ok(still_waiting) => Outcome { waits: shadow.waits.clone(), still_waiting },
        Err(objection) => {
            say(&format!("this was seed {seed}, {situation:?}; THRONG_SEED={seed} tells its story"));
            resume_unwind(objection)
        }
    }
}

/// Shown for a test that fails, and with `--nocapture`.
#[expect(clippy::print_stdout, reason = "the story of a run is for whoever runs it")]
fn say(what: &str) {
    println!("{what}");
}

/// Also after an objection.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn situation_of(seed: u64) -> Situation {
    Situation::ALL[(seed % Situation::ALL.len() as u64) as usize]
}

fn check_bounds(world: &World) {
    let shadow = world.shadow();
    for (name, queue) in world.lobby.statistics(world.executor.now()).queues {
        let most = shadow.waiting_max(&name);
        assert!(queue.waiting <= most, "{} wait in {name}, of {most} at most", queue.waiting);
    }
}

/// Takes everyone out who waits at the end and has the shadow model look at them.
fn at_rest(world: &World) -> usize {
    let taken = Rc::new(Cell::new(None));
    let (lobby, slot) = (world.lobby.clone(), Rc::clone(&taken));
    world.executor.start(async move { slot.set(Some(lobby.extract().await)) });
    world.executor.run(&world.lobby, &mut Random::new(0), || {});
    let waiting = taken.take().expect("it was taken");
    world.shadow().at_rest(&waiting, world.executor.now());
    assert_eq!(world.lobby.statistics(world.executor.now()).unconfirmed, 0, "pairings are left open");
    waiting.len()
}

/// Every seed of a situation.
fn run_all(situation: Situation) {
    if let Some(seed) = std::env::var("THRONG_SEED").ok().and_then(|seed| seed.parse().ok()) {
        if situation_of(seed) == situation {
            run(seed, true);
        }
        return;
    }
    let mut all = Outcome::default();
    for seed in (0..SEEDS).filter(|seed| situation_of(*seed) == situation) {
        let outcome = run(seed, false);
        all.waits.extend(outcome.waits);
        all.still_waiting += outcome.still_waiting;
    }
    assert!(all.waits.len() > 1000, "{situation:?}: only {} were paired", all.waits.len());
    all.waits.sort_unstable();
    let wait = |share: usize| all.waits[(all.waits.len() - 1) * share / 100];
    say(&format!(
        "{situation:?}: {} paired, {} not; waits p50 {:?}, p90 {:?}, p99 {:?}, longest {:?}",
        all.waits.len(),
        all.still_waiting,
        wait(50),
        wait(90),
        wait(99),
        wait(100)
    ));
    let most = longest_waits(situation).map(Duration::from_secs);
    let waits = [wait(50), wait(99)];
    assert!(waits[0] <= most[0] && waits[1] <= most[1], "{situation:?}: waits {waits:?}, at most {most:?}");
}

/// What half of those who were paired may have waited at most, and 99 of 100, in seconds: twice what it was when this was
/// written. Who waits in a simulation also leaves and vanishes, so the longest waits say little of the pairing.
fn longest_waits(situation: Situation) -> [u64; 2] {
    match situation {
        Situation::Steady => [2, 72],
        Situation::Burst => [1, 65],
        Situation::Lopsided => [2, 175],
        Situation::AllDifferent => [15, 81],
        Situation::BlockedClique => [1, 87],
        Situation::Motley => [7, 115],
    }
}

#[test]
fn a_steady_crowd_keeps_the_invariants() {
    run_all(Situation::Steady);
}

#[test]
fn a_burst_keeps_the_invariants() {
    run_all(Situation::Burst);
}

#[test]
fn a_lopsided_crowd_keeps_the_invariants() {
    run_all(Situation::Lopsided);
}

#[test]
fn a_crowd_without_common_tags_keeps_the_invariants() {
    run_all(Situation::AllDifferent);
}

#[test]
fn a_blocked_clique_keeps_the_invariants() {
    run_all(Situation::BlockedClique);
}

#[test]
fn a_motley_crowd_keeps_the_invariants() {
    run_all(Situation::Motley);
}

#[test]
fn a_seed_always_plays_the_same_way() {
    let (first, second) = (run(5, false), run(5, false));
    assert_eq!(first.waits, second.waits);
}
