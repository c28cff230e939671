//! A room: two people, from their pairing to its end. A pure state machine: time is an argument, and what follows from a
//! change comes back as [`Effect`]s for the hall to carry out.

use std::sync::Arc;
use std::time::Duration;

use throng_lobby::{Language, PairingId, QueueName, Tag, Time, User};

use super::backlog::{Backlog, BacklogFull};
use super::ending::{Cause, Next, Reason};
use super::history::{History, Line};
use super::setting::Setting;
use super::written::WrittenRoom;
use crate::roulette::call::Call;
use crate::roulette::media::MediaState;
use crate::roulette::signal::Signal;

/// The name of a room, which no other ever has.
pub(crate) type RoomId = Arc<str>;

/// One of the two places in a room; the first is that of whoever had waited longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seat {
    First,
    Second,
}

impl Seat {
    pub(crate) const BOTH: [Self; 2] = [Self::First, Self::Second];

    pub(crate) fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    pub(crate) fn index(self) -> usize {
        usize::from(self == Self::Second)
    }
}

/// How far a room is. Once it is over it is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Not both have confirmed that they are there; whoever has not by then is not.
    Waiting { until: Time },
    /// Both have.
    Active,
}

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) duration: Duration,
    pub(crate) warning: Duration,
    pub(crate) grace: Duration,
    pub(crate) confirm_timeout: Duration,
}

/// What a room is made of.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) id: RoomId,
    pub(crate) pairing: PairingId,
    pub(crate) queue: QueueName,
    pub(crate) setting: Setting,
    pub(crate) tags: Vec<Tag>,
    pub(crate) language: Option<Language>,
    /// Who they are, and since when they had waited.
    pub(crate) members: [(User, Time); 2],
    pub(crate) times: Times,
}

/// A room that has not ended.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) id: RoomId,
    pub(crate) pairing: PairingId,
    pub(crate) queue: QueueName,
    pub(crate) setting: Setting,
    pub(crate) tags: Vec<Tag>,
    pub(crate) language: Option<Language>,
    pub(crate) started: Time,
    pub(crate) ends: Time,
    pub(crate) stage: Stage,
    pub(crate) history: History,
    pub(crate) call: Call,
    /// Whether it is written down.
    pub(crate) is_written: bool,
    /// When both are told that it ends soon, until they have been.
    warns: Option<Time>,
    grace: Duration,
    members: [Member; 2],
}

#[derive(Debug)]
struct Member {
    user: User,
    waited_since: Time,
    confirmed: bool,
    /// Until when it is waited for, when it has vanished.
    away_until: Option<Time>,
    media: Option<MediaState>,
    backlog: Backlog,
}

/// What follows from a change.
#[derive(Debug, PartialEq)]
pub(crate) enum Effect {
    /// A member is told something.
    Tell(Seat, Notice),
    /// Both have confirmed.
    Begun,
    /// The room is over, and both have been told.
    Over(Cause),
}

/// How somebody comes to be in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// By being paired.
    New,
    /// By coming back to it.
    Resumed,
}

/// What a member is told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Notice {
    /// You are in this room.
    Joined(Arrival),
    /// Both of you are there.
    Active,
    /// It ends soon.
    Warning { ends: Time, remaining: Duration },
    /// Somebody said something.
    Said(Line),
    /// The other is writing, or no longer.
    Typing(bool),
    /// The other has vanished and is waited for.
    Away { until: Time },
    /// The other is back.
    Back,
    /// The other's browser has something for yours.
    Signal(Arc<Signal>),
    /// The other has turned its devices on or off.
    Media(MediaState),
    /// It is over.
    Ended { reason: Reason, next: Next },
}

fn both(notice: &Notice) -> Vec<Effect> {
    Seat::BOTH.map(|seat| Effect::Tell(seat, notice.clone())).into()
}

impl Room {
    /// Two people were paired. Both are told.
    pub(crate) fn open(opening: Opening, now: Time) -> (Self, Vec<Effect>) {
        let Opening { id, pairing, queue, setting, tags, language, members, times } = opening;
        let ends = now + times.duration;
        let room = Self {
            id,
            pairing,
            queue,
            setting,
            tags,
            language,
            started: now,
            ends,
            stage: Stage::Waiting { until: now + times.confirm_timeout },
            history: History::default(),
            call: Call::default(),
            is_written: false,
            warns: (times.warning < times.duration && !times.warning.is_zero()).then(|| ends - times.warning),
            grace: times.grace,
            members: members.map(Member::new),
        };
        (room, both(&Notice::Joined(Arrival::New)))
    }

