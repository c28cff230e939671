//! The debate app: what has been true of it from its first page on.

use serde_json::{Value, json};
use throng_apps::debate::{self, NAMESPACE, OwnTopics};
use throng_apps::{rooms, roulette};

use crate::people::{LONG, Person, SHORT, get, lasting, node, node_of, two, with_queue};

#[test]
fn two_of_opposite_sides_are_paired_and_talk() {
    let node = node_of(rooms::Config::default());
    let (mut one, mut two) =
        (Person::debating(node.address(), "one"), Person::debating(node.address(), "two"));
    let answer = one.debate("tea", "for");
    assert_eq!(answer, json!({"ok": true, "queue": "default", "waiting": 0, "estimatedWaitMs": null}));
    assert_eq!(two.debate("tea", "against")["waiting"], 1);
    let (mine, theirs) = (one.joined(), two.joined());
    assert_eq!((&mine["side"], &theirs["side"]), (&json!("for"), &json!("against")));
    assert_eq!((&mine["partnerSide"], &theirs["partnerSide"]), (&json!("against"), &json!("for")));
    assert_eq!(
        (&mine["topic"], &mine["queue"], &mine["state"]),
        (&json!("tea"), &json!("default"), &json!("waiting"))
    );
    assert_eq!((&mine["room"], &mine["endsAt"]), (&theirs["room"], &theirs["endsAt"]));
    assert_eq!((&mine["resumed"], &mine["history"], &mine["tags"]), (&json!(false), &json!([]), &json!([])));

    let sent = one.done("room:message", json!({"text": "  hello "}));
    let (said, heard) = (one.event("room:message"), two.event("room:message"));
    let message =
        |from| json!({"room": mine["room"], "seq": 1, "text": "hello", "from": from, "at": sent["at"]});
    assert_eq!((said, heard, &sent["seq"]), (message("you"), message("partner"), &json!(1)));

    two.done("room:leave", Value::Null);
    let ended = json!({"room": mine["room"], "reason": "left", "next": "offered"});
    assert_eq!((one.event("room:ended"), two.event("room:ended")), (ended.clone(), ended));
    one.refused("room:message", json!({"text": "still there?"}), "room_ended");
}

#[test]
fn a_second_wish_replaces_the_first_and_leaving_the_queue_ends_it() {
    let node = node_of(rooms::Config::default());
    let (mut one, mut two) =
        (Person::debating(node.address(), "one"), Person::debating(node.address(), "two"));
    one.debate("tea", "for");
    one.debate("coffee", "for");
    assert_eq!(two.debate("tea", "against")["waiting"], 0);
    assert_eq!(two.ask("queue:leave", Value::Null), json!({"ok": true}));
    assert_eq!(one.debate("tea", "for")["waiting"], 0);
}

#[test]
fn whoever_comes_back_in_time_finds_the_debate_again() {
    let node = node_of(rooms::Config::default());
    let (mut one, two, room) = two(&node);
    one.done("room:message", json!({"text": "before"}));
    drop(two);
    assert!(one.event("partner:away")["until"].as_u64() > Some(0));
    one.done("room:message", json!({"text": "meanwhile"}));

    let mut two = Person::debating(node.address(), "two");
    let again = two.joined();
    assert_eq!((&again["room"], &again["resumed"]), (&json!(room), &json!(true)));
    assert_eq!(again["state"], "active");
    let history: Vec<_> = again["history"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|said| (&said["seq"], &said["text"], &said["from"]))
        .collect();
    let partner = &json!("partner");
    assert_eq!(history, [(&json!(1), &json!("before"), partner), (&json!(2), &json!("meanwhile"), partner)]);
    one.0.event("partner:back");
    assert_eq!(two.done("room:message", json!({"text": "back"}))["seq"], 3);
}

#[test]
fn whoever_stays_away_leaves_the_other_free() {
    let node = node_of(rooms::Config { grace: SHORT, ..rooms::Config::default() });
    let (mut one, two, room) = two(&node);
    drop(two);
    let ended = json!({"room": room, "reason": "partner_gone", "next": "offered"});
    assert_eq!(one.event("room:ended"), ended);
    assert_eq!(one.done("room:next", Value::Null)["waiting"], 0);
}

#[test]
fn the_clock_ends_a_debate() {
    let node = node_of(lasting(SHORT));
    let mut people = ["one", "two"].map(|name| Person::debating(node.address(), name));
    for (person, side) in people.iter_mut().zip(["for", "against"]) {
        person.debate("tea", side);
    }
    for person in &mut people {
        let ended = json!({"room": person.joined()["room"], "reason": "time", "next": "offered"});
        assert_eq!(person.event("room:ended"), ended);
    }
}

#[test]
fn the_queue_is_bounded_and_the_newest_connection_of_a_user_counts() {
    let node = node_of(with_queue(rooms::Queue { waiting_max: 1, ..rooms::Queue::default() }));
    let (mut one, mut two) =
        (Person::debating(node.address(), "same"), Person::debating(node.address(), "two"));
    one.debate("tea", "for");
    two.refused("queue:join", json!({"topic": "coffee", "side": "for"}), "queue_full");
    two.refused("queue:leave", Value::Null, "not_waiting");
    let mut newer = Person::debating(node.address(), "same");
    one.disconnected(NAMESPACE);
    // The place in the queue is that of the user, not of the connection.
    newer.event("queue:waiting");
    two.refused("queue:join", json!({"topic": "coffee", "side": "for"}), "queue_full");
    assert_eq!(two.debate("tea", "against")["waiting"], 1);
    assert_eq!(newer.joined()["room"], two.joined()["room"]);
}

#[test]
fn the_catalogue_is_always_shown_and_may_be_all_there_is() {
    let topics = vec!["Tea".to_owned(), "Art".to_owned()];
    let debates = debate::Config { topics, own_topics: OwnTopics::Refused, ..debate::Config::default() };
    let node = node(debates, roulette::Config::default());
    let mut one = Person::debating(node.address(), "one");
    let state = |topic, waiting| json!({"topic": topic, "waiting": waiting, "debating": 0});
    let shows =
        |tea| json!({"topics": [state("Tea", tea), state("Art", 0)], "others": [], "ownTopics": false});
    assert_eq!(one.event("lobby:state"), shows(0));
    one.refused("queue:join", json!({"topic": "war", "side": "any"}), "unknown_topic");
    one.debate("tea", "any");
    assert_eq!(one.event("lobby:state"), shows(1));
}

#[test]
fn topics_of_peoples_own_are_shown_to_others() {
    let node = node_of(rooms::Config::default());
    let (mut one, mut two) =
        (Person::debating(node.address(), "one"), Person::debating(node.address(), "two"));
    let shows = |others| json!({"topics": [], "others": others, "ownTopics": true});
    assert_eq!(two.event("lobby:state"), shows(json!([])));
    one.debate("tea", "any");
    assert_eq!(two.event("lobby:state"), shows(json!([{"topic": "tea", "waiting": 1, "debating": 0}])));
}

#[test]
fn operators_see_how_busy_it_is() {
    let node = node_of(lasting(LONG));
    let (mut one, _two, _) = two(&node);
    one.done("room:message", json!({"text": "hi"}));
    let mut three = Person::debating(node.address(), "three");
    three.debate("coffee", "any");
    let stats = &get(&node, "/api/stats")["apps"]["debate"];
    assert_eq!(
        (&stats["activeRooms"], &stats["waitingByQueue"], &stats["roomsPerHour"]),
        (&json!(1), &json!({"default": 1}), &json!(1))
    );
    assert!(stats["averageWaitTime"].as_f64() > Some(0.0), "{stats}");
}
