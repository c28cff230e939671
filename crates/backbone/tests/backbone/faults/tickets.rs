//! Tickets while servers fail: nothing is done twice, nothing is lost.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use throng_backbone::{Commit, Committed, Register, Scope, TicketsError};
use tokio::time::timeout;

use crate::fleet::{Fleet, Node, PATIENCE, until};
use crate::servers::{Cluster, Sentinels, Single};

/// How often connections are broken at least.
const TURNS: u64 = 50;

/// A record goes from one name to the next, again and again: a commit that were done twice, or not at all, would find it gone.
async fn pass_on(register: &Register, turns: Range<u64>) {
    let pass = |n: u64| Commit { take: vec![n.to_string().into()], ..Commit::put((n + 1).to_string(), "x") };
    let receipts: Vec<_> = turns.map(|n| register.commit(pass(n))).collect();
    for receipt in receipts {
        let outcome = timeout(PATIENCE, receipt).await.expect("answered in time");
        assert_eq!(outcome, Ok(Committed::Done));
    }
}

/// The keys of all records, for whoever opens the scope with this fence.
async fn keys_of(node: &Node, fence: u64) -> Vec<String> {
    let mut opened = node.backbone.tickets().open(&tickets(), fence).await;
    until("the store can be read", async || {
        if opened.is_err() {
            opened = node.backbone.tickets().open(&tickets(), fence).await;
        }
        opened.is_ok()
    })
    .await;
    let (_, records) = opened.expect("it is opened");
    records.into_iter().map(|(key, _)| key.into()).collect()
}

fn tickets() -> Scope {
    Scope::new("t", "debate")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_batch_of_tickets_is_done_twice_while_connections_break() {
    let cluster = Cluster::start();
    let node = Fleet::redis(cluster.deployment()).node("a").await;
    let (register, _) = node.backbone.tickets().open(&tickets(), 1).await.expect("opened");
    pass_on_from_nothing(&register).await;
    let (passed, enough) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let (seen, over) = (passed.clone(), enough.clone());
    let breaking = tokio::task::spawn_blocking(move || {
        while !over.load(Ordering::Relaxed) {
            cluster.primaries.iter().for_each(|primary| primary.ask("CLIENT KILL TYPE normal"));
            // Some come through in between.
            let some = seen.load(Ordering::Relaxed) + 1;
            while seen.load(Ordering::Relaxed) < some && !over.load(Ordering::Relaxed) {
                std::thread::park_timeout(Duration::from_millis(1));
            }
        }
        cluster
    });
    for turn in 0..TURNS {
        pass_on(&register, turn * 20..(turn + 1) * 20).await;
        passed.fetch_add(1, Ordering::Relaxed);
    }
    enough.store(true, Ordering::Relaxed);
    let _cluster = breaking.await.expect("broken");
    assert_eq!(keys_of(&node, 2).await, [(TURNS * 20).to_string()]);
}

async fn pass_on_from_nothing(register: &Register) {
    let begun = timeout(PATIENCE, register.commit(Commit::put("0", "x"))).await.expect("answered in time");
    assert_eq!(begun, Ok(Committed::Done));
}

#[tokio::test]
async fn tickets_that_a_store_lost_are_written_anew() {
    let single = Single::start();
    let fleet = Fleet::redis(single.deployment());
    let (a, b) = (fleet.node("a").await, fleet.node("b").await);
    let (zombie, _) = a.backbone.tickets().open(&tickets(), 1).await.expect("opened");
    let (register, _) = b.backbone.tickets().open(&tickets(), 2).await.expect("opened");
    let put = |n: usize| register.commit(Commit::put(format!("{n:04}"), vec![b'x'; 1000]));
    let receipts: Vec<_> = (0..3000).map(put).collect();
    for receipt in receipts {
        assert_eq!(receipt.await, Ok(Committed::Done));
    }
    assert_eq!(register.commit(Commit::remove("0000")).await, Ok(Committed::Done));
    single.server.kill();
    let waiting = [put(3000), register.commit(Commit { take: vec!["0001".into()], ..Commit::default() })];
    until("the register knows that it waits", async || register.is_stalled()).await;
    single.server.restart();
    for receipt in waiting {
        assert_eq!(timeout(PATIENCE, receipt).await.expect("answered in time"), Ok(Committed::Done));
    }
    assert!(!register.is_stalled());
    assert_eq!(zombie.commit(Commit::put("z", "x")).await, Err(TicketsError::Superseded));
    let expect: Vec<String> = (2..=3000).map(|n| format!("{n:04}")).collect();
    assert_eq!(keys_of(&a, 3).await, expect);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tickets_survive_the_primary_behind_sentinels() {
    let sentinels = Sentinels::start();
    let node = Fleet::redis(sentinels.deployment()).node("a").await;
    let (register, _) = node.backbone.tickets().open(&tickets(), 1).await.expect("opened");
    pass_on_from_nothing(&register).await;
    pass_on(&register, 0..1000).await;
    sentinels.servers[0].kill();
    // The replica may not have had all of it.
    pass_on(&register, 1000..2000).await;
    assert_eq!(keys_of(&node, 2).await, ["2000"]);
}
