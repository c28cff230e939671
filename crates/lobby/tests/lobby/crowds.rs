//! More people than are looked at in one go.

use std::sync::Arc;
use std::time::Duration;

use throng_lobby::{Facets, Newcomer, Policy, QueueConfig, SideWish, Step, TopicScope, Weights, Wish};

use crate::{Table, at, done, users, wish};

/// A policy by which recent partners meet again without having waited.
fn at_once() -> Arc<Policy> {
    let all = Step { after: Duration::ZERO, shared: Facets::NONE, topics: TopicScope::Same };
    Arc::new(Policy::new(vec![all], Duration::ZERO, Weights::default()).expect("a good policy"))
}

/// A recent partner of cy's, many who have blocked cy, maybe somebody new, and cy, who has looked at some of them.
pub(crate) fn crowd(somebody_new: Option<&str>) -> Table {
    let side = |side| Wish { side: Some(side), ..wish("tea", &[]) };
    let table = Table::with(QueueConfig { policy: at_once(), ..QueueConfig::default() });
    table.join("ann", side(SideWish::For), 0);
    for number in 0..1500 {
        let blocked = users(&["cy"]);
        let newcomer = Newcomer { blocked, ..Newcomer::new(format!("user-{number}"), side(SideWish::For)) };
        done(table.lobby.join(newcomer, at(1))).expect("there is room");
    }
    if let Some(user) = somebody_new {
        table.join(user, side(SideWish::For), 2);
    }
    let met = Newcomer { recent: users(&["ann"]), ..Newcomer::new("cy", side(SideWish::Against)) };
    done(table.lobby.join(met, at(3))).expect("there is room");
    table.check_nothing();
    table
}

#[test]
fn whoever_is_blocked_by_a_crowd_is_found_behind_it() {
    let table = Table::new();
    let side = |side| Wish { side: Some(side), ..wish("tea", &[]) };
    for number in 0..1500 {
        let blocked = users(&["ann"]);
        let newcomer = Newcomer { blocked, ..Newcomer::new(format!("user-{number}"), side(SideWish::For)) };
        done(table.lobby.join(newcomer, at(0))).unwrap();
    }
    table.join("bob", side(SideWish::For), 1);
    table.join("ann", side(SideWish::Against), 2);
    table.check_nothing();
    while table.told.lock().unwrap().is_empty() {
        let due = table.lobby.due().unwrap();
        assert!(due.since(at(2)) < Duration::from_secs(1), "not looked for any longer");
        done(table.lobby.advance(due));
    }
    table.check_paired(["bob", "ann"]);
}

#[test]
fn a_recent_partner_is_taken_when_nobody_new_is_in_the_whole_crowd() {
    for (somebody_new, expect) in [(Some("bob"), ["bob", "cy"]), (None, ["ann", "cy"])] {
        let table = crowd(somebody_new);
        while table.told.lock().unwrap().is_empty() {
            let due = table.lobby.due().unwrap();
            assert!(due.since(at(3)) < Duration::from_secs(1), "not looked for any longer");
            done(table.lobby.advance(due));
        }
        table.check_paired(expect);
    }
}