    /// A room whose members nobody has seen yet: whether they were told of it is not known. They have as long to come as to
    /// confirm.
    pub(crate) fn open_unseen(opening: Opening, now: Time) -> Self {
        let until = now + opening.times.confirm_timeout;
        let (mut room, _) = Self::open(opening, now);
        room.members.iter_mut().for_each(|member| member.away_until = Some(until));
        room
    }

    /// Goes on with a room that had begun, on another node. Its members are waited for.
    pub(crate) fn reopen(written: WrittenRoom, times: Times, now: Time) -> Self {
        let WrittenRoom { id, pairing, queue, setting, tags, language, started, ends, members } = written;
        let opening = Opening { id, pairing, queue, setting, tags, language, members, times };
        let mut room = Self::open_unseen(opening, now);
        let warns = ends - times.warning;
        room.started = started;
        room.ends = ends;
        room.stage = Stage::Active;
        room.is_written = true;
        room.warns = (!times.warning.is_zero() && started < warns && now < warns).then_some(warns);
        for member in &mut room.members {
            member.confirmed = true;
            member.away_until = Some(now + times.grace);
        }
        room
    }

    /// Who has a seat.
    pub(crate) fn user(&self, seat: Seat) -> &User {
        &self.members[seat.index()].user
    }

    /// Both.
    pub(crate) fn users(&self) -> [&User; 2] {
        Seat::BOTH.map(|seat| self.user(seat))
    }

    /// Where a user sits.
    pub(crate) fn seat(&self, user: &User) -> Option<Seat> {
        Seat::BOTH.into_iter().find(|seat| self.user(*seat) == user)
    }

    /// Whether both have confirmed.
    pub(crate) fn is_active(&self) -> bool {
        self.stage == Stage::Active
    }

    /// Since when a member had waited for this.
    pub(crate) fn waited_since(&self, seat: Seat) -> Time {
        self.members[seat.index()].waited_since
    }

    /// When there is something to do.
    pub(crate) fn due(&self) -> Option<Time> {
        let confirm = match self.stage {
            Stage::Waiting { until } => Some(until),
            Stage::Active => None,
        };
        let away = self.members.iter().filter_map(|member| member.away_until);
        [Some(self.ends), confirm, self.warns].into_iter().flatten().chain(away).min()
    }

    /// Does what is due.
    pub(crate) fn advance(&mut self, now: Time) -> Vec<Effect> {
        if self.ends <= now {
            return self.end(Cause::Time);
        }
        let is_gone = |seat: &Seat| self.member(*seat).away_until.is_some_and(|until| until <= now);
        if let Some(gone) = Seat::BOTH.into_iter().find(is_gone) {
            return self.end(Cause::Gone(gone));
        }
        if matches!(self.stage, Stage::Waiting { until } if until <= now)
            && let Some(unheard) = Seat::BOTH.into_iter().find(|seat| !self.member(*seat).confirmed)
        {
            return self.end(Cause::Gone(unheard));
        }
        let mut effects = Vec::new();
        if self.warns.is_some_and(|warns| warns <= now) {
            self.warns = None;
            effects.extend(both(&Notice::Warning { ends: self.ends, remaining: self.ends.since(now) }));
        }
        effects
    }

    /// A member shows that it is there.
    pub(crate) fn confirm(&mut self, seat: Seat) -> Vec<Effect> {
        self.note(seat);
        self.begin()
    }

    /// A member shows that it is there, and nothing is to follow from that yet.
    pub(crate) fn note(&mut self, seat: Seat) {
        self.member_mut(seat).confirmed = true;
    }

    /// Begins, if both have confirmed and it has not.
    fn begin(&mut self) -> Vec<Effect> {
        if self.is_active() || !self.members.iter().all(|member| member.confirmed) {
            return Vec::new();
        }
        self.stage = Stage::Active;
        let mut effects = both(&Notice::Active);
        effects.push(Effect::Begun);
        effects
    }

    /// Begins, if both have confirmed; else it is waited until then for whoever has not.
    pub(crate) fn wait_anew(&mut self, until: Time) -> Vec<Effect> {
        if let Stage::Waiting { until: waits } = &mut self.stage {
            *waits = until;
        }
        self.begin()
    }

