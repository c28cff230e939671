//! What happens when servers fail, pause, refuse, or hand slots over: on servers of the test's own.

mod tickets;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use throng_backbone::{
    Backbone, Backoff, Batch, BusError, Channel, Config, Credentials, Deliveries, Delivery, Deployment,
    Missed, OpenError, RedisConfig, Replay, Retention, Room, Status, Store, StoreError, Tls, Urgency,
};
use tokio::time::{Instant, timeout};

use crate::fleet::{Fleet, LONG, Node, PATIENCE, until};
use crate::proxy::Proxy;
use crate::servers::{Cluster, Encrypted, Sentinels, Single, self_signed};

const KEEP: Retention = Retention { entries_max: 100_000, bytes_max: 1 << 30, ttl: LONG, epoch_ttl: LONG };

const AT_ONCE: Backoff = Backoff { first: Duration::from_millis(1), max: Duration::from_millis(1) };

/// Rooms enough that every primary of three has some.
fn rooms() -> Vec<Channel> {
    (0..24).map(|n| Channel::room("t", "/", n.to_string())).collect()
}

fn publish(node: &Node, channel: &Channel) -> Result<(), BusError> {
    node.backbone.bus().publish(channel.clone(), Bytes::from("x"), Urgency::Volatile)
}

/// Publishes to each room until it is heard there.
async fn hears_all(reader: &mut Node, writer: &Node, rooms: &[Channel]) {
    let mut silent: BTreeSet<&Channel> = rooms.iter().collect();
    let begun = Instant::now();
    while !silent.is_empty() {
        assert!(begun.elapsed() < PATIENCE, "still silent: {silent:?}");
        for room in &silent {
            publish(writer, room).expect("taken");
        }
        while let Ok(delivery) = timeout(Duration::from_millis(50), reader.deliveries.next()).await {
            if let Some(Delivery::Message { channel, .. }) = delivery {
                silent.remove(&*channel);
            }
        }
    }
}

/// Two nodes, the first of which is subscribed to the rooms.
async fn reader_and_writer(deployment: Deployment, rooms: &[Channel]) -> (Node, Node) {
    let fleet = Fleet::redis(deployment);
    let (reader, writer) = (fleet.node("reader").await, fleet.node("writer").await);
    for room in rooms {
        reader.subscribe(room).await;
    }
    (reader, writer)
}

fn status(node: &Node) -> Status {
    node.backbone.status()
}

/// Reads reports until one of each of these rooms was missed.
async fn misses_all(node: &mut Node, rooms: &[Channel]) {
    let mut unreported: BTreeSet<&Channel> = rooms.iter().collect();
    while !unreported.is_empty() {
        match node.missed().await {
            Missed::All => return,
            Missed::Channels(missed) => {
                unreported.retain(|room| !missed.iter().any(|missed| **missed == **room));
            }
        }
    }
}

#[tokio::test]
async fn a_server_that_restarts_is_found_again() {
    let (single, rooms) = (Single::start(), rooms());
    let (mut reader, writer) = reader_and_writer(single.deployment(), &rooms).await;
    single.server.kill();
    until("the loss is noticed", async || {
        publish(&writer, &rooms[0]).expect("volatile messages are dropped, not refused");
        !status(&writer).connected && status(&writer).volatile_dropped > 0
    })
    .await;
    single.server.restart();
    misses_all(&mut reader, &rooms).await;
    hears_all(&mut reader, &writer, &rooms).await;
    until("it is connected again", async || status(&writer).connected).await;
    assert!(status(&writer).reconnects > 0);
    until("both are members again", async || writer.backbone.members().list().len() == 2).await;
}

#[tokio::test]
async fn what_is_kept_waits_and_what_is_too_much_is_refused() {
    let single = Single::start();
    let fleet = Fleet::redis(single.deployment());
    let small = |config: &mut Config| {
        if let Store::Redis(redis) = &mut config.store {
            redis.publish_bytes_max = 10_000;
        }
    };
    let node = fleet.node_with("a", small).await;
    single.server.kill();
    let room = Channel::room("t", "/", "tea");
    let keep = || node.backbone.bus().publish(room.clone(), Bytes::from(vec![b'x'; 100]), Urgency::Kept);
    let mut taken = 0;
    while keep().is_ok() {
        taken += 1;
    }
    assert_eq!(keep(), Err(BusError::QueueFull));
    assert!((10..100).contains(&taken), "{taken}");
    single.server.restart();
    until("all of it has left", async || status(&node).published == taken).await;
    until("there is room again", async || keep().is_ok()).await;
}

