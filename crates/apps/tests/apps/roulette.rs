//! The roulette: who calls whom with what, and how calls fare.

use serde_json::{Value, json};
use throng_apps::roulette::{self, Ice};
use throng_apps::{debate, rooms};
use throng_testkit::Http;

use crate::people::{Person, callers, get, node, node_of};

/// Two people who join with these media; what each is told of the room.
fn pair(media: [&str; 2]) -> [Value; 2] {
    let node = node_of(rooms::Config::default());
    let mut people = ["one", "two"].map(|name| Person::calling(node.address(), name));
    for (person, media) in people.iter_mut().zip(media) {
        person.done("queue:join", json!({"media": media}));
    }
    people.each_mut().map(|person| person.joined())
}

#[test]
fn one_offers_and_the_other_answers() {
    let [one, two] = pair(["video", "video"]);
    assert_eq!((&one["role"], &two["role"]), (&json!("offerer"), &json!("answerer")));
    assert_eq!(
        (&one["media"], &two["media"], &one["iceServers"]),
        (&json!("video"), &json!("video"), &json!([]))
    );
    assert!(one.get("topic").is_none() && one.get("side").is_none(), "{one}");
}

#[test]
fn a_call_is_the_lesser_of_two_wishes() {
    for (media, expect) in
        [(["video", "audio"], "audio"), (["audio", "audio"], "audio"), (["text", "text"], "text")]
    {
        let joined = pair(media);
        assert_eq!((&joined[0]["media"], &joined[1]["media"]), (&json!(expect), &json!(expect)));
    }
}

#[test]
fn whoever_wants_to_write_does_not_meet_whoever_wants_to_call() {
    let node = node_of(rooms::Config::default());
    let mut people = ["one", "two", "three"].map(|name| Person::calling(node.address(), name));
    people[0].done("queue:join", json!({"media": "text"}));
    assert_eq!(people[1].done("queue:join", json!({"media": "video"}))["waiting"], 0);
    assert_eq!(people[2].done("queue:join", json!({"media": "text"}))["waiting"], 1);
    assert_eq!(people[0].joined()["room"], people[2].joined()["room"]);
    people[1].done("queue:leave", Value::Null);
}

#[test]
fn callers_are_told_of_the_servers_that_help_them() {
    let ice = Ice {
        stun: vec!["stun:stun.test:3478".into()],
        turn: vec!["turn:turn.test:3478".into()],
        turn_secret: Some("a secret of the TURN server".into()),
        ..Ice::default()
    };
    let node = node(debate::Config::default(), roulette::Config { ice, ..roulette::Config::default() });
    let mut people = ["one", "two", "three", "four"].map(|name| Person::calling(node.address(), name));
    for (person, media) in people.iter_mut().zip(["video", "video", "text", "text"]) {
        person.done("queue:join", json!({"media": media}));
    }
    let [one, two, three, _] = people.each_mut().map(|person| person.joined());
    assert_eq!(one["iceServers"][0], json!({"urls": ["stun:stun.test:3478"]}));
    let turn = |joined: &Value| joined["iceServers"][1].clone();
    assert_eq!(turn(&one)["urls"], json!(["turn:turn.test:3478"]));
    let username = turn(&one)["username"].as_str().unwrap().to_owned();
    let (expires, user) = username.split_once(':').unwrap();
    let started = one["startedAt"].as_u64().unwrap() / 1000;
    assert!((started + 3599..=started + 3601).contains(&expires.parse().unwrap()), "{expires} {started}");
    assert_eq!(user, "one");
    assert_ne!(turn(&one)["credential"], turn(&two)["credential"]);
    assert_eq!(three["iceServers"], json!([]));
}

#[test]
fn people_write_beside_the_call_and_are_counted() {
    let node = node_of(rooms::Config::default());
    let (mut one, mut two, _) = callers(&node);
    one.done("room:message", json!({"text": "can you see me?"}));
    assert_eq!(two.event("room:message")["text"], "can you see me?");
    let mut three = Person::calling(node.address(), "three");
    // What is shown may be a second old.
    let mut shows = |waiting| {
        let expect = json!({"waiting": waiting, "talking": 2});
        while three.event("lobby:state") != expect {}
        three.done("queue:join", json!({"media": "audio"}));
    };
    shows(0);
    shows(1);
}

