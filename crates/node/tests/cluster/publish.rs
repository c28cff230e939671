//! What other programs publish at one node, heard on all.

use serde_json::json;
use throng_testkit::{Http, Node, Response};

use crate::{Fleet, KEY};

fn publish(node: &Node, key: &str, body: &str) -> Response {
    let mut http = Http::connect(node.address());
    let headers = format!(
        "connection: close\r\ncontent-type: application/json\r\nauthorization: Bearer {KEY}\r\nidempotency-key: {key}\r\n"
    );
    http.request("POST", "/api/publish", &headers, body.as_bytes());
    http.response()
}

#[test]
fn a_message_reaches_sockets_of_every_node() {
    let fleet = Fleet::start();
    let mut clients = fleet.clients();
    clients[1].0.call("join", "r");
    clients[2].0.call("join", "r");
    let body = json!([
        {"namespace": "/", "rooms": ["r"], "event": "heard", "arguments": ["room"]},
        {"namespace": "/", "event": "heard", "arguments": ["all"]},
    ]);
    assert_eq!(publish(&fleet.nodes[0], "1", &body.to_string()).status, 202);
    for ((client, _), expect) in clients.iter_mut().zip([&["all"][..], &["room", "all"], &["room", "all"]]) {
        for text in expect {
            assert_eq!(client.event("heard").decode::<String>().unwrap(), *text);
        }
    }
}

#[test]
fn a_request_that_is_repeated_at_another_node_is_sent_once() {
    let fleet = Fleet::start();
    let (mut client, _) = fleet.client(2);
    let body = |text: &str| json!({"namespace": "/", "event": "heard", "arguments": [text]}).to_string();
    let answers: Vec<_> = fleet.nodes.iter().map(|node| publish(node, "k", &body("once"))).collect();
    let replayed: Vec<_> = answers.iter().map(|answer| answer.header("idempotency-replayed")).collect();
    assert_eq!(replayed, [None, Some("true"), Some("true")]);
    assert!(answers.iter().all(|answer| (answer.status, &answer.body) == (202, &answers[0].body)));
    publish(&fleet.nodes[0], "end", &body("end"));
    for text in ["once", "end"] {
        assert_eq!(client.event("heard").decode::<String>().unwrap(), text);
    }
}