#[tokio::test]
async fn a_paused_server_holds_nobody_up() {
    let (single, rooms) = (Single::start(), rooms());
    let (mut reader, writer) = reader_and_writer(single.deployment(), &rooms).await;
    single.server.pause();
    // None of these is a future: they cannot wait for what no server answers.
    for room in &rooms {
        publish(&writer, room).expect("taken");
        writer.backbone.bus().release(room);
        let _ = (writer.backbone.members().list(), status(&writer));
    }
    single.server.resume();
    hears_all(&mut reader, &writer, &rooms).await;
}

#[tokio::test]
async fn a_connection_that_looks_healthy_and_hears_nothing_is_made_anew() {
    let (single, rooms) = (Single::start(), rooms());
    let (fleet, proxy) = (Fleet::redis(single.deployment()), Proxy::start(single.server.address()).await);
    let through_proxy = |config: &mut Config| {
        if let Store::Redis(redis) = &mut config.store {
            redis.deployment = proxy.deployment();
        }
    };
    let (mut reader, writer) = (fleet.node_with("reader", through_proxy).await, fleet.node("writer").await);
    for room in &rooms {
        reader.subscribe(room).await;
    }
    hears_all(&mut reader, &writer, &rooms).await;
    proxy.deafen();
    misses_all(&mut reader, &rooms).await;
    assert!(proxy.swallowed() > 0, "its own beats were lost");
    hears_all(&mut reader, &writer, &rooms).await;
}

#[tokio::test]
async fn a_server_that_takes_no_writes_is_asked_again() {
    let single = Single::start();
    let node = Fleet::redis(single.deployment()).node("a").await;
    let room = Room { tenant: "t".into(), namespace: "/".into(), room: "tea".into() };
    let append = async |message: &'static str| {
        let batch = Batch { messages: &[Bytes::from(message)], known: None };
        node.backbone.histories().append(&room, batch, KEEP).await
    };
    let start = append("first").await.expect("appended");
    for (offset, (key, code)) in (2..).zip([("maxmemory", "OOM"), ("min-replicas-to-write", "NOREPLICAS")]) {
        single.server.ask::<()>(&format!("CONFIG SET {key} 1"));
        let refused = append("refused").await;
        assert!(matches!(&refused, Err(StoreError::Unwilling(error)) if error.contains(code)), "{refused:?}");
        single.server.ask::<()>(&format!("CONFIG SET {key} 0"));
        assert_eq!(append("taken").await.map(|at| at.offset), Ok(offset), "nothing of it was done");
    }
    let replay = node.backbone.histories().after(&room, start, 9).await;
    assert!(matches!(replay, Ok(Replay::Whole(entries)) if entries.len() == 2));
}

