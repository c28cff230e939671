//! What people say about each other, and what follows.

use serde_json::{Value, json};
use throng_apps::rooms;
use throng_lobby::Facets;
use throng_testkit::Node;

use crate::people::{Person, as_operator, get, meet, node_of, two, widening, with_queue};

fn node() -> Node {
    node_of(with_queue(rooms::Queue { policy: widening(Facets::NONE), ..rooms::Queue::default() }))
}

/// Asserts that two who go on do not meet each other, though each meets a third.
fn never_meet(node: &Node, one: &mut Person, two: &mut Person) {
    one.done("room:next", Value::Null);
    two.done("room:next", Value::Null);
    let (mut three, mut four) =
        (Person::debating(node.address(), "three"), Person::debating(node.address(), "four"));
    three.debate("tea", "against");
    four.debate("tea", "for");
    meet(one, &mut three);
    meet(two, &mut four);
}

#[test]
fn a_report_ends_the_room_and_the_two_never_meet_again() {
    let node = node();
    let (mut one, mut two, room) = two(&node);
    two.done("room:message", json!({"text": "something bad"}));
    let report = one.done("room:report", json!({"reason": "abuse", "text": "listen to that"}));
    for member in [&mut one, &mut two] {
        let ended = json!({"room": room, "reason": "reported", "next": "offered"});
        assert_eq!(member.event("room:ended"), ended);
    }
    never_meet(&node, &mut one, &mut two);

    let records = as_operator(&node, "GET", "/api/admin/debate/records");
    let kept = &records["reports"][0];
    for (field, expect) in [
        ("report", &report["report"]),
        ("room", &json!(room)),
        ("tenant", &json!("default")),
        ("queue", &json!("default")),
        ("reportsAbout", &json!(1)),
        ("reporter", &json!("one")),
        ("reported", &json!("two")),
        ("reason", &json!("abuse")),
        ("text", &json!("listen to that")),
    ] {
        assert_eq!(kept[field], *expect, "{field}");
    }
    assert_eq!(
        (&kept["messages"][0]["user"], &kept["messages"][0]["text"]),
        (&json!("two"), &json!("something bad"))
    );
    assert_eq!(get(&node, "/api/admin/debate/records")["error"]["code"], "token_missing");
}

#[test]
fn the_partner_of_a_room_that_has_ended_can_be_reported_still() {
    let node = node();
    let (mut one, mut two, room) = two(&node);
    two.done("room:leave", Value::Null);
    one.event("room:ended");
    one.done("room:report", json!({"reason": "spam", "room": room}));
    never_meet(&node, &mut one, &mut two);
}

#[test]
fn whoever_was_cut_off_after_a_room_can_rate_it_and_block_the_partner_still() {
    let node = node();
    let (one, mut two, room) = two(&node);
    two.done("room:leave", Value::Null);
    drop(one);
    node.until("the cut is noticed", |metrics| metrics.sockets_open() == 1);
    let mut one = Person::debating(node.address(), "one");
    one.done("room:feedback", json!({"rating": 2, "room": room}));
    one.done("user:block", json!({"room": room}));
    never_meet(&node, &mut one, &mut two);
}

#[test]
fn a_block_ends_the_room_and_the_two_never_meet_again() {
    let node = node();
    let (mut one, mut two, room) = two(&node);
    one.done("user:block", json!({"room": room}));
    assert_eq!(
        (&one.event("room:ended")["reason"], &two.event("room:ended")["reason"]),
        (&json!("left"), &json!("left"))
    );
    never_meet(&node, &mut one, &mut two);
}

#[test]
fn a_block_counts_for_the_wish_that_is_out_already() {
    let node = node();
    let (mut one, mut two, _) = two(&node);
    one.done("room:next", Value::Null);
    one.done("user:block", Value::Null);
    two.event("room:ended");
    two.done("room:next", Value::Null);
    let (mut three, mut four) =
        (Person::debating(node.address(), "three"), Person::debating(node.address(), "four"));
    three.debate("tea", "against");
    four.debate("tea", "for");
    meet(&mut one, &mut three);
    meet(&mut two, &mut four);
}

#[test]
fn a_room_is_rated_once_by_each() {
    let node = node();
    let (mut one, mut two, room) = two(&node);
    one.done("room:feedback", json!({"rating": 5}));
    one.refused("room:feedback", json!({"rating": 4}), "already_rated");
    two.done("room:leave", Value::Null);
    one.event("room:ended");
    one.refused("room:feedback", json!({"rating": 4}), "already_rated");
    two.done("room:feedback", json!({"rating": 2, "text": " so-so ", "room": room}));
    let feedback = &as_operator(&node, "GET", "/api/admin/debate/records")["feedback"];
    let of = |at: usize| (&feedback[at]["user"], &feedback[at]["rating"], &feedback[at]["text"]);
    assert_eq!(of(0), (&json!("two"), &json!(2), &json!("so-so")));
    assert_eq!(of(1), (&json!("one"), &json!(5), &json!(null)));
    assert_eq!(feedback[1]["partner"], "two");
}

#[test]
fn a_room_is_reported_once_by_each() {
    let node = node();
    let (mut one, mut two, room) = two(&node);
    one.done("room:report", json!({"reason": "abuse"}));
    one.refused("room:report", json!({"reason": "abuse"}), "already_reported");
    one.refused("room:report", json!({"reason": "spam", "room": room}), "already_reported");
    two.event("room:ended");
    two.done("room:report", json!({"reason": "other"}));
    let records = as_operator(&node, "GET", "/api/admin/debate/records");
    assert_eq!(records["reports"].as_array().map(Vec::len), Some(2));
}

#[test]
fn operators_ask_for_what_concerns_a_user_a_room_or_a_report() {
    let node = node();
    let (mut one, mut two, room) = two(&node);
    let report = one.done("room:report", json!({"reason": "spam"}))["report"].clone();
    two.event("room:ended");
    two.done("room:report", json!({"reason": "other"}));
    two.done("room:feedback", json!({"rating": 1}));
    let counts = |query: &str| {
        let records = as_operator(&node, "GET", &format!("/api/admin/debate/records{query}"));
        ["reports", "feedback"].map(|list| records[list].as_array().map(Vec::len))
    };
    assert_eq!(counts(""), [Some(2), Some(1)]);
    assert_eq!(counts("?limit=1"), [Some(1), Some(1)]);
    assert_eq!(counts("?user=two&tenant=default"), [Some(2), Some(1)]);
    assert_eq!(counts(&format!("?room={room}")), [Some(2), Some(1)]);
    assert_eq!(counts(&format!("?report={}", report.as_str().unwrap())), [Some(1), Some(0)]);
    for nothing in ["?user=three", "?room=x", "?tenant=acme"] {
        assert_eq!(counts(nothing), [Some(0), Some(0)], "{nothing}");
    }
    // The room had ended when two reported it, and nobody had said a word before.
    let reports = &as_operator(&node, "GET", "/api/admin/debate/records")["reports"];
    assert_eq!((&reports[0]["messages"], &reports[1]["messages"]), (&json!(null), &json!([])));
    for bad in ["?limit=0", "?limit=1001", "?limit=x", "?colour=red"] {
        let refused = as_operator(&node, "GET", &format!("/api/admin/debate/records{bad}"));
        assert_eq!(refused["error"]["code"], "malformed_query", "{bad}");
    }
}
