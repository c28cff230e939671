//! The access log, read as a program would.

use std::io::Write;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::Value;
use throng_backbone::{MemoryStore, Store};
use throng_node::App;
use throng_testkit::{Http, Node, Polling, until};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::{PARENT, ask, get_with, node};

/// What all tests of this process have logged under the target.
static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

fn lines() -> MutexGuard<'static, Vec<u8>> {
    LINES.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        lines().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}

fn listen() {
    static STARTED: OnceLock<()> = OnceLock::new();
    STARTED.get_or_init(|| {
        let levels = Targets::new()
            .with_default(LevelFilter::WARN)
            .with_target("access", LevelFilter::DEBUG)
            .with_target("throng_node::shard", LevelFilter::DEBUG);
        let log = tracing_subscriber::fmt::layer().json().with_writer(Log).with_filter(levels);
        let log = tracing_subscriber::registry().with(log);
        tracing::subscriber::set_global_default(log).expect("nobody else listens");
    });
}

fn line_where(holds: impl Fn(&Value) -> bool) -> Value {
    until("the line is logged", || {
        let lines = lines();
        let lines = std::str::from_utf8(&lines).expect("logs are text").lines();
        let mut values = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
        values.find(|line| holds(line))
    })
}

/// The line about a request.
fn line(request_id: &str) -> Value {
    line_where(|line| line["target"] == "access" && line["fields"]["request_id"] == request_id)
}

/// What a malformed packet is logged with that is posted to one address, for a session that was opened at another.
fn check_named(opened: SocketAddr, posted: SocketAddr, name: &str) {
    let polling = Polling::open(opened);
    let headers = format!("x-request-id: {name}\r\ntraceparent: {PARENT}\r\n");
    ask(posted, "POST", &polling.path(), &headers, b"4?");
    let line = line_where(|line| line["span"]["request_id"] == name);
    assert_eq!(line["fields"]["message"], "malformed packet", "{line}");
    assert_eq!(line["span"]["trace_id"], PARENT[3..35], "{line}");
}

#[test]
fn whatever_a_request_brings_about_is_logged_with_its_name() {
    listen();
    // Some of the sessions are of another shard than the one that takes the request.
    let node = node(|config| config.shards = NonZeroUsize::new(2).expect("not zero"));
    for session in 0..8 {
        check_named(node.address(), node.address(), &format!("log-shard-{session}"));
    }
}

#[test]
fn what_another_node_does_for_a_request_is_logged_with_its_name() {
    listen();
    let store = Store::Memory(MemoryStore::default());
    let [owner, other] =
        [(); 2].map(|()| Node::start_member(throng_testkit::config(), App::new(), store.clone()));
    check_named(owner.address(), other.address(), "log-fleet");
}

#[test]
fn a_line_says_what_was_asked_and_how_it_was_answered() {
    listen();
    let node = node(|_| {});
    let headers = format!("x-request-id: log-1\r\ntraceparent: {PARENT}\r\n");
    ask(node.address(), "POST", "/api/upload?token=secret", &headers, b"12345");
    let line = line("log-1");
    assert_eq!(line["level"], "INFO");
    let fields = &line["fields"];
    for (name, value) in [
        ("method", Value::from("POST")),
        ("path", "/api/upload".into()),
        ("status", 200.into()),
        ("bytes", 1.into()),
        ("address", "127.0.0.1".into()),
        ("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736".into()),
    ] {
        assert_eq!(fields[name], value, "{line}");
    }
    assert!(fields["ms"].as_f64().is_some_and(|ms| ms > 0.0), "{line}");
    assert!(!line.to_string().contains("secret"));
}

#[test]
fn polls_are_told_more_quietly_than_handshakes() {
    listen();
    let node = node(|_| {});
    get_with(node.address(), crate::POLLING, "x-request-id: log-2\r\n");
    assert_eq!(line("log-2")["level"], "INFO");
    let polling = Polling::open(node.address());
    ask(node.address(), "POST", &polling.path(), "x-request-id: log-3\r\n", b"40");
    assert_eq!(line("log-3")["level"], "DEBUG");
    get_with(node.address(), &format!("{}&sid=unknown", crate::POLLING), "x-request-id: log-4\r\n");
    assert_eq!(line("log-4")["level"], "INFO");
}

/// Posts the beginning of a body; the connection ends with what is returned.
fn begin(address: SocketAddr, (path, headers, begun): (&str, &str, &str), name: &str) -> Http {
    let mut http = Http::connect(address);
    let head = format!("POST {path} HTTP/1.1\r\nhost: test\r\nx-request-id: {name}\r\n{headers}\r\n\r\n");
    http.send(format!("{head}{begun}").as_bytes());
    http
}

#[test]
fn a_client_that_leaves_in_the_middle_of_a_body_has_a_status_of_its_own() {
    listen();
    let node = node(|_| {});
    let polling = Polling::open(node.address());
    let (known, chunked) = ("content-length: 100", "transfer-encoding: chunked");
    for (name, begun) in [
        ("log-cut-1", ("/api/upload", known, "1234")),
        ("log-cut-2", ("/api/upload", chunked, "64\r\n1234")),
        ("log-cut-3", (&*polling.path(), known, "42")),
    ] {
        drop(begin(node.address(), begun, name));
        assert_eq!(line(name)["fields"]["status"], 499, "{begun:?}");
    }
    let mut malformed = begin(node.address(), ("/api/upload", chunked, "nonsense\r\n"), "log-malformed");
    assert_eq!(malformed.response().status, 400);
    drop(malformed);
    assert_eq!(line("log-malformed")["fields"]["status"], 400);
}
