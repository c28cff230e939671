//! Cases of the documents.

use bytes::Bytes;
use throng_backbone::{Document, DocumentError, DocumentKey, Documents, Expect, Terms};
use tokio::task::JoinSet;

use crate::fleet::{Fleet, SHORT, outlast, until};

fn key() -> DocumentKey {
    DocumentKey::new("t", "score")
}

async fn put(documents: &Documents, value: &str, expect: Expect) -> Result<u64, DocumentError> {
    documents.put(&key(), Bytes::from(value.to_owned()), Terms { expect, ttl: None }).await
}

pub(crate) async fn a_value_is_written_and_read(fleet: &Fleet) {
    let (a, b) = (fleet.node("a").await, fleet.node("b").await);
    assert_eq!(b.backbone.documents().get(&key()).await, Ok(None));
    let value = Bytes::from_static(b"\0\xff\r\n");
    let terms = Terms { expect: Expect::Absent, ttl: None };
    let version = a.backbone.documents().put(&key(), value.clone(), terms).await.expect("written");
    assert_eq!(b.backbone.documents().get(&key()).await, Ok(Some(Document { version, value })));
}

pub(crate) async fn a_change_of_an_old_version_is_refused(fleet: &Fleet) {
    let a = fleet.node("a").await;
    let documents = a.backbone.documents();
    let nothing = put(documents, "0", Expect::Version(1)).await;
    assert_eq!(nothing, Err(DocumentError::Conflict(None)));
    let first = put(documents, "1", Expect::Absent).await.expect("written");
    let second = put(documents, "2", Expect::Version(first)).await.expect("written");
    assert!(second > first);
    let conflict = Err(DocumentError::Conflict(Some(second)));
    assert_eq!(put(documents, "3", Expect::Version(first)).await, conflict);
    assert_eq!(put(documents, "3", Expect::Absent).await, conflict);
    let removed = documents.remove(&key(), Expect::Version(first)).await;
    assert_eq!(removed, Err(DocumentError::Conflict(Some(second))));
    let there = documents.get(&key()).await.expect("read").expect("there");
    assert_eq!((there.version, there.value), (second, Bytes::from("2")));
    assert!(put(documents, "4", Expect::Anything).await.expect("written") > second);
}

pub(crate) async fn a_removed_value_does_not_repeat_its_versions(fleet: &Fleet) {
    let a = fleet.node("a").await;
    let documents = a.backbone.documents();
    let first = put(documents, "1", Expect::Absent).await.expect("written");
    documents.remove(&key(), Expect::Version(first)).await.expect("removed");
    assert_eq!(documents.get(&key()).await, Ok(None));
    documents.remove(&key(), Expect::Anything).await.expect("removing nothing is no error");
    let second = put(documents, "2", Expect::Absent).await.expect("written");
    assert!(second > first, "{second} after {first}");
}

pub(crate) async fn a_value_ends_in_time(fleet: &Fleet) {
    let a = fleet.node("a").await;
    let documents = a.backbone.documents();
    let brief = Terms { expect: Expect::Anything, ttl: Some(SHORT) };
    documents.put(&key(), Bytes::from("1"), brief).await.expect("written");
    until("it ended", async || documents.get(&key()).await == Ok(None)).await;
    until("it was changed before it ended", async || {
        let version = documents.put(&key(), Bytes::from("2"), brief).await.expect("written");
        put(documents, "3", Expect::Version(version)).await.is_ok()
    })
    .await;
    outlast(&a).await;
    assert!(documents.get(&key()).await.expect("read").is_some(), "without a time it does not end");
}

pub(crate) async fn no_change_is_lost_among_many(fleet: &Fleet) {
    let nodes = [fleet.node("a").await, fleet.node("b").await];
    let mut counting = JoinSet::new();
    for n in 0..8 {
        let documents = nodes[n % 2].backbone.documents().clone();
        counting.spawn(async move {
            for _ in 0..5 {
                count(&documents).await;
            }
        });
    }
    counting.join_all().await;
    let counted = nodes[0].backbone.documents().get(&key()).await.expect("read").expect("there");
    assert_eq!(counted.value, "40");
}

