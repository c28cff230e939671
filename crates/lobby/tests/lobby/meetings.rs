//! Who meets whom, and when.

use std::time::Duration;

use throng_lobby::{AnyTopic, Facet, Few, Newcomer, Side, SideWish, Tag, Tags, Topic, Wish};

use crate::{Table, at, done, names, users, wish};

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
fn a_demand_that_nobody_made_before_is_known_to_those_who_wait() {
    let table = Table::new();
    let speaks = |language: &str| Wish { language: Some(language.into()), ..wish("tea", &[]) };
    table.join("ann", speaks("en"), 0);
    let mut only_english = speaks("en");
    only_english.requires.facets = [Facet::Language].into();
    table.join("bob", only_english, 0);
    table.check_paired(["ann", "bob"]);
}
