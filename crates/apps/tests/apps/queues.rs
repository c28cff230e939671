//! Waiting: who is paired with whom, and when; and what becomes of a wish.

use serde_json::{Value, json};
use throng_apps::experiments::{Audience, Experiments, Flag};
use throng_apps::rooms;
use throng_lobby::{Facet, Facets};
use throng_testkit::until;

use crate::people::{LONG, Person, SHORT, get, meet, node_of, two, widening, with_queue};

fn widening_after(shared: Facets) -> rooms::Config {
    with_queue(rooms::Queue { policy: widening(shared), duration: LONG, ..rooms::Queue::default() })
}

#[test]
fn shared_interests_pair_at_once_and_are_shown() {
    let node = node_of(rooms::Config::default());
    let (mut one, mut two) =
        (Person::debating(node.address(), "one"), Person::debating(node.address(), "two"));
    let join = |side, tags: Value, language| json!({"topic": "tea", "side": side, "tags": tags, "language": language});
    one.done("queue:join", join("for", json!(["History", "Food"]), "en"));
    two.done("queue:join", join("any", json!(["food", "war"]), "EN"));
    let (mine, theirs) = (one.joined(), two.joined());
    for joined in [&mine, &theirs] {
        assert_eq!((&joined["tags"], &joined["language"]), (&json!(["food"]), &json!("en")));
    }
}

#[test]
fn without_shared_interests_people_wait_and_then_meet_all_the_same() {
    let node = node_of(widening_after(Facets::from([Facet::Tag])));
    let (mut one, mut two) =
        (Person::debating(node.address(), "one"), Person::debating(node.address(), "two"));
    one.done("queue:join", json!({"topic": "tea", "side": "for", "tags": ["food"]}));
    two.done("queue:join", json!({"topic": "tea", "side": "against", "tags": ["war"]}));
    assert_eq!((&one.joined()["tags"], &two.joined()["tags"]), (&json!([]), &json!([])));
}

#[test]
fn other_topics_will_do_after_a_while() {
    let node = node_of(widening_after(Facets::NONE));
    let (mut one, mut two) =
        (Person::debating(node.address(), "one"), Person::debating(node.address(), "two"));
    one.done("queue:join", json!({"topic": "tea", "side": "for", "otherTopics": ["art", "war"]}));
    two.done("queue:join", json!({"topic": "peace", "side": "against", "otherTopics": ["war"]}));
    assert_eq!((&one.joined()["topic"], &two.joined()["topic"]), (&json!("war"), &json!("war")));

    let (mut three, mut four) =
        (Person::debating(node.address(), "three"), Person::debating(node.address(), "four"));
    three.done("queue:join", json!({"topic": "tea", "side": "for"}));
    four.done("queue:join", json!({"topic": "love", "side": "against", "anyTopic": true}));
    assert_eq!((&three.joined()["topic"], &four.joined()["topic"]), (&json!("tea"), &json!("tea")));
}

#[test]
fn what_is_required_is_kept_however_long_it_takes() {
    let node = node_of(widening_after(Facets::NONE));
    let mut picky = Person::debating(node.address(), "picky");
    picky.done(
        "queue:join",
        json!({"topic": "tea", "side": "for", "language": "de",
            "requires": {"language": true, "properties": {"level": {"min": 3}}}}),
    );
    let mut others: Vec<_> = [("en", 5), ("de", 1), ("de", 3)]
        .into_iter()
        .enumerate()
        .map(|(number, (language, level))| {
            let mut other = Person::debating(node.address(), &format!("other {number}"));
            let properties = json!({"level": level});
            other.done(
                "queue:join",
                json!({"topic": "tea", "side": "against", "language": language, "properties": properties}),
            );
            other
        })
        .collect();
    assert_eq!(picky.joined()["room"], others[2].joined()["room"]);
    for other in &mut others[..2] {
        other.done("queue:leave", Value::Null);
    }
}

#[test]
fn queues_are_apart_and_have_their_own_clock() {
    let fast = rooms::Queue { duration: SHORT, ..rooms::Queue::default() };
    let queues = [("fast".to_owned(), fast)].into();
    let node = node_of(rooms::Config { queues, ..rooms::Config::default() });
    let mut people: Vec<_> =
        ["one", "two", "three"].map(|name| Person::debating(node.address(), name)).into();
    let join = |queue, side| json!({"queue": queue, "topic": "tea", "side": side});
    assert_eq!(people[0].done("queue:join", join("default", "for"))["queue"], "default");
    assert_eq!(people[1].done("queue:join", join("fast", "against"))["waiting"], 0);
    people[2].refused("queue:join", join("slow", "for"), "unknown_queue");
    people[2].done("queue:join", join("fast", "for"));
    let joined = people[2].joined();
    assert_eq!(joined["queue"], "fast");
    let lasts = joined["endsAt"].as_u64().unwrap() - joined["startedAt"].as_u64().unwrap();
    assert_eq!(lasts, SHORT.as_millis() as u64);
    assert_eq!(people[1].event("room:ended")["reason"], "time");
    people[0].done("queue:leave", Value::Null);
}

