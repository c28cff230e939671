//! The lobby as apps see it: one fact each. The store in memory never waits, so every call ends at its first poll.

mod confirmations;
mod crowds;
mod meetings;
mod pauses;
mod queues;

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use throng_lobby::{
    Event, Lobby, LobbyConfig, Newcomer, Pairing, PairingId, QueueConfig, QueueName, Tag, Tags, Ticket, Time,
    Topic, User, Wish,
};

/// A lobby with one queue, and what it told.
struct Table {
    lobby: Lobby,
    told: Arc<Mutex<Vec<Event>>>,
}

fn done<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the store in memory waited"),
    }
}

fn at(seconds: u64) -> Time {
    Time(Duration::from_secs(1000 + seconds))
}

fn wish(topic: &str, tags: &[&str]) -> Wish {
    let mut wish = Wish::new("default");
    wish.topic = Some(Topic::from(topic));
    wish.tags = Tags::new(tags.iter().map(|tag| Tag::from(*tag))).expect("a few");
    wish
}

fn users(names: &[&str]) -> throng_lobby::People {
    names.iter().map(|name| User::from(*name)).collect()
}

impl Table {
    fn new() -> Self {
        Self::with(QueueConfig::default())
    }

    fn with(queue: QueueConfig) -> Self {
        let told = Arc::new(Mutex::new(Vec::new()));
        let config =
            LobbyConfig { queues: [(QueueName::from("default"), queue)].into(), ..LobbyConfig::default() };
        let sink = Arc::clone(&told);
        Self { lobby: Lobby::new(config, move |event| sink.lock().expect("nobody panics").push(event)), told }
    }

    #[track_caller]
    fn join(&self, user: &str, wish: Wish, seconds: u64) {
        done(self.lobby.join(Newcomer::new(user, wish), at(seconds))).expect("there is room");
    }

    fn told(&self) -> Vec<Event> {
        std::mem::take(&mut *self.told.lock().expect("nobody panics"))
    }

    /// The only thing that was told: a pairing.
    #[track_caller]
    fn pairing(&self) -> Pairing {
        match self.told().as_slice() {
            [Event::Paired(pairing)] => pairing.clone(),
            other => panic!("not one pairing: {other:?}"),
        }
    }

    /// That these two were paired, and nothing else happened.
    #[track_caller]
    fn check_paired(&self, expect: [&str; 2]) -> PairingId {
        let pairing = self.pairing();
        assert_eq!(names(&pairing.tickets), expect);
        pairing.id
    }

    #[track_caller]
    fn check_nothing(&self) {
        assert!(self.told().is_empty());
    }

    fn waiting(&self) -> usize {
        self.lobby.statistics(at(0)).queues[&QueueName::from("default")].waiting
    }
}

fn names(tickets: &[Arc<Ticket>; 2]) -> [&str; 2] {
    tickets.each_ref().map(|ticket| ticket.user.as_str())
}
