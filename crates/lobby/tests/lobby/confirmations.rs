//! What becomes of a pairing.

use std::time::Duration;

use throng_lobby::{Confirmed, Event, SideWish, User, Wish};

use crate::{Table, at, done, names, wish};

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
