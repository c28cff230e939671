//! Rooms: how they begin, what happens in them, how they are come back to.

use serde_json::{Value, json};
use throng_apps::rooms;

use crate::people::{LONG, Person, SHORT, lasting, meet, node_of, two, widening, with_queue};

/// Two people who are paired on tea and have not said a word.
fn strangers(node: &throng_testkit::Node) -> (Person, Person) {
    let (mut one, mut two) =
        (Person::debating(node.address(), "one"), Person::debating(node.address(), "two"));
    one.debate("tea", "for");
    two.debate("tea", "against");
    (one, two)
}

#[test]
fn a_room_is_active_once_both_have_shown_that_they_are_there() {
    let node = node_of(rooms::Config { confirm_timeout: LONG, ..rooms::Config::default() });
    let (mut one, mut two) = strangers(&node);
    let room = one.joined()["room"].clone();
    // Whatever a member does in its room shows it too.
    two.done("room:typing", json!({"typing": true}));
    assert_eq!(
        (one.event("room:active"), two.event("room:active")),
        (json!({"room": room}), json!({"room": room}))
    );
}

#[test]
fn whoever_is_still_there_after_a_while_is_there() {
    let node = node_of(rooms::Config { confirm_timeout: SHORT, ..rooms::Config::default() });
    let (mut one, mut two) = strangers(&node);
    one.event("room:active");
    two.event("room:active");
}

#[test]
fn whoever_vanishes_before_that_drops_out_and_the_other_waits_again() {
    let node = node_of(rooms::Config { confirm_timeout: LONG, ..rooms::Config::default() });
    let (mut one, mut two) = strangers(&node);
    let room = one.joined()["room"].clone();
    two.joined_silently();
    drop(two);
    let ended = json!({"room": room, "reason": "partner_gone", "next": "waiting"});
    assert_eq!(one.event("room:ended"), ended);
    assert_eq!(one.event("queue:waiting")["queue"], "default");
    let mut three = Person::debating(node.address(), "three");
    assert_eq!(three.debate("tea", "against")["waiting"], 1);
    assert_eq!(one.joined()["room"], three.joined()["room"]);
    // Whoever dropped out has neither.
    let mut two = Person::debating(node.address(), "two");
    two.refused("room:leave", Value::Null, "room_ended");
    two.refused("queue:leave", Value::Null, "not_waiting");
}

#[test]
fn leaving_before_it_began_puts_only_the_other_back() {
    let node = node_of(rooms::Config { confirm_timeout: LONG, ..rooms::Config::default() });
    let (mut one, mut two) = strangers(&node);
    one.joined();
    two.done("room:leave", Value::Null);
    assert_eq!(two.event("room:ended")["next"], "offered");
    assert_eq!(one.event("room:ended")["next"], "waiting");
    one.event("queue:waiting");
    two.refused("queue:leave", Value::Null, "not_waiting");
    one.done("queue:leave", Value::Null);
}

#[test]
fn messages_are_numbered_and_both_hear_them() {
    let node = node_of(rooms::Config::default());
    let (mut one, mut two, room) = two(&node);
    assert_eq!(one.done("room:message", json!({"text": "a"}))["seq"], 1);
    assert_eq!(two.done("room:message", json!({"text": "b", "room": room}))["seq"], 2);
    for hearer in [&mut one, &mut two] {
        let heard: Vec<_> = [(); 2].map(|()| hearer.event("room:message")["seq"].as_u64().unwrap()).into();
        assert_eq!(heard, [1, 2]);
    }
}

#[test]
fn typing_is_shown_to_the_other() {
    let node = node_of(rooms::Config::default());
    let (mut one, mut two, _) = two(&node);
    for typing in [true, false] {
        one.done("room:typing", json!({"typing": typing}));
        assert_eq!(two.event("room:typing"), json!({"typing": typing}));
    }
    one.done("room:message", json!({"text": "done"}));
    assert!(!one.0.events_before("room:message").contains(&"room:typing".to_owned()));
}

