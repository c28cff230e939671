//! What a tenant may use, and that one at its limits does not slow another.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use throng_node::{End, EventLimits, Quotas, Rate, Status, TenantSettings};
use throng_testkit::{Client, Http, Node};

use crate::{door, node, unbounded};

fn bounded(quotas: Quotas) -> TenantSettings {
    TenantSettings { quotas, ..unbounded() }
}

/// The code of an HTTP refusal.
fn refused_with(response: &throng_testkit::Response) -> (u16, Value) {
    let body: Value = serde_json::from_str(&response.body).expect("a refusal is JSON");
    (response.status, body["error"]["code"].clone())
}

const POLLING: &str = "/socket.io/?EIO=4&transport=polling";

#[test]
fn connections_are_bounded_and_come_free_again() {
    let node = node(2, bounded(Quotas { connections_max: Some(2), ..Quotas::default() }), |_| {});
    let first = Client::connect(door(&node, "acme"));
    let _second = Client::connect(door(&node, "acme"));
    let refused = Http::get(door(&node, "acme"), POLLING);
    assert_eq!(refused_with(&refused), (429, json!("tenant_connections")));
    assert_eq!(refused.header("retry-after"), Some("5"));
    Client::connect(door(&node, "globex"));
    drop(first);
    throng_testkit::until("the seat is free", || {
        Some(Http::get(door(&node, "acme"), POLLING)).filter(|answer| answer.status == 200)
    });
}

#[test]
fn new_connections_have_a_rate() {
    let node = node(1, bounded(Quotas { connects_per_second: Some(3), ..Quotas::default() }), |_| {});
    let answers: Vec<_> = (0..20).map(|_| Http::get(door(&node, "acme"), POLLING)).collect();
    assert!(answers.iter().take(3).all(|answer| answer.status == 200), "{answers:?}");
    let refused = answers.iter().find(|answer| answer.status == 429).expect("a limit");
    assert_eq!(refused_with(refused), (429, json!("tenant_connects")));
    assert_eq!(refused.header("retry-after"), Some("1"));
}

#[test]
fn rooms_are_bounded_over_all_shards() {
    let node = node(2, bounded(Quotas { rooms_max: Some(3), ..Quotas::default() }), |_| {});
    let (mut client, _) = Client::connect(door(&node, "acme"));
    for room in ["a", "b", "c", "d", "e"] {
        client.call("join", room);
    }
    let metrics = node.metrics();
    assert_eq!((metrics.get("rooms"), metrics.get("rooms_refused_total")), (3, 2));
}

/// Asks until an answer is a refusal; gives it.
fn ask_until_refused(client: &mut Client, event: &str) -> Value {
    (0..10_000)
        .find_map(|_| {
            let answer = client.call(event, "x").decode::<Value>().ok()?;
            (answer["ok"] == false).then_some(answer)
        })
        .expect("a limit")
}

#[test]
fn events_of_a_socket_have_a_rate_and_the_answer_says_when_to_come_back() {
    let rate = |burst| Rate::new(1, Duration::from_secs(1_000), burst);
    let named = [("echo".to_owned(), rate(2))].into_iter().collect();
    let events = EventLimits { each: rate(5), named, ..EventLimits::default() };
    let node = node(1, TenantSettings { events, ..TenantSettings::default() }, |_| {});
    let (mut client, _) = Client::connect(door(&node, "acme"));
    let refused = ask_until_refused(&mut client, "echo");
    assert_eq!(refused["error"]["code"], "rate_limited");
    assert!(refused["error"]["retryAfterMs"].as_u64().is_some_and(|wait| wait > 900_000), "{refused}");
    // The other events have a bucket of their own, and another socket has all of them.
    client.call("join", "room");
    let (mut other, _) = Client::connect(door(&node, "acme"));
    assert_eq!(other.call("echo", "x").decode::<String>().unwrap(), "x");
}

#[test]
fn a_namespace_gives_an_event_a_rate_of_its_own() {
    let rate = |burst| Rate::new(1, Duration::from_secs(1_000), burst);
    let events = EventLimits { each: rate(2), ..EventLimits::default() };
    let node = node(1, TenantSettings { events, ..TenantSettings::default() }, |nsp| {
        nsp.rate("join", rate(5));
    });
    let (mut client, _) = Client::connect(door(&node, "acme"));
    let mut accepted = |event: &str| {
        let mut refused =
            || client.call(event, "x").decode::<Value>().is_ok_and(|answer| answer["ok"] == false);
        (0..100).take_while(|_| !refused()).count()
    };
    assert_eq!((accepted("join"), accepted("echo")), (5, 2));
}

