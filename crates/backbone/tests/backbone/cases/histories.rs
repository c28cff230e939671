//! Cases of the histories.

use std::collections::BTreeSet;

use bytes::Bytes;
use throng_backbone::{
    Batch, Channel, Entry, Gone, Histories, PAYLOAD_BYTES_MAX, Position, Replay, Retention, Room, StoreError,
};
use tokio::task::JoinSet;

use crate::fleet::{Fleet, LONG, SHORT, until};

const KEEP: Retention = Retention { entries_max: 5, bytes_max: 1 << 30, ttl: LONG, epoch_ttl: LONG };

fn room(name: &str) -> Room {
    Room { tenant: "t".into(), namespace: "/".into(), room: name.into() }
}

/// For somebody who knows of nothing.
fn fresh(messages: &[Bytes]) -> Batch<'_> {
    Batch { messages, known: None }
}

async fn append(histories: &Histories, bytes: &str, keep: Retention) -> Position {
    histories.append(&room("tea"), fresh(&[Bytes::from(bytes.to_owned())]), keep).await.expect("appended")
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
    let batch = fresh(std::slice::from_ref(&bytes));
    let position = a.backbone.histories().append(&room("tea"), batch, KEEP).await.expect("appended");
    assert_eq!(position, Position { offset: 1, ..before });
    assert_eq!(b.message().await, (channel, bytes, Some(position)));
}

pub(crate) async fn messages_that_are_appended_together_stay_together(fleet: &Fleet) {
    let (a, b, mut c) = (fleet.node("a").await, fleet.node("b").await, fleet.node("c").await);
    c.subscribe(&Channel::Room(room("tea"))).await;
    let start = a.backbone.histories().position(&room("tea"), KEEP).await.expect("asked");
    let batch = |name: &str| ["1", "2", "3"].map(|n| Bytes::from(format!("{name}{n}")));
    let keep = Retention { entries_max: 100, ..KEEP };
    let mut appending = JoinSet::new();
    for node in [&a, &b] {
        for round in 0..10 {
            let (histories, batch) = (node.backbone.histories().clone(), batch(&format!("{round} ")));
            appending.spawn(async move { histories.append(&room("tea"), fresh(&batch), keep).await });
        }
    }
    let ends = appending.join_all().await.into_iter().map(|end| end.expect("appended").offset);
    assert_eq!(ends.collect::<BTreeSet<_>>(), (1..=20).map(|n| 3 * n).collect());
    let Replay::Whole(entries) = after(b.backbone.histories(), start, 100).await else {
        panic!("it is whole")
    };
    for (entry, n) in entries.iter().zip((1..=3).cycle()) {
        assert!(entry.bytes.ends_with(n.to_string().as_bytes()), "{entries:?}");
        let (_, bytes, position) = c.message().await;
        let position = position.expect("it was appended");
        assert_eq!((bytes, position.offset), (entry.bytes.clone(), entry.offset));
    }
}

