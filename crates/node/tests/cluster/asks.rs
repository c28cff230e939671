//! Questions to many nodes: whole answers, and what is missing of partial ones.

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use serde_json::{Value, json};
use throng_node::{Ack, Namespace, Socket};

use crate::Fleet;

#[test]
fn clients_of_all_nodes_acknowledge() {
    let fleet = Fleet::start();
    let [(mut a, _), (mut b, _), (mut c, _)] = fleet.clients();
    b.call("join", "r");
    c.call("join", "r");
    let number = a.emit_asking("ask", (Some("r"), 60_000));
    for (client, answer) in [(&mut b, json!("b")), (&mut c, json!({"from": "c"}))] {
        let (_, asked) = client.asked("question");
        client.acknowledge(asked.expect("an answer is wanted"), answer);
    }
    let answer: Value = a.answer_to(number).decode().unwrap();
    assert_eq!(answer, json!({"said": [r#""b""#, r#"{"from":"c"}"#], "missing": 0, "silent": []}));
}

#[test]
fn who_does_not_answer_is_missing_and_what_came_is_not_lost() {
    let fleet = Fleet::start();
    let [(mut a, _), (mut b, _), (c, _)] = fleet.clients();
    let number = a.emit_asking("ask", (None::<&str>, 300));
    let (_, asked) = b.asked("question");
    b.acknowledge(asked.unwrap(), "b");
    let answer: Value = a.answer_to(number).decode().unwrap();
    assert_eq!(answer, json!({"said": [r#""b""#], "missing": 2, "silent": []}));
    drop(c);
}

#[test]
fn a_node_that_does_not_answer_is_named() {
    let gate = Arc::new(Mutex::new(()));
    let (say, stuck) = mpsc::channel();
    let fleet = Fleet::with(|_, nsp: &mut Namespace| {
        let (gate, say) = (gate.clone(), say.clone());
        nsp.on("get-stuck", move |_: Socket| {
            say.send(()).expect("the test listens");
            drop(gate.lock());
            async {}
        });
        nsp.on("find", |socket: Socket, (room, ms): (String, u64), ack: Ack| async move {
            let found = socket.nsp().to(room).timeout(Duration::from_millis(ms)).fetch_sockets().await;
            let ids: Vec<_> = found.answers.iter().map(|socket| socket.id).collect();
            ack.send(json!({"found": ids, "missing": found.missing, "silent": found.silent}));
        });
    });
    let [(mut a, _), (mut b, _), (mut c, c_id)] = fleet.clients();
    b.call("join", "r");
    c.call("join", "r");
    let name = fleet.nodes[1].io().peers().expect("it has others").me();
    let shut = gate.lock().expect("nobody panics with it");
    b.emit("get-stuck", ());
    stuck.recv().expect("the node is stuck");
    let number = a.emit_asking("ask", (Some("r"), 2_000));
    let (_, asked) = c.asked("question");
    c.acknowledge(asked.expect("an answer is wanted"), "c");
    let answer: Value = a.answer_to(number).decode().unwrap();
    let found: Value = a.call("find", ("r", 2_000)).decode().unwrap();
    drop(shut);
    assert_eq!(answer, json!({"said": [r#""c""#], "missing": 0, "silent": [name.to_string()]}));
    assert_eq!(found, json!({"found": [c_id], "missing": 0, "silent": [name.to_string()]}));
}

#[test]
fn one_that_leaves_is_not_waited_for() {
    let fleet = Fleet::start();
    let [(mut a, _), (mut b, b_id), _] = fleet.clients();
    let number = a.emit_asking("ask", (Some(b_id.to_string()), 60_000));
    b.asked("question");
    drop(b);
    let answer: Value = a.answer_to(number).decode().unwrap();
    assert_eq!(answer, json!({"said": [], "missing": 1, "silent": []}));
}

#[test]
fn a_question_to_nobody_is_answered_at_once() {
    let fleet = Fleet::start();
    let (mut a, _) = fleet.client(0);
    let answer: Value = a.call("ask", (Some("nobody's"), 60_000)).decode().unwrap();
    assert_eq!(answer, json!({"said": [], "missing": 0, "silent": []}));
}

#[test]
fn sockets_of_all_nodes_are_found() {
    let fleet = Fleet::start();
    let [(mut a, a_id), (mut b, b_id), (mut c, c_id)] = fleet.clients();
    let mut all = [a_id, b_id, c_id].map(|id| id.to_string());
    all.sort();
    for client in [&mut a, &mut b, &mut c] {
        client.call("join", "r");
    }
    for client in [&mut a, &mut b, &mut c] {
        assert_eq!(client.call("fetch", "r").decode::<Vec<String>>().unwrap(), all);
    }
    assert_eq!(a.call("fetch", c_id.to_string()).decode::<Vec<String>>().unwrap(), [c_id.to_string()]);
}

#[test]
fn server_side_events_reach_the_other_nodes_and_not_this_one() {
    let fleet = Fleet::start();
    let [(mut a, _), (mut b, _), (mut c, _)] = fleet.clients();
    a.emit("tell", ("news", 7));
    for client in [&mut b, &mut c] {
        assert_eq!(client.event("told").decode::<(String, u8)>().unwrap(), ("news".to_owned(), 7));
    }
    a.emit("all", "end");
    assert_eq!(a.events_before("heard"), Vec::<String>::new());
}

#[test]
fn server_side_events_are_answered_by_each_other_node() {
    let fleet = Fleet::with(|at, nsp: &mut Namespace| {
        nsp.on_server_side("sum", move |_, n: u64| async move { n + at as u64 });
        if at != 1 {
            nsp.on_server_side("some", |_, (): ()| async { "here" });
        }
        nsp.on("tell-all", |socket: throng_node::Socket, event: String, ack: throng_node::Ack| async move {
            let answers = socket.nsp().server_side_emit_with_ack::<Value>(&event, 10).await.unwrap();
            let mut said: Vec<String> = answers.answers.iter().map(ToString::to_string).collect();
            said.sort();
            ack.send(json!({"said": said, "missing": answers.missing}));
        });
    });
    let (mut a, _) = fleet.client(0);
    let ask = |client: &mut throng_testkit::Client, event: &str| {
        client.call("tell-all", event).decode::<Value>().unwrap()
    };
    assert_eq!(ask(&mut a, "sum"), json!({"said": ["11", "12"], "missing": 0}));
    assert_eq!(ask(&mut a, "some"), json!({"said": [r#""here""#], "missing": 1}));
}

#[test]
fn a_panic_in_a_server_side_listener_is_no_answer() {
    let fleet = Fleet::with(|at, nsp: &mut Namespace| {
        nsp.on_server_side("at once", move |_, n: u64| {
            assert_ne!(at, 1, "before there is anything to wait for");
            async move { n }
        });
        nsp.on_server_side("later", move |_, n: u64| async move {
            tokio::task::yield_now().await;
            assert_ne!(at, 1, "after a wait");
            n
        });
        nsp.on("tell-all", |socket: throng_node::Socket, event: String, ack: throng_node::Ack| async move {
            let others = socket.nsp().timeout(Duration::from_secs(60));
            let answers = others.server_side_emit_with_ack::<u64>(&event, 10).await.unwrap();
            ack.send((answers.answers, answers.missing));
        });
    });
    let [(mut a, _), (mut b, _), _] = fleet.clients();
    for event in ["at once", "later"] {
        let answer = a.call("tell-all", event);
        assert_eq!(answer.decode::<(Vec<u64>, usize)>().unwrap(), (vec![10], 1), "{event}");
    }
    assert_eq!(b.call("tell-all", "at once").decode::<(Vec<u64>, usize)>().unwrap(), (vec![10, 10], 0));
}