#[test]
fn a_flooder_is_ended() {
    let events = EventLimits { each: Rate::per_second(1, 1), flood: 10, ..EventLimits::default() };
    let node = node(1, TenantSettings { events, ..TenantSettings::default() }, |_| {});
    let (mut client, _) = Client::connect(door(&node, "acme"));
    for _ in 0..20 {
        client.emit("echo", "x");
    }
    let told: Value = client.event("socket:ended").decode().unwrap();
    assert_eq!((&told["code"], &told["retry"]), (&json!("rate_limited"), &json!(true)));
    client.wait_closed();
    // The whole address has to wait, whatever it asks for.
    for tenant in ["acme", "globex"] {
        let refused = Http::get(door(&node, tenant), POLLING);
        assert_eq!(refused_with(&refused), (429, json!("rate_limited")));
        assert!(
            refused.header("retry-after").is_some_and(|wait| wait.parse().is_ok_and(|wait: u32| wait > 50))
        );
    }
    node.until("the end is counted", |metrics| metrics.sessions_ended(End::RateLimited) == 1);
}

#[test]
fn events_and_bytes_of_a_tenant_have_a_rate_over_all_of_its_sockets() {
    for quotas in [
        Quotas { events_per_second: Some(10), ..Quotas::default() },
        Quotas { bytes_per_second: Some(100), ..Quotas::default() },
    ] {
        let node = node(2, bounded(quotas), |_| {});
        let (mut one, _) = Client::connect(door(&node, "acme"));
        let (mut other, _) = Client::connect(door(&node, "acme"));
        let both = (0..5_000).flat_map(|_| [0, 1]).find_map(|which| {
            let client = if which == 0 { &mut one } else { &mut other };
            let answer = client.call("echo", "x").decode::<Value>().ok()?;
            (answer["ok"] == false).then_some(answer)
        });
        assert_eq!(both.expect("a limit")["error"]["code"], "rate_limited");
        let (mut globex, _) = Client::connect(door(&node, "globex"));
        for _ in 0..200 {
            assert_eq!(globex.call("echo", "x").decode::<String>().unwrap(), "x");
        }
    }
}

#[test]
fn a_closed_tenant_is_refused_by_name() {
    for (settings, code) in [
        (TenantSettings { status: Status::Suspended, ..unbounded() }, "tenant_suspended"),
        (
            TenantSettings { expires: Some(std::time::SystemTime::UNIX_EPOCH), ..unbounded() },
            "tenant_expired",
        ),
    ] {
        let node = node(1, settings, |_| {});
        let refused = Http::get(door(&node, "acme"), POLLING);
        assert_eq!(refused_with(&refused), (403, json!(code)));
        Client::connect(door(&node, "globex"));
    }
}

/// How long a client takes for some round trips.
fn pace(client: &mut Client) -> Duration {
    let begun = Instant::now();
    for _ in 0..200 {
        assert_eq!(client.call("echo", "x").decode::<String>().expect("an echo"), "x");
    }
    begun.elapsed()
}

/// Does something while a tenant at its limit goes on and on.
fn beside_a_flood<T>(node: &Node, work: impl FnOnce() -> T) -> T {
    const REFUSED: &str = "rate_limited_total{class=\"events\"}";
    let before = node.metrics().get(REFUSED);
    let stop = Arc::new(AtomicBool::new(false));
    let flood = {
        let (stop, door) = (stop.clone(), door(node, "acme"));
        std::thread::spawn(move || {
            let (mut client, _) = Client::connect(door);
            while !stop.load(Ordering::Relaxed) {
                // Each round waits for an answer, which is a refusal: the node keeps up, and so does the flood.
                for _ in 0..10 {
                    client.emit("echo", "x");
                }
                client.call("echo", "x");
            }
        })
    };
    node.until("the flood is refused", |metrics| metrics.get(REFUSED) > before + 1_000);
    let done = work();
    stop.store(true, Ordering::Relaxed);
    flood.join().expect("the flood ends");
    done
}

#[test]
fn a_tenant_at_its_limit_does_not_slow_another() {
    const ROUNDS: usize = 15;
    // One shard, so that both share whatever can be shared; never ended for flooding, so that it goes on all the time.
    let acme = TenantSettings {
        quotas: Quotas { events_per_second: Some(10), ..Quotas::default() },
        events: EventLimits { flood: 0, ..EventLimits::off() },
        ..unbounded()
    };
    let node = node(1, acme, |_| {});
    let (mut globex, _) = Client::connect(door(&node, "globex"));
    // In turns, so that whatever else the machine does is in both; the ratio of each turn, for the same reason.
    let mut slower: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let alone = pace(&mut globex);
            let beside = beside_a_flood(&node, || pace(&mut globex));
            beside.as_secs_f64() / alone.as_secs_f64()
        })
        .collect();
    slower.sort_by(f64::total_cmp);
    assert!(slower[ROUNDS / 2] < 4.0, "{slower:?} times as slow beside a flood");
}
