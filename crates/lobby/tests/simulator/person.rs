//! What one person does: come, wait, lose the connection, change their mind, confirm or vanish. And what an operator
//! does.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use throng_lobby::{JoinError, Lobby, Newcomer, PairingId, User};

use crate::crowd::{self, Situation};
use crate::executor::Executor;
use crate::random::Random;
use crate::shadow::{Shadow, Standing};

/// What all of them share.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) situation: Situation,
    pub(crate) executor: Executor,
    pub(crate) lobby: Lobby,
    pub(crate) shadow: Arc<Mutex<Shadow>>,
    /// Nobody begins anything while an operator hands people over.
    pub(crate) closed: Rc<Cell<bool>>,
    /// What people have begun and not ended.
    pub(crate) busy: Rc<Cell<usize>>,
}

impl World {
    pub(crate) fn shadow(&self) -> MutexGuard<'_, Shadow> {
        self.shadow.lock().expect("whoever objected has ended the run")
    }

    fn standing(&self, user: &User) -> Standing {
        self.shadow().standing(user)
    }

    fn tell(&self, what: impl FnOnce() -> String) {
        let now = self.executor.now();
        self.shadow().tell(now, what);
    }

    /// Does something with the lobby, when it is open.
    async fn act<T>(&self, action: impl AsyncFnOnce() -> T) -> T {
        while self.closed.get() {
            self.executor.sleep(Duration::from_millis(10)).await;
        }
        self.busy.set(self.busy.get() + 1);
        let done = action().await;
        self.busy.set(self.busy.get() - 1);
        done
    }

    async fn join(&self, newcomer: Newcomer) -> Result<(), JoinError> {
        let user = newcomer.user.clone();
        self.act(async || {
            let now = self.executor.now();
            let joining = self.shadow().joins(&newcomer, now);
            let answer = self.lobby.join(newcomer, now).await.map(|_| ());
            self.tell(|| format!("{user} joined at {:.3}: {answer:?}", now.0.as_secs_f64() - 3600.0));
            self.shadow().joined(joining, answer);
            answer
        })
        .await
    }

    async fn leave(&self, user: &User) {
        self.act(async || {
            let left = self.lobby.leave(user).await;
            self.tell(|| format!("{user} left: {left}"));
            if left {
                self.shadow().left(user);
            }
        })
        .await;
    }
}

/// Comes a few times to be paired.
pub(crate) async fn live(world: World, number: usize, mut random: Random) {
    let user = crowd::user(number);
    world.executor.sleep(crowd::arrival(world.situation, number, &mut random)).await;
    for _ in 0..=random.below(3) {
        let met = world.shadow().met(&user);
        let newcomer = crowd::newcomer(world.situation, number, &met, &mut random);
        if random.percent(10) {
            let another = crowd::newcomer(world.situation, number, &met, &mut random);
            join_twice(&world, newcomer.clone(), another).await;
        } else if world.join(newcomer.clone()).await == Err(JoinError::QueueFull) {
            world.executor.sleep(random.millis(5000)).await;
            continue;
        }
        wait(&world, newcomer, &mut random).await;
        world.executor.sleep(random.millis(3000)).await;
    }
}

/// Two pages of one person join at the same time.
async fn join_twice(world: &World, first: Newcomer, second: Newcomer) {
    let done = Rc::new(Cell::new(false));
    let (other, other_done) = (world.clone(), Rc::clone(&done));
    world.executor.start(async move {
        let _ = other.join(second).await;
        other_done.set(true);
    });
    let _ = world.join(first).await;
    while !done.get() {
        world.executor.turn().await;
    }
}

/// Until there is nothing more to wait for.
async fn wait(world: &World, newcomer: Newcomer, random: &mut Random) {
    let user = newcomer.user.clone();
    let patience = world.executor.now() + Duration::from_secs(20) + random.millis(60_000);
    loop {
        match world.standing(&user) {
            Standing::Out => return,
            Standing::Paired(pairing) => meet(world, pairing, &user, random).await,
            Standing::Waiting | Standing::Unsure if world.executor.now() < patience => {
                world.executor.sleep(random.millis(3000)).await;
                if !matches!(world.standing(&user), Standing::Paired(_)) {
                    fidget(world, &newcomer, random).await;
                }
            }
            _ if random.percent(50) => {
                world.leave(&user).await;
                return settle(world, &user, random).await;
            }
            _ => return settle(world, &user, random).await,
        }
    }
}

