//! People on different nodes: paired, talking, calling, parting.

use std::collections::HashMap;

use serde_json::{Value, json};
use throng_apps::rooms;
use throng_lobby::Facets;

use super::Fleet;
use crate::people::{LONG, Person, SHORT, as_operator, get, lasting, meet, widening, with_queue};

#[test]
fn partners_on_different_nodes_talk() {
    let fleet = Fleet::start(rooms::Config::default());
    for at in [[0, 1], [1, 2], [2, 0], [0, 0]] {
        let (mut one, mut two, room) = fleet.two(at);
        for number in 1..=20 {
            let sent = one.done("room:message", json!({"text": format!("{number}")}));
            assert_eq!(sent["seq"], number);
            let said = |from| json!({"room": room, "seq": number, "text": format!("{number}"), "from": from, "at": sent["at"]});
            assert_eq!(
                (one.event("room:message"), two.event("room:message")),
                (said("you"), said("partner"))
            );
        }
        two.done("room:typing", json!({"typing": true}));
        assert_eq!(one.event("room:typing"), json!({"typing": true}));
        two.done("room:leave", Value::Null);
        let ended = json!({"room": room, "reason": "left", "next": "offered"});
        assert_eq!((one.event("room:ended"), two.event("room:ended")), (ended.clone(), ended));
        one.refused("room:message", json!({"text": "still there?"}), "room_ended");
    }
}

#[test]
fn callers_on_different_nodes_signal() {
    let fleet = Fleet::start(rooms::Config::default());
    let mut one = Person::calling(fleet.door(0), "one");
    let mut two = Person::calling(fleet.door(2), "two");
    one.done("queue:join", json!({"media": "video"}));
    two.done("queue:join", json!({"media": "audio"}));
    let (mine, theirs) = (one.joined(), two.joined());
    assert_eq!(
        (&mine["media"], &mine["role"], &theirs["role"]),
        (&json!("audio"), &json!("offerer"), &json!("answerer"))
    );
    for number in 0..30 {
        let candidate = json!({"candidate": {"candidate": format!("{number}")}});
        one.done("signal", candidate.clone());
        assert_eq!(two.event("signal"), candidate);
    }
    let end = json!({"candidate": null});
    two.done("signal", end.clone());
    assert_eq!(one.event("signal"), end);
    two.refused("signal", json!({}), "invalid_signal");
    two.done("media:state", json!({"camera": false, "microphone": true}));
    assert_eq!(one.event("media:state"), json!({"camera": false, "microphone": true}));
    one.done("call:report", json!({"phase": "started"}));
    one.done("call:report", json!({"phase": "connected", "setupMs": 7}));
    for node in &fleet.nodes {
        let calls = get(node, "/api/webrtc/stats");
        assert_eq!((&calls["active"], &calls["connected"]), (&json!(1), &json!(1)), "{calls}");
    }
}

#[test]
fn everyone_is_paired_once_whatever_node_they_are_on() {
    const PEOPLE: usize = 60;
    let fleet = Fleet::start(rooms::Config::default());
    let mut people: Vec<_> =
        (0..PEOPLE).map(|number| fleet.debating(number % 3, &format!("person {number}"))).collect();
    for (number, person) in people.iter_mut().enumerate() {
        // Those of the first node meet nobody of their own.
        let is_for = if number % 3 == 2 { number % 2 == 0 } else { number % 3 == 0 };
        let side = if is_for { "for" } else { "against" };
        person.0.emit("queue:join", json!({"topic": "tea", "side": side}));
    }
    let mut rooms: HashMap<String, Vec<usize>> = HashMap::new();
    for (number, person) in people.iter_mut().enumerate() {
        let room = person.joined()["room"].as_str().expect("a room has a name").to_owned();
        rooms.entry(room).or_default().push(number);
    }
    assert_eq!(rooms.len(), PEOPLE / 2);
    assert!(rooms.values().all(|members| members.len() == 2), "{rooms:?}");
    fleet.all_say(30, 0);
    let sum: u64 = fleet.nodes.iter().map(|node| node.metrics().get("app_rooms{app=\"debate\"}")).sum();
    assert_eq!(sum, 30);
}

#[test]
fn going_on_blocking_and_reporting_work_across_nodes() {
    let fleet =
        Fleet::start(with_queue(rooms::Queue { policy: widening(Facets::NONE), ..rooms::Queue::default() }));
    let (mut one, mut two, room) = fleet.two([0, 1]);
    two.done("room:message", json!({"text": "something bad"}));
    let report = one.done("room:report", json!({"reason": "abuse"}));
    for member in [&mut one, &mut two] {
        assert_eq!(
            member.event("room:ended"),
            json!({"room": room, "reason": "reported", "next": "offered"})
        );
    }
    for node in &fleet.nodes {
        let records = as_operator(node, "GET", "/api/admin/debate/records");
        let kept = &records["reports"][0];
        assert_eq!(
            (&kept["report"], &kept["messages"][0]["user"]),
            (&report["report"], &json!("two")),
            "{records}"
        );
    }
    one.done("room:feedback", json!({"rating": 1}));
    one.refused("room:feedback", json!({"rating": 1}), "already_rated");
    one.done("room:next", Value::Null);
    two.done("room:next", Value::Null);
    // The two never meet again, so each needs somebody else.
    let (mut three, mut four) = (fleet.debating(2, "three"), fleet.debating(0, "four"));
    three.debate("tea", "against");
    four.debate("tea", "for");
    meet(&mut one, &mut three);
    meet(&mut two, &mut four);
    one.done("user:block", Value::Null);
    assert_eq!(three.event("room:ended")["reason"], "left");
}

#[test]
fn the_clock_ends_a_debate_of_two_nodes() {
    let fleet = Fleet::start(rooms::Config { warning: 10 * SHORT, ..lasting(20 * SHORT) });
    let (mut one, mut two) = (fleet.debating(1, "one"), fleet.debating(2, "two"));
    one.debate("tea", "for");
    two.debate("tea", "against");
    for person in [&mut one, &mut two] {
        let room = person.joined()["room"].clone();
        assert_eq!(person.event("room:warning")["room"], room);
        assert_eq!(person.event("room:ended"), json!({"room": room, "reason": "time", "next": "offered"}));
    }
}

#[test]
fn whoever_never_shows_drops_out_and_the_other_waits_again() {
    let fleet = Fleet::start(rooms::Config { confirm_timeout: LONG, ..rooms::Config::default() });
    let (mut one, mut two) = (fleet.debating(0, "one"), fleet.debating(1, "two"));
    one.debate("tea", "for");
    two.debate("tea", "against");
    let room = one.joined()["room"].clone();
    two.joined_silently();
    drop(two);
    assert_eq!(one.event("room:ended"), json!({"room": room, "reason": "partner_gone", "next": "waiting"}));
    assert_eq!(one.event("queue:waiting")["queue"], "default");
    let mut three = fleet.debating(2, "three");
    assert_eq!(three.debate("tea", "against")["waiting"], 1);
    meet(&mut one, &mut three);
}

#[test]
fn whoever_an_operator_ends_on_another_node_takes_the_room_along() {
    let fleet = Fleet::start(rooms::Config::default());
    let (mut one, mut two, room) = fleet.two([0, 1]);
    assert_eq!(as_operator(&fleet.nodes[1], "DELETE", "/api/admin/users/two")["ended"], 1);
    assert_eq!(one.event("room:ended"), json!({"room": room, "reason": "operator", "next": "offered"}));
    two.0.wait_closed();
    fleet.all_say(0, 0);
}
