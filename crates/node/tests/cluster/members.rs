//! Nodes that come and go.

use serde_json::{Value, json};

use crate::Fleet;

#[test]
fn a_node_that_leaves_is_not_asked() {
    let mut fleet = Fleet::start();
    let (mut a, _) = fleet.client(0);
    fleet.nodes.pop().expect("a third node").stop();
    for node in &fleet.nodes {
        node.until("one has left", |metrics| metrics.get("members") == 2);
    }
    let answer: Value = a.call("ask", (Some("nobody's"), 60_000)).decode().unwrap();
    assert_eq!(answer, json!({"said": [], "missing": 0, "silent": 0}));
}