#[tokio::test]
async fn a_server_that_cannot_save_is_there_all_the_same() {
    let single = Single::saving();
    let saved = async |status: &str| {
        single.server.ask::<()>("BGSAVE");
        let says = format!("rdb_last_bgsave_status:{status}");
        let said = async || single.server.ask::<String>("INFO persistence").contains(&says);
        until("it has tried to save", said).await;
    };
    let pings = |config: &mut Config| {
        let Store::Redis(redis) = &mut config.store else { panic!("it is in Redis") };
        redis.ping_interval = Duration::from_millis(50);
    };
    let fleet = Fleet::redis(single.deployment());
    let (mut reader, writer) = (fleet.node_with("r", pings).await, fleet.node_with("w", pings).await);
    // There is something else where it saves.
    let folder: Vec<String> = single.server.ask("CONFIG GET dir");
    let blocked = std::path::Path::new(&folder[1]).join("dump.rdb");
    std::fs::create_dir(&blocked).expect("the folder can be written to");
    saved("err").await;
    until("quiet connections were asked", async || {
        let calls: String = single.server.ask("INFO commandstats");
        let ping = calls.lines().find(|line| line.starts_with("cmdstat_ping:")).unwrap_or_default();
        let refused = ping.split("rejected_calls=").nth(1).and_then(|rest| rest.split(',').next());
        refused.is_some_and(|refused| refused.parse::<u32>().is_ok_and(|refused| refused > 20))
    })
    .await;
    for room in rooms() {
        reader.subscribe(&room).await;
        publish(&writer, &room).expect("taken");
        assert_eq!(reader.message().await.0, room, "nothing is missed");
    }
    std::fs::remove_dir(&blocked).expect("it is there");
    saved("ok").await;
    let room = Room { tenant: "t".into(), namespace: "/".into(), room: "tea".into() };
    let batch = Batch { messages: &[Bytes::from("saved")], known: None };
    writer.backbone.histories().append(&room, batch, KEEP).await.expect("it takes writes again");
    for node in [&reader, &writer] {
        assert_eq!((status(node).connected, status(node).reconnects), (true, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slots_move_under_traffic_and_nothing_is_lost_for_good() {
    let cluster = Cluster::start();
    let fleet = Fleet::redis(cluster.deployment());
    let (writer, mut reader) = (fleet.node("w").await, fleet.node("r").await);
    let room = Room { tenant: "t".into(), namespace: "/".into(), room: "tea".into() };
    reader.subscribe(&Channel::Room(room.clone())).await;
    let start = reader.backbone.histories().position(&room, KEEP).await.expect("asked");
    let (histories, written) = (writer.backbone.histories().clone(), room.clone());
    let writing = tokio::spawn(async move {
        for n in 0..1500 {
            let messages = [Bytes::from(n.to_string())];
            let batch = Batch { messages: &messages, known: None };
            while histories.append(&written, batch, KEEP).await.is_err() {}
        }
    });
    let moving = tokio::task::spawn_blocking(move || {
        let (mut from, slot) = cluster.find("*:top:t:/:tea");
        for _ in 0..3 {
            let to = (from + 1) % 3;
            cluster.move_slot(slot, from, to);
            from = to;
        }
        cluster
    });
    let mut last = start;
    loop {
        match reader.next().await {
            Delivery::Message { position, .. } => {
                let position = position.expect("it was appended");
                if position.offset == last.offset + 1 {
                    last = position;
                }
            }
            Delivery::Resynced(_) => {
                let Ok(Replay::Whole(missed)) = reader.backbone.histories().after(&room, last, 100_000).await
                else {
                    panic!("the history is whole")
                };
                last.offset = missed.last().map_or(last.offset, |entry| entry.offset);
            }
        }
        if last.offset >= 1500 {
            break;
        }
    }
    writing.await.expect("written");
    drop(moving.await.expect("moved"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_appended_twice_while_connections_break() {
    let cluster = Cluster::start();
    let node = Fleet::redis(cluster.deployment()).node("a").await;
    let histories = node.backbone.histories();
    let room = Room { tenant: "t".into(), namespace: "/".into(), room: "tea".into() };
    let start = histories.position(&room, KEEP).await.expect("asked");
    let (appended, enough) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let (seen, over) = (appended.clone(), enough.clone());
    let breaking = tokio::task::spawn_blocking(move || {
        while !over.load(Ordering::Relaxed) {
            cluster.primaries.iter().for_each(|primary| primary.ask("CLIENT KILL TYPE normal"));
            // Some come through in between.
            let some = seen.load(Ordering::Relaxed) + 10;
            while seen.load(Ordering::Relaxed) < some && !over.load(Ordering::Relaxed) {
                std::thread::park_timeout(Duration::from_millis(1));
            }
        }
        cluster
    });
    let (mut certain, mut failed) = (BTreeSet::new(), 0);
    for n in 0_u64.. {
        let batch = Batch { messages: &[Bytes::from(n.to_string())], known: None };
        match histories.append(&room, batch, KEEP).await {
            Ok(_) => {
                certain.insert(n);
                appended.fetch_add(1, Ordering::Relaxed);
            }
            Err(_) => failed += 1,
        }
        if certain.len() >= 500 && failed > 0 {
            break;
        }
    }
    enough.store(true, Ordering::Relaxed);
    let _cluster = breaking.await.expect("broken");
    let read = async || histories.after(&room, start, 100_000).await;
    let mut there = read().await;
    until("the store can be read", async || {
        there = read().await;
        there.is_ok()
    })
    .await;
    let Ok(Replay::Whole(entries)) = there else { panic!("the history is whole") };
    let numbers: Vec<u64> =
        entries.iter().map(|entry| String::from_utf8_lossy(&entry.bytes).parse().unwrap()).collect();
    let once: BTreeSet<u64> = numbers.iter().copied().collect();
    assert_eq!(once.len(), numbers.len(), "nothing is there twice");
    assert!(certain.is_subset(&once), "what was confirmed is there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_of_a_cluster_fails_and_its_replica_is_found() {
    let (cluster, rooms) = (Cluster::start(), rooms());
    let (mut reader, writer) = reader_and_writer(cluster.deployment(), &rooms).await;
    hears_all(&mut reader, &writer, &rooms).await;
    cluster.primaries[0].kill();
    let Missed::Channels(missed) = reader.missed().await else { panic!("some were on other servers") };
    assert!(!missed.is_empty() && missed.len() < rooms.len(), "{missed:?}");
    hears_all(&mut reader, &writer, &rooms).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_behind_sentinels_fails_and_the_next_is_found() {
    let (sentinels, rooms) = (Sentinels::start(), rooms());
    let (mut reader, writer) = reader_and_writer(sentinels.deployment(), &rooms).await;
    sentinels.servers[0].kill();
    misses_all(&mut reader, &rooms).await;
    hears_all(&mut reader, &writer, &rooms).await;
    until("both are members again", async || writer.backbone.members().list().len() == 2).await;
}

#[tokio::test]
async fn opening_gives_up_and_says_why() {
    let gone = Single::start();
    let deployment = gone.deployment();
    drop(gone);
    let redis = RedisConfig { backoff: AT_ONCE, ..RedisConfig::new(deployment) };
    let error =
        Backbone::open(Config::new("a", Store::Redis(Box::new(redis)))).await.expect_err("nobody is there");
    assert!(matches!(error, OpenError::Unreachable { attempts: 10, .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("127.0.0.1:") && text.contains("refused"), "{text}");
}

#[tokio::test]
async fn a_replica_is_waited_for_until_it_is_the_primary() {
    let single = Single::start();
    single.server.ask::<()>("REPLICAOF 127.0.0.1 1");
    let redis = RedisConfig { backoff: AT_ONCE, ..RedisConfig::new(single.deployment()) };
    let open = || Backbone::open(Config::new("a", Store::Redis(Box::new(redis.clone()))));
    let error = open().await.expect_err("nothing can be written");
    assert!(matches!(error, OpenError::Unreachable { attempts: 10, .. }), "{error}");
    assert!(error.to_string().contains("READONLY"), "{error}");
    single.server.ask::<()>("REPLICAOF NO ONE");
    open().await.expect("it is the primary now");
}

#[tokio::test]
async fn a_login_is_used_and_a_wrong_one_refused_at_once() {
    let single = Single::start();
    single.server.ask::<()>("ACL SETUSER throng on >right ~* &* +@all");
    let (backbone, mut deliveries) = log_in(&single, "right").await.expect("let in");
    let room = Channel::room("t", "/", "tea");
    backbone.bus().subscribe(room.clone()).await.expect("subscribed");
    let (other, _) = log_in(&single, "right").await.expect("let in");
    other.bus().publish(room, Bytes::from("x"), Urgency::Kept).expect("taken");
    assert!(timeout(PATIENCE, deliveries.next()).await.expect("heard in time").is_some());
    let error = log_in(&single, "wrong").await.expect_err("not let in");
    assert!(matches!(error, OpenError::Login { .. }), "trying again would not help: {error}");
}

#[tokio::test]
async fn a_login_without_the_rights_of_a_node_is_refused_at_once() {
    let single = Single::start();
    // In a script it has no code before Redis 7.2.
    let in_script = ["NOPERM", "can't run this command"];
    for (rights, says) in [
        ("&* +@all", &["NOPERM"][..]),
        ("~* resetchannels +@all", &["NOPERM"]),
        ("~* &* +@all -eval", &["NOPERM"]),
        ("~* &* +@all -spublish", &["NOPERM"]),
        ("~* &* +@all -set", &in_script),
    ] {
        single.server.ask::<()>(&format!("ACL SETUSER throng reset on >right {rights}"));
        let error = log_in(&single, "right").await.expect_err("not let in");
        assert!(matches!(error, OpenError::Login { .. }), "{rights}: {error}");
        assert!(says.iter().any(|words| error.to_string().contains(words)), "{rights}: {error}");
    }
}

#[tokio::test]
async fn an_encrypted_server_is_trusted_by_its_certificate_alone() {
    let encrypted = Encrypted::start();
    let open = async |certificate: &str| {
        let redis = RedisConfig {
            tls: Tls::Authority(certificate.into()),
            open_attempts_max: 1,
            ..RedisConfig::new(encrypted.deployment())
        };
        Backbone::open(Config::new("a", Store::Redis(Box::new(redis)))).await
    };
    let (reader, mut deliveries) = open(&encrypted.certificate).await.expect("trusted");
    let (writer, _) = open(&encrypted.certificate).await.expect("trusted");
    let room = Channel::room("t", "/", "tea");
    reader.bus().subscribe(room.clone()).await.expect("subscribed");
    writer.bus().publish(room, Bytes::from("x"), Urgency::Kept).expect("taken");
    assert!(timeout(PATIENCE, deliveries.next()).await.expect("heard in time").is_some());
    let error = open(&self_signed().cert.pem()).await.expect_err("not trusted");
    assert!(error.to_string().contains("invalid peer certificate"), "{error}");
}

async fn log_in(single: &Single, password: &str) -> Result<(Backbone, Deliveries), OpenError> {
    let credentials = Credentials { user: Some("throng".to_owned()), password: password.to_owned().into() };
    let redis = RedisConfig { credentials: Some(credentials), ..RedisConfig::new(single.deployment()) };
    Backbone::open(Config::new("a", Store::Redis(Box::new(redis)))).await
}
