//! Ends that come from outside of a room: a node that goes away, an operator.

use serde_json::{Value, json};
use throng_apps::rooms;
use throng_testkit::until;

use crate::people::{Person, as_operator, get, node_of, two};

#[test]
fn a_node_that_leaves_says_so() {
    let mut node = node_of(rooms::Config::default());
    let (mut one, mut two, room) = two(&node);
    let mut three = Person::debating(node.address(), "three");
    three.debate("art", "any");
    node.begin_stop();
    let ended = json!({"room": room, "reason": "drain", "next": "none"});
    assert_eq!((one.event("room:ended"), two.event("room:ended")), (ended.clone(), ended));
    three.0.wait_closed();
}

#[test]
fn whoever_an_operator_ends_takes_the_room_along() {
    let node = node_of(rooms::Config::default());
    let (mut one, mut two, room) = two(&node);
    assert_eq!(as_operator(&node, "DELETE", "/api/admin/users/one")["ended"], 1);
    let ended = |next| json!({"room": room, "reason": "operator", "next": next});
    assert_eq!((one.event("room:ended"), two.event("room:ended")), (ended("none"), ended("offered")));
    one.0.wait_closed();
    let mut one = Person::debating(node.address(), "one");
    one.refused("room:leave", Value::Null, "room_ended");
}

#[test]
fn whoever_an_operator_ends_waits_no_more() {
    let node = node_of(rooms::Config::default());
    let mut one = Person::debating(node.address(), "one");
    one.debate("tea", "for");
    as_operator(&node, "DELETE", "/api/admin/users/one");
    one.0.wait_closed();
    until("the ticket goes", || (get(&node, "/api/stats")["waitingUsers"] == 0).then_some(()));
}
