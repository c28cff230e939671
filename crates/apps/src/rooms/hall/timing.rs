//! The clock of a hall: does what is due in rooms when it is due, and looks everything over once in a while.

use std::sync::{Arc, Weak};
use std::time::Duration;

use throng_lobby::{Time, User, service};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::{Hall, State};
use crate::rooms::ending::Cause;
use crate::rooms::people::Presence;
use crate::rooms::room::{RoomId, Seat};

/// How often everything is looked over.
pub(super) const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

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
    /// Does what is due; gives when there is more to do.
    fn advance(&self, now: Time) -> Time {
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

    /// Repairs what a crash may have left: rooms past their time, rooms without their members, people whose room is not
    /// there. In a sound hall it finds nothing.
    fn sweep(&self, state: &mut State, now: Time) {
        let lost: Vec<(RoomId, Option<Seat>)> =
            state.rooms.values().filter_map(|room| state.lost(&room.id, now)).collect();
        let astray = state.astray();
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
            state.forget_if_gone(&user);
        }
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

    /// People whose room is not there, and those of whom nothing is left.
    fn astray(&self) -> Vec<User> {
        let is_astray = |presence: &Presence| {
            presence.is_gone() || presence.room.as_ref().is_some_and(|room| !self.rooms.contains_key(room))
        };
        let astray = self.people.iter().filter(|(_, presence)| is_astray(presence));
        astray.map(|(user, _)| user.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use throng_lobby::PairingId;
    use throng_node::{App, TenantName};

    use super::*;
    use crate::rooms::hall::AppSetup;
    use crate::rooms::room::{Opening, Room};
    use crate::rooms::setting::{Setting, Theme};
    use crate::rooms::{Config, Queue};
    use crate::roulette::Ice;
    use crate::roulette::media::Media;

    fn hall() -> Arc<Hall> {
        let theme = Theme::Roulette(Ice::default());
        let config =
            Config { queues: [("default".to_owned(), Queue::default())].into(), ..Config::default() };
        let app = AppSetup { namespace: "/test", theme, config };
        Hall::open(Arc::new(app), TenantName::parse("acme").unwrap(), App::new().io())
    }

    /// A room of two people who are believed to be in these rooms, as it is after a crash: nothing is due.
    fn leave_behind(hall: &Hall, id: &str, believed: [Option<&str>; 2]) {
        let mut state = hall.state();
        let users = [0, 1].map(|number| User::from(format!("{number} of {id}")));
        for (user, room) in users.iter().zip(believed) {
            let presence = Presence { room: room.map(Into::into), ..Presence::default() };
            state.people.insert(user.clone(), presence);
        }
        let opening = Opening {
            id: id.into(),
            pairing: PairingId(0),
            queue: "default".into(),
            setting: Setting::Call { media: Media::Text },
            tags: Vec::new(),
            language: None,
            members: users.map(|user| (user, Time::default())),
            times: hall.app.config.times(&"default".into()),
        };
        state.rooms.insert(id.into(), Room::open(opening, service::now()).0);
    }

    /// Lets every task run that can; one may start another.
    async fn until_idle() {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn the_sweep_repairs_what_a_crash_left() {
        let hall = hall();
        leave_behind(&hall, "sound", [Some("sound"); 2]);
        leave_behind(&hall, "half", [Some("half"), None]);
        leave_behind(&hall, "elsewhere", [Some("elsewhere"), Some("nowhere")]);
        let now = service::now() + SWEEP_INTERVAL;
        hall.advance(now);
        // What the lobby has to be told is told by tasks.
        until_idle().await;
        let state = hall.state();
        assert_eq!(state.rooms.keys().map(|id| &**id).collect::<Vec<_>>(), ["sound"]);
        let mut people: Vec<_> = state.people.keys().map(User::as_str).collect();
        people.sort_unstable();
        assert_eq!(people, ["0 of sound", "1 of sound"]);
        assert_eq!(state.pace.ended["partner_gone"], 2);
        assert_eq!(state.sweep, now + SWEEP_INTERVAL);
    }

    #[tokio::test]
    async fn the_sweep_ends_what_is_overdue() {
        let hall = hall();
        leave_behind(&hall, "late", [Some("late"); 2]);
        hall.advance(service::now() + Duration::from_secs(601));
        let state = hall.state();
        assert_eq!((state.rooms.len(), state.people.len(), state.pace.ended["time"]), (0, 0, 1));
    }

    #[tokio::test]
    async fn a_hall_that_nobody_holds_is_gone() {
        let (bell, weak) = {
            let hall = hall();
            (hall.bell.clone(), hall.me.clone())
        };
        keep(bell, weak.clone()).await;
        assert!(weak.upgrade().is_none());
    }
}
