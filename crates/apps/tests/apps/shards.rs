//! Many people at once, on one shard and on several; and tenants, who never meet.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::json;
use throng_apps::{debate, rooms, roulette};
use throng_node::{EventLimits, Tenancy, TenantName, TenantSettings};
use throng_testkit::Door;
use throng_testkit::until;

use crate::people::{Person, get, meet, node_with};

const PEOPLE: usize = 60;

fn configs() -> (debate::Config, roulette::Config) {
    let rooms = rooms::Config::default();
    (debate::Config { rooms: rooms.clone(), ..debate::Config::default() }, roulette::Config::default())
}

/// Everyone joins, everyone is paired, everyone says something to the other, everyone goes on.
fn everyone_meets(shards: usize) {
    let node = node_with(shards, Tenancy::unlimited(), configs());
    let mut people: Vec<_> =
        (0..PEOPLE).map(|number| Person::debating(node.address(), &format!("person {number}"))).collect();
    for (number, person) in people.iter_mut().enumerate() {
        let side = if number % 2 == 0 { "for" } else { "against" };
        person.0.emit("queue:join", json!({"topic": "tea", "side": side}));
    }
    let mut rooms: HashMap<String, Vec<usize>> = HashMap::new();
    for (number, person) in people.iter_mut().enumerate() {
        let room = person.joined()["room"].as_str().expect("a room has a name").to_owned();
        rooms.entry(room).or_default().push(number);
    }
    assert_eq!(rooms.len(), PEOPLE / 2);
    assert!(
        rooms.values().all(|members| members.len() == 2 && (members[0] + members[1]) % 2 == 1),
        "{rooms:?}"
    );
    for (number, person) in people.iter_mut().enumerate() {
        person.done("room:message", json!({"text": format!("I am {number}")}));
    }
    for members in rooms.values() {
        for (me, partner) in [(members[0], members[1]), (members[1], members[0])] {
            let heard = [(); 2].map(|()| people[me].event("room:message"));
            let texts: BTreeMap<_, _> =
                heard.iter().map(|said| (said["from"].to_string(), said["text"].clone())).collect();
            assert_eq!(texts["\"you\""], json!(format!("I am {me}")));
            assert_eq!(texts["\"partner\""], json!(format!("I am {partner}")));
        }
    }
    for members in rooms.values() {
        people[members[0]].done("room:leave", json!({}));
    }
    until("all rooms end", || (get(&node, "/api/stats")["activeRooms"] == 0).then_some(()));
}

#[test]
fn everyone_meets_on_one_shard() {
    everyone_meets(1);
}

#[test]
fn everyone_meets_on_four_shards() {
    everyone_meets(4);
}

#[test]
fn people_of_different_tenants_never_meet() {
    let name = |name| TenantName::parse(name).expect("a good name");
    let settings = || Arc::new(TenantSettings { events: EventLimits::off(), ..TenantSettings::default() });
    let tenants = BTreeMap::from([(name("acme"), settings()), (name("globex"), settings())]);
    let tenancy = Tenancy { domain: Some("example.test".into()), tenants, ..Tenancy::unlimited() };
    let node = node_with(2, tenancy, configs());
    let door = |tenant: &str| Door::named(node.address(), &format!("{tenant}.example.test"));
    let mut one = Person::debating(door("acme"), "one");
    let mut other = Person::debating(door("globex"), "one");
    one.debate("tea", "for");
    assert_eq!(other.debate("tea", "for")["waiting"], 0);
    let mut two = Person::debating(door("acme"), "two");
    assert_eq!(two.debate("tea", "against")["waiting"], 1);
    let room = meet(&mut one, &mut two);
    // The name of a room says nothing to anybody else.
    other.refused("room:message", json!({"text": "hi", "room": room}), "not_your_room");
    other.done("queue:leave", json!({}));
}
