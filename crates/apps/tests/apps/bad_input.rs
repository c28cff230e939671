//! Whatever is wrong with a request has a name, and the app goes on.

use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use throng_apps::{debate, rooms, roulette};
use throng_node::{EventLimits, Tenancy, TenantSettings};
use throng_testkit::Received;

use crate::people::{LONG, Person, callers, get, meet, node_of, node_with, two};

/// Room requests, each with fields that are right.
fn room_requests() -> [(&'static str, Value); 7] {
    [
        ("room:message", json!({"text": "hi"})),
        ("room:typing", json!({"typing": true})),
        ("room:leave", json!({})),
        ("room:report", json!({"reason": "other"})),
        ("room:feedback", json!({"rating": 3})),
        ("user:block", json!({})),
        ("room:next", json!({})),
    ]
}

/// Requests of a call, each with fields that are right.
fn call_requests() -> [(&'static str, Value); 3] {
    [
        ("signal", json!({"candidate": null})),
        ("media:state", json!({"camera": true, "microphone": false})),
        ("call:report", json!({"phase": "started"})),
    ]
}

fn with(mut fields: Value, name: &str, value: Value) -> Value {
    fields[name] = value;
    fields
}

#[test]
fn unknown_fields_are_refused_by_name() {
    let node = node_of(rooms::Config::default());
    let (mut debater, mut caller) =
        (Person::debating(node.address(), "one"), Person::calling(node.address(), "one"));
    let extra = |fields| with(fields, "surprise", json!(1));
    let named = ": unknown field `surprise`, ";
    for (event, fields) in room_requests() {
        let message = debater.refused(event, extra(fields.clone()), "invalid_arguments");
        assert!(message.contains(named), "{event}: {message}");
        caller.refused(event, extra(fields), "invalid_arguments");
    }
    for (event, fields) in call_requests() {
        let message = caller.refused(event, extra(fields), "invalid_arguments");
        assert!(message.contains(named), "{event}: {message}");
    }
    for fields in [
        extra(json!({"topic": "tea", "side": "for"})),
        json!({"topic": "tea", "side": "for", "requires": {"surprise": true}}),
        json!({"topic": "tea", "side": "for", "prefers": {"surprise": {}}}),
        json!({"topic": "tea", "side": "for", "requires": {"properties": {"a": {"min": 1, "surprise": 2}}}}),
        json!({"topic": "tea", "side": "for", "prefers": {"properties": {"a": {"surprise": 2}}}}),
    ] {
        let message = debater.refused("queue:join", fields, "invalid_arguments");
        assert!(message.contains(named), "{message}");
    }
    for (event, fields) in [
        ("queue:join", extra(json!({"media": "text"}))),
        ("signal", json!({"description": {"type": "offer", "sdp": "v=0", "surprise": 1}})),
        ("signal", json!({"candidate": {"candidate": "", "surprise": 1}})),
        ("signal", json!({"renewal": {"asks": "a", "surprise": 1}})),
    ] {
        let message = caller.refused(event, fields, "invalid_arguments");
        assert!(message.contains(named), "{event}: {message}");
    }
    debater.refused("queue:leave", extra(json!({})), "invalid_arguments");
}

#[test]
fn what_is_no_object_is_refused_in_the_same_words_by_all() {
    let node = node_of(rooms::Config::default());
    let (mut debater, mut caller) =
        (Person::debating(node.address(), "one"), Person::calling(node.address(), "one"));
    let told = "argument 1: invalid type: integer `7`, expected an object";
    for event in ["queue:join", "queue:leave"].into_iter().chain(room_requests().map(|(event, _)| event)) {
        assert_eq!(debater.refused(event, json!(7), "invalid_arguments"), told, "{event}");
    }
    for event in ["queue:join"].into_iter().chain(call_requests().map(|(event, _)| event)) {
        assert_eq!(caller.refused(event, json!(7), "invalid_arguments"), told, "{event}");
    }
}

#[test]
fn wrong_types_and_missing_fields_are_refused() {
    let node = node_of(rooms::Config::default());
    let (mut debater, mut caller) =
        (Person::debating(node.address(), "one"), Person::calling(node.address(), "one"));
    for (event, fields) in [
        ("queue:join", json!({"topic": "tea"})),
        ("queue:join", json!({"side": "for"})),
        ("queue:join", json!({"topic": 1, "side": "for"})),
        ("queue:join", json!({"topic": "tea", "side": "sideways"})),
        ("queue:join", json!({"topic": "tea", "side": "for", "tags": "food"})),
        ("queue:join", json!({"topic": "tea", "side": "for", "anyTopic": "yes"})),
        ("queue:join", json!({"topic": "tea", "side": "for", "properties": {"a": []}})),
        ("queue:join", json!({"topic": "tea", "side": "for", "properties": {"a": {"min": 1}}})),
        ("queue:join", json!({"topic": "tea", "side": "for", "requires": {"properties": {"a": true}}})),
        ("queue:join", json!({"topic": "tea", "side": "for", "requires": {"language": "en"}})),
        ("queue:join", json!("tea")),
        ("room:message", json!({})),
        ("room:message", json!({"text": null})),
        ("room:message", json!({"text": ["hi"]})),
        ("room:message", json!({"text": "hi", "room": 7})),
        ("room:typing", json!({"typing": "yes"})),
        ("room:report", json!({"reason": "boring"})),
        ("room:report", json!({"text": "no reason"})),
        ("room:feedback", json!({"rating": "5"})),
        ("room:feedback", json!({"rating": -1})),
        ("room:feedback", json!({"rating": 4.5})),
        ("room:next", json!([1])),
    ] {
        debater.refused(event, fields, "invalid_arguments");
    }
    for (event, fields) in [
        ("queue:join", json!({})),
        ("queue:join", json!({"media": "smell"})),
        ("signal", json!({"description": {"type": "shout", "sdp": "v=0"}})),
        ("signal", json!({"description": "offer"})),
        ("signal", json!({"candidate": 1})),
        ("media:state", json!({"camera": true})),
        ("call:report", json!({"phase": "ringing"})),
        ("call:report", json!({"phase": "connected", "setupMs": -1})),
    ] {
        caller.refused(event, fields, "invalid_arguments");
    }
    let wish = |name, value| with(json!({"topic": "tea", "side": "for"}), name, value);
    for (event, fields) in [
        ("queue:join", wish("topic", json!("bytes"))),
        ("queue:join", wish("otherTopics", json!(["bytes"]))),
        ("queue:join", wish("tags", json!(["bytes"]))),
        ("queue:join", wish("language", json!("bytes"))),
        ("queue:join", wish("properties", json!({"a": "bytes"}))),
        ("queue:join", wish("requires", json!({"properties": {"a": "bytes"}}))),
        ("room:message", json!({"text": "bytes"})),
    ] {
        let answer: Value = debater.0.call(event, WithBytes(&fields)).decode().expect("one JSON value");
        assert_eq!(answer["error"]["code"], "invalid_arguments", "{event} {fields}: {answer}");
    }
}

/// Fields in which each text `bytes` travels as such.
struct WithBytes<'a>(&'a Value);

impl Serialize for WithBytes<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::String(text) if text == "bytes" => to.serialize_bytes(text.as_bytes()),
            Value::Array(items) => to.collect_seq(items.iter().map(WithBytes)),
            Value::Object(fields) => {
                to.collect_map(fields.iter().map(|(name, field)| (name, WithBytes(field))))
            }
            plain => plain.serialize(to),
        }
    }
}