/// Waits on for good, but takes what comes.
async fn settle(world: &World, user: &User, random: &mut Random) {
    for _ in 0..30 {
        world.executor.sleep(Duration::from_secs(1)).await;
        if let Standing::Paired(pairing) = world.standing(user) {
            meet(world, pairing, user, random).await;
        }
    }
}

/// What people do while they wait.
async fn fidget(world: &World, newcomer: &Newcomer, random: &mut Random) {
    let user = &newcomer.user;
    match random.below(100) {
        0..5 => world.leave(user).await,
        5..15 => {
            let lost = random.millis(40_000);
            world
                .act(async || {
                    let now = world.executor.now();
                    let waited = world.lobby.away(user, now).await;
                    world.tell(|| format!("{user} away for {lost:?}: {waited}"));
                    if waited {
                        world.shadow().went_away(user, now);
                    }
                })
                .await;
            world.executor.sleep(lost).await;
            world
                .act(async || {
                    world.shadow().comes_back(user);
                    let waits = world.lobby.back(user, world.executor.now()).await;
                    world.tell(|| format!("{user} back: {waits}"));
                    world.shadow().came_back(user, waits);
                })
                .await;
            // Why not will have been told by then.
            world.executor.sleep(Duration::from_millis(500)).await;
        }
        15..20 => {
            let mut again = newcomer.clone();
            again.blocked = (0..3).map(|_| crowd::user(random.below(60))).collect();
            let _ = world.join(again).await;
        }
        20..23 => {
            let number = user.as_str().trim_start_matches("user-").parse().expect("so they are called");
            let met = world.shadow().met(user);
            let _ = world.join(crowd::newcomer(world.situation, number, &met, random)).await;
        }
        _ => {}
    }
}

/// Confirms in time or late, drops out, or does nothing at all.
async fn meet(world: &World, pairing: PairingId, user: &User, random: &mut Random) {
    match random.below(100) {
        0..20 => {
            world.executor.sleep(random.millis(4000)).await;
            world
                .act(async || {
                    let over = world.lobby.drop_out(pairing, user, world.executor.now()).await;
                    world.tell(|| format!("{user} dropped out of {pairing:?}: {over}"));
                    if over {
                        world.shadow().left(user);
                    }
                })
                .await;
        }
        20..30 => {}
        _ => {
            world.executor.sleep(random.millis(5500)).await;
            world
                .act(async || {
                    let answer = world.lobby.confirm(pairing, user).await;
                    world.tell(|| format!("{user} confirmed {pairing:?}: {answer:?}"));
                    world.shadow().confirmed(pairing, user, answer);
                })
                .await;
        }
    }
    // Whatever the two do, it is over after the time to confirm.
    for _ in 0..200 {
        if world.standing(user) != Standing::Paired(pairing) {
            return;
        }
        world.executor.sleep(Duration::from_millis(100)).await;
    }
    panic!("{user} is stuck in {pairing:?}");
}

/// Pauses the lobby and goes on a little later. In half of the cases everyone is taken out and put back in meanwhile.
pub(crate) async fn hand_over(world: World, mut random: Random) {
    world.executor.sleep(Duration::from_secs(1) + random.millis(10_000)).await;
    world.closed.set(true);
    while world.busy.get() > 0 {
        world.executor.turn().await;
    }
    world.lobby.pause();
    world.tell(|| "paused".to_owned());
    let moves = random.percent(50);
    let tickets = if moves { world.lobby.extract().await } else { Vec::new() };
    world.tell(|| format!("{} extracted", tickets.len()));
    world.executor.sleep(random.millis(8000)).await;
    let users: Vec<User> = tickets.iter().map(|ticket| ticket.user.clone()).collect();
    let refused = world.lobby.insert(tickets, world.executor.now()).await;
    for ticket in &refused {
        world.tell(|| format!("{} refused", ticket.user));
        world.shadow().left(&ticket.user);
    }
    for user in users {
        if !world.shadow().is_away(&user) {
            world.lobby.back(&user, world.executor.now()).await;
        }
    }
    world.lobby.resume(world.executor.now());
    world.tell(|| "resumed".to_owned());
    world.closed.set(false);
}
