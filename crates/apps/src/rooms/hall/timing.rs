//! The clock of a hall: does what is due in rooms when it is due, and looks everything over once in a while.

use std::sync::{Arc, Weak};
use std::time::Duration;

use throng_lobby::{Time, User, service};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::{Hall, HallStage, State};
use crate::rooms::ending::Cause;
use crate::rooms::people::{Errand, Presence};
use crate::rooms::room::{RoomId, Seat};

/// How often everything is looked over.
pub(super) const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

/// How often it is looked whether a hall may act again.
const DOUBT_INTERVAL: Duration = Duration::from_millis(100);

/// Advances the hall whenever something is due, until the hall is gone. The bell rings when something is due earlier.
pub(super) async fn keep(bell: Arc<Notify>, hall: Weak<Hall>) {
    while let Some(hall) = hall.upgrade() {
        let next = hall.advance(service::now());
        drop(hall);
        tokio::select! {
            () = sleep_until(Instant::now() + next.since(service::now())) => {}
            () = bell.notified() => {}
        }
    }
}

impl Hall {
    /// It is not sure that this node keeps the hall: nobody is paired until it is.
    pub(crate) fn hold(&self) {
        self.lobby.pause();
    }

    /// It is sure again. What was due meanwhile is done, and what the lobby said to nobody is found out.
    pub(crate) fn resume(&self) {
        let now = service::now();
        let mut state = self.state();
        if state.stage == HallStage::Open {
            self.lobby.resume(now);
        }
        self.catch_up(&mut state);
        self.confirm_late(&mut state, now);
        state.sweep = now;
        self.finish(state);
        self.bell.notify_one();
    }

    /// Does what is due; gives when there is more to do.
    pub(super) fn advance(&self, now: Time) -> Time {
        if !self.tenure.is_sure() {
            return now + DOUBT_INTERVAL;
        }
        let mut state = self.state();
        while let Some(id) = state.schedule.pop(now) {
            let effects = state.rooms.get_mut(&id).map(|room| room.advance(now)).unwrap_or_default();
            self.carry_out(&mut state, &id, effects);
        }
        if state.sweep <= now {
            state.sweep = now + SWEEP_INTERVAL;
            self.sweep(&mut state, now);
        }
        self.show_board(&mut state, now);
        state.alarm = state.next_alarm();
        let alarm = state.alarm;
        self.finish(state);
        alarm
    }

    /// Forgets those of whom nothing is left, and repairs what a crash may have left: rooms past their time, rooms without
    /// their members, people whose room is not there, people who wait without a ticket. In a sound hall it finds none of these.
    fn sweep(&self, state: &mut State, now: Time) {
        let lost: Vec<(RoomId, Option<Seat>)> =
            state.rooms.values().filter_map(|room| state.lost(&room.id, now)).collect();
        let astray = state.astray();
        let waiting = state.people.iter().filter(|(_, presence)| presence.waiting.is_some());
        let settled: Vec<_> = waiting.map(|(user, _)| Errand::Settle(user.clone())).collect();
        state.errands.extend(settled);
        if !lost.is_empty() || !astray.is_empty() {
            tracing::warn!(rooms = lost.len(), people = astray.len(), "repaired what was left over");
        }
        for (id, missing) in lost {
            let Some(room) = state.rooms.get_mut(&id) else { continue };
            let effects = match missing {
                Some(seat) => room.end(Cause::Gone(seat)),
                None => room.advance(now),
            };
            self.carry_out(state, &id, effects);
        }
        for user in astray {
            if let Some(presence) = state.people.get_mut(&user) {
                presence.room = None;
            }
        }
        state.people.retain(|_, presence| !presence.is_gone(now));
    }
}

impl State {
    /// A room that should have done something by now, or whose member is not in it.
    fn lost(&self, id: &RoomId, now: Time) -> Option<(RoomId, Option<Seat>)> {
        let room = self.rooms.get(id)?;
        let is_missing = |seat: &Seat| {
            let presence = self.people.get(room.user(*seat));
            presence.is_none_or(|presence| presence.room.as_ref() != Some(id))
        };
        let missing = Seat::BOTH.into_iter().find(is_missing);
        let overdue = room.due().is_some_and(|due| due <= now);
        (missing.is_some() || overdue).then(|| (id.clone(), missing))
    }

    /// People whose room is not there.
    fn astray(&self) -> Vec<User> {
        let is_astray =
            |presence: &Presence| presence.room.as_ref().is_some_and(|room| !self.rooms.contains_key(room));
        let astray = self.people.iter().filter(|(_, presence)| is_astray(presence));
        astray.map(|(user, _)| user.clone()).collect()
    }
}
