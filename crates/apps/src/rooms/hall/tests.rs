//! A hall alone, without connections: what it repairs, and what it and its lobby believe of each other.

use std::time::Duration;

use throng_lobby::{Event as LobbyEvent, PairingId, Place, QueueName, Wish, service};
use throng_node::{App, TenantName};

use super::timing::{SWEEP_INTERVAL, keep};
use super::*;
use crate::analytics::Analytics;
use crate::rooms::people::{Presence, Waiting};
use crate::rooms::room::Opening;
use crate::rooms::wish::Wanted;
use crate::rooms::{Config, Queue};
use crate::roulette::Ice;
use crate::roulette::media::Media;

pub(super) fn hall() -> Arc<Hall> {
    open(Analytics::default(), Tenure::forever())
}

fn open(analytics: Analytics, tenure: Tenure) -> Arc<Hall> {
    let theme = Theme::Roulette(Ice::default());
    let config =
        Config { queues: [("default".to_owned(), Queue::default())].into(), analytics, ..Config::default() };
    let app = AppSetup { namespace: "/test", theme, config };
    Hall::open(
        Site { app: Arc::new(app), tenant: TenantName::parse("acme").unwrap(), io: App::new().io() },
        tenure,
        None,
    )
}

/// A room of two people who are believed to be in these rooms, as it is after a crash: nothing is due.
pub(super) fn leave_behind(hall: &Hall, id: &str, believed: [Option<&str>; 2]) {
    let mut state = hall.state();
    let users = [0, 1].map(|number| User::from(format!("{number} of {id}")));
    for (user, room) in users.iter().zip(believed) {
        let presence = Presence { room: room.map(Into::into), ..Presence::default() };
        state.people.insert(user.clone(), presence);
    }
    let opening = Opening {
        id: id.into(),
        pairing: PairingId(0),
        queue: "default".into(),
        setting: Setting::Call { media: Media::Text },
        tags: Vec::new(),
        language: None,
        members: users.map(|user| (user, Time::default())),
        times: hall.app.config.times(&"default".into()),
    };
    state.rooms.insert(id.into(), Room::open(opening, service::now()).0);
}

/// Lets every task run that can; one may start another.
pub(super) async fn until_idle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_sweep_repairs_what_a_crash_left() {
    let hall = hall();
    leave_behind(&hall, "sound", [Some("sound"); 2]);
    for user in ["0 of sound", "1 of sound"] {
        hall.confirm(&User::from(user.to_owned()), &"sound".into());
    }
    leave_behind(&hall, "half", [Some("half"), None]);
    leave_behind(&hall, "elsewhere", [Some("elsewhere"), Some("nowhere")]);
    let now = service::now() + SWEEP_INTERVAL;
    hall.advance(now);
    // What the lobby has to be told is told by tasks.
    until_idle().await;
    // Whoever's room has ended is remembered for a while.
    let now = now + SWEEP_INTERVAL;
    hall.advance(now);
    let state = hall.state();
    assert_eq!(state.rooms.keys().map(|id| &**id).collect::<Vec<_>>(), ["sound"]);
    let mut people: Vec<_> = state.people.keys().map(User::as_str).collect();
    people.sort_unstable();
    assert_eq!(people, ["0 of sound", "1 of sound"]);
    assert_eq!(state.pace.ended["partner_gone"], 2);
    assert_eq!(state.sweep, now + SWEEP_INTERVAL);
}

#[tokio::test]
async fn the_sweep_ends_what_is_overdue() {
    let hall = hall();
    leave_behind(&hall, "late", [Some("late"); 2]);
    hall.advance(service::now() + Duration::from_secs(601));
    let state = hall.state();
    assert_eq!((state.rooms.len(), state.people.len(), state.pace.ended["time"]), (0, 0, 1));
}

#[tokio::test]
async fn a_hall_that_nobody_holds_is_gone() {
    let (bell, weak) = {
        let hall = hall();
        (hall.bell.clone(), hall.me.clone())
    };
    keep(bell, weak.clone()).await;
    assert!(weak.upgrade().is_none());
}

/// Somebody who waits, as the hall knows it, and has no connection.
fn believe_waiting(hall: &Hall, user: &User) {
    let wish: Wish = Wish::new("default");
    let waiting = Some(Waiting { queue: "default".into(), since: service::now() });
    let wanted = Some(Wanted { wish: wish.into(), media: Some(Media::Text) });
    let presence = Presence { waiting, wanted, ..Presence::default() };
    hall.state().people.insert(user.clone(), presence);
}

/// How many wait, as the lobby knows it.
pub(super) fn waiting_in_the_lobby(hall: &Hall) -> usize {
    hall.lobby.statistics(service::now()).queues[&QueueName::from("default")].waiting
}

#[tokio::test]
async fn what_is_left_of_an_old_wish_does_not_take_the_new_one_along() {
    let (hall, ada) = (hall(), User::from("ada"));
    // Its partner dropped out, but it has left the queue meanwhile: the ticket that it got back has to go.
    hall.state().people.insert(ada.clone(), Presence::default());
    let place = Place { others: 0, estimated_wait: None };
    hall.hear(LobbyEvent::Returned { pairing: PairingId(1), user: ada.clone(), place });
    // Before that is done it joins again.
    believe_waiting(&hall, &ada);
    hall.rejoin(&ada).await.unwrap();
    until_idle().await;
    assert_eq!(waiting_in_the_lobby(&hall), 1);
    assert!(hall.state().people[&ada].waiting.is_some());
}