#[test]
fn a_room_warns_before_its_time_is_over() {
    // Long after the warning, so that a busy machine does not come to both at once.
    let (warning, duration) = (24 * SHORT, 25 * SHORT);
    let node = node_of(rooms::Config { warning, ..lasting(duration) });
    let (mut one, mut two) = strangers(&node);
    for member in [&mut one, &mut two] {
        let joined = member.joined();
        let warning = member.event("room:warning");
        assert_eq!((&warning["room"], &warning["endsAt"]), (&joined["room"], &joined["endsAt"]));
        let remaining = warning["remainingMs"].as_u64();
        assert!(remaining > Some(0) && remaining <= Some(24 * SHORT.as_millis() as u64), "{warning}");
        assert_eq!(member.event("room:ended")["reason"], "time");
    }
}

#[test]
fn both_may_vanish_and_come_back() {
    let node = node_of(rooms::Config::default());
    let (one, two, room) = two(&node);
    drop((one, two));
    let mut one = Person::debating(node.address(), "one");
    assert_eq!((&one.joined()["room"], one.event("partner:away")["until"].is_u64()), (&json!(room), true));
    let mut two = Person::debating(node.address(), "two");
    assert_eq!(two.joined()["room"], json!(room));
    one.0.event("partner:back");
}

#[test]
fn a_newer_connection_takes_the_room_over() {
    let node = node_of(rooms::Config::default());
    let (mut older, mut two, room) = two(&node);
    let mut newer = Person::debating(node.address(), "one");
    assert_eq!(
        (&newer.joined()["room"], two.0.event("partner:back")),
        (&json!(room), throng_node::Args::none())
    );
    older.disconnected("/debate");
    newer.done("room:message", json!({"text": "me"}));
    // The older one's end is nobody's end.
    assert!(!two.0.events_before("room:message").contains(&"partner:away".to_owned()));
}

#[test]
fn next_leaves_and_waits_in_one_step() {
    let node = node_of(with_queue(rooms::Queue {
        policy: widening(throng_lobby::Facets::NONE),
        ..rooms::Queue::default()
    }));
    let (mut one, mut two, room) = two(&node);
    let mut three = Person::debating(node.address(), "three");
    three.debate("tea", "against");
    assert_eq!(one.done("room:next", json!({"room": room}))["queue"], "default");
    let ended = |next| json!({"room": room, "reason": "left", "next": next});
    assert_eq!((one.event("room:ended"), two.event("room:ended")), (ended("waiting"), ended("offered")));
    let second = meet(&mut one, &mut three);

    // It works after the end too, with the wish that there was.
    two.done("room:next", Value::Null);
    three.done("room:leave", Value::Null);
    assert_eq!(one.event("room:ended")["next"], "offered");
    one.done("room:next", json!({"room": second}));
    assert_eq!(one.joined()["side"], "for");
    assert_eq!(two.joined()["side"], "against");
}

#[test]
fn next_before_it_began_puts_both_back() {
    let node = node_of(rooms::Config {
        confirm_timeout: LONG,
        ..with_queue(rooms::Queue { policy: widening(throng_lobby::Facets::NONE), ..rooms::Queue::default() })
    });
    let (mut one, mut two) = strangers(&node);
    let first = two.joined()["room"].clone();
    one.joined_silently();
    one.done("room:next", Value::Null);
    assert_eq!(
        (&one.event("room:ended")["next"], &two.event("room:ended")["next"]),
        (&json!("waiting"), &json!("waiting"))
    );
    // They have met, but nobody else is there.
    let again = one.joined()["room"].clone();
    assert_eq!(two.joined()["room"], again);
    assert_ne!(again, first);
}

#[test]
fn whoever_went_on_before_it_began_meets_somebody_else_first() {
    let node = node_of(rooms::Config {
        confirm_timeout: LONG,
        ..with_queue(rooms::Queue { policy: widening(throng_lobby::Facets::NONE), ..rooms::Queue::default() })
    });
    let mut people = ["one", "two", "three"].map(|name| Person::debating(node.address(), name));
    let [one, two, three] = &mut people;
    let join = |side, tags: Value| json!({"topic": "tea", "side": side, "tags": tags});
    one.done("queue:join", join("for", json!(["food"])));
    two.done("queue:join", join("against", json!(["food"])));
    one.joined_silently();
    two.joined_silently();
    // By what they wish one had better meet two again.
    three.done("queue:join", join("against", json!([])));
    one.done("room:next", Value::Null);
    assert_eq!(one.joined()["room"], three.joined()["room"]);
    assert_eq!(two.event("room:ended")["next"], "waiting");
    two.done("queue:leave", Value::Null);
}
