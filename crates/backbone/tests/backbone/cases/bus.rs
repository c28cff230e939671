//! Cases of the bus.

use bytes::Bytes;
use throng_backbone::{BusError, Channel, Missed, PAYLOAD_BYTES_MAX, Urgency};

use crate::fleet::{Fleet, Node, until};

fn publish(node: &Node, channel: &Channel, bytes: impl Into<Bytes>) {
    node.backbone.bus().publish(channel.clone(), bytes.into(), Urgency::Kept).expect("published");
}

pub(crate) async fn a_message_reaches_every_other_subscriber(fleet: &Fleet) {
    let (mut a, mut b, mut c) = (fleet.node("a").await, fleet.node("b").await, fleet.node("c").await);
    let room = Channel::room("t", "/", "tea");
    for node in [&a, &b, &c] {
        node.subscribe(&room).await;
    }
    publish(&a, &room, "from a");
    assert_eq!(b.message().await, (room.clone(), Bytes::from("from a"), None));
    publish(&b, &room, "from b");
    assert_eq!(a.message().await.1, "from b", "not its own");
    assert_eq!(c.message().await.1, "from a");
    assert_eq!(c.message().await.1, "from b");
}

pub(crate) async fn messages_of_a_channel_keep_their_order(fleet: &Fleet) {
    let (a, mut b) = (fleet.node("a").await, fleet.node("b").await);
    let room = Channel::room("t", "/", "tea");
    b.subscribe(&room).await;
    for n in 0..2000 {
        publish(&a, &room, n.to_string());
    }
    for n in 0..2000 {
        assert_eq!(b.message().await.1, n.to_string());
    }
}

pub(crate) async fn a_released_channel_is_silent(fleet: &Fleet) {
    let (a, mut b, mut c) = (fleet.node("a").await, fleet.node("b").await, fleet.node("c").await);
    let room = Channel::room("t", "/", "tea");
    b.subscribe(&room).await;
    c.subscribe(&room).await;
    b.backbone.bus().release(&room);
    publish(&a, &room, "unheard");
    assert_eq!(c.message().await.1, "unheard");
    // It has left the store. What leaves the store later comes later, wherever the room is: some of these are there too.
    for n in 0..32 {
        let later = Channel::room("t", "/", n.to_string());
        b.subscribe(&later).await;
        publish(&a, &later, "heard");
        assert_eq!(b.message().await, (later, Bytes::from("heard"), None));
    }
    assert_eq!(b.backbone.status().deliveries_unwanted, u64::from(fleet.lets_go_late()));
}

pub(crate) async fn a_released_channel_can_be_taken_again(fleet: &Fleet) {
    let (a, mut b) = (fleet.node("a").await, fleet.node("b").await);
    let room = Channel::room("t", "/", "tea");
    for n in 0..3 {
        b.subscribe(&room).await;
        b.subscribe(&room).await;
        publish(&a, &room, n.to_string());
        assert_eq!(b.message().await.1, n.to_string());
        b.backbone.bus().release(&room);
    }
}

pub(crate) async fn an_inbox_reaches_one_node(fleet: &Fleet) {
    let (mut a, mut b) = (fleet.node("a").await, fleet.node("b").await);
    a.subscribe(&Channel::inbox("a")).await;
    b.subscribe(&Channel::inbox("b")).await;
    publish(&a, &Channel::inbox("b"), "for b");
    publish(&b, &Channel::inbox("a"), "for a");
    assert_eq!(a.message().await.1, "for a");
    assert_eq!(b.message().await.1, "for b");
}

pub(crate) async fn a_namespace_reaches_its_nodes(fleet: &Fleet) {
    let (mut a, mut b) = (fleet.node("a").await, fleet.node("b").await);
    let (chat, live) = (Channel::namespace("t", "/chat"), Channel::namespace("t", "/live"));
    a.subscribe(&chat).await;
    b.subscribe(&chat).await;
    b.subscribe(&live).await;
    publish(&a, &live, "live");
    assert_eq!(b.message().await, (live.clone(), Bytes::from("live"), None));
    publish(&b, &live, "unheard");
    publish(&b, &chat, "chat");
    assert_eq!(a.message().await, (chat, Bytes::from("chat"), None));
}

pub(crate) async fn names_with_separators_stay_apart(fleet: &Fleet) {
    let (a, mut b) = (fleet.node("a").await, fleet.node("b").await);
    let similar = [
        Channel::room("t", "/a", "b:c"),
        Channel::room("t", "/a:b", "c"),
        Channel::room("t:/a", "b", "c"),
        Channel::room("t", "/a%3ab", "c"),
        Channel::room("t", "/{a}", "b"),
        Channel::room("t", "/{a", "}b"),
        Channel::room("t", "", "ü\0\n"),
        Channel::namespace("t", "/a:b:c"),
        Channel::inbox("t:/a:b:c"),
    ];
    for channel in &similar {
        b.subscribe(channel).await;
        publish(&a, channel, "x");
        assert_eq!(b.message().await.0, *channel);
        b.backbone.bus().release(channel);
    }
}

pub(crate) async fn bytes_arrive_as_they_were(fleet: &Fleet) {
    let (a, mut b) = (fleet.node("a").await, fleet.node("b").await);
    let room = Channel::room("t", "/", "tea");
    b.subscribe(&room).await;
    let all: Vec<u8> = (0..=255).collect();
    for bytes in [Vec::new(), b"\r\n$5\r\n".to_vec(), all.repeat(8192), all] {
        publish(&a, &room, bytes.clone());
        assert_eq!(b.message().await.1, bytes);
    }
}

pub(crate) async fn what_is_too_large_is_refused(fleet: &Fleet) {
    let a = fleet.node("a").await;
    let bytes = Bytes::from(vec![0; PAYLOAD_BYTES_MAX + 1]);
    let refused = a.backbone.bus().publish(Channel::inbox("b"), bytes, Urgency::Kept);
    assert_eq!(refused, Err(BusError::TooLarge(PAYLOAD_BYTES_MAX + 1)));
}

pub(crate) async fn many_rooms_are_heard(fleet: &Fleet) {
    let (a, mut b) = (fleet.node("a").await, fleet.node("b").await);
    let mut rooms: Vec<Channel> = (0..1000).map(|n| Channel::room("t", "/", n.to_string())).collect();
    let mut subscribing = tokio::task::JoinSet::new();
    for room in rooms.clone() {
        let bus = b.backbone.bus().clone();
        subscribing.spawn(async move { bus.subscribe(room).await });
    }
    for subscribed in subscribing.join_all().await {
        subscribed.expect("subscribed");
    }
    for room in &rooms {
        publish(&a, room, "x");
    }
    let mut heard = Vec::new();
    for _ in &rooms {
        heard.push(b.message().await.0);
    }
    heard.sort_unstable();
    rooms.sort_unstable();
    assert_eq!(heard, rooms);
}

pub(crate) async fn what_the_owner_cannot_take_is_reported(fleet: &Fleet) {
    let a = fleet.node("a").await;
    let mut b = fleet.node_with("b", |config| config.deliveries_bytes_max = 1000).await;
    let room = Channel::room("t", "/", "full");
    b.subscribe(&room).await;
    for _ in 0..10 {
        publish(&a, &room, "x".repeat(200));
    }
    until("the queue overflows", async || b.backbone.status().deliveries_dropped > 0).await;
    assert_eq!(b.missed().await, Missed::Channels(vec![room.into()]));
    assert_eq!(b.message().await.1.len(), 200);
}
