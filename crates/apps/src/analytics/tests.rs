//! Deliveries to real HTTP servers on this machine: one that keeps what it gets and answers as told, one that never
//! answers, and none at all.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_lc_rs::hmac;
use axum::Router;
use axum::body::Bytes;
use http::{HeaderMap, StatusCode, Uri, header};
use serde_json::{Value, json};
use throng_node::TenantName;
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use super::delivery::Patience;
use super::webhook::{DELIVERY, SIGNATURE};
use super::*;

const SECRET: &str = "of the webhook";

/// Longer than anything that is waited for here takes.
const LONG: Duration = Duration::from_secs(30);

/// A request as it came.
#[derive(Debug, Clone)]
struct Got {
    headers: HeaderMap,
    body: Bytes,
}

impl Got {
    fn delivery(&self) -> &str {
        self.headers[DELIVERY].to_str().unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn events(&self) -> Vec<Value> {
        self.json()["events"].as_array().unwrap().clone()
    }
}

/// A server that keeps what it gets. It answers with the statuses that it was told, one after the other, then with 204.
struct Collector {
    url: Uri,
    got: Mutex<Vec<Got>>,
    statuses: Mutex<VecDeque<u16>>,
    came: Notify,
    /// Answers wait for this while it is held.
    gate: tokio::sync::Mutex<()>,
}

impl Collector {
    async fn start(statuses: &[u16]) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/throng", listener.local_addr().unwrap()).parse().unwrap();
        let statuses = Mutex::new(statuses.iter().copied().collect());
        let (got, came, gate) = Default::default();
        let collector = Arc::new(Self { url, got, statuses, came, gate });
        let here = collector.clone();
        let router = Router::new().fallback(move |headers: HeaderMap, body: Bytes| {
            let here = here.clone();
            async move {
                here.got.lock().unwrap().push(Got { headers, body });
                here.came.notify_one();
                let _open = here.gate.lock().await;
                let status = here.statuses.lock().unwrap().pop_front().unwrap_or(204);
                (StatusCode::from_u16(status).unwrap(), [(header::LOCATION, "/elsewhere")])
            }
        });
        tokio::spawn(async { axum::serve(listener, router).await });
        collector
    }

    /// The first so many requests, as soon as there are.
    async fn first(&self, count: usize) -> Vec<Got> {
        let enough = async {
            loop {
                let got = self.got.lock().unwrap().clone();
                if got.len() >= count {
                    return got;
                }
                self.came.notified().await;
            }
        };
        tokio::time::timeout(LONG, enough).await.expect("as many requests")
    }

    fn count(&self) -> usize {
        self.got.lock().unwrap().len()
    }
}

/// What tells events to a webhook, running.
struct Teller {
    analytics: Analytics,
    stop: oneshot::Sender<()>,
    running: JoinHandle<usize>,
}

/// How it is different from the defaults.
struct Setup {
    batch_max: usize,
    interval: Duration,
    queue_max: usize,
    deadline: Duration,
    patience: Patience,
}

impl Default for Setup {
    fn default() -> Self {
        let first = Duration::from_millis(1);
        let patience = Patience { attempts_max: 10, pause_first: first, pause_max: first, flush: LONG };
        Self { batch_max: 100, interval: Duration::ZERO, queue_max: 1_000, deadline: LONG, patience }
    }
}

impl Teller {
    fn start(url: &Uri, setup: Setup) -> Self {
        let webhook = Webhook::new(url.clone(), &SECRET.to_owned().into()).unwrap().within(setup.deadline);
        let (analytics, delivery) = Analytics::new(Config {
            batch_max: setup.batch_max.try_into().unwrap(),
            interval: setup.interval,
            queue_max: setup.queue_max.try_into().unwrap(),
            ..Config::new(Sink::Webhook(webhook.into()), "of the pseudonyms".to_owned().into())
        });
        let (stop, stopped) = oneshot::channel();
        let mut delivery = delivery.unwrap();
        delivery.patience = setup.patience;
        let running = tokio::spawn(delivery.run(async { drop(stopped.await) }));
        Self { analytics, stop, running }
    }

