//! What a hall does about those whom it does not know, or who know something else.

use serde_json::json;
use throng_node::{Id, NodeTag};

use super::*;
use crate::rooms::guest::Name;
use crate::rooms::hall::Dismissal;
use crate::rooms::hall::tests::{hall, leave_behind, until_idle, waiting_in_the_lobby};
use crate::rooms::roll::{Listed, Part};
use crate::rooms::room::Room;

/// Users `0 of sound` and `1 of sound` are in a room that nobody has confirmed; `known` is what each knows by the roll of
/// their node. Gives how many events they are told.
fn call_roll(hall: &Hall, known: [Known; 2], has_missed: bool) -> u64 {
    let node = NodeTag::parse("010101").unwrap();
    let listed = known.into_iter().enumerate().map(|(number, known)| {
        let name = Name { id: Id::from_bytes([number as u8; 15]), user: format!("{number} of sound").into() };
        Listed { name, is_new: false, known }
    });
    hall.call_roll(node, Part { roll: 1, has_missed, number: 0, count: 1, listed: listed.collect() });
    let rolled = hall.rolled();
    assert_eq!(rolled.iter().map(|rolled| rolled.node).collect::<Vec<_>>(), [node]);
    rolled[0].told
}

fn is_active(hall: &Hall) -> Option<bool> {
    hall.state().rooms.get("sound").map(Room::is_active)
}

fn in_room(room: &str) -> Known {
    Known { room: Some(room.into()), has_confirmed: true, ..Known::default() }
}

#[tokio::test]
async fn those_who_know_what_is_so_are_told_nothing() {
    let hall = hall();
    leave_behind(&hall, "sound", [Some("sound"); 2]);
    // Only that both have confirmed is news: to both.
    assert_eq!(
        (call_roll(&hall, [in_room("sound"), in_room("sound")], false), is_active(&hall)),
        (2, Some(true))
    );
    let known = Known { has_begun: true, ..in_room("sound") };
    assert_eq!(call_roll(&hall, [known.clone(), known.clone()], false), 0);
    // Nobody knows what was lost: each hears where they are, and that the other is there.
    assert_eq!(call_roll(&hall, [known.clone(), known], true), 3);
}

#[tokio::test]
async fn a_room_that_one_knows_to_have_begun_has() {
    let hall = hall();
    leave_behind(&hall, "sound", [Some("sound"); 2]);
    let known = Known { has_begun: true, ..in_room("sound") };
    // The other hears that it is in a room that has begun, and the first that the other is there.
    assert_eq!((call_roll(&hall, [known, in_room("sound")], false), is_active(&hall)), (2, Some(true)));
}

#[tokio::test]
async fn those_who_know_nothing_of_their_room_are_told() {
    let hall = hall();
    leave_behind(&hall, "sound", [Some("sound"); 2]);
    assert_eq!(call_roll(&hall, [Known::default(), in_room("another")], false), 3);
    assert_eq!(is_active(&hall), Some(false));
}

#[tokio::test]
async fn a_room_that_is_over_for_one_is_over() {
    let hall = hall();
    leave_behind(&hall, "sound", [Some("sound"); 2]);
    let over = Known { over: Some("sound".into()), ..Known::default() };
    // The other hears of it, and that it waits again. For the first it is no news: its node keeps that to itself.
    assert_eq!((call_roll(&hall, [over, in_room("sound")], false), is_active(&hall)), (3, None));
    assert!(hall.state().people[&User::from("1 of sound")].room.is_none());
}

#[tokio::test]
async fn a_connection_that_was_recovered_elsewhere_stays_when_the_former_node_is_back() {
    let hall = hall();
    leave_behind(&hall, "sound", [Some("sound"); 2]);
    call_roll(&hall, [in_room("sound"), in_room("sound")], false);
    let (user, id, zombie) =
        (User::from("0 of sound"), Id::from_bytes([0; 15]), NodeTag::parse("020202").unwrap());
    let node = |hall: &Hall| hall.state().people[&user].guest.as_ref().and_then(Guest::node);
    let name = Name { id, user: user.as_str().into() };
    let listed = vec![Listed { name, is_new: false, known: in_room("sound") }];
    hall.call_roll(zombie, Part { roll: 1, has_missed: false, number: 0, count: 1, listed });
    hall.depart(&user, id, Some(zombie));
    hall.dismiss(&user, id, Some(zombie), Dismissal::Operator);
    assert_eq!((node(&hall), is_active(&hall)), (NodeTag::parse("010101"), Some(true)));
    assert!(hall.rolled().iter().all(|rolled| rolled.node != zombie), "it calls its roll again");
    hall.depart(&user, id, NodeTag::parse("010101"));
    assert_eq!(node(&hall), None);
}

#[tokio::test]
async fn a_room_is_over_for_whoever_was_told_of_a_later_one() {
    let over = Known { over: Some("talk".into()), ..Known::default() };
    for (later, told) in [(in_room("talk"), 4), (over, 3)] {
        let hall = hall();
        leave_behind(&hall, "sound", [Some("sound"); 2]);
        // The later room is lost, and who was in it is told.
        assert_eq!((call_roll(&hall, [later, in_room("sound")], false), is_active(&hall)), (told, None));
        assert!(hall.state().people[&User::from("1 of sound")].room.is_none());
    }
}

#[tokio::test]
async fn a_room_that_is_lost_ends() {
    let hall = hall();
    assert_eq!(call_roll(&hall, [in_room("sound"), in_room("sound")], false), 2);
    assert!(hall.state().rooms.is_empty());
}

#[tokio::test]
async fn whoever_waits_by_what_they_know_waits() {
    let hall = hall();
    let wish = serde_json::from_value(json!({"Call": {"media": "text"}})).unwrap();
    let known = Known { waits: true, wish: Some(wish), ..Known::default() };
    assert_eq!(call_roll(&hall, [known.clone(), Known::default()], false), 0);
    until_idle().await;
    assert_eq!(waiting_in_the_lobby(&hall), 1);
    // Another roll changes nothing.
    assert_eq!(call_roll(&hall, [known, Known::default()], false), 0);
    until_idle().await;
    assert_eq!(waiting_in_the_lobby(&hall), 1);
}
