//! The lobby as apps see it: one fact each. The store in memory never waits, so every call ends at its first poll.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use throng_lobby::{
    AnyTopic, Bound, Confirmed, Event, Facets, Few, JoinError, Lobby, LobbyConfig, Newcomer, Pairing,
    PairingId, Policy, QueueConfig, QueueName, Side, SideWish, Step, Tag, Tags, Ticket, Time, Topic,
    TopicScope, User, Weights, Wish,
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

/// A policy by which recent partners meet again without having waited.
fn at_once() -> Arc<Policy> {
    let all = Step { after: Duration::ZERO, shared: Facets::NONE, topics: TopicScope::Same };
    Arc::new(Policy::new(vec![all], Duration::ZERO, Weights::default()).expect("a good policy"))
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

#[test]
fn two_who_want_the_same_are_paired_at_once() {
    let table = Table::new();
    table.join("ann", wish("tea", &["art"]), 0);
    table.join("bob", wish("tea", &["art", "law"]), 2);
    let pairing = table.pairing();
    assert_eq!(names(&pairing.tickets), ["ann", "bob"]);
    assert_eq!(pairing.topic, Some(Topic::from("tea")));
    assert_eq!(pairing.tags, [Tag::from("art")]);
    assert_eq!(pairing.waits, [Duration::from_secs(2), Duration::ZERO]);
    assert_eq!(pairing.sides, [None, None]);
    assert_eq!(table.waiting(), 0);
}

#[test]
fn opposite_sides_meet() {
    let table = Table::new();
    let side = |side| Wish { side: Some(side), ..wish("tea", &[]) };
    table.join("ann", side(SideWish::For), 0);
    table.join("bob", side(SideWish::For), 0);
    table.check_nothing();
    table.join("cy", side(SideWish::Any), 0);
    assert_eq!(table.pairing().sides, [Some(Side::For), Some(Side::Against)]);
    assert_eq!(table.waiting(), 1);
}

#[test]
fn the_oldest_goes_first_among_equals() {
    let table = Table::new();
    let side = |side| Wish { side: Some(side), ..wish("tea", &[]) };
    for (number, name) in ["ann", "bob", "cy"].into_iter().enumerate() {
        table.join(name, side(SideWish::For), number as u64);
    }
    table.join("dan", side(SideWish::Against), 3);
    table.check_paired(["ann", "dan"]);
}

#[test]
fn without_a_shared_tag_the_timer_pairs_them() {
    let table = Table::new();
    table.join("ann", wish("tea", &["art"]), 0);
    table.join("bob", wish("tea", &["law"]), 1);
    assert_eq!(table.lobby.due(), Some(at(5)));
    done(table.lobby.advance(at(5)));
    table.check_nothing();
    assert_eq!(table.lobby.due(), Some(at(6)));
    done(table.lobby.advance(at(6)));
    table.check_paired(["ann", "bob"]);
}

#[test]
fn other_topics_count_when_both_have_waited_for_them() {
    let table = Table::new();
    let tea = Wish { other_topics: Few::new([Topic::from("law")]).unwrap(), ..wish("tea", &[]) };
    let art = Wish { any_topic: AnyTopic::Accepted, ..wish("art", &[]) };
    table.join("ann", tea, 0);
    table.join("bob", art, 0);
    done(table.lobby.advance(at(14)));
    table.check_nothing();
    done(table.lobby.advance(at(15)));
    let pairing = table.pairing();
    assert_eq!(pairing.topic, Some(Topic::from("tea")), "the older prefers it and the other takes any");
}

#[test]
fn nobody_meets_whom_either_has_blocked() {
    let table = Table::new();
    let newcomer = |user: &str, blocked: &[&str]| Newcomer {
        blocked: users(blocked),
        ..Newcomer::new(user, wish("tea", &[]))
    };
    done(table.lobby.join(newcomer("ann", &["bob"]), at(0))).unwrap();
    done(table.lobby.join(newcomer("bob", &[]), at(0))).unwrap();
    done(table.lobby.join(newcomer("cy", &["ann", "bob"]), at(0))).unwrap();
    done(table.lobby.advance(at(100)));
    table.check_nothing();
    assert_eq!(table.waiting(), 3);
}

#[test]
fn recent_partners_meet_when_nobody_else_is_there() {
    let table = Table::new();
    let met = Newcomer { recent: users(&["ann"]), ..Newcomer::new("bob", wish("tea", &[])) };
    table.join("ann", wish("tea", &[]), 0);
    done(table.lobby.join(met, at(1))).unwrap();
    done(table.lobby.advance(at(3)));
    table.check_nothing();
    done(table.lobby.advance(at(4)));
    table.check_paired(["ann", "bob"]);
}

#[test]
fn somebody_new_is_preferred_to_a_recent_partner() {
    let table = Table::new();
    let tea = |side| Wish { side: Some(side), ..wish("tea", &["art"]) };
    table.join("ann", tea(SideWish::For), 0);
    table.join("bob", Wish { tags: Tags::new([Tag::from("law")]).unwrap(), ..tea(SideWish::For) }, 5);
    let both = Wish { tags: Tags::new(["art", "law"].map(Tag::from)).unwrap(), ..tea(SideWish::Against) };
    let met = Newcomer { recent: users(&["ann"]), ..Newcomer::new("cy", both) };
    done(table.lobby.join(met, at(6))).unwrap();
    table.check_paired(["bob", "cy"]);
}

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
fn two_confirmations_end_the_lobbys_part() {
    let table = Table::new();
    table.join("ann", wish("tea", &[]), 0);
    table.join("bob", wish("tea", &[]), 0);
    let pairing = table.check_paired(["ann", "bob"]);
    let confirm = |user: &str| done(table.lobby.confirm(pairing, &User::from(user)));
    assert_eq!(confirm("cy"), Confirmed::Unknown);
    assert_eq!([confirm("ann"), confirm("ann")], [Confirmed::One, Confirmed::One]);
    assert_eq!(confirm("bob"), Confirmed::Both);
    assert_eq!(confirm("bob"), Confirmed::Unknown);
    assert!(!done(table.lobby.drop_out(pairing, &User::from("bob"), at(1))));
    assert_eq!(table.lobby.due(), None);
    table.join("ann", wish("tea", &[]), 1);
    table.check_nothing();
}

#[test]
fn the_partner_of_one_who_drops_out_keeps_the_wait() {
    let table = Table::new();
    let side = |side| Wish { side: Some(side), ..wish("tea", &["art"]) };
    table.join("ann", side(SideWish::For), 0);
    table.join("bob", side(SideWish::Against), 4);
    let pairing = table.check_paired(["ann", "bob"]);
    table.join("cy", side(SideWish::For), 5);
    assert!(done(table.lobby.drop_out(pairing, &User::from("bob"), at(6))));
    match table.told().as_slice() {
        [Event::Returned { pairing: over, user, place }] => {
            assert_eq!((*over, user.as_str(), place.others), (pairing, "ann", 1));
            assert_eq!(place.estimated_wait, Some(Duration::from_secs(4)));
        }
        other => panic!("not one return: {other:?}"),
    }
    table.join("dan", side(SideWish::Against), 7);
    let pairing = table.pairing();
    assert_eq!(names(&pairing.tickets), ["ann", "dan"]);
    assert_eq!(pairing.waits[0], Duration::from_secs(5), "four before, one since");
}

#[test]
fn whoever_does_not_confirm_in_time_has_dropped_out() {
    let table = Table::new();
    table.join("ann", wish("tea", &[]), 0);
    table.join("bob", wish("tea", &[]), 0);
    let pairing = table.check_paired(["ann", "bob"]);
    done(table.lobby.confirm(pairing, &User::from("ann")));
    done(table.lobby.advance(at(5)));
    match table.told().as_slice() {
        [Event::Lapsed { user: lapsed, .. }, Event::Returned { user: returned, .. }] => {
            assert_eq!([lapsed.as_str(), returned.as_str()], ["bob", "ann"]);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(table.waiting(), 1);
}

#[test]
fn a_pairing_that_nobody_confirms_leaves_nobody_waiting() {
    let table = Table::new();
    table.join("ann", wish("tea", &[]), 0);
    table.join("bob", wish("tea", &[]), 0);
    table.check_paired(["ann", "bob"]);
    done(table.lobby.advance(at(5)));
    assert!(matches!(table.told().as_slice(), [Event::Lapsed { .. }, Event::Lapsed { .. }]));
    assert_eq!(table.waiting(), 0);
}

#[test]
fn a_pause_pairs_nobody_and_forgets_nobody() {
    let table = Table::new();
    table.join("ann", wish("tea", &["art"]), 0);
    table.join("bob", wish("tea", &["law"]), 0);
    table.lobby.pause();
    let refused = done(table.lobby.join(Newcomer::new("cy", wish("tea", &[])), at(1)));
    assert_eq!(refused.err(), Some(JoinError::Paused));
    done(table.lobby.advance(at(6)));
    table.check_nothing();
    table.lobby.resume(at(7));
    done(table.lobby.advance(at(7)));
    table.check_paired(["ann", "bob"]);
}

#[test]
fn tickets_move_to_another_lobby_with_their_wait() {
    let (from, to) = (Table::new(), Table::new());
    from.join("ann", wish("tea", &[]), 0);
    from.lobby.pause();
    let tickets = done(from.lobby.extract());
    assert_eq!((tickets.len(), from.waiting(), from.lobby.due()), (1, 0, None));

    to.join("bob", wish("tea", &[]), 8);
    let refused = done(to.lobby.insert(tickets.clone(), at(9)));
    assert!(refused.is_empty());
    let refused = done(to.lobby.insert(tickets, at(9)));
    assert_eq!(refused.len(), 1, "ann is there already");
    to.check_nothing();
    done(to.lobby.back(&User::from("ann"), at(10)));
    let pairing = to.pairing();
    assert_eq!(names(&pairing.tickets), ["ann", "bob"]);
    assert_eq!(pairing.waits[0], Duration::from_secs(10));
}

#[test]
fn whoever_is_blocked_by_a_crowd_is_found_behind_it() {
    let table = Table::new();
    let side = |side| Wish { side: Some(side), ..wish("tea", &[]) };
    for number in 0..1500 {
        let blocked = users(&["ann"]);
        let newcomer = Newcomer { blocked, ..Newcomer::new(format!("user-{number}"), side(SideWish::For)) };
        done(table.lobby.join(newcomer, at(0))).unwrap();
    }
    table.join("bob", side(SideWish::For), 1);
    table.join("ann", side(SideWish::Against), 2);
    table.check_nothing();
    while table.told.lock().unwrap().is_empty() {
        let due = table.lobby.due().unwrap();
        assert!(due.since(at(2)) < Duration::from_secs(1), "not looked for any longer");
        done(table.lobby.advance(due));
    }
    table.check_paired(["bob", "ann"]);
}

/// A recent partner of cy's, many who have blocked cy, maybe somebody new, and cy, who has looked at some of them.
fn crowd(somebody_new: Option<&str>) -> Table {
    let side = |side| Wish { side: Some(side), ..wish("tea", &[]) };
    let table = Table::with(QueueConfig { policy: at_once(), ..QueueConfig::default() });
    table.join("ann", side(SideWish::For), 0);
    for number in 0..1500 {
        let blocked = users(&["cy"]);
        let newcomer = Newcomer { blocked, ..Newcomer::new(format!("user-{number}"), side(SideWish::For)) };
        done(table.lobby.join(newcomer, at(1))).expect("there is room");
    }
    if let Some(user) = somebody_new {
        table.join(user, side(SideWish::For), 2);
    }
    let met = Newcomer { recent: users(&["ann"]), ..Newcomer::new("cy", side(SideWish::Against)) };
    done(table.lobby.join(met, at(3))).expect("there is room");
    table.check_nothing();
    table
}

#[test]
fn a_recent_partner_is_taken_when_nobody_new_is_in_the_whole_crowd() {
    for (somebody_new, expect) in [(Some("bob"), ["bob", "cy"]), (None, ["ann", "cy"])] {
        let table = crowd(somebody_new);
        while table.told.lock().unwrap().is_empty() {
            let due = table.lobby.due().unwrap();
            assert!(due.since(at(3)) < Duration::from_secs(1), "not looked for any longer");
            done(table.lobby.advance(due));
        }
        table.check_paired(expect);
    }
}

#[test]
fn nobody_is_taken_during_a_pause_who_was_looked_at_before() {
    let table = crowd(None);
    table.lobby.pause();
    done(table.lobby.advance(at(4)));
    table.check_nothing();
    table.lobby.resume(at(4));
    done(table.lobby.advance(at(5)));
    table.check_paired(["ann", "cy"]);
}

#[test]
fn a_demand_that_nobody_made_before_is_known_to_those_who_wait() {
    let table = Table::new();
    let speaks = |language: &str| Wish { language: Some(language.into()), ..wish("tea", &[]) };
    table.join("ann", speaks("en"), 0);
    let mut only_english = speaks("en");
    only_english.requires.facets = [throng_lobby::Facet::Language].into();
    table.join("bob", only_english, 0);
    table.check_paired(["ann", "bob"]);
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