pub(crate) async fn nothing_and_what_is_too_large_are_not_appended(fleet: &Fleet) {
    let a = fleet.node("a").await;
    let histories = a.backbone.histories();
    let start = histories.position(&room("tea"), KEEP).await.expect("asked");
    let large = Bytes::from(vec![b'x'; PAYLOAD_BYTES_MAX + 1]);
    for batch in [&[][..], &[Bytes::from_static(b"small"), large]] {
        let refused = histories.append(&room("tea"), fresh(batch), KEEP).await;
        assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
    }
    assert_eq!(after(histories, start, 9).await, whole(&[]));
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

pub(crate) async fn what_has_more_bytes_than_are_kept_is_gone(fleet: &Fleet) {
    let a = fleet.node("a").await;
    let histories = a.backbone.histories();
    let keep = Retention { bytes_max: 10, ..KEEP };
    let start = histories.position(&room("tea"), keep).await.expect("asked");
    let at = |offset| Position { offset, ..start };
    for bytes in ["aaaa", "bbbb", "cc"] {
        append(histories, bytes, keep).await;
    }
    assert_eq!(after(histories, start, 10).await, whole(&[(1, "aaaa"), (2, "bbbb"), (3, "cc")]));
    append(histories, "d", keep).await;
    assert_eq!(after(histories, start, 10).await, Replay::Gone(Gone::Trimmed));
    assert_eq!(after(histories, at(1), 10).await, whole(&[(2, "bbbb"), (3, "cc"), (4, "d")]));
    append(histories, "more than ten", keep).await;
    assert_eq!(after(histories, at(3), 10).await, Replay::Gone(Gone::Trimmed));
    assert_eq!(after(histories, at(4), 10).await, whole(&[(5, "more than ten")]));
    for bytes in ["1", "2", "3", "4", "5", "6", "7"] {
        append(histories, bytes, keep).await;
    }
    let last = whole(&[(8, "3"), (9, "4"), (10, "5"), (11, "6"), (12, "7")]);
    assert_eq!(after(histories, at(7), 10).await, last, "by their number");
    for (bytes, expect) in [("eeeee", 6), ("f", 7)] {
        append(histories, bytes, keep).await;
        let Replay::Whole(entries) = after(histories, at(expect + 2), 10).await else {
            panic!("it is whole")
        };
        assert_eq!(entries.len(), 5, "nothing that has gone is counted");
    }
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
    let again = async |batch: &[&'static [u8]]| {
        let batch: Vec<_> = batch.iter().copied().map(Bytes::from_static).collect();
        histories.append_again(&room("tea"), fresh(&batch), KEEP).await.expect("appended")
    };
    let start = histories.position(&room("tea"), KEEP).await.expect("asked");
    let first = again(&[b"\0one\xff", b"two"]).await;
    assert_eq!(first, Position { offset: 2, ..start });
    let second = append(histories, "three", KEEP).await;
    assert_eq!([again(&[b"\0one\xff", b"two"]).await, again(&[b"three"]).await], [first, second]);
    assert_eq!(after(histories, first, 9).await, whole(&[(3, "three")]));
    let all = whole(&[(4, "4"), (5, "5"), (6, "6"), (7, "7"), (8, "8")]);
    let many: [&[u8]; 5] = [b"4", b"5", b"6", b"7", b"8"];
    for _ in 0..2 {
        assert_eq!(again(&many).await.offset, 8, "a batch of as many as are kept is found too");
        assert_eq!(after(histories, second, 9).await, all);
    }
    assert_eq!(again(&[b"three"]).await.offset, 9, "what is not kept any more is not found");
}

pub(crate) async fn a_history_that_has_lost_its_end_begins_anew(fleet: &Fleet) {
    let a = fleet.node("a").await;
    let histories = a.backbone.histories();
    let top = append(histories, "1", KEEP).await;
    let lost = Some(Position { offset: 2, ..top });
    for known in [None, Some(top), Some(Position { epoch: top.epoch - 1, offset: 9 })] {
        assert_eq!(histories.position_past(&room("tea"), known, KEEP).await, Ok(top), "nothing is lost");
    }
    let anew = histories.position_past(&room("tea"), lost, KEEP).await.expect("asked");
    assert!(anew.epoch > top.epoch && anew.offset == 0, "{anew:?}");
    assert_eq!(histories.position_past(&room("tea"), lost, KEEP).await, Ok(anew), "that was another history");

    let top = append(histories, "2", KEEP).await;
    let (messages, known) = (&["3", "4"].map(Bytes::from)[..], Some(Position { offset: 2, ..top }));
    let end = histories.append(&room("tea"), Batch { messages, known }, KEEP).await.expect("appended");
    assert!(end.epoch > top.epoch && end.offset == 2, "{end:?}");
    let again = histories.append_again(&room("tea"), Batch { messages, known }, KEEP).await;
    assert_eq!(again, Ok(end), "that was another history");
    assert_eq!(after(histories, Position { offset: 0, ..end }, 9).await, whole(&[(1, "3"), (2, "4")]));
    assert_eq!(after(histories, top, 9).await, Replay::Gone(Gone::OtherEpoch));
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
