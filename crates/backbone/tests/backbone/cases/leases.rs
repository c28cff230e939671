//! Cases of the leases.

use throng_backbone::LeaseError;
use tokio::task::JoinSet;

use crate::fleet::{Fleet, LONG, SHORT, outlast, until};

pub(crate) async fn one_of_many_gets_the_lease(fleet: &Fleet) {
    let nodes = [fleet.node("a").await, fleet.node("b").await];
    let mut asking = JoinSet::new();
    for n in 0..20 {
        let leases = nodes[n % 2].backbone.leases().clone();
        asking.spawn(async move { leases.acquire("sweep", LONG).await.expect("asked") });
    }
    assert_eq!(asking.join_all().await.into_iter().flatten().count(), 1);
    let other = nodes[0].backbone.leases().acquire("scale", LONG).await.expect("asked");
    assert!(other.is_some(), "another name is another lease");
}

pub(crate) async fn a_renewed_lease_stays(fleet: &Fleet) {
    let (a, b) = (fleet.node("a").await, fleet.node("b").await);
    let leases = a.backbone.leases();
    let mut held = None;
    until("it is renewed before it ends", async || {
        held = leases.acquire("sweep", SHORT).await.expect("asked");
        match &held {
            Some(lease) => leases.renew(lease, LONG).await.is_ok(),
            None => false,
        }
    })
    .await;
    outlast(&b).await;
    assert_eq!(b.backbone.leases().acquire("sweep", SHORT).await, Ok(None));
    leases.renew(&held.expect("it was acquired"), SHORT).await.expect("still held");
}

pub(crate) async fn a_lease_ends_and_its_holder_is_told(fleet: &Fleet) {
    let (a, b) = (fleet.node("a").await, fleet.node("b").await);
    let lease = a.backbone.leases().acquire("sweep", SHORT).await.expect("asked").expect("free");
    until("the lease ends", async || {
        b.backbone.leases().acquire("sweep", LONG).await.expect("asked").is_some()
    })
    .await;
    assert_eq!(a.backbone.leases().renew(&lease, LONG).await, Err(LeaseError::Lost));
    assert_eq!(a.backbone.leases().release(&lease).await, Err(LeaseError::Lost));
    assert_eq!(a.backbone.leases().acquire("sweep", SHORT).await, Ok(None), "it is b's still");
}

pub(crate) async fn a_released_lease_is_free(fleet: &Fleet) {
    let (a, b) = (fleet.node("a").await, fleet.node("b").await);
    let lease = a.backbone.leases().acquire("sweep", LONG).await.expect("asked").expect("free");
    a.backbone.leases().release(&lease).await.expect("held");
    assert!(b.backbone.leases().acquire("sweep", LONG).await.expect("asked").is_some());
}

pub(crate) async fn the_fence_only_grows(fleet: &Fleet) {
    let nodes = [fleet.node("a").await, fleet.node("b").await];
    let mut last = 0;
    for n in 0..20 {
        let leases = nodes[n % 2].backbone.leases();
        let lease = leases.acquire("sweep", LONG).await.expect("asked").expect("free");
        assert!(lease.fence > last);
        last = lease.fence;
        leases.release(&lease).await.expect("held");
    }
}