    /// A member knows that the room has begun, though that was never written down. Whoever is away is waited for as in any
    /// room that has.
    pub(crate) fn believe_begun(&mut self, seat: Seat, now: Time) -> Vec<Effect> {
        if self.is_active() {
            return Vec::new();
        }
        let until = now + self.grace;
        for member in &mut self.members {
            member.confirmed = true;
            member.away_until = member.away_until.map(|_| until);
        }
        self.stage = Stage::Active;
        vec![Effect::Tell(seat.other(), Notice::Active), Effect::Begun]
    }

    /// A member's connection is gone. Before both have confirmed this is the end.
    pub(crate) fn away(&mut self, seat: Seat, now: Time) -> Vec<Effect> {
        if !self.is_active() {
            return self.end(Cause::Gone(seat));
        }
        let until = now + self.grace;
        self.member_mut(seat).away_until = Some(until);
        vec![Effect::Tell(seat.other(), Notice::Away { until })]
    }

    /// A member has a connection again, or a newer one: it sees what it missed.
    pub(crate) fn back(&mut self, seat: Seat) -> Vec<Effect> {
        let other = self.member(seat.other());
        let (away_until, media) = (other.away_until, other.media);
        self.call.back(seat);
        let member = self.member_mut(seat);
        member.away_until = None;
        let missed = member.backlog.take();
        let notices = std::iter::once(Notice::Joined(Arrival::Resumed))
            .chain(away_until.map(|until| Notice::Away { until }))
            .chain(media.map(Notice::Media))
            .chain(missed.into_iter().map(Notice::Signal));
        let mut effects: Vec<_> = notices.map(|notice| Effect::Tell(seat, notice)).collect();
        effects.push(Effect::Tell(seat.other(), Notice::Back));
        effects
    }

    /// A member has been there all along, though it was not seen: it is told what it has missed, and no more.
    pub(crate) fn still_there(&mut self, seat: Seat) -> Vec<Effect> {
        let is_active = self.is_active();
        let member = self.member_mut(seat);
        if member.away_until.take().is_none() {
            return Vec::new();
        }
        let missed = member.backlog.take().into_iter().map(Notice::Signal);
        // It may not have been told of a room that has not begun.
        let joined = (!is_active).then_some(Notice::Joined(Arrival::Resumed));
        let told = joined.into_iter().chain(missed).map(|notice| Effect::Tell(seat, notice));
        told.chain([Effect::Tell(seat.other(), Notice::Back)]).collect()
    }

    /// Tells each member that the other is away, if it is.
    pub(crate) fn absences(&self) -> Vec<Effect> {
        let away = |seat: Seat| Some((seat, self.member(seat).away_until?));
        let away = Seat::BOTH.into_iter().filter_map(away);
        away.map(|(seat, until)| Effect::Tell(seat.other(), Notice::Away { until })).collect()
    }

    /// A member says something; both hear it.
    pub(crate) fn say(&mut self, seat: Seat, text: Arc<str>, now: Time) -> (Line, Vec<Effect>) {
        let line = self.history.say(seat, text, now);
        let effects = both(&Notice::Said(line.clone()));
        (line, effects)
    }

    /// A member's browser has something for the other's; kept while the other is away.
    ///
    /// # Errors
    /// When no more is kept.
    pub(crate) fn signal(&mut self, seat: Seat, signal: Arc<Signal>) -> Result<Vec<Effect>, BacklogFull> {
        let other = self.member_mut(seat.other());
        if other.away_until.is_some() {
            other.backlog.keep(signal)?;
            return Ok(Vec::new());
        }
        Ok(vec![Effect::Tell(seat.other(), Notice::Signal(signal))])
    }

    /// A member turns its devices on or off.
    pub(crate) fn show(&mut self, seat: Seat, media: MediaState) -> Vec<Effect> {
        self.member_mut(seat).media = Some(media);
        vec![Effect::Tell(seat.other(), Notice::Media(media))]
    }

    /// The end.
    pub(crate) fn end(&self, cause: Cause) -> Vec<Effect> {
        let ended = |seat| Notice::Ended { reason: cause.reason(), next: cause.next(self.stage, seat) };
        let mut effects: Vec<_> = Seat::BOTH.map(|seat| Effect::Tell(seat, ended(seat))).into();
        effects.push(Effect::Over(cause));
        effects
    }

    fn member(&self, seat: Seat) -> &Member {
        &self.members[seat.index()]
    }

    fn member_mut(&mut self, seat: Seat) -> &mut Member {
        &mut self.members[seat.index()]
    }
}

impl Member {
    fn new((user, waited_since): (User, Time)) -> Self {
        let backlog = Backlog::default();
        Self { user, waited_since, confirmed: false, away_until: None, media: None, backlog }
    }
}

#[cfg(test)]
mod tests;
