//! What a fleet costs its server.

use throng_backbone::Channel;

use crate::fleet::{Fleet, until};
use crate::servers::Single;

#[tokio::test]
async fn a_node_has_two_connections_however_many_rooms_there_are() {
    let single = Single::start();
    let fleet = Fleet::redis(single.deployment());
    let nodes = [fleet.node("a").await, fleet.node("b").await];
    for number in 0..1000 {
        for node in &nodes {
            node.subscribe(&Channel::room("t", "/", number.to_string())).await;
        }
    }
    let channels: Vec<String> = single.server.ask("PUBSUB SHARDCHANNELS *:r:*");
    assert_eq!(channels.len(), 1000);
    // Those that tried the server as the nodes opened may still be closing.
    until("two connections of each node, and that of who asks", async || {
        single.server.ask::<String>("CLIENT LIST").lines().count() == 2 * nodes.len() + 1
    })
    .await;
}