#[test]
fn what_a_wish_may_not_say_has_a_code_of_its_own() {
    let node = node_of(rooms::Config::default());
    let mut one = Person::debating(node.address(), "one");
    let wish = |name, value| with(json!({"topic": "tea", "side": "for"}), name, value);
    for (fields, code) in [
        (wish("topic", json!(" ")), "invalid_topic"),
        (wish("topic", json!("x".repeat(121))), "invalid_topic"),
        (wish("otherTopics", json!(["a", "b", "c", "d", "e", "f"])), "invalid_topic"),
        (wish("otherTopics", json!([""])), "invalid_topic"),
        (wish("tags", json!(["rock'n'roll"])), "invalid_tag"),
        (wish("tags", json!(["#food"])), "invalid_tag"),
        (wish("tags", json!([""])), "invalid_tag"),
        (wish("tags", json!(["x".repeat(31)])), "invalid_tag"),
        (wish("tags", json!(["1", "2", "3", "4", "5", "6"])), "invalid_tag"),
        (wish("language", json!("english")), "invalid_language"),
        (wish("region", json!("Berlin")), "invalid_region"),
        (wish("properties", json!({"a b": 1})), "invalid_property"),
        (wish("queue", json!("nowhere")), "unknown_queue"),
    ] {
        one.refused("queue:join", fields, code);
    }
    one.refused("queue:leave", Value::Null, "not_waiting");
}

