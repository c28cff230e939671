//! The apps on three nodes, whose people cannot tell them from one. The backbone is in memory here.

mod meeting;
mod moving;
mod takeover;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use throng_apps::{debate, rooms, roulette};
use throng_backbone::{Heartbeat, MemoryStore, Store};
use throng_node::{App, Config, Tenancy};
use throng_testkit::tokens::{SECRET, identities};
use throng_testkit::{Door, Node, until};

use crate::people::{Person, get, meet};

/// Short enough to wait for, and long enough for a busy machine.
const TAKEOVER: Duration = Duration::from_millis(900);
const HEARTBEAT: Heartbeat =
    Heartbeat { interval: Duration::from_millis(150), dead_after: Duration::from_millis(1500) };

/// Three nodes, the last one of two shards.
struct Fleet {
    nodes: Vec<Node>,
}

impl Fleet {
    fn start(rooms: rooms::Config) -> Self {
        let rooms = rooms::Config { takeover: TAKEOVER, ..rooms };
        let store = Store::Memory(MemoryStore::default());
        let start = |shards| {
            let mut app = App::new();
            debate::install(&mut app, debate::Config { rooms: rooms.clone(), ..debate::Config::default() });
            let calls = roulette::Config { rooms: rooms.clone(), ..roulette::Config::default() };
            let routes = roulette::install(&mut app, calls);
            let tenancy = Tenancy { identities: Some(identities(SECRET)), ..Tenancy::unlimited() };
            let shards = NonZeroUsize::new(shards).expect("a node has shards");
            let config = Config { shards, tenancy: Arc::new(tenancy), ..throng_testkit::config() };
            Node::start_member_with((config, HEARTBEAT), app, routes, store.clone())
        };
        let nodes: Vec<_> = [1, 1, 2].into_iter().map(start).collect();
        for node in &nodes {
            node.until("all members are known", |metrics| metrics.get("members") == 3);
        }
        Self { nodes }
    }

    fn door(&self, at: usize) -> Door {
        self.nodes[at].address().into()
    }

    fn debating(&self, at: usize, name: &str) -> Person {
        Person::debating(self.door(at), name)
    }

    /// Two people of these nodes in a debate on tea, for and against, who are both there; and its room.
    fn two(&self, at: [usize; 2]) -> (Person, Person, Value) {
        let (mut one, mut two) = (self.debating(at[0], "one"), self.debating(at[1], "two"));
        one.debate("tea", "for");
        two.debate("tea", "against");
        let room = meet(&mut one, &mut two);
        (one, two, room)
    }

    /// Waits until the node that keeps the debates counts so many rooms; gives its number.
    fn keeper(&self, rooms: u64) -> usize {
        let counts = |node: &Node| node.metrics().get("app_rooms{app=\"debate\"}");
        until("a node keeps the rooms", || self.nodes.iter().position(|node| counts(node) == rooms))
    }

    /// Waits until every node says the same of its debates: so many rooms, and so many who wait.
    fn all_say(&self, rooms: u64, waiting: u64) {
        for node in &self.nodes {
            until("every node says the same", || {
                let stats = &get(node, "/api/stats")["apps"]["debate"];
                (stats["activeRooms"] == rooms && stats["waitingUsers"] == waiting).then_some(())
            });
        }
    }
}
