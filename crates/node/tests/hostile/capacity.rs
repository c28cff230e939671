//! More connections than the node takes.

use throng_testkit::{Client, Http};

use crate::Stage;

#[test]
fn connections_over_the_cap_are_told_when_to_come_back() {
    let mut stage = Stage::new(|config| config.connections_max = 4);
    let kept: Vec<_> = (0..3).map(|_| Client::connect(stage.node.address())).collect();
    for _ in 0..20 {
        let refused = Http::get(stage.node.address(), "/socket.io/?EIO=4&transport=polling");
        assert_eq!((refused.status, refused.header("retry-after")), (503, Some("5")));
    }
    stage.innocent.check();
    drop(kept);
    // Asking takes a place too: an answer means that places have become free.
    let freed = || Some(Http::get(stage.node.address(), "/metrics")).filter(|answer| answer.status == 200);
    throng_testkit::until("places become free", freed);
    assert!(stage.node.metrics().get("connections_refused_total") >= 20);
    let (mut late, _) = Client::connect(stage.node.address());
    late.check();
}
