//! How people come into queues, wait there, and leave.

use std::time::Duration;

use throng_lobby::{
    Bound, Event, JoinError, Lobby, LobbyConfig, Newcomer, QueueConfig, QueueName, SideWish, Topic, User,
    Wish,
};

use crate::{Table, at, done, users, wish};

#[test]
fn the_same_wish_keeps_its_place_and_another_starts_anew() {
    let table = Table::new();
    let tea = |side| Wish { side: Some(side), ..wish("tea", &[]) };
    table.join("ann", tea(SideWish::For), 0);
    table.join("bob", tea(SideWish::For), 1);
    table.join("ann", tea(SideWish::For), 2);
    assert_eq!(table.waiting(), 2);
    table.join("cy", tea(SideWish::Against), 3);
    table.check_paired(["ann", "cy"]);

    table.join("dan", tea(SideWish::For), 4);
    table.join("bob", wish("art", &[]), 5);
    table.join("bob", tea(SideWish::For), 6);
    table.join("eve", tea(SideWish::Against), 7);
    table.check_paired(["dan", "eve"]);
}

#[test]
fn joining_again_brings_the_newest_blocks() {
    let table = Table::new();
    table.join("ann", wish("tea", &[]), 0);
    let again = Newcomer { blocked: users(&["bob"]), ..Newcomer::new("ann", wish("tea", &[])) };
    done(table.lobby.join(again, at(1))).unwrap();
    table.join("bob", wish("tea", &[]), 2);
    table.check_nothing();
}

#[test]
fn a_full_queue_refuses_whoever_would_have_to_wait() {
    let table = Table::with(QueueConfig { waiting_max: 1, ..QueueConfig::default() });
    let side = |side| Newcomer::new(format!("{side:?}"), Wish { side: Some(side), ..wish("tea", &[]) });
    let join = |user: &str, side_wish| {
        done(table.lobby.join(Newcomer { user: User::from(user), ..side(side_wish) }, at(0))).map(|_| ())
    };
    assert_eq!(join("ann", SideWish::For), Ok(()));
    assert_eq!(join("bob", SideWish::For), Err(JoinError::QueueFull));
    assert_eq!(join("ann", SideWish::For), Ok(()), "who has the place may join again");
    assert_eq!(join("cy", SideWish::Against), Ok(()), "who finds somebody needs no place");
    table.check_paired(["ann", "cy"]);
}

#[test]
fn a_full_queue_leaves_who_waits_elsewhere_where_they_are() {
    let one = QueueConfig { waiting_max: 1, ..QueueConfig::default() };
    let queues = ["default", "fast"].map(|name| (QueueName::from(name), one.clone())).into();
    let lobby = Lobby::new(LobbyConfig { queues, ..LobbyConfig::default() }, |_| {});
    let join = |user: &str, queue: &str, side| {
        let wish = Wish { queue: queue.into(), side: Some(side), ..wish("tea", &[]) };
        done(lobby.join(Newcomer::new(user, wish), at(0))).map(|_| ())
    };
    let waiting = |queue: &str| lobby.statistics(at(0)).queues[&QueueName::from(queue)].waiting;
    assert_eq!(join("ann", "default", SideWish::For), Ok(()));
    assert_eq!(join("bob", "fast", SideWish::For), Ok(()));
    assert_eq!(join("ann", "fast", SideWish::For), Err(JoinError::QueueFull));
    assert_eq!((waiting("default"), waiting("fast")), (1, 1));
    assert_eq!(join("ann", "fast", SideWish::Against), Ok(()), "there is a partner");
    assert_eq!((waiting("default"), waiting("fast")), (0, 0));
}

#[test]
fn whoever_goes_on_is_let_into_a_full_queue() {
    let table = Table::with(QueueConfig { waiting_max: 1, ..QueueConfig::default() });
    table.join("ann", wish("tea", &[]), 0);
    let bob = Newcomer { bound: Bound::Waived, ..Newcomer::new("bob", wish("art", &[])) };
    assert_eq!(done(table.lobby.join(bob, at(0))).map(|_| ()), Ok(()));
}

#[test]
fn nobody_joins_an_unknown_queue_or_while_paired() {
    let table = Table::new();
    let elsewhere = Newcomer::new("ann", Wish::new("elsewhere"));
    assert_eq!(done(table.lobby.join(elsewhere, at(0))).err(), Some(JoinError::UnknownQueue));
    table.join("ann", wish("tea", &[]), 0);
    table.join("bob", wish("tea", &[]), 0);
    let pairing = table.check_paired(["ann", "bob"]);
    let again = done(table.lobby.join(Newcomer::new("ann", wish("tea", &[])), at(1)));
    assert_eq!(again.err(), Some(JoinError::Paired(pairing)));
}

#[test]
fn whoever_leaves_is_not_paired() {
    let table = Table::new();
    table.join("ann", wish("tea", &[]), 0);
    assert!(done(table.lobby.leave(&User::from("ann"))));
    assert!(!done(table.lobby.leave(&User::from("ann"))));
    table.join("bob", wish("tea", &[]), 0);
    table.check_nothing();
}

#[test]
fn whoever_is_away_is_not_paired_until_back() {
    let table = Table::new();
    let ann = User::from("ann");
    table.join("ann", wish("tea", &[]), 0);
    assert!(done(table.lobby.away(&ann, at(1))));
    table.join("bob", wish("tea", &[]), 2);
    table.check_nothing();
    assert!(done(table.lobby.back(&ann, at(3))));
    table.check_paired(["ann", "bob"]);
}

#[test]
fn a_ticket_expires_with_its_lease() {
    let table = Table::new();
    let ann = User::from("ann");
    table.join("ann", wish("tea", &[]), 0);
    done(table.lobby.away(&ann, at(10)));
    done(table.lobby.advance(at(39)));
    table.check_nothing();
    done(table.lobby.advance(at(40)));
    assert!(matches!(table.told().as_slice(), [Event::Expired { user }] if *user == ann));
    assert!(!done(table.lobby.back(&ann, at(41))));
    assert_eq!(table.waiting(), 0);
}

#[test]
fn statistics_say_who_waits_for_what() {
    let table = Table::new();
    let side = Wish { side: Some(SideWish::For), ..wish("tea", &[]) };
    table.join("ann", side.clone(), 0);
    table.join("bob", side, 2);
    table.join("cy", Wish { side: Some(SideWish::For), ..Wish::new("default") }, 4);
    done(table.lobby.away(&User::from("bob"), at(5)));
    let statistics = table.lobby.statistics(at(6));
    let queue = &statistics.queues[&QueueName::from("default")];
    assert_eq!((queue.waiting, queue.away), (3, 1));
    assert_eq!(queue.topics, [(Topic::from("tea"), 2)]);
    assert_eq!(queue.oldest_wait, Some(Duration::from_secs(6)));
    assert_eq!((statistics.pairings_total, queue.recent_wait), (0, None));
}
