//! Cases of the tickets.

use std::collections::BTreeMap;

use bytes::Bytes;
use throng_backbone::{Commit, Committed, Register, Scope, TicketsError, VALUE_BYTES_MAX};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::fleet::{Fleet, Node, PATIENCE};

fn scope() -> Scope {
    Scope::new("t", "debate")
}

/// Opens the scope, with its records as text.
async fn open(node: &Node, fence: u64) -> (Register, BTreeMap<String, String>) {
    let (register, records) = node.backbone.tickets().open(&scope(), fence).await.expect("opened");
    (register, texts(records))
}

fn texts(records: Vec<(Box<str>, Bytes)>) -> BTreeMap<String, String> {
    assert!(records.is_sorted(), "records come in order");
    let text = |(key, value): (Box<str>, Bytes)| (key.into(), String::from_utf8_lossy(&value).into_owned());
    records.into_iter().map(text).collect()
}

fn table(records: &[(&str, &str)]) -> BTreeMap<String, String> {
    records.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn put(key: &str) -> Commit {
    Commit::put(key, key.to_owned())
}

/// Two tickets become a pairing.
fn claim(tickets: [&str; 2], pairing: &str) -> Commit {
    let take = tickets.map(Box::from).to_vec();
    Commit { take, ..put(pairing) }
}

async fn done(register: &Register, commit: Commit) {
    assert_eq!(outcome(register, commit).await, Ok(Committed::Done));
}

async fn outcome(register: &Register, commit: Commit) -> Result<Committed, TicketsError> {
    timeout(PATIENCE, register.commit(commit)).await.expect("answered in time")
}

pub(crate) async fn what_is_committed_is_there_for_the_next(fleet: &Fleet) {
    let (a, b) = (fleet.node("a").await, fleet.node("b").await);
    let (register, records) = open(&a, 1).await;
    assert_eq!(records, table(&[]));
    done(&register, put("ann")).await;
    let both = Commit { remove: vec!["ann".into(), "nobody".into()], ..put("bob") };
    done(&register, both).await;
    done(&register, Commit::put("bob", "again")).await;
    done(&register, put("cy")).await;
    done(&register, Commit::remove("cy")).await;
    let renamed =
        Commit { take: vec!["bob".into()], put: vec![("bob".into(), "new".into())], ..Commit::default() };
    done(&register, renamed).await;
    let bytes = Bytes::from_static(b"\0\xff\r\n");
    done(&register, Commit::put("d:%\n", bytes.clone())).await;
    let (_, records) = b.backbone.tickets().open(&scope(), 2).await.expect("opened");
    assert_eq!(records, [("bob".into(), Bytes::from("new")), ("d:%\n".into(), bytes)]);
}

pub(crate) async fn two_tickets_are_claimed_once(fleet: &Fleet) {
    let a = fleet.node("a").await;
    let (register, _) = open(&a, 1).await;
    for user in ["ann", "bob", "cy"] {
        done(&register, put(user)).await;
    }
    // In line all at once, so that some share a batch.
    let claims = [claim(["ann", "bob"], "1"), claim(["bob", "cy"], "2"), claim(["cy", "dee"], "3")];
    let receipts: Vec<_> = claims.into_iter().map(|claim| register.commit(claim)).collect();
    let mut outcomes = Vec::new();
    for receipt in receipts {
        outcomes.push(receipt.await.expect("answered"));
    }
    assert_eq!(outcomes, [Committed::Done, Committed::Lost, Committed::Lost]);
    assert_eq!(open(&a, 1).await.1, table(&[("1", "1"), ("cy", "cy")]));
}

pub(crate) async fn whoever_opens_later_refuses_the_others(fleet: &Fleet) {
    let (a, b) = (fleet.node("a").await, fleet.node("b").await);
    let (old, _) = open(&a, 1).await;
    done(&old, put("ann")).await;
    let (new, records) = open(&b, 2).await;
    assert_eq!(records, table(&[("ann", "ann")]));
    assert_eq!(outcome(&old, Commit::remove("ann")).await, Err(TicketsError::Superseded));
    assert_eq!(outcome(&old, put("bob")).await, Err(TicketsError::Superseded), "and for good");
    done(&new, put("cy")).await;
    let refused = a.backbone.tickets().open(&scope(), 1).await.err();
    assert_eq!(refused, Some(TicketsError::Superseded), "a lower fence opens nothing");
    let (again, records) = open(&b, 2).await;
    assert_eq!(records, table(&[("ann", "ann"), ("cy", "cy")]));
    assert_eq!(outcome(&new, put("dee")).await, Err(TicketsError::Superseded), "one register at a time");
    done(&again, put("eve")).await;
}

pub(crate) async fn claims_of_two_registers_never_both_win(fleet: &Fleet) {
    let (a, b) = (fleet.node("a").await, fleet.node("b").await);
    let (old, _) = open(&a, 1).await;
    let names: Vec<[String; 2]> = (0..200).map(|n| [format!("ann{n}"), format!("bob{n}")]).collect();
    for receipt in names.iter().flatten().map(|name| old.commit(put(name))).collect::<Vec<_>>() {
        assert_eq!(receipt.await, Ok(Committed::Done));
    }
    let claims = |register: &Register, mark: &str| {
        let claim = |[ann, bob]: &[String; 2]| {
            register.commit(Commit {
                put: vec![(format!("p{ann}").into(), mark.to_owned().into())],
                ..claim([ann, bob], "")
            })
        };
        names.iter().map(claim).collect::<Vec<_>>()
    };
    let olds = claims(&old, "old");
    let (new, _) = open(&b, 2).await;
    let news = claims(&new, "new");
    let (mut won_before, mut won_after) = (0, 0);
    for (number, (old, new)) in olds.into_iter().zip(news).enumerate() {
        let (old, new) = (old.await, new.await.expect("the later one is not refused"));
        assert!(matches!(old, Ok(Committed::Done) | Err(TicketsError::Superseded)), "{number}: {old:?}");
        if old == Ok(Committed::Done) {
            assert_eq!(new, Committed::Lost, "both have won {number}");
            won_before += 1;
        }
        won_after += usize::from(new == Committed::Done);
    }
    let (_, records) = open(&b, 3).await;
    assert_eq!(records.len(), names.len(), "each is claimed once");
    let olds = records.values().filter(|mark| *mark == "old").count();
    assert!(olds >= won_before && records.len() - olds == won_after);
}

pub(crate) async fn many_commits_at_once_keep_their_order(fleet: &Fleet) {
    let a = fleet.node("a").await;
    let (register, _) = open(&a, 1).await;
    let mut waiting = JoinSet::new();
    for n in 0..5000 {
        let value = n.to_string();
        let receipt = register.commit(Commit::put(format!("key {}", n % 1500), value));
        waiting.spawn(receipt);
    }
    let outcomes = timeout(PATIENCE, waiting.join_all()).await.expect("answered in time");
    assert!(outcomes.iter().all(|outcome| *outcome == Ok(Committed::Done)));
    let (_, records) = open(&a, 2).await;
    let last =
        |n: usize| (format!("key {n}"), (n..5000).step_by(1500).next_back().expect("some").to_string());
    assert_eq!(records, (0..1500).map(last).collect());
}

pub(crate) async fn one_commit_takes_many_keys(fleet: &Fleet) {
    let a = fleet.node("a").await;
    let (register, _) = open(&a, 1).await;
    let keys: Vec<Box<str>> = (0..3001).map(|n| format!("key {n}").into()).collect();
    let all = keys.iter().map(|key| (key.clone(), Bytes::from("x"))).collect();
    done(&register, Commit { put: all, ..Commit::default() }).await;
    let mut but_one = Commit { take: keys.clone(), ..put("new") };
    but_one.take.push("nobody".into());
    assert_eq!(outcome(&register, but_one).await, Ok(Committed::Lost));
    assert_eq!(open(&a, 1).await.1.len(), 3001, "nothing of it happened");
    let (register, _) = open(&a, 1).await;
    done(&register, Commit { take: keys, ..put("new") }).await;
    assert_eq!(open(&a, 1).await.1, table(&[("new", "new")]));
}

pub(crate) async fn a_lease_that_was_got_back_raises_the_fence(fleet: &Fleet) {
    let (a, b) = (fleet.node("a").await, fleet.node("b").await);
    let (register, _) = open(&a, 1).await;
    done(&register, put("ann")).await;
    assert_eq!(register.raise(3).await, Ok(Committed::Done));
    done(&register, put("bob")).await;
    let refused = b.backbone.tickets().open(&scope(), 2).await.err();
    assert_eq!(refused, Some(TicketsError::Superseded), "its lease is older");
    let (_, records) = open(&b, 4).await;
    assert_eq!(records, table(&[("ann", "ann"), ("bob", "bob")]));
    assert_eq!(register.raise(5).await, Err(TicketsError::Superseded), "somebody was in between");
}

pub(crate) async fn what_is_too_large_is_refused(fleet: &Fleet) {
    let a = fleet.node("a").await;
    let (register, _) = open(&a, 1).await;
    let sized = |bytes: usize| Commit::put("ann", vec![b'x'; bytes]);
    let refused = TicketsError::TooLarge(VALUE_BYTES_MAX + 1);
    assert_eq!(outcome(&register, sized(VALUE_BYTES_MAX + 1)).await, Err(refused));
    done(&register, sized(VALUE_BYTES_MAX)).await;
    assert_eq!(open(&a, 2).await.1["ann"].len(), VALUE_BYTES_MAX);
}

pub(crate) async fn scopes_are_apart(fleet: &Fleet) {
    let a = fleet.node("a").await;
    let tickets = a.backbone.tickets();
    let (mine, _) = open(&a, 9).await;
    done(&mine, put("ann")).await;
    for other in [Scope::new("u", "debate"), Scope::new("t", "roulette")] {
        let (register, records) = tickets.open(&other, 1).await.expect("opened");
        assert_eq!(texts(records), table(&[]));
        done(&register, put("bob")).await;
    }
    done(&mine, put("cy")).await;
    assert_eq!(open(&a, 9).await.1, table(&[("ann", "ann"), ("cy", "cy")]));
}
