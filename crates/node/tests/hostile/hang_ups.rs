//! Clients that say something and are gone.

use throng_node::End;
use throng_testkit::{Client, Opcode, WebSocket};

use crate::Stage;

#[test]
fn an_end_that_comes_with_the_last_words_is_noticed() {
    let mut stage = Stage::new(|_| {});
    for _ in 0..20 {
        let (mut client, _) = Client::connect(stage.node.address());
        // Small enough to arrive in one piece with the end behind it.
        client.raw().send_raw(&WebSocket::frame(Opcode::Text, b"42[\"last\"]").repeat(50));
        client.raw().hang_up();
    }
    stage.node.until("all ends are noticed", |metrics| metrics.sessions_ended(End::TransportClose) == 20);
    stage.innocent.check();
}

#[test]
fn an_end_behind_a_large_message_is_noticed() {
    let mut stage = Stage::new(|_| {});
    let (mut client, id) = Client::connect(stage.node.address());
    let large = format!("42[\"large\",\"{}\"]", "x".repeat(900_000));
    client.raw().send_raw(&WebSocket::frame(Opcode::Text, large.as_bytes()));
    client.raw().stream().shutdown(std::net::Shutdown::Write).unwrap();
    stage.expect_end(id, End::TransportClose);
    assert!(stage.node.metrics().get("received_bytes_total") > 900_000);
}