    fn tell(&self, event: Event) {
        let tenant = TenantName::parse("acme").unwrap();
        let about = About { app: "debate", tenant: &tenant, queue: "default", room: None, users: &["ada"] };
        self.analytics.record(about, event);
    }

    /// Tells of so many ratings, which are numbered.
    fn tell_numbers(&self, numbers: std::ops::Range<u8>) {
        numbers.for_each(|number| self.tell(Event::Feedback { rating: number }));
    }

    fn count(&self, outcome: Outcome) -> u64 {
        self.analytics.0.as_ref().unwrap().counts.get(outcome)
    }

    /// Ends it; gives how many events were lost, and the counts in the order of the outcomes.
    async fn end(self) -> (usize, [u64; 5]) {
        self.stop.send(()).unwrap();
        let lost = tokio::time::timeout(LONG, self.running).await.expect("it ends").unwrap();
        let counts = &self.analytics.0.as_ref().unwrap().counts;
        let all =
            [Outcome::Delivered, Outcome::QueueFull, Outcome::Rejected, Outcome::GaveUp, Outcome::Shutdown];
        (lost, all.map(|outcome| counts.get(outcome)))
    }
}

fn numbers(events: &[Value]) -> Vec<u64> {
    events.iter().map(|event| event["rating"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn an_event_arrives_with_its_fields_and_without_its_user() {
    let collector = Collector::start(&[]).await;
    let teller = Teller::start(&collector.url, Setup::default());
    let tenant = TenantName::parse("acme").unwrap();
    let about = About {
        app: "debate",
        tenant: &tenant,
        queue: "ranked",
        room: Some("42"),
        users: &["ada@example.com", "bob@example.com"],
    };
    let length = Duration::from_millis(1_500);
    teller.analytics.record(about, Event::DebateEnded { reason: "time", length, messages: 7 });
    let got = collector.first(1).await.remove(0);
    assert_eq!(got.headers[header::CONTENT_TYPE], "application/json");
    assert!(!String::from_utf8_lossy(&got.body).contains("example.com"));
    let mut event = got.events().remove(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    assert!((now - 60_000..=now).contains(&event["at"].take().as_u64().unwrap()));
    let users = event["users"].take();
    assert!(users[0].as_str().unwrap().len() == 32 && users[0] != users[1], "{users}");
    let expect = json!({"at": null, "app": "debate", "tenant": "acme", "queue": "ranked", "room": "42", "users": null,
        "event": "debate_ended", "reason": "time", "lengthMs": 1500, "messages": 7});
    assert_eq!(event, expect);
    assert_eq!(teller.end().await, (0, [1, 0, 0, 0, 0]));
}

#[tokio::test]
async fn what_a_page_does_not_say_is_null() {
    let collector = Collector::start(&[]).await;
    let teller = Teller::start(&collector.url, Setup::default());
    for relayed in [None, Some(true)] {
        teller.tell(Event::CallConnected { setup: Duration::ZERO, relayed });
    }
    assert_eq!(teller.end().await.1[0], 2);
    let told = collector.got.lock().unwrap().iter().flat_map(Got::events).collect::<Vec<_>>();
    assert_eq!(
        [&told[0], &told[1]].map(|event| event.get("relayed")),
        [Some(&Value::Null), Some(&json!(true))]
    );
}

#[tokio::test]
async fn a_delivery_is_signed() {
    let collector = Collector::start(&[]).await;
    let teller = Teller::start(&collector.url, Setup::default());
    teller.tell(Event::QueueJoined);
    let got = collector.first(1).await.remove(0);
    let header = got.headers[SIGNATURE].to_str().unwrap();
    let (time, code) = header.strip_prefix("t=").and_then(|rest| rest.split_once(",v1=")).unwrap();
    let signed = [time.as_bytes(), b".", &got.body].concat();
    let code: Vec<u8> =
        (0..code.len()).step_by(2).map(|at| u8::from_str_radix(&code[at..at + 2], 16).unwrap()).collect();
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), &signed, &code).unwrap();
    assert_eq!(got.json()["delivery"], got.delivery());
    teller.end().await;
}

#[tokio::test]
async fn events_travel_in_batches_and_in_order() {
    let collector = Collector::start(&[]).await;
    let teller = Teller::start(&collector.url, Setup { batch_max: 10, interval: LONG, ..Setup::default() });
    teller.tell_numbers(0..25);
    let full = collector.first(2).await;
    assert_eq!(collector.count(), 2, "the third batch is not full and waits");
    assert_eq!(teller.end().await, (0, [25, 0, 0, 0, 0]));
    let rest = collector.first(3).await;
    assert_eq!(full.iter().map(|got| got.events().len()).collect::<Vec<_>>(), [10, 10]);
    let all: Vec<_> = rest.iter().flat_map(Got::events).collect();
    assert_eq!(numbers(&all), (0..25).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_batch_that_is_not_full_leaves_after_the_interval() {
    let collector = Collector::start(&[]).await;
    let interval = Duration::from_millis(20);
    let teller = Teller::start(&collector.url, Setup { interval, ..Setup::default() });
    teller.tell_numbers(0..3);
    assert_eq!(numbers(&collector.first(1).await[0].events()), [0, 1, 2]);
    teller.end().await;
}

#[tokio::test]
async fn a_batch_is_sent_again_under_its_name_until_it_is_taken() {
    let collector = Collector::start(&[500, 503, 429, 408]).await;
    let teller = Teller::start(&collector.url, Setup::default());
    teller.tell_numbers(1..2);
    let got = collector.first(5).await;
    assert!(got.iter().all(|again| again.delivery() == got[0].delivery() && again.body == got[0].body));
    teller.tell_numbers(2..3);
    let next = collector.first(6).await.remove(5);
    assert!(next.delivery() != got[0].delivery() && numbers(&next.events()) == [2]);
    assert_eq!(teller.end().await, (0, [2, 0, 0, 0, 0]));
}

#[tokio::test]
async fn a_refused_batch_is_dropped_and_the_next_one_sent() {
    for status in [400, 401, 404, 413, 302] {
        let collector = Collector::start(&[status]).await;
        let teller = Teller::start(&collector.url, Setup { batch_max: 2, ..Setup::default() });
        teller.tell_numbers(0..2);
        collector.first(1).await;
        teller.tell_numbers(2..4);
        let got = collector.first(2).await;
        assert_eq!(numbers(&got[1].events())[0], 2, "{status} is no reason to ask again");
        assert_eq!(teller.end().await, (0, [2, 0, 2, 0, 0]), "{status}");
    }
}

#[tokio::test]
async fn a_server_that_fails_for_too_long_costs_its_batch_alone() {
    let collector = Collector::start(&[500, 500, 500]).await;
    let patience = Patience { attempts_max: 3, ..Setup::default().patience };
    let teller = Teller::start(&collector.url, Setup { patience, batch_max: 1, ..Setup::default() });
    teller.tell_numbers(1..3);
    assert_eq!(numbers(&collector.first(4).await[3].events()), [2]);
    assert_eq!(teller.end().await, (0, [1, 0, 0, 1, 0]));
}

#[tokio::test]
async fn a_slow_server_holds_nobody_up_and_what_does_not_fit_is_counted() {
    let collector = Collector::start(&[]).await;
    let shut = collector.gate.lock().await;
    let teller = Teller::start(&collector.url, Setup { batch_max: 5, queue_max: 10, ..Setup::default() });
    teller.tell_numbers(0..5);
    collector.first(1).await;
    teller.tell_numbers(5..35);
    assert_eq!(teller.count(Outcome::QueueFull), 20, "five are under way and ten wait");
    drop(shut);
    let all: Vec<_> = collector.first(3).await.iter().flat_map(Got::events).collect();
    assert_eq!(teller.end().await, (0, [15, 20, 0, 0, 0]));
    assert_eq!(numbers(&all), (0..15).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_server_that_never_answers_is_asked_again_after_the_deadline() {
    let collector = Collector::start(&[]).await;
    let shut = collector.gate.lock().await;
    let deadline = Duration::from_millis(30);
    let teller = Teller::start(&collector.url, Setup { deadline, ..Setup::default() });
    teller.tell(Event::QueueJoined);
    let got = collector.first(2).await;
    assert_eq!(got[0].delivery(), got[1].delivery());
    drop(shut);
    assert_eq!(teller.end().await.1[0], 1);
}

/// An address at which nobody listens any more.
async fn nobody() -> Uri {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap()
}

#[tokio::test]
async fn a_dead_server_costs_the_events_and_nothing_else() {
    let patience = Patience { attempts_max: 3, ..Setup::default().patience };
    let teller = Teller::start(&nobody().await, Setup { patience, ..Setup::default() });
    teller.tell_numbers(0..7);
    assert_eq!(teller.end().await, (0, [0, 0, 0, 7, 0]));
}

#[tokio::test]
async fn a_server_that_comes_back_gets_what_waited() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: Uri = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let teller = Teller::start(&url, Setup::default());
    teller.tell_numbers(0..3);
    // It accepts and hangs up, twice, then serves.
    for _ in 0..2 {
        drop(listener.accept().await.unwrap());
    }
    let (heard, mut hears) = mpsc::channel(1);
    let router = Router::new().fallback(move |body: Bytes| {
        heard.try_send(body).unwrap();
        async { StatusCode::OK }
    });
    tokio::spawn(async { axum::serve(listener, router).await });
    let body: Value = serde_json::from_slice(&hears.recv().await.unwrap()).unwrap();
    assert_eq!(numbers(body["events"].as_array().unwrap()), [0, 1, 2]);
    assert_eq!(teller.end().await, (0, [3, 0, 0, 0, 0]));
}

#[tokio::test]
async fn a_leaving_node_sends_what_waits() {
    let collector = Collector::start(&[503]).await;
    let teller = Teller::start(&collector.url, Setup { interval: LONG, batch_max: 10, ..Setup::default() });
    teller.tell_numbers(0..4);
    assert_eq!(teller.end().await, (0, [4, 0, 0, 0, 0]));
    assert_eq!(collector.count(), 2, "it was asked again after the 503");
}

#[tokio::test]
async fn a_leaving_node_waits_for_a_hanging_server_until_its_deadline() {
    let collector = Collector::start(&[]).await;
    let _shut = collector.gate.lock().await;
    let patience = Patience { flush: Duration::from_millis(50), ..Setup::default().patience };
    let teller = Teller::start(&collector.url, Setup { patience, batch_max: 5, ..Setup::default() });
    teller.tell_numbers(0..5);
    collector.first(1).await;
    teller.tell_numbers(5..17);
    assert_eq!(teller.end().await, (17, [0, 0, 0, 0, 17]));
    assert_eq!(collector.count(), 1, "what was under way was not broken off before");
}

#[tokio::test]
async fn without_a_webhook_nothing_has_to_run() {
    let tenant = TenantName::parse("acme").unwrap();
    let about = About { app: "debate", tenant: &tenant, queue: "default", room: None, users: &["ada"] };
    for (sink, families) in [(Sink::None, 0), (Sink::Log, 3)] {
        let (analytics, delivery) = Analytics::new(Config::new(sink, "key".to_owned().into()));
        analytics.record(about, Event::QueueJoined);
        assert!(delivery.is_none() && analytics.metrics().len() == families);
    }
}

#[tokio::test]
async fn the_counts_are_metrics() {
    let teller = Teller::start(&nobody().await, Setup { queue_max: 1, ..Setup::default() });
    teller.tell_numbers(0..3);
    let metrics = teller.analytics.metrics();
    let value = |name: &str, label: Option<&str>| {
        let family = metrics.iter().find(|family| family.name == name).unwrap();
        let fits = |series: &&throng_node::Series| label.is_none_or(|label| series.labels[0].1 == label);
        family.series.iter().find(fits).unwrap().value
    };
    assert_eq!(value("throng_analytics_queue", None), 1.0);
    assert_eq!(value("throng_analytics_events_total", Some("queue_full")), 2.0);
    assert_eq!(value("throng_analytics_attempts_failed_total", None), 0.0);
}
