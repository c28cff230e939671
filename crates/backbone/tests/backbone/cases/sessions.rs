//! Cases of the sessions.

use bytes::Bytes;
use throng_backbone::{Session, SessionError, SessionKey};
use tokio::task::JoinSet;

use crate::fleet::{Fleet, LONG, SHORT, outlast, until};

fn key() -> SessionKey {
    SessionKey::new("t", "s1")
}

pub(crate) async fn a_session_is_recorded_and_read(fleet: &Fleet) {
    let (a, b) = (fleet.node("a").await, fleet.node("b").await);
    assert_eq!(b.backbone.sessions().read(&key()).await, Ok(None));
    let value = Bytes::from_static(b"\0\xff");
    let hold = a.backbone.sessions().record(key(), value.clone(), LONG).await.expect("recorded");
    let session = Session { fence: hold.fence, value };
    assert_eq!(b.backbone.sessions().read(&key()).await, Ok(Some(session)));
    let other = SessionKey::new("u", "s1");
    assert_eq!(b.backbone.sessions().read(&other).await, Ok(None), "another tenant's is another");
}

pub(crate) async fn a_session_ends_unless_renewed(fleet: &Fleet) {
    let a = fleet.node("a").await;
    let sessions = a.backbone.sessions();
    let mut hold = sessions.record(key(), Bytes::from("1"), SHORT).await.expect("recorded");
    until("it is renewed before it ends", async || {
        hold = sessions.record(key(), Bytes::from("1"), SHORT).await.expect("recorded");
        sessions.renew(&hold, LONG).await.is_ok()
    })
    .await;
    outlast(&a).await;
    assert!(sessions.read(&key()).await.expect("read").is_some());
    sessions.renew(&hold, SHORT).await.expect("held");
    until("it ended", async || sessions.read(&key()).await == Ok(None)).await;
    assert_eq!(sessions.renew(&hold, SHORT).await, Err(SessionError::Gone));
    assert_eq!(sessions.take(&hold, SHORT).await, Err(SessionError::Gone));
}

pub(crate) async fn one_of_many_takes_a_session_over(fleet: &Fleet) {
    let nodes = [fleet.node("a").await, fleet.node("b").await];
    let hold = nodes[0].backbone.sessions().record(key(), Bytes::from("1"), LONG).await.expect("recorded");
    let mut taking = JoinSet::new();
    for n in 0..20 {
        let (sessions, hold) = (nodes[n % 2].backbone.sessions().clone(), hold.clone());
        taking.spawn(async move { sessions.take(&hold, LONG).await });
    }
    let (taken, refused): (Vec<_>, Vec<_>) = taking.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!((taken.len(), refused.len()), (1, 19));
    assert!(refused.iter().all(|refused| *refused == Err(SessionError::TakenOver)));
    let (new, value) = taken.into_iter().next().expect("one").expect("taken");
    assert_eq!(value, "1");
    assert!(new.fence > hold.fence);
    nodes[1].backbone.sessions().take(&new, LONG).await.expect("the new hold can be taken over");
}

pub(crate) async fn who_lost_a_session_has_no_say_in_it(fleet: &Fleet) {
    let (a, b) = (fleet.node("a").await, fleet.node("b").await);
    let (old, sessions) = (a.backbone.sessions(), b.backbone.sessions());
    let lost = old.record(key(), Bytes::from("1"), LONG).await.expect("recorded");
    let (hold, _) = sessions.take(&lost, LONG).await.expect("taken");
    sessions.update(&hold, Bytes::from("2"), LONG).await.expect("held");
    assert_eq!(old.renew(&lost, LONG).await, Err(SessionError::TakenOver));
    assert_eq!(old.update(&lost, Bytes::from("3"), LONG).await, Err(SessionError::TakenOver));
    assert_eq!(old.remove(&lost).await, Err(SessionError::TakenOver));
    let session = Session { fence: hold.fence, value: Bytes::from("2") };
    assert_eq!(old.read(&key()).await, Ok(Some(session)));
}

pub(crate) async fn a_removed_session_is_gone(fleet: &Fleet) {
    let a = fleet.node("a").await;
    let sessions = a.backbone.sessions();
    let hold = sessions.record(key(), Bytes::from("1"), LONG).await.expect("recorded");
    sessions.remove(&hold).await.expect("held");
    assert_eq!(sessions.read(&key()).await, Ok(None));
    assert_eq!(sessions.update(&hold, Bytes::from("2"), LONG).await, Err(SessionError::Gone));
    assert_eq!(sessions.remove(&hold).await, Err(SessionError::Gone));
}

pub(crate) async fn a_recorded_session_replaces_the_old(fleet: &Fleet) {
    let a = fleet.node("a").await;
    let sessions = a.backbone.sessions();
    let old = sessions.record(key(), Bytes::from("1"), LONG).await.expect("recorded");
    sessions.remove(&old).await.expect("held");
    let new = sessions.record(key(), Bytes::from("2"), LONG).await.expect("recorded");
    assert!(new.fence > old.fence);
    assert_eq!(sessions.renew(&old, LONG).await, Err(SessionError::TakenOver));
    assert_eq!(sessions.read(&key()).await.expect("read").expect("there").value, "2");
}
