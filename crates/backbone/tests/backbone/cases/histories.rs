//! Cases of the histories.

use bytes::Bytes;
use throng_backbone::{Channel, Entry, Gone, Histories, Position, Replay, Retention, Room};
use tokio::task::JoinSet;

use crate::fleet::{Fleet, LONG, SHORT, until};

const KEEP: Retention = Retention { entries_max: 5, ttl: LONG, epoch_ttl: LONG };

fn room(name: &str) -> Room {
    Room { tenant: "t".into(), namespace: "/".into(), room: name.into() }
}

async fn append(histories: &Histories, bytes: &str, keep: Retention) -> Position {
    histories.append(&room("tea"), Bytes::from(bytes.to_owned()), keep).await.expect("appended")
}

fn whole(entries: &[(u64, &str)]) -> Replay {
    let entries = entries.iter();
    let entry =
        |(offset, bytes): &(u64, &str)| Entry { offset: *offset, bytes: Bytes::from((*bytes).to_owned()) };
    Replay::Whole(entries.map(entry).collect())
}

async fn after(histories: &Histories, position: Position, max: usize) -> Replay {
    histories.after(&room("tea"), position, max).await.expect("asked")
}

pub(crate) async fn an_appended_message_arrives_with_its_position(fleet: &Fleet) {
    let (a, mut b) = (fleet.node("a").await, fleet.node("b").await);
    let channel = Channel::Room(room("tea"));
    b.subscribe(&channel).await;
    let before = b.backbone.histories().position(&room("tea"), KEEP).await.expect("asked");
    assert_eq!(before.offset, 0);
    let bytes = Bytes::from_static(b"\0:\xff\r\n");
    let position = a.backbone.histories().append(&room("tea"), bytes.clone(), KEEP).await.expect("appended");
    assert_eq!(position, Position { offset: 1, ..before });
    assert_eq!(b.message().await, (channel, bytes, Some(position)));
}

pub(crate) async fn what_was_missed_is_told_whole(fleet: &Fleet) {
    let (a, b) = (fleet.node("a").await, fleet.node("b").await);
    let start = a.backbone.histories().position(&room("tea"), KEEP).await.expect("asked");
    assert_eq!(after(b.backbone.histories(), start, 10).await, whole(&[]));
    let first = append(a.backbone.histories(), "one", KEEP).await;
    let second = append(a.backbone.histories(), "two", KEEP).await;
    let histories = b.backbone.histories();
    assert_eq!(after(histories, start, 2).await, whole(&[(1, "one"), (2, "two")]));
    assert_eq!(after(histories, first, 2).await, whole(&[(2, "two")]));
    assert_eq!(after(histories, second, 2).await, whole(&[]));
    assert_eq!(histories.position(&room("tea"), KEEP).await, Ok(second));
}

pub(crate) async fn what_is_trimmed_is_gone(fleet: &Fleet) {
    let a = fleet.node("a").await;
    let histories = a.backbone.histories();
    let first = append(histories, "1", KEEP).await;
    for n in 2..=6 {
        append(histories, &n.to_string(), KEEP).await;
    }
    let all = whole(&[(2, "2"), (3, "3"), (4, "4"), (5, "5"), (6, "6")]);
    assert_eq!(after(histories, first, 10).await, all);
    append(histories, "7", KEEP).await;
    assert_eq!(after(histories, first, 10).await, Replay::Gone(Gone::Trimmed));
}

pub(crate) async fn more_than_asked_for_is_gone(fleet: &Fleet) {
    let a = fleet.node("a").await;
    let histories = a.backbone.histories();
    let first = append(histories, "1", KEEP).await;
    for n in 2..=4 {
        append(histories, &n.to_string(), KEEP).await;
    }
    assert_eq!(after(histories, first, 2).await, Replay::Gone(Gone::TooMany));
    assert_eq!(after(histories, first, 3).await, whole(&[(2, "2"), (3, "3"), (4, "4")]));
}

