//! What others got wrong, as the smallest cases, played in every order in which the steps of two joins can overtake each
//! other.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use throng_lobby::{
    Event, JoinError, Lobby, LobbyConfig, Newcomer, Pairing, Place, QueueConfig, QueueName, SideWish, Time,
    Topic, User, Wish,
};

/// Orders that are tried at most: a case that has more has grown too large.
const ORDERS_MAX: usize = 200_000;

fn newcomer(user: &str, side: SideWish) -> Newcomer {
    let mut wish = Wish::new("default");
    wish.topic = Some(Topic::from("tea"));
    wish.side = Some(side);
    Newcomer::new(user, wish)
}

fn at(seconds: u64) -> Time {
    Time(Duration::from_secs(seconds))
}

fn lobby(queue: QueueConfig) -> (Lobby, Arc<Mutex<Vec<Pairing>>>) {
    let paired = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&paired);
    let queues = [(QueueName::from("default"), queue)].into();
    let lobby = Lobby::yielding(LobbyConfig { queues, ..LobbyConfig::default() }, move |event| {
        if let Event::Paired(pairing) = event {
            told.lock().expect("nobody panics").push(pairing);
        }
    });
    (lobby, paired)
}

/// Who was paired, in no order.
fn pairs(paired: &Mutex<Vec<Pairing>>) -> Vec<[String; 2]> {
    let name = |pairing: &Pairing| pairing.tickets.each_ref().map(|ticket| ticket.user.to_string());
    let mut pairs: Vec<_> = paired.lock().expect("nobody panics").iter().map(name).collect();
    pairs.iter_mut().for_each(|pair| pair.sort());
    pairs
}

type Join = Pin<Box<dyn Future<Output = Result<Place, JoinError>>>>;

fn ends(join: &mut Join) -> bool {
    join.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

fn complete<T>(doing: impl Future<Output = T>) -> T {
    let mut doing = pin!(doing);
    loop {
        if let Poll::Ready(done) = doing.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return done;
        }
    }
}

/// Plays the joins of two who come at the same moment, in every order of their steps, to a lobby where somebody may wait.
fn in_every_order(
    queue: &QueueConfig,
    waiting: Option<Newcomer>,
    coming: [Newcomer; 2],
    check: impl Fn(&Lobby, Vec<[String; 2]>),
) {
    // Each order is a list of choices; the next one differs in the last choice that can be another.
    let mut choices: Vec<(usize, usize)> = Vec::new();
    for _ in 0..ORDERS_MAX {
        let (lobby, paired) = lobby(queue.clone());
        let join = |newcomer: &Newcomer| -> Join {
            let (lobby, newcomer) = (lobby.clone(), newcomer.clone());
            Box::pin(async move { lobby.join(newcomer, at(0)).await })
        };
        if let Some(newcomer) = &waiting {
            complete(join(newcomer)).expect("there is room");
        }
        let mut joins: Vec<Join> = coming.iter().map(join).collect();
        let mut step = 0;
        while !joins.is_empty() {
            if step == choices.len() {
                choices.push((0, joins.len()));
            }
            let chosen = choices[step].0;
            step += 1;
            if ends(&mut joins[chosen]) {
                drop(joins.remove(chosen));
            }
        }
        check(&lobby, pairs(&paired));
        while choices.last().is_some_and(|(chosen, of)| chosen + 1 == *of) {
            choices.pop();
        }
        match choices.last_mut() {
            Some((chosen, _)) => *chosen += 1,
            None => return,
        }
    }
    panic!("more than {ORDERS_MAX} orders");
}

/// heroiclabs/nakama#827: with rounds, only those are paired who arrive in the same one.
#[test]
fn two_who_arrive_at_different_times_are_paired() {
    let (lobby, paired) = lobby(QueueConfig::default());
    for (newcomer, now) in
        [(newcomer("ann", SideWish::For), at(0)), (newcomer("bob", SideWish::Against), at(3600))]
    {
        complete(lobby.join(newcomer, now)).expect("there is room");
    }
    assert_eq!(pairs(&paired), [["ann", "bob"]]);
}

/// googleforgames/open-match#1420: a ticket that was just created is missed by a query right after it.
#[test]
fn two_who_arrive_at_the_same_moment_are_paired() {
    let coming = [newcomer("ann", SideWish::For), newcomer("bob", SideWish::Against)];
    in_every_order(&QueueConfig::default(), None, coming, |_, pairs| assert_eq!(pairs, [["ann", "bob"]]));
}

/// Check-then-act: two find the same third, and both take them.
#[test]
fn nobody_is_paired_twice() {
    let coming = [newcomer("bob", SideWish::Against), newcomer("cy", SideWish::Against)];
    in_every_order(&QueueConfig::default(), Some(newcomer("ann", SideWish::For)), coming, |lobby, pairs| {
        assert_eq!(pairs.len(), 1);
        assert_eq!(pairs[0][0], "ann");
        let waiting = lobby.statistics(at(0)).queues[&QueueName::from("default")].waiting;
        assert_eq!(waiting, 1);
    });
}

/// Two pages of one person.
#[test]
fn nobody_is_paired_with_themselves_or_waits_twice() {
    let coming = [newcomer("ann", SideWish::For), newcomer("ann", SideWish::Against)];
    in_every_order(&QueueConfig::default(), None, coming, |lobby, pairs| {
        assert!(pairs.is_empty());
        assert_eq!(lobby.statistics(at(0)).queues[&QueueName::from("default")].waiting, 1);
    });
}

/// Somebody in a full queue says the same once more, and another comes at that moment.
#[test]
fn whoever_says_the_same_again_keeps_the_place_in_a_full_queue() {
    let again = newcomer("ann", SideWish::For);
    let coming = [again.clone(), newcomer("bob", SideWish::For)];
    let queue = QueueConfig { waiting_max: 1, ..QueueConfig::default() };
    in_every_order(&queue, Some(again), coming, |lobby, _| {
        assert!(complete(lobby.leave(&User::from("ann"))), "ann has lost the place");
    });
}