#[test]
fn empty_and_oversize_texts_are_refused() {
    let node = node_of(rooms::Config::default());
    let (mut one, mut two, _) = two(&node);
    for text in ["", "  ", "\u{7}\u{202e}", "\u{200b}", &"x".repeat(501), &"x".repeat(100_000)] {
        one.refused("room:message", json!({"text": text}), "invalid_text");
        one.refused("room:report", json!({"reason": "other", "text": text}), "invalid_text");
        one.refused("room:feedback", json!({"rating": 3, "text": text}), "invalid_text");
    }
    for rating in [0, 6, 255] {
        one.refused("room:feedback", json!({"rating": rating}), "invalid_rating");
    }
    one.done("room:message", json!({"text": "x".repeat(500)}));
    two.event("room:message");
    one.done("room:message", json!({"text": " be\u{7}ll\u{202e} "}));
    assert_eq!(two.event("room:message")["text"], "bell");
}

#[test]
fn room_requests_need_a_room_of_ones_own() {
    let node = node_of(rooms::Config::default());
    let (mut one, _two, room) = two(&node);
    let mut three = Person::debating(node.address(), "three");
    for (event, fields) in room_requests() {
        let never = if event == "room:next" { "no_wish" } else { "no_room" };
        three.refused(event, fields.clone(), never);
        let theirs = with(fields.clone(), "room", json!(room));
        three.refused(event, theirs, "not_your_room");
        one.refused(event, with(fields, "room", json!("0123456789abcdef")), "not_your_room");
    }
    one.refused("queue:join", json!({"topic": "art", "side": "any"}), "in_room");
    one.refused("queue:leave", Value::Null, "not_waiting");
    one.done("room:message", json!({"text": "still here"}));
}

#[test]
fn after_the_end_a_room_takes_nothing_more() {
    let node = node_of(rooms::Config::default());
    let (mut one, mut two, room) = two(&node);
    one.done("room:leave", Value::Null);
    two.event("room:ended");
    for member in [&mut one, &mut two] {
        for named in [json!({}), json!({"room": room})] {
            for (event, mut fields) in room_requests().into_iter().take(3) {
                fields.as_object_mut().unwrap().extend(named.as_object().unwrap().clone());
                member.refused(event, fields, "room_ended");
            }
        }
    }
    // Nor when a new one has begun.
    let mut three = Person::debating(node.address(), "three");
    three.debate("tea", "against");
    one.debate("tea", "for");
    meet(&mut one, &mut three);
    one.refused("room:message", json!({"text": "hi", "room": room}), "room_ended");
    one.refused("room:next", json!({"room": room}), "room_ended");
}

#[test]
fn joining_twice_keeps_one_place() {
    let node = node_of(rooms::Config::default());
    let mut one = Person::debating(node.address(), "one");
    one.debate("tea", "for");
    one.debate("tea", "for");
    assert_eq!(get(&node, "/api/stats")["waitingUsers"], 1);
    let mut two = Person::debating(node.address(), "two");
    assert_eq!(two.debate("tea", "against")["waiting"], 1);
    meet(&mut one, &mut two);
    one.refused("queue:join", json!({"topic": "tea", "side": "for"}), "in_room");
}