#[test]
fn a_place_in_the_queue_survives_a_reconnection() {
    let node = node_of(rooms::Config::default());
    let mut one = Person::debating(node.address(), "one");
    one.debate("tea", "for");
    drop(one);
    let mut one = Person::debating(node.address(), "one");
    let waiting = one.event("queue:waiting");
    assert_eq!((&waiting["queue"], &waiting["estimatedWaitMs"]), (&json!("default"), &json!(null)));
    assert!(waiting["since"].as_u64() > Some(0));
    let mut two = Person::debating(node.address(), "two");
    two.debate("tea", "against");
    assert_eq!(one.joined()["room"], two.joined()["room"]);
    // By now it is known how long people wait.
    let mut three = Person::debating(node.address(), "three");
    assert!(three.debate("art", "any")["estimatedWaitMs"].is_u64());
}

#[test]
fn a_place_in_the_queue_is_not_kept_for_ever() {
    let node = node_of(rooms::Config { grace: SHORT, ..rooms::Config::default() });
    let mut one = Person::debating(node.address(), "one");
    one.debate("tea", "for");
    drop(one);
    until("the ticket goes", || (get(&node, "/api/stats")["waitingUsers"] == 0).then_some(()));
    let mut one = Person::debating(node.address(), "one");
    one.refused("queue:leave", Value::Null, "not_waiting");
}

#[test]
fn nobody_is_paired_with_whoever_is_away() {
    let node = node_of(rooms::Config::default());
    let mut gone = Person::debating(node.address(), "gone");
    gone.debate("tea", "for");
    drop(gone);
    node.until("the disconnect", |metrics| metrics.sockets_open() == 0);
    let (mut two, mut three) =
        (Person::debating(node.address(), "two"), Person::debating(node.address(), "three"));
    two.debate("tea", "against");
    three.debate("tea", "for");
    assert_eq!(two.joined()["room"], three.joined()["room"]);
}

/// A default queue, and one of the name `fast`, with room for one each.
fn small_queues() -> rooms::Config {
    let small = rooms::Queue { waiting_max: 1, duration: LONG, ..rooms::Queue::default() };
    let queues = ["default", "fast"].map(|name| (name.to_owned(), small.clone())).into();
    rooms::Config { queues, ..rooms::Config::default() }
}

#[test]
fn whoever_a_full_queue_refuses_waits_on_in_the_one_before() {
    let node = node_of(small_queues());
    let [mut one, mut two, mut three] =
        ["one", "two", "three"].map(|name| Person::debating(node.address(), name));
    let fast = |side| json!({"queue": "fast", "topic": "tea", "side": side});
    one.debate("tea", "for");
    two.done("queue:join", fast("for"));
    one.refused("queue:join", fast("for"), "queue_full");
    assert_eq!(three.debate("tea", "against")["waiting"], 1);
    meet(&mut one, &mut three);
}

#[test]
fn whoever_goes_on_is_let_into_a_full_queue() {
    let node = node_of(small_queues());
    let (mut one, mut two, _) = two(&node);
    let mut three = Person::debating(node.address(), "three");
    three.debate("art", "for");
    one.done("room:next", Value::Null);
    assert_eq!(one.event("room:ended")["next"], "waiting");
    // Who has only been left has not been told that they wait.
    two.event("room:ended");
    two.refused("room:next", Value::Null, "queue_full");
}

#[test]
fn who_is_refused_takes_no_part_in_experiments() {
    let flag = Flag {
        name: "quick".to_owned(),
        audience: Audience { everyone: true, ..Audience::default() },
        queue: None,
        policy: None,
    };
    let node = node_of(rooms::Config { experiments: Experiments::new(vec![flag]), ..small_queues() });
    let assigned =
        || node.metrics().get("experiment_assigned_total{app=\"debate\",flag=\"quick\",variant=\"on\"}");
    let (mut one, mut two) =
        (Person::debating(node.address(), "one"), Person::debating(node.address(), "two"));
    one.debate("tea", "for");
    assert_eq!(assigned(), 1);
    two.refused("queue:join", json!({"topic": "tea", "side": "for"}), "queue_full");
    assert_eq!(assigned(), 1);
    two.debate("tea", "against");
    assert_eq!(assigned(), 2);
}
