//! Who is here: everyone with a connection, or with something to come back to. Nothing else is kept of anybody, so there
//! are never more of them than connections, and those who vanished within the grace period or the time between two sweeps.

use std::collections::HashMap;

use throng_lobby::{PairingId, QueueName, Time, User};

use super::guest::Guest;
use super::refusal::{NO_ROOM, NOT_YOUR_ROOM, ROOM_ENDED};
use super::room::RoomId;
use super::wish::Wanted;
use crate::request::Failure;

/// Everyone who is here.
pub(crate) type People = HashMap<User, Presence>;

/// Someone.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    /// The newest connection, the one that counts.
    pub(crate) guest: Option<Guest>,
    /// The last wish, for the next partner.
    pub(crate) wanted: Option<Wanted>,
    /// The ticket in the lobby, as far as the hall knows.
    pub(crate) waiting: Option<Waiting>,
    /// The wish that the lobby has not answered.
    pub(crate) joining: Option<Joining>,
    /// The room.
    pub(crate) room: Option<RoomId>,
    /// The room before.
    pub(crate) last: Option<Past>,
    /// The room that was rated last.
    pub(crate) rated: Option<RoomId>,
    /// The room that was reported last.
    pub(crate) reported: Option<RoomId>,
}

/// A place in a queue.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) queue: QueueName,
    pub(crate) since: Time,
}

/// A wish on its way into the lobby.
#[derive(Debug)]
pub(crate) struct Joining {
    pub(crate) queue: QueueName,
    /// What the user has waited for before, and waits for still if the wish is refused.
    pub(crate) former: Option<(Waiting, Wanted)>,
}

/// A room that has ended, as one of its members remembers it.
#[derive(Debug, Clone)]
pub(crate) struct Past {
    pub(crate) room: RoomId,
    pub(crate) queue: QueueName,
    pub(crate) partner: User,
    /// What the lobby had to be told of its pairing.
    pub(crate) dissolution: Dissolution,
    /// Until when it is remembered of somebody who is not connected, to be rated, or its partner blocked.
    pub(crate) until: Time,
}

/// What the lobby has to be told. It does no harm to say one twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Errand {
    /// What became of a pairing.
    Dissolve(Dissolution),
    /// Whether the user waits now, and is connected.
    Settle(User),
    /// The user waits with the last wish: the ticket is gone, or knows less than it should.
    Rejoin(User),
}

/// What the lobby should have of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// A ticket that can be paired.
    Waits,
    /// A ticket that is kept for a while.
    Away,
    /// None.
    Elsewhere,
}

/// How a pairing ceases to be the lobby's business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Dissolution {
    /// Both are in their room, or neither shall wait again.
    Confirmed(PairingId, [User; 2]),
    /// One of the two does not want to be in it; the other waits again.
    DroppedOut { pairing: PairingId, gone: User, left: User },
}

/// Somebody's room, current or last.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    Current(RoomId),
    Last(Past),
}

impl Presence {
    /// What the lobby should have of this one.
    pub(crate) fn standing(&self) -> Standing {
        match (&self.waiting, &self.guest) {
            (None, _) => Standing::Elsewhere,
            (Some(_), Some(_)) => Standing::Waits,
            (Some(_), None) => Standing::Away,
        }
    }

    /// Whether there is nothing left to remember.
    pub(crate) fn is_gone(&self, now: Time) -> bool {
        let remembers = self.last.as_ref().is_some_and(|last| now < last.until);
        self.guest.is_none() && self.waiting.is_none() && self.room.is_none() && !remembers
    }

    /// The room that a request is about: the current one, which it may name.
    ///
    /// # Errors
    /// `not_your_room` for another one, `room_ended` after the end, `no_room` for whoever never had one.
    pub(crate) fn room(&self, named: Option<&str>) -> Result<RoomId, Failure> {
        match self.target(named)? {
            Target::Current(room) => Ok(room),
            Target::Last(_) => Err(ROOM_ENDED),
        }
    }

    /// The room that a request is about: the current one, or the last one where there is none.
    ///
    /// # Errors
    /// `not_your_room` for another one, `no_room` for whoever never had one. The last one is `room_ended` for whoever
    /// is in a new one.
    pub(crate) fn target(&self, named: Option<&str>) -> Result<Target, Failure> {
        let is_last = |name: &str| self.last.as_ref().is_some_and(|last| *last.room == *name);
        match (&self.room, &self.last, named) {
            (Some(room), _, Some(name)) if **room != *name => {
                Err(if is_last(name) { ROOM_ENDED } else { NOT_YOUR_ROOM })
            }
            (Some(room), _, _) => Ok(Target::Current(room.clone())),
            (None, _, Some(name)) if !is_last(name) => Err(NOT_YOUR_ROOM),
            (None, Some(last), _) => Ok(Target::Last(last.clone())),
            (None, None, _) => Err(NO_ROOM),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn presence(room: Option<&str>, last: Option<&str>) -> Presence {
        let past = |room: &str| Past {
            room: room.into(),
            queue: "default".into(),
            partner: "other".into(),
            dissolution: Dissolution::Confirmed(PairingId(1), ["me".into(), "other".into()]),
            until: Time::default(),
        };
        Presence { room: room.map(Into::into), last: last.map(past), ..Presence::default() }
    }

    #[track_caller]
    fn check(presence: &Presence, named: Option<&str>, expect: Result<&str, &str>) {
        let room = presence.room(named);
        assert_eq!(room.as_deref().map_err(|failure| failure.code), expect, "{named:?}");
    }

    #[test]
    fn somebody_without_a_connection_is_gone_once_the_last_room_is_forgotten() {
        let now = Time::default();
        let mut gone = presence(None, Some("then"));
        gone.last.as_mut().unwrap().until = now + Duration::from_secs(1);
        assert!(!gone.is_gone(now));
        assert!(gone.is_gone(now + Duration::from_secs(1)));
        assert!(presence(None, None).is_gone(now));
        assert!(!presence(Some("now"), None).is_gone(now));
    }

    #[test]
    fn a_request_is_about_the_current_room_and_may_name_it() {
        let now = presence(Some("now"), Some("then"));
        check(&now, None, Ok("now"));
        check(&now, Some("now"), Ok("now"));
        check(&now, Some("then"), Err("room_ended"));
        check(&now, Some("theirs"), Err("not_your_room"));
        let past = presence(None, Some("then"));
        check(&past, None, Err("room_ended"));
        check(&past, Some("then"), Err("room_ended"));
        check(&past, Some("theirs"), Err("not_your_room"));
        check(&presence(None, None), None, Err("no_room"));
        check(&presence(None, None), Some("theirs"), Err("not_your_room"));
    }
}