#[test]
fn signals_need_a_call_and_a_shape() {
    let node = node_of(rooms::Config::default());
    let mut alone = Person::calling(node.address(), "alone");
    for (event, fields) in call_requests() {
        alone.refused(event, fields.clone(), "no_room");
        alone.refused(event, with(fields, "room", json!("x")), "not_your_room");
    }
    let (mut one, mut two, room) = callers(&node);
    let offer = |sdp: &str| json!({"description": {"type": "offer", "sdp": sdp}});
    for bad in [
        json!({}),
        with(offer("v=0"), "candidate", json!(null)),
        json!({"description": {"type": "answer"}}),
        offer("hello"),
    ] {
        one.refused("signal", bad, "invalid_signal");
    }
    one.refused("signal", offer(&format!("v=0{}", "x".repeat(65_534))), "signal_too_large");
    one.refused("call:report", json!({"phase": "connected"}), "invalid_report");
    one.refused("call:report", json!({"phase": "started", "reason": "ice"}), "invalid_report");
    alone.refused("signal", with(offer("v=0"), "room", json!(room)), "not_your_room");
    one.done("signal", offer(&format!("v=0{}", "x".repeat(65_533))));
    two.event("signal");
    two.done("room:leave", Value::Null);
    one.event("room:ended");
    for (event, fields) in call_requests() {
        one.refused(event, fields, "room_ended");
    }
}

#[test]
fn ten_thousand_joins_leave_one_ticket() {
    let node = node_of(rooms::Config::default());
    let mut one = Person::debating(node.address(), "one");
    let asked: Vec<_> = (0..10_000)
        .map(|number| {
            let topic = format!("topic {}", number % 7);
            one.0.emit_asking("queue:join", json!({"topic": topic, "side": "for"}))
        })
        .collect();
    for number in asked {
        let answer: Value = one.0.answer_to(number).decode().expect("one JSON value");
        assert_eq!(answer["ok"], true, "{answer}");
    }
    assert_eq!(get(&node, "/api/stats")["waitingUsers"], 1);
    let mut two = Person::debating(node.address(), "two");
    assert_eq!(two.debate("topic 3", "against")["waiting"], 1);
    meet(&mut one, &mut two);
}

#[test]
fn whoever_floods_is_told_and_then_cut_off() {
    let settings = TenantSettings { events: EventLimits::default(), ..TenantSettings::default() };
    let tenancy = Tenancy { default: Arc::new(settings), ..Tenancy::unlimited() };
    let node = node_with(1, tenancy, (debate::Config::default(), roulette::Config::default()));
    // Before: the address is held off after a flood.
    let mut people = ["one", "two", "three"].map(|name| Person::debating(node.address(), name));
    let [one, two, three] = &mut people;
    for _ in 0..10_000 {
        one.0.emit_asking("queue:join", json!({"topic": "tea", "side": "for"}));
    }
    let is_refusal = |packet: &Received| match packet {
        Received::Answer { args, .. } => {
            args.decode::<Value>().is_ok_and(|answer| answer["error"]["code"] == "rate_limited")
        }
        _ => false,
    };
    one.0.wait_in(debate::NAMESPACE, "a refusal", is_refusal);
    one.0.wait_closed();
    // The others do not feel it.
    two.debate("art", "for");
    three.debate("art", "against");
    meet(two, three);
}

#[test]
fn a_call_may_signal_more_often_than_other_things_happen() {
    let settings = TenantSettings { events: EventLimits::default(), ..TenantSettings::default() };
    let tenancy = Tenancy { default: Arc::new(settings), ..Tenancy::unlimited() };
    let calls = roulette::Config {
        rooms: rooms::Config { grace: LONG, ..rooms::Config::default() },
        ..roulette::Config::default()
    };
    let node = node_with(1, tenancy, (debate::Config::default(), calls));
    let (mut one, _two, _) = callers(&node);
    for _ in 0..100 {
        one.done("signal", json!({"candidate": null}));
    }
    one.done("room:message", json!({"text": "hi"}));
}
