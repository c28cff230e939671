//! Questions to clients: answers, timeouts, partial answers, and nothing left waiting.

use std::time::Duration;

use throng_node::{AskError, Socket};
use throng_testkit::Client;

use crate::{crowd, elsewhere, node, rooms};

const SHORT: Duration = Duration::from_millis(200);

#[test]
fn an_answer_comes_back() {
    let node = node(1, |nsp| {
        nsp.on("ask", |socket: Socket| async move {
            let answer = socket.emit_with_ack::<u32>("question", 1).await.unwrap();
            socket.emit("answer", answer);
        });
    });
    let (mut client, _) = Client::connect(node.address());
    client.emit("ask", ());
    let (_, number) = client.asked("question");
    client.acknowledge(number.unwrap() + 1000, 6);
    client.acknowledge(number.unwrap(), 7);
    client.acknowledge(number.unwrap(), 8);
    assert_eq!(client.event("answer").decode::<u32>().unwrap(), 7);
    client.check();
}

#[test]
fn no_answer_and_a_wrong_answer_and_a_vanished_client_are_told_apart() {
    let node = node(1, |nsp| {
        nsp.on("ask", |socket: Socket| async move {
            let answer = socket.timeout(SHORT).emit_with_ack::<u32>("question", ()).await;
            let what = match answer {
                Ok(_) => "answer",
                Err(AskError::Timeout) => "timeout",
                Err(AskError::Disconnected) => "disconnected",
                Err(AskError::Decode(_)) => "wrong",
                Err(AskError::Encode(_)) => "encode",
            };
            socket.nsp().emit("outcome", what);
        });
    });
    let (mut watcher, _) = Client::connect(node.address());
    let mut outcome = || watcher.event("outcome").decode::<String>().unwrap();
    let (mut client, _) = Client::connect(node.address());
    client.emit("ask", ());
    assert_eq!(outcome(), "timeout");
    client.emit("ask", ());
    client.asked("question");
    let (_, number) = client.asked("question");
    client.acknowledge(number.unwrap(), "text");
    assert_eq!(outcome(), "wrong");
    client.emit("ask", ());
    client.asked("question");
    drop(client);
    assert_eq!(outcome(), "disconnected");
}

#[test]
fn many_answers_come_back_and_missing_ones_are_counted() {
    for shards in [1, 4] {
        let node = node(shards, rooms);
        let mut clients = crowd(&node, shards);
        for (client, _) in &mut clients[..10] {
            client.call("join", "asked");
        }
        let asking = node.io().of("/").to("asked").timeout(Duration::from_secs(5));
        let everyone = std::thread::spawn(move || elsewhere(asking.emit_with_ack::<usize>("q", ())).unwrap());
        for (index, (client, _)) in clients[..10].iter_mut().enumerate() {
            let (_, number) = client.asked("q");
            client.acknowledge(number.unwrap(), index);
        }
        let mut all = everyone.join().unwrap();
        all.answers.sort_unstable();
        assert_eq!((all.answers, all.missing), ((0..10).collect(), 0));

        // Two answer, one answers something else, one vanishes, six say nothing.
        let asking = node.io().of("/").to("asked").timeout(SHORT * 5);
        let some = std::thread::spawn(move || elsewhere(asking.emit_with_ack::<usize>("q", ())).unwrap());
        for (index, (client, _)) in clients[..10].iter_mut().enumerate() {
            let (_, number) = client.asked("q");
            match index {
                0 | 1 => client.acknowledge(number.unwrap(), index),
                2 => client.acknowledge(number.unwrap(), "two"),
                3 => client.raw().hang_up(),
                _ => {}
            }
        }
        let mut partial = some.join().unwrap();
        partial.answers.sort_unstable();
        assert_eq!((partial.answers, partial.missing), (vec![0, 1], 8));

        let nobody = elsewhere(node.io().of("/").to("nobody").emit_with_ack::<usize>("q", ())).unwrap();
        assert_eq!((nobody.answers.len(), nobody.missing), (0, 0));
    }
}

#[test]
fn all_that_were_asked_vanish_and_nobody_waits() {
    let node = node(1, |nsp| {
        nsp.on("ask", |socket: Socket| async move {
            let got = socket.broadcast().timeout(Duration::from_secs(60)).emit_with_ack::<u32>("q", ()).await;
            let got = got.unwrap();
            socket.emit("got", (got.answers.len(), got.missing));
        });
    });
    let (mut asking, _) = Client::connect(node.address());
    let (mut vanishing, _) = Client::connect(node.address());
    asking.emit("ask", ());
    vanishing.asked("q");
    drop(vanishing);
    assert_eq!(asking.event("got").decode::<(usize, usize)>().unwrap(), (0, 1));
}
