//! What is left of a node that kept the rooms and is no more: all of it.

use serde_json::{Value, json};
use throng_apps::rooms;
use throng_lobby::Facets;

use super::Fleet;
use crate::people::{Person, meet, widening, with_queue};

/// Asks until a keeper answers: requests may be refused while one takes over from another.
#[track_caller]
fn done_at_last(person: &mut Person, event: &str, fields: Value) -> Value {
    throng_testkit::until("a keeper answers", || {
        let answer = person.ask(event, fields.clone());
        if answer["ok"] == true {
            return Some(answer);
        }
        assert_eq!(answer["error"]["code"], "unavailable", "{event}: {answer}");
        None
    })
}

#[test]
fn rooms_outlive_the_node_that_kept_them() {
    let mut fleet = Fleet::start(rooms::Config::default());
    // A first room tells who keeps them.
    let (one, two, _) = fleet.two([0, 1]);
    let keeper = fleet.keeper(1);
    let [a, b] = match keeper {
        0 => [1, 2],
        1 => [0, 2],
        _ => [0, 1],
    };
    drop((one, two));
    let (mut three, mut four) = (fleet.debating(a, "three"), fleet.debating(b, "four"));
    three.debate("art", "for");
    four.debate("art", "against");
    let room = meet(&mut three, &mut four);
    three.done("room:message", json!({"text": "before"}));
    three.event("room:message");
    four.event("room:message");
    fleet.nodes.remove(keeper).crash();
    done_at_last(&mut three, "room:message", json!({"text": "after", "room": room}));
    for person in [&mut three, &mut four] {
        let heard = person.0.events_before("room:message");
        assert!(!heard.contains(&"room:ended".to_owned()), "{heard:?}");
    }
    four.done("room:leave", Value::Null);
    assert_eq!(three.event("room:ended"), json!({"room": room, "reason": "left", "next": "offered"}));
}

#[test]
fn those_who_wait_are_paired_by_the_next_keeper() {
    let mut fleet = Fleet::start(rooms::Config::default());
    let (one, two, _) = fleet.two([0, 1]);
    let keeper = fleet.keeper(1);
    let others: Vec<usize> = (0..3).filter(|at| *at != keeper).collect();
    drop((one, two));
    let mut waiting = fleet.debating(others[0], "three");
    waiting.debate("art", "for");
    // Somebody who is on the very node comes back elsewhere.
    let mut moving = fleet.debating(keeper, "four");
    moving.debate("tea", "for");
    fleet.nodes.remove(keeper).crash();
    let mut moving = fleet.debating(0, "four");
    assert_eq!(moving.event("queue:waiting")["queue"], "default");
    let (mut five, mut six) = (fleet.debating(1, "five"), fleet.debating(0, "six"));
    done_at_last(&mut five, "queue:join", json!({"topic": "art", "side": "against"}));
    done_at_last(&mut six, "queue:join", json!({"topic": "tea", "side": "against"}));
    meet(&mut waiting, &mut five);
    meet(&mut moving, &mut six);
    fleet.all_say(3, 0);
}

#[test]
fn whoever_was_blocked_stays_so() {
    let queue = rooms::Queue { policy: widening(Facets::NONE), ..rooms::Queue::default() };
    let mut fleet = Fleet::start(with_queue(queue));
    let (mut one, mut two, _) = fleet.two([0, 1]);
    let keeper = fleet.keeper(1);
    one.done("user:block", Value::Null);
    assert_eq!(two.event("room:ended")["reason"], "left");
    drop((one, two));
    fleet.nodes.remove(keeper).crash();
    let (mut one, mut two) = (fleet.debating(0, "one"), fleet.debating(1, "two"));
    done_at_last(&mut one, "queue:join", json!({"topic": "tea", "side": "for"}));
    done_at_last(&mut two, "queue:join", json!({"topic": "tea", "side": "against"}));
    let (mut three, mut four) = (fleet.debating(1, "three"), fleet.debating(0, "four"));
    three.debate("tea", "against");
    four.debate("tea", "for");
    meet(&mut one, &mut three);
    meet(&mut two, &mut four);
}

#[test]
fn a_node_that_lost_the_rooms_says_nothing_of_them() {
    let mut fleet = Fleet::start(rooms::Config::default());
    let (one, two, _) = fleet.two([0, 1]);
    let keeper = fleet.keeper(1);
    let other = usize::from(keeper == 0);
    drop((one, two));
    let (mut three, mut four) = (fleet.debating(keeper, "three"), fleet.debating(other, "four"));
    three.debate("art", "for");
    four.debate("art", "against");
    let room = meet(&mut three, &mut four);
    fleet.nodes.remove(keeper).crash();
    // The others wait for whoever was on that node.
    assert!(four.event("partner:away")["until"].is_u64());
    // It still has the connection, and its memory of the room, but not the right to speak of it.
    three.refused("room:leave", Value::Null, "unavailable");
    let mut three = fleet.debating(0, "three");
    assert_eq!(three.joined()["room"], room);
    assert!(!four.0.events_before("partner:back").contains(&"room:ended".to_owned()));
}