#[test]
fn devices_that_go_off_are_shown_to_the_partner_also_after_a_reload() {
    let node = node_of(rooms::Config::default());
    let (mut one, mut two, _) = callers(&node);
    let state = json!({"camera": false, "microphone": true});
    one.done("media:state", state.clone());
    assert_eq!(two.event("media:state"), state);
    drop(two);
    one.event("partner:away");
    let mut two = Person::calling(node.address(), "two");
    two.joined();
    assert_eq!(two.event("media:state"), state);
}

#[test]
fn writers_have_nothing_to_connect() {
    let node = node_of(rooms::Config::default());
    let mut people = ["one", "two"].map(|name| Person::calling(node.address(), name));
    people.iter_mut().for_each(|person| drop(person.done("queue:join", json!({"media": "text"}))));
    let [one, _] = &mut people;
    one.joined();
    one.refused("signal", json!({"candidate": null}), "not_a_call");
    one.refused("media:state", json!({"camera": true, "microphone": true}), "not_a_call");
    one.refused("call:report", json!({"phase": "started"}), "not_a_call");
    one.done("room:message", json!({"text": "hi"}));
}

#[test]
fn what_the_pages_report_is_what_the_statistics_say() {
    let node = node_of(rooms::Config::default());
    let stats = || get(&node, "/api/webrtc/stats");
    let failed = |reasons: [u64; 5]| {
        let names = ["ice", "media_denied", "no_device", "timeout", "other"];
        let by_reason: serde_json::Map<_, _> =
            names.into_iter().zip(reasons).map(|(name, count)| (name.to_owned(), json!(count))).collect();
        json!({"total": reasons.iter().sum::<u64>(), "byReason": by_reason})
    };
    let none = json!({"active": 0, "started": 0, "connected": 0, "failed": failed([0; 5]),
        "setupMs": {"p50": null, "p95": null}, "relayedShare": null});
    assert_eq!(stats(), none);

    let (mut one, mut two, room) = callers(&node);
    for member in [&mut one, &mut two] {
        member.done("call:report", json!({"phase": "started"}));
    }
    one.done("call:report", json!({"phase": "connected", "setupMs": 250, "relayed": true}));
    two.done("call:report", json!({"phase": "connected", "setupMs": 300, "relayed": true, "room": room}));
    let connected = json!({"active": 1, "started": 1, "connected": 1, "failed": failed([0; 5]),
        "setupMs": {"p50": 250, "p95": 250}, "relayedShare": 1.0});
    assert_eq!(stats(), connected);
    one.done("call:report", json!({"phase": "failed", "reason": "ice"}));
    two.done("call:report", json!({"phase": "ended"}));
    assert_eq!((&stats()["active"], &stats()["failed"]), (&json!(0), &failed([1, 0, 0, 0, 0])));
}

#[test]
fn a_call_that_ends_with_its_room_is_active_no_more() {
    let node = node_of(rooms::Config::default());
    let (mut one, _two, _) = callers(&node);
    one.done("call:report", json!({"phase": "started"}));
    one.done("call:report", json!({"phase": "connected"}));
    assert_eq!(get(&node, "/api/webrtc/stats")["active"], 1);
    one.done("room:leave", Value::Null);
    assert_eq!(get(&node, "/api/webrtc/stats")["active"], 0);
}

#[test]
fn calls_are_counted_for_prometheus() {
    let node = node_of(rooms::Config::default());
    let (mut one, _two, _) = callers(&node);
    one.done("call:report", json!({"phase": "started"}));
    one.done("call:report", json!({"phase": "connected", "setupMs": 500, "relayed": false}));
    let page = Http::get(node.address(), "/metrics").body;
    for line in [
        "throng_calls_active 1",
        "throng_calls_started_total 1",
        "throng_calls_connected_total{route=\"direct\"} 1",
        "throng_calls_failed_total{reason=\"ice\"} 0",
        "throng_call_setup_seconds_total 0.5",
    ] {
        assert!(page.lines().any(|known| known == line), "{line} is not on the page");
    }
}