async fn count(documents: &Documents) {
    loop {
        let before = documents.get(&key()).await.expect("read");
        let expect = before.as_ref().map_or(Expect::Absent, |there| Expect::Version(there.version));
        let before = before.map_or_else(|| Bytes::from("0"), |there| there.value);
        let count: u32 = String::from_utf8_lossy(&before).parse().expect("a number");
        match put(documents, &(count + 1).to_string(), expect).await {
            Ok(_) => return,
            Err(DocumentError::Conflict(_)) => {}
            Err(DocumentError::Store(error)) => panic!("{error}"),
        }
    }
}

pub(crate) async fn fields_of_a_hash_are_set_one_by_one(fleet: &Fleet) {
    let (a, b) = (fleet.node("a").await, fleet.node("b").await);
    let (one, other) = (a.backbone.documents(), b.backbone.documents());
    assert_eq!(other.hash_all(&key()).await, Ok(Vec::new()));
    one.hash_set(&key(), &[("b", Bytes::from("1")), ("a", Bytes::from_static(b"\0"))], None)
        .await
        .expect("set");
    other.hash_set(&key(), &[("b", Bytes::from("2"))], None).await.expect("set");
    let all = vec![("a".to_owned(), Bytes::from_static(b"\0")), ("b".to_owned(), Bytes::from("2"))];
    assert_eq!(one.hash_all(&key()).await, Ok(all));
    assert_eq!(one.hash_get(&key(), "b").await, Ok(Some(Bytes::from("2"))));
    assert_eq!(one.hash_remove(&key(), &["b", "c"]).await, Ok(1));
    assert_eq!(other.hash_get(&key(), "b").await, Ok(None));
    assert_eq!(other.get(&key()).await, Ok(None), "values and hashes have names of their own");
}

pub(crate) async fn a_hash_ends_in_time(fleet: &Fleet) {
    let a = fleet.node("a").await;
    let documents = a.backbone.documents();
    documents.hash_set(&key(), &[("a", Bytes::from("1"))], Some(SHORT)).await.expect("set");
    until("it ended", async || documents.hash_all(&key()).await == Ok(Vec::new())).await;
    until("it was changed before it ended", async || {
        documents.hash_set(&key(), &[("a", Bytes::from("1"))], Some(SHORT)).await.expect("set");
        documents.hash_set(&key(), &[("b", Bytes::from("2"))], None).await.expect("set");
        documents.hash_all(&key()).await.expect("read").len() == 2
    })
    .await;
    outlast(&a).await;
    assert_eq!(documents.hash_all(&key()).await.expect("read").len(), 2, "without a time it does not end");
}

pub(crate) async fn a_hash_takes_many_fields(fleet: &Fleet) {
    let a = fleet.node("a").await;
    let documents = a.backbone.documents();
    let names: Vec<String> = (0..10_000).map(|n| n.to_string()).collect();
    let fields: Vec<(&str, Bytes)> = names.iter().map(|name| (name.as_str(), Bytes::from("x"))).collect();
    documents.hash_set(&key(), &fields, None).await.expect("set");
    assert_eq!(documents.hash_all(&key()).await.expect("read").len(), names.len());
}

pub(crate) async fn tenants_do_not_share_documents(fleet: &Fleet) {
    let a = fleet.node("a").await;
    let documents = a.backbone.documents();
    put(documents, "1", Expect::Absent).await.expect("written");
    documents.hash_set(&key(), &[("a", Bytes::from("1"))], None).await.expect("set");
    let other = DocumentKey::new("u", "score");
    assert_eq!(documents.get(&other).await, Ok(None));
    assert_eq!(documents.hash_all(&other).await, Ok(Vec::new()));
}