#[tokio::test]
async fn the_sweep_finds_those_who_wait_without_a_ticket() {
    let (hall, ada) = (hall(), User::from("ada"));
    believe_waiting(&hall, &ada);
    hall.advance(service::now() + SWEEP_INTERVAL);
    until_idle().await;
    assert!(hall.state().people.is_empty());
}

#[tokio::test]
async fn whoever_waits_again_is_not_forgotten_with_a_pairing_that_lapses() {
    let (hall, ada) = (hall(), User::from("ada"));
    believe_waiting(&hall, &ada);
    hall.hear(LobbyEvent::Lapsed { pairing: PairingId(1), user: ada.clone() });
    hall.rejoin(&ada).await.unwrap();
    until_idle().await;
    assert_eq!(waiting_in_the_lobby(&hall), 1);
}

#[tokio::test]
async fn whoever_is_refused_for_the_moment_keeps_the_place_they_have() {
    let (hall, ada) = (hall(), User::from("ada"));
    believe_waiting(&hall, &ada);
    hall.rejoin(&ada).await.unwrap();
    until_idle().await;
    hall.lobby.pause();
    let other = Wish { topic: Some("tea".into()), ..Wish::new("default") };
    let wanted = Wanted { wish: other.into(), media: Some(Media::Text) };
    assert_eq!(hall.join(&ada, wanted).await.unwrap_err().code, "draining");
    until_idle().await;
    assert_eq!(waiting_in_the_lobby(&hall), 1);
    let state = hall.state();
    let presence = &state.people[&ada];
    assert!(presence.waiting.is_some());
    assert_eq!(presence.wanted.as_ref().map(|wanted| &wanted.wish.topic), Some(&None));
}

#[tokio::test]
async fn a_wish_counts_once_it_is_let_in_and_one_that_was_refused_does_not() {
    let (analytics, mut heard) = Analytics::heard();
    let (hall, ada) = (open(analytics, Tenure::forever()), User::from("ada"));
    let wanted = |topic: &str| {
        let wish = Wish { topic: Some(topic.into()), ..Wish::new("default") };
        Wanted { wish: wish.into(), media: Some(Media::Text) }
    };
    let mut told = || {
        let told = std::iter::from_fn(|| heard.try_recv().ok());
        let event =
            |told: Box<str>| serde_json::from_str::<serde_json::Value>(&told).unwrap()["event"].take();
        told.map(event).collect::<Vec<_>>()
    };
    let nothing: [&str; 0] = [];
    hall.lobby.pause();
    hall.state().people.insert(ada.clone(), Presence::default());
    assert_eq!(hall.join(&ada, wanted("tea")).await.unwrap_err().code, "draining");
    assert_eq!(told(), nothing, "it never waited");
    hall.lobby.resume(service::now());
    hall.state().people.insert(ada.clone(), Presence::default());
    hall.join(&ada, wanted("tea")).await.unwrap();
    assert_eq!(told(), ["queue_joined"]);
    hall.lobby.pause();
    assert_eq!(hall.join(&ada, wanted("art")).await.unwrap_err().code, "draining");
    assert_eq!(told(), nothing, "it waits as before");
    hall.lobby.resume(service::now());
    hall.join(&ada, wanted("art")).await.unwrap();
    assert_eq!(told(), ["queue_left", "queue_joined"]);
    hall.leave_queue(&ada).await.unwrap();
    assert_eq!(told(), ["queue_left"]);
}

#[tokio::test]
async fn whoever_asks_again_and_is_refused_waits_neither_here_nor_in_the_lobby() {
    let (hall, ada) = (hall(), User::from("ada"));
    believe_waiting(&hall, &ada);
    hall.rejoin(&ada).await.unwrap();
    until_idle().await;
    hall.lobby.pause();
    assert_eq!(hall.rejoin(&ada).await.unwrap_err().code, "draining");
    until_idle().await;
    assert_eq!(waiting_in_the_lobby(&hall), 0);
    assert!(hall.state().people.is_empty());
}

#[tokio::test]
async fn what_was_confirmed_in_doubt_counts_when_it_is_over() {
    let now = tokio::time::Instant::now();
    let tenure = Tenure::until(now, 1);
    let hall = open(Analytics::default(), tenure.clone());
    for id in ["both", "one"] {
        leave_behind(&hall, id, [Some(id); 2]);
    }
    for user in ["0 of both", "1 of both", "0 of one"] {
        hall.confirm(&User::from(user.to_owned()), &user[5..].into());
    }
    let is_active = |id: &str| hall.state().rooms.get(id).map(Room::is_active);
    assert_eq!([is_active("both"), is_active("one")], [Some(false); 2]);
    hall.state().rooms.get_mut("one").unwrap().wait_anew(Time::default());
    tenure.extend(now + Duration::from_secs(60));
    hall.resume();
    assert_eq!([is_active("both"), is_active("one")], [Some(true), Some(false)]);
    // Whoever was not heard has as long as in a new room, though their time is over.
    let until = hall.state().rooms["one"].due();
    assert!(until > Some(service::now()), "{until:?}");
}
