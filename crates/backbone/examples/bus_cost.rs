//! What a message between two nodes costs: run `hear PORT TARGETS COUNT` and then `say PORT TARGETS COUNT RATE`, with a
//! Redis on that port. Each prints its rate and its processor time per message. `TARGETS` is 0 for the inbox of the node that
//! hears, or so many rooms; a `RATE` of 0 is as fast as possible.

#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use std::time::{Duration, Instant};

use bytes::Bytes;
use throng_backbone::{
    Address, Backbone, BusError, Channel, Config, Deliveries, Delivery, Deployment, RedisConfig, Store,
    Urgency,
};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| words.get(at).and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
    let redis = RedisConfig::new(Deployment::Single(Address::new("127.0.0.1", number(1) as u16)));
    let config = Config::new(words[0].as_str(), Store::Redis(Box::new(redis)));
    let (backbone, deliveries) = Backbone::open(config).await.expect("Redis is there");
    let targets: Vec<Channel> = match number(2) {
        0 => vec![Channel::inbox("hear")],
        rooms => (0..rooms).map(|n| Channel::room("t", "/", n.to_string())).collect(),
    };
    match words[0].as_str() {
        "hear" => hear(&backbone, deliveries, (targets, number(3))).await,
        _ => say(&backbone, targets, (number(3), number(4))).await,
    }
}

async fn hear(backbone: &Backbone, mut deliveries: Deliveries, (targets, count): (Vec<Channel>, u64)) {
    for target in targets {
        backbone.bus().subscribe(target).await.expect("subscribed");
    }
    println!("ready");
    let mut begun = None;
    let mut heard = 0;
    while heard < count {
        match deliveries.next().await {
            Some(Delivery::Message { .. }) => heard += 1,
            other => panic!("{other:?}"),
        }
        begun.get_or_insert_with(|| (Instant::now(), processor_time()));
    }
    print("hear", count, begun.expect("something was heard"));
}

async fn say(backbone: &Backbone, targets: Vec<Channel>, (count, rate): (u64, u64)) {
    let bytes = Bytes::from(vec![b'x'; 100]);
    let begun = (Instant::now(), processor_time());
    let mut said = 0;
    while said < count {
        let target = targets[(said % targets.len() as u64) as usize].clone();
        match backbone.bus().publish(target, bytes.clone(), Urgency::Kept) {
            Ok(()) => said += 1,
            Err(BusError::QueueFull) => tokio::time::sleep(Duration::from_millis(1)).await,
            Err(error) => panic!("{error}"),
        }
        match (said * 1_000_000_000).checked_div(rate) {
            Some(due) => tokio::time::sleep_until((begun.0 + Duration::from_nanos(due)).into()).await,
            None if said % 64 == 0 => tokio::task::yield_now().await,
            None => {}
        }
    }
    while backbone.status().published < count {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    print("say", count, begun);
}

fn print(what: &str, count: u64, (begun, before): (Instant, Duration)) {
    let (took, busy) = (begun.elapsed(), processor_time() - before);
    let rate = count as f64 / took.as_secs_f64();
    println!("{what}: {rate:.0}/s, {:.0} ns of processor time each", busy.as_nanos() as f64 / count as f64);
}

fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
