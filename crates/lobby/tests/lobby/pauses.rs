//! A lobby that pauses, and one that takes over from another.

use std::time::Duration;

use throng_lobby::{JoinError, Newcomer, User};

use crate::crowds::crowd;
use crate::{Table, at, done, names, wish};

#[test]
fn a_pause_pairs_nobody_and_forgets_nobody() {
    let table = Table::new();
    table.join("ann", wish("tea", &["art"]), 0);
    table.join("bob", wish("tea", &["law"]), 0);
    table.lobby.pause();
    let refused = done(table.lobby.join(Newcomer::new("cy", wish("tea", &[])), at(1)));
    assert_eq!(refused.err(), Some(JoinError::Paused));
    done(table.lobby.advance(at(6)));
    table.check_nothing();
    table.lobby.resume(at(7));
    done(table.lobby.advance(at(7)));
    table.check_paired(["ann", "bob"]);
}

#[test]
fn tickets_move_to_another_lobby_with_their_wait() {
    let (from, to) = (Table::new(), Table::new());
    from.join("ann", wish("tea", &[]), 0);
    from.lobby.pause();
    let tickets = done(from.lobby.extract());
    assert_eq!((tickets.len(), from.waiting(), from.lobby.due()), (1, 0, None));

    to.join("bob", wish("tea", &[]), 8);
    let refused = done(to.lobby.insert(tickets.clone(), at(9)));
    assert!(refused.is_empty());
    let refused = done(to.lobby.insert(tickets, at(9)));
    assert_eq!(refused.len(), 1, "ann is there already");
    to.check_nothing();
    done(to.lobby.back(&User::from("ann"), at(10)));
    let pairing = to.pairing();
    assert_eq!(names(&pairing.tickets), ["ann", "bob"]);
    assert_eq!(pairing.waits[0], Duration::from_secs(10));
}

#[test]
fn nobody_is_taken_during_a_pause_who_was_looked_at_before() {
    let table = crowd(None);
    table.lobby.pause();
    done(table.lobby.advance(at(4)));
    table.check_nothing();
    table.lobby.resume(at(4));
    done(table.lobby.advance(at(5)));
    table.check_paired(["ann", "cy"]);
}
