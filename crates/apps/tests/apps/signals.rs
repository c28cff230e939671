//! Signals: what two browsers tell each other through the server.

use serde_json::{Value, json};
use throng_apps::rooms;

use crate::people::{Person, callers, node_of};

fn candidate(number: usize) -> Value {
    json!({"candidate": {"candidate": format!("candidate:{number}"), "sdpMid": "0", "sdpMLineIndex": 0}})
}

fn description(kind: &str) -> Value {
    json!({"description": {"type": kind, "sdp": format!("v=0\r\ns={kind}\r\n")}})
}

#[test]
fn signals_reach_the_partner_alone_as_they_were_sent_and_in_order() {
    let node = node_of(rooms::Config::default());
    let (mut one, mut two, room) = callers(&node);
    let mut signals = vec![description("offer")];
    signals.extend((0..20).map(candidate));
    signals.push(json!({"candidate": null}));
    for signal in &signals {
        let mut signal = signal.clone();
        signal["room"] = json!(room);
        one.done("signal", signal);
    }
    for signal in &signals {
        assert_eq!(two.event("signal"), *signal);
    }
    two.done("signal", description("answer"));
    assert_eq!(one.event("signal"), description("answer"));
    for renewal in [json!({"renewal": {"asks": "a1"}}), json!({"renewal": {"answers": "a1"}})] {
        two.done("signal", renewal.clone());
        assert_eq!(one.event("signal"), renewal);
    }
    two.done("signal", json!({"description": {"type": "rollback"}}));
    assert_eq!(one.event("signal"), json!({"description": {"type": "rollback"}}));
}

#[test]
fn signals_wait_for_a_partner_who_is_away() {
    let node = node_of(rooms::Config::default());
    let (mut one, two, room) = callers(&node);
    drop(two);
    one.event("partner:away");
    let signals = [description("offer"), candidate(1), candidate(2)];
    for signal in &signals {
        one.done("signal", signal.clone());
    }
    let mut two = Person::calling(node.address(), "two");
    assert_eq!(two.joined()["room"], room.as_str());
    one.done("signal", candidate(3));
    for signal in signals.iter().chain([&candidate(3)]) {
        assert_eq!(two.event("signal"), *signal);
    }
}

#[test]
fn no_more_waits_than_there_is_room_for() {
    let node = node_of(rooms::Config::default());
    let (mut one, two, _) = callers(&node);
    drop(two);
    one.event("partner:away");
    for number in 0..256 {
        one.done("signal", candidate(number));
    }
    one.refused("signal", candidate(256), "signal_backlog");
    let mut two = Person::calling(node.address(), "two");
    for number in 0..256 {
        assert_eq!(two.event("signal"), candidate(number));
    }
    one.done("signal", candidate(257));
    assert_eq!(two.event("signal"), candidate(257));
}
