//! Cases of the members.

use std::sync::Arc;

use throng_backbone::{Heartbeat, Incarnation, Lease, LeaseError, Load, Member};

use crate::fleet::{Fleet, LONG, Node, PATIENCE, SHORT, until};

async fn sweeper(node: &Node) -> Lease {
    let lease = node.backbone.leases().acquire("sweep", LONG).await.expect("asked");
    lease.expect("nobody else has it")
}

fn incarnation(node: &Node) -> Incarnation {
    *node.backbone.members().incarnation().borrow()
}

async fn fallen(node: &Node, lease: &Lease) -> Vec<Member> {
    node.backbone.members().fallen(lease).await.expect("the lease is held")
}

pub(crate) async fn members_see_each_other(fleet: &Fleet) {
    let a = fleet.node("a").await;
    let b = fleet.node_with("b", |config| config.address = "10.0.0.2:4000".into()).await;
    let load = Load {
        connections: 3,
        rooms: 2,
        cpu: 0.5,
        memory_bytes: 1 << 40,
        capacity: 10_000,
        region: "eu \"1\"".to_owned(),
        version: "1.2.3".to_owned(),
        draining: true,
    };
    b.backbone.members().announce(load.clone());
    let expected: Arc<[Member]> = Arc::new([
        Member { node: "a".into(), address: "".into(), incarnation: incarnation(&a), load: Load::default() },
        Member { node: "b".into(), address: "10.0.0.2:4000".into(), incarnation: incarnation(&b), load },
    ]);
    let mut watch = a.backbone.members().watch();
    tokio::time::timeout(PATIENCE, watch.wait_for(|members| *members == expected))
        .await
        .expect("a sees both in time")
        .expect("a is open");
    until("b sees both", async || b.backbone.members().list() == expected).await;
}

pub(crate) async fn a_leaver_is_gone_at_once(fleet: &Fleet) {
    let (a, b) = (fleet.node("a").await, fleet.node("b").await);
    until("a sees b", async || a.backbone.members().list().len() == 2).await;
    let members = b.backbone.members().clone();
    drop(b);
    members.leave().await.expect("left");
    until("a sees b no more", async || a.backbone.members().list().len() == 1).await;
}

pub(crate) async fn the_dead_are_found_and_buried_once(fleet: &Fleet) {
    let (a, c) = (fleet.node("a").await, fleet.node("c").await);
    let mortal = Heartbeat { interval: LONG, dead_after: SHORT };
    let b = fleet.node_with("b", |config| config.heartbeat = mortal).await;
    let lease = sweeper(&a).await;
    let dead = incarnation(&b);
    let members = a.backbone.members();
    assert_eq!(members.bury(&lease, incarnation(&c)).await, Ok(false), "the living are not buried");
    drop(b);
    until("b is dead", async || !fallen(&a, &lease).await.is_empty()).await;
    let found = fallen(&a, &lease).await;
    assert_eq!((&*found[0].node, found[0].incarnation, found.len()), ("b", dead, 1));
    until("a sees b no more", async || members.list().len() == 2).await;
    assert_eq!(members.bury(&lease, dead).await, Ok(true));
    assert_eq!(members.bury(&lease, dead).await, Ok(false));
    assert_eq!(fallen(&a, &lease).await, []);
}

pub(crate) async fn who_was_buried_alive_starts_anew(fleet: &Fleet) {
    let a = fleet.node("a").await;
    // Silent for much longer than it takes the others to take it for dead.
    let silence = Heartbeat { interval: SHORT * 5, dead_after: SHORT };
    let b = fleet.node_with("b", |config| config.heartbeat = silence).await;
    let lease = sweeper(&a).await;
    let buried = incarnation(&b);
    until("b was buried", async || a.backbone.members().bury(&lease, buried).await == Ok(true)).await;
    let mut watch = b.backbone.members().incarnation();
    let anew = tokio::time::timeout(PATIENCE, watch.wait_for(|now| *now != buried)).await;
    anew.expect("b notices in time").expect("b is open");
    until("a sees the new b", async || {
        a.backbone.members().list().iter().any(|member| member.incarnation == incarnation(&b))
    })
    .await;
}

pub(crate) async fn a_late_holder_buries_nobody(fleet: &Fleet) {
    let (a, b) = (fleet.node("a").await, fleet.node("b").await);
    let early = sweeper(&a).await;
    a.backbone.leases().release(&early).await.expect("it was held");
    let late = sweeper(&b).await;
    assert_eq!(fallen(&b, &late).await, []);
    assert_eq!(a.backbone.members().fallen(&early).await, Err(LeaseError::Lost));
    assert_eq!(a.backbone.members().bury(&early, incarnation(&b)).await, Err(LeaseError::Lost));
}
