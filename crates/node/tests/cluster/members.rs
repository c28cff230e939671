//! Nodes that come and go.

use std::time::Duration;

use serde_json::{Value, json};
use throng_backbone::{Backbone, Config, Heartbeat};
use throng_testkit::until;

use crate::Fleet;

#[test]
fn a_node_that_crashes_is_cleared_away_by_one_of_the_others() {
    let fleet = Fleet::start();
    let heartbeat = Heartbeat { interval: Duration::from_millis(50), dead_after: Duration::from_millis(200) };
    let config = Config { heartbeat, ..Config::new("crashes", fleet.store.clone()) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let opened = runtime.block_on(Backbone::open(config)).unwrap();
    drop((opened, runtime));
    let swept = |name: &str| fleet.nodes.iter().map(|node| node.metrics().get(name)).sum::<u64>();
    until("it is cleared away", || (swept("members_swept_total") > 0).then_some(()));
    assert_eq!(swept("members_swept_total"), 1);
    assert_eq!(swept("members"), 9);
}

#[test]
fn a_node_that_leaves_is_not_asked() {
    let mut fleet = Fleet::start();
    let (mut a, _) = fleet.client(0);
    fleet.nodes.pop().expect("a third node").stop();
    for node in &fleet.nodes {
        node.until("one has left", |metrics| metrics.get("members") == 2);
    }
    let answer: Value = a.call("ask", (Some("nobody's"), 60_000)).decode().unwrap();
    assert_eq!(answer, json!({"said": [], "missing": 0, "silent": []}));
}
