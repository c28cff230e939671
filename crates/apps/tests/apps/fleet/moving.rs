//! People who come back on another node, or come twice.

use serde_json::{Value, json};
use throng_apps::rooms;
use throng_node::Args;

use super::Fleet;
use crate::people::{SHORT, meet};

#[test]
fn whoever_vanishes_finds_the_room_on_another_node() {
    let fleet = Fleet::start(rooms::Config::default());
    let (mut one, two, room) = fleet.two([0, 1]);
    one.done("room:message", json!({"text": "before"}));
    drop(two);
    assert!(one.event("partner:away")["until"].as_u64() > Some(0));
    one.done("room:message", json!({"text": "meanwhile"}));
    let mut two = fleet.debating(2, "two");
    let again = two.joined();
    assert_eq!(
        (&again["room"], &again["resumed"], &again["history"][1]["text"]),
        (&room, &json!(true), &json!("meanwhile"))
    );
    assert_eq!(one.0.event("partner:back"), Args::none());
    assert_eq!(two.done("room:message", json!({"text": "back"}))["seq"], 3);
}

#[test]
fn whoever_stays_away_leaves_the_other_free() {
    let fleet = Fleet::start(rooms::Config { grace: SHORT, ..rooms::Config::default() });
    let (mut one, two, room) = fleet.two([1, 2]);
    drop(two);
    assert_eq!(one.event("room:ended"), json!({"room": room, "reason": "partner_gone", "next": "offered"}));
}

#[test]
fn whoever_waits_and_vanishes_waits_on_another_node() {
    let fleet = Fleet::start(rooms::Config::default());
    let mut one = fleet.debating(0, "one");
    one.debate("tea", "for");
    drop(one);
    let mut one = fleet.debating(1, "one");
    assert_eq!(one.event("queue:waiting")["queue"], "default");
    let mut two = fleet.debating(2, "two");
    two.debate("tea", "against");
    meet(&mut one, &mut two);
}

#[test]
fn the_newest_connection_of_a_user_counts_whatever_node_it_is_on() {
    let fleet = Fleet::start(rooms::Config::default());
    let (mut older, mut two, room) = fleet.two([0, 1]);
    for at in [1, 2, 0] {
        let mut newer = fleet.debating(at, "one");
        assert_eq!((&newer.joined()["room"], two.0.event("partner:back")), (&room, Args::none()));
        older.disconnected("/debate");
        newer.done("room:message", json!({"text": "me"}));
        // The older one's end is nobody's end.
        assert!(!two.0.events_before("room:message").contains(&"partner:away".to_owned()));
        older = newer;
    }
}

#[test]
fn a_node_that_drains_leaves_its_peoples_rooms_to_the_others() {
    let mut fleet = Fleet::start(rooms::Config::default());
    let (mut one, mut two, room) = fleet.two([0, 1]);
    let keeper = fleet.keeper(1);
    // The one that does not keep the rooms goes first, then the one that does.
    let others = (0..2).filter(|at| *at != keeper);
    let order: Vec<usize> = others.chain((0..2).filter(|at| *at == keeper)).collect();
    for at in order {
        let (leaving, staying) = if at == 0 { (&mut one, &mut two) } else { (&mut two, &mut one) };
        fleet.nodes[at].begin_stop();
        assert!(staying.event("partner:away")["until"].as_u64() > Some(0));
        leaving.0.wait_closed();
        let name = if at == 0 { "one" } else { "two" };
        *leaving = fleet.debating(2, name);
        let again = leaving.joined();
        assert_eq!((&again["room"], &again["resumed"]), (&room, &json!(true)));
        staying.0.event("partner:back");
        assert!(leaving.done("room:message", json!({"text": "here"}))["seq"].is_u64());
        assert_eq!(staying.event("room:message")["text"], "here");
        leaving.event("room:message");
    }
    two.done("room:leave", Value::Null);
    assert_eq!(one.event("room:ended")["reason"], "left");
}