pub(crate) async fn what_is_appended_again_is_there_once(fleet: &Fleet) {
    let a = fleet.node("a").await;
    let histories = a.backbone.histories();
    let again = async |bytes: &'static [u8]| {
        histories.append_again(&room("tea"), Bytes::from_static(bytes), KEEP).await.expect("appended")
    };
    let first = again(b"\0one\xff").await;
    let second = append(histories, "two", KEEP).await;
    assert_eq!([again(b"\0one\xff").await, again(b"two").await], [first, second]);
    assert_eq!(again(b"three").await, Position { offset: 3, ..first });
    for n in 4..=7 {
        append(histories, &n.to_string(), KEEP).await;
    }
    assert_eq!(again(b"two").await.offset, 8, "what is not kept any more is not found");
}

pub(crate) async fn a_position_of_another_history_is_gone(fleet: &Fleet) {
    let a = fleet.node("a").await;
    let histories = a.backbone.histories();
    let made_up = Position { epoch: 7, offset: 0 };
    assert_eq!(after(histories, made_up, 10).await, Replay::Gone(Gone::OtherEpoch));
    let first = append(histories, "1", KEEP).await;
    assert_eq!(
        after(histories, Position { epoch: first.epoch + 1, ..first }, 9).await,
        Replay::Gone(Gone::OtherEpoch)
    );
    assert_eq!(after(histories, Position { offset: 2, ..first }, 9).await, Replay::Gone(Gone::Ahead));
    assert_eq!(after(histories, Position { offset: u64::MAX, ..first }, 9).await, Replay::Gone(Gone::Ahead));
}

pub(crate) async fn entries_end_and_the_count_goes_on(fleet: &Fleet) {
    let a = fleet.node("a").await;
    let histories = a.backbone.histories();
    let short = Retention { ttl: SHORT, ..KEEP };
    let start = histories.position(&room("tea"), short).await.expect("asked");
    let first = append(histories, "1", short).await;
    until("the entry ended", async || after(histories, start, 9).await == Replay::Gone(Gone::Trimmed)).await;
    assert_eq!(after(histories, first, 9).await, whole(&[]), "who missed nothing is told so");
    let second = append(histories, "2", KEEP).await;
    assert_eq!(second, Position { offset: 2, ..first });
    assert_eq!(after(histories, first, 9).await, whole(&[(2, "2")]));

    let brief = Retention { epoch_ttl: SHORT, ..short };
    append(histories, "3", brief).await;
    until("the history ended", async || after(histories, first, 9).await == Replay::Gone(Gone::OtherEpoch))
        .await;
    let anew = append(histories, "1", KEEP).await;
    assert!(anew.epoch > first.epoch && anew.offset == 1, "{anew:?}");
}

pub(crate) async fn positions_and_deliveries_have_one_order(fleet: &Fleet) {
    let nodes = [fleet.node("a").await, fleet.node("b").await];
    let mut c = fleet.node("c").await;
    c.subscribe(&Channel::Room(room("tea"))).await;
    let mut appending = JoinSet::new();
    for n in 0..10 {
        let histories = nodes[n % 2].backbone.histories().clone();
        appending.spawn(async move {
            for _ in 0..10 {
                append(&histories, "x", KEEP).await;
            }
        });
    }
    for offset in 1..=100 {
        assert_eq!(c.message().await.2.expect("a position").offset, offset);
    }
    appending.join_all().await;
}

pub(crate) async fn rooms_have_histories_of_their_own(fleet: &Fleet) {
    let a = fleet.node("a").await;
    let histories = a.backbone.histories();
    append(histories, "1", KEEP).await;
    let others = [
        room("water"),
        Room { tenant: "u".into(), ..room("tea") },
        Room { namespace: "/chat".into(), ..room("tea") },
    ];
    for other in others {
        let position = histories.position(&other, KEEP).await.expect("asked");
        assert_eq!(position.offset, 0);
        assert_eq!(histories.after(&other, position, 9).await, Ok(whole(&[])));
    }
}
