//! Every use of an admin route is on record, refused ones too.

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};

use serde_json::{Value, json};
use throng_node::Role;

use super::{ask, done, node, token};

/// The log of this test program; shards write it from threads of their own.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no writer panics").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn log() -> &'static Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    LOG.get_or_init(|| {
        let log = Log::default();
        let writer = log.clone();
        let filter = tracing_subscriber::EnvFilter::new("audit=info");
        tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_env_filter(filter)
            .with_writer(move || writer.clone())
            .init();
        log
    })
}

fn records(who: Option<&str>, action: &str) -> Vec<Value> {
    let bytes = log().0.lock().expect("no writer panics").clone();
    let text = String::from_utf8(bytes).expect("logs are text");
    let records = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("lines are JSON"));
    records.filter(|record| record["who"].as_str() == who && record["action"] == action).collect()
}

#[test]
fn who_did_what_from_where_and_what_came_of_it() {
    log();
    let node = node(1);
    let auditor = token("auditor", Role::Admin, None);
    assert_eq!(ask(&node, "DELETE", "/api/admin/users/zoe", Some(&auditor), None).0, 200);
    let [record] = records(Some("auditor"), "user.end").try_into().expect("one record");
    let expect = json!({"target": "audit", "role": "admin", "object": "default zoe", "outcome": "ok",
        "request_id": "of-this-test", "address": "127.0.0.1"});
    for (field, value) in expect.as_object().unwrap() {
        assert_eq!(record[field], *value, "{record}");
    }
    assert_eq!(ask(&node, "GET", "/api/admin/sockets/nothing", Some(&auditor), None).0, 404);
    assert_eq!(records(Some("auditor"), "socket.inspect")[0]["outcome"], "not_found");
    assert_eq!(ask(&node, "POST", "/api/admin/drain", Some(&token("eve", Role::User, None)), None).0, 403);
    let [refused] = records(Some("eve"), "access").try_into().expect("one record");
    assert_eq!((&refused["object"], &refused["outcome"]), (&json!("/api/admin/drain"), &json!("forbidden")));
    done(&node, "GET", "/api/admin/limits", None);
    assert_eq!(records(Some("olga"), "limits.read")[0]["outcome"], "ok");
}
