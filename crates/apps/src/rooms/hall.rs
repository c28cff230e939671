//! The hall of one tenant: who is here, who waits, which rooms are on. The one owner of that state; it is changed under a
//! lock that is never held across an await, and whoever has to be told is told by queueing, so nothing under it waits.
//!
//! A room decides for itself ([`Room`] is pure); the hall carries out what follows. What the lobby has to be told is
//! noted under the lock as an [`Errand`] and done after it. What the lobby tells ([`pairing`](self)) comes on the
//! thread that made it happen, never under either lock.

mod attendance;
mod correcting;
mod errands;
mod judgement;
mod keeping;
mod pairing;
mod queueing;
mod talk;
mod telling;
mod timing;

pub(crate) use self::attendance::Dismissal;
pub(crate) use self::keeping::Book;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use throng_backbone::Register;
use throng_lobby::{Event as LobbyEvent, Lobby, Restored, Time, User, Written, service};
use throng_node::{Io, NodeTag, TenantName};
use tokio::sync::Notify;

use super::Config;
use super::acquaintances::Acquaintances;
use super::board::Board;
use super::ending::Cause;
use super::figures::Figures;
use super::guest::Route;
use super::pace::Pace;
use super::people::{Dissolution, Errand, Past, People, Waiting};
use super::records::Records;
use super::records::review::{Review, Wanted};
use super::refusal::{NO_ROOM, UNAVAILABLE};
use super::requests::{Reply, Request};
use super::roll::Rolls;
use super::room::{Effect, Room, RoomId, Seat};
use super::schedule::Schedule;
use super::setting::{Setting, Theme};
use super::tenure::{Certainty, Tenure};
use crate::analytics::{About, Event};
use crate::experiments::{Outcome, Subject};
use crate::request::Failure;
use crate::roulette::calls::Calls;

/// The state of an app for one tenant.
#[derive(Debug)]
pub(crate) struct Hall {
    /// For tasks, which do not keep the hall.
    me: Weak<Self>,
    app: Arc<AppSetup>,
    tenant: TenantName,
    io: Io,
    /// How surely it is this node that keeps the hall.
    tenure: Tenure,
    /// Where it is written down, if another node may keep it later.
    register: Option<Register>,
    lobby: Lobby,
    state: Mutex<State>,
    bell: Arc<Notify>,
}

/// Whose hall it is.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    pub(crate) app: Arc<AppSetup>,
    pub(crate) tenant: TenantName,
    /// Of the tenant.
    pub(crate) io: Io,
}

/// What all halls of an app share.
#[derive(Debug)]
pub(crate) struct AppSetup {
    pub(crate) namespace: &'static str,
    pub(crate) theme: Theme,
    pub(crate) config: Config,
}

#[derive(Debug)]
struct State {
    people: People,
    rooms: HashMap<RoomId, Room>,
    schedule: Schedule,
    acquaintances: Acquaintances,
    board: Board,
    pace: Pace,
    calls: Calls,
    records: Records,
    /// Whose connections are all known, of the other nodes.
    rolls: Rolls,
    /// The ways to those nodes.
    routes: HashMap<NodeTag, Arc<Route>>,
    /// What the lobby told while it was not sure that this node keeps the hall.
    unheard: Vec<LobbyEvent>,
    /// For the lobby, once the lock is released.
    errands: Vec<Errand>,
    /// When [`timing`] looks again, unless it is woken.
    alarm: Time,
    /// When everything is looked over.
    sweep: Time,
    stage: HallStage,
}

/// Whether people may join queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HallStage {
    Open,
    Draining,
}

impl Hall {
    /// A hall, that goes on with what is written down where it may be kept by another node later. Starts its tasks on the
    /// runtime of whoever calls.
    pub(crate) fn open(site: Site, tenure: Tenure, book: Option<Book>) -> Arc<Self> {
        let (Site { app, tenant, io }, now) = (site, service::now());
        let mut restored = Restored::default();
        let hall = Arc::new_cyclic(|me: &Weak<Self>| {
            let (hall, config) = (me.clone(), app.config.lobby());
            let on_event = move |event| {
                if let Some(hall) = hall.upgrade() {
                    hall.hear(event);
                }
            };
            let register = book.as_ref().map(|(register, _)| register.clone());
            let lobby = match book {
                None => Lobby::new(config, on_event),
                Some((register, records)) => {
                    let written = Written { register, records, now };
                    let (lobby, found) = Lobby::restore(config, written, on_event);
                    restored = found;
                    lobby
                }
            };
            let state = Mutex::new(State::new(now));
            Self { me: me.clone(), app, tenant, io, tenure, register, lobby, state, bell: Arc::default() }
        });
        if hall.register.is_some() {
            hall.go_on(restored, now);
        }
        tokio::spawn(service::run(&hall.lobby));
        tokio::spawn(timing::keep(hall.bell.clone(), hall.me.clone()));
        hall
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while the lock is held")
    }

    /// Does what somebody asks for, unless it is not sure that this node keeps the hall. While the store is away people go on
    /// talking; what others must not contradict waits until it is back.
    pub(crate) async fn serve(&self, user: &User, request: Request) -> Result<Reply, Failure> {
        match self.tenure.certainty() {
            Certainty::Sure => {}
            Certainty::Cut if request.is_talk() => {}
            Certainty::Cut | Certainty::Doubtful => return Err(UNAVAILABLE),
        }
        match request {
            Request::Join(join) => {
                Ok(Reply::Queued(self.join(user, self.app.theme.wanted(Arc::unwrap_or_clone(join))?).await?))
            }
            Request::LeaveQueue => self.leave_queue(user).await.map(Reply::Done),
            Request::Next(room) => self.next(user, room.as_deref()).await.map(Reply::Queued),
            Request::Say(asked) => self.say(user, &asked.text, asked.room.as_deref()).map(Reply::Sent),
            Request::Type(asked) => self.typing(user, asked.typing, asked.room.as_deref()).map(Reply::Done),
            Request::Leave(room) => self.leave_room(user, room.as_deref()).map(Reply::Done),
            Request::Report(asked) => self.report(user, asked).map(Reply::Reported),
            Request::Rate(asked) => self.feedback(user, asked).map(Reply::Done),
            Request::Block(room) => self.block(user, room.as_deref()).map(Reply::Done),
            Request::Signal(mut asked) => {
                let room = asked.room.take();
                self.signal(user, *asked, room.as_deref()).map(Reply::Done)
            }
            Request::Show(asked) => self.show(user, asked.state(), asked.room.as_deref()).map(Reply::Done),
            Request::CallReport(report) => self.call_report(user, &report).map(Reply::Done),
        }
    }

    /// How surely it is this node that keeps the hall.
    pub(crate) fn certainty(&self) -> Certainty {
        self.tenure.certainty()
    }

    /// How busy the hall is.
    pub(crate) fn statistics(&self) -> Figures {
        let now = service::now();
        let lobby = self.lobby.statistics(now);
        let state = self.state();
        Figures {
            rooms_active: state.rooms.len() as u64,
            waiting: lobby
                .queues
                .iter()
                .map(|(name, queue)| (name.to_string(), queue.waiting as u64))
                .collect(),
            waits_recent: lobby
                .queues
                .values()
                .flat_map(|queue| queue.recent_waits.iter().copied())
                .collect(),
            rooms_per_hour: state.pace.per_hour(now),
            rooms_ended: state
                .pace
                .ended
                .iter()
                .map(|(reason, count)| ((*reason).to_owned(), *count))
                .collect(),
            pairings: state.pace.pairings,
            messages: state.pace.messages,
            waits: state.pace.waits,
        }
    }

    /// How calls fare: what was reported, and how many are on.
    pub(crate) fn calls(&self) -> (Calls, u64) {
        let state = self.state();
        let active = state.rooms.values().filter(|room| room.call.is_active()).count();
        (state.calls.clone(), active as u64)
    }

    /// Whether nobody is here.
    pub(crate) fn is_deserted(&self) -> bool {
        self.state().people.values().all(|presence| presence.guest.is_none())
    }

    /// What people said about rooms.
    pub(crate) fn review(&self, wanted: &Wanted) -> Review {
        self.state().records.review(wanted)
    }

    /// A member does something in its room. Whatever it is shows that the member is there.
    fn act<T>(
        &self,
        user: &User,
        named: Option<&str>,
        act: impl FnOnce(&mut Room, Seat, Time) -> Result<(T, Vec<Effect>), Failure>,
    ) -> Result<T, Failure> {
        let mut state = self.state();
        let presence = state.people.get(user).ok_or(NO_ROOM)?;
        let id = presence.room(named)?;
        let room = state.rooms.get_mut(&id).ok_or(NO_ROOM)?;
        let seat = room.seat(user).ok_or(NO_ROOM)?;
        let confirmed = room.confirm(seat);
        let done = act(room, seat, service::now());
        self.carry_out(&mut state, &id, confirmed);
        let (done, effects) = match done {
            Ok((done, effects)) => (Ok(done), effects),
            Err(failure) => (Err(failure), Vec::new()),
        };
        self.carry_out(&mut state, &id, effects);
        self.finish(state);
        done
    }

    /// A member's doing ends a room. Leaving does not show that one is there.
    fn end_room(&self, state: &mut State, id: &RoomId, user: &User, cause: fn(Seat) -> Cause) {
        if let Some(room) = state.rooms.get_mut(id)
            && let Some(seat) = room.seat(user)
        {
            let effects = room.end(cause(seat));
            self.carry_out(state, id, effects);
        }
    }

    /// Does what follows from a change of a room.
    fn carry_out(&self, state: &mut State, id: &RoomId, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Tell(seat, notice) => self.tell(state, id, seat, &notice),
                Effect::Begun => self.begun(state, id),
                Effect::Over(cause) => self.over(state, id, cause),
            }
        }
        let due = state.rooms.get(id).and_then(Room::due);
        state.schedule.set(id, due);
    }

    /// Both are there for sure.
    fn begun(&self, state: &mut State, id: &RoomId) {
        let Some(room) = state.rooms.get(id) else { return };
        state.acquaintances.meet(room.users());
        let confirmed = Dissolution::Confirmed(room.pairing, room.users().map(User::clone));
        state.errands.push(Errand::Dissolve(confirmed));
        let event = match &room.setting {
            Setting::Debate { .. } => Event::DebateStarted,
            Setting::Call { media } => Event::CallStarted { media: media.name() },
        };
        self.record_of_room(room, event);
    }

    /// A room has ended, and both have been told.
    fn over(&self, state: &mut State, id: &RoomId, cause: Cause) {
        let Some(room) = state.rooms.remove(id) else { return };
        self.strike(&room);
        let now = service::now();
        if !room.is_active() && matches!(cause, Cause::Left(_) | Cause::Next(_)) {
            // It never began, but one has seen enough of the other.
            state.acquaintances.meet(room.users());
        }
        // A pairing that was not confirmed ends with whoever ended it; if neither did, it ends for both.
        let dissolution = match cause.by() {
            Some(seat) if !room.is_active() => {
                let (gone, left) = (room.user(seat).clone(), room.user(seat.other()).clone());
                Dissolution::DroppedOut { pairing: room.pairing, gone, left }
            }
            _ => Dissolution::Confirmed(room.pairing, room.users().map(User::clone)),
        };
        for seat in Seat::BOTH {
            let presence = state.people.get_mut(room.user(seat));
            let Some(presence) = presence.filter(|presence| presence.room.as_ref() == Some(id)) else {
                continue;
            };
            presence.room = None;
            presence.last = Some(Past {
                room: id.clone(),
                queue: room.queue.clone(),
                partner: room.user(seat.other()).clone(),
                dissolution: dissolution.clone(),
                until: now + self.app.config.grace,
            });
            if !room.is_active() && cause.by().is_some_and(|by| by != seat) {
                let since = room.waited_since(seat);
                presence.waiting = Some(Waiting { queue: room.queue.clone(), since });
            }
        }
        state.errands.push(Errand::Dissolve(dissolution));
        state.pace.end(cause.reason());
        state.board.change(now);
        if room.is_active() {
            self.count_end(&room, cause, now);
        }
    }

    fn count_end(&self, room: &Room, cause: Cause, now: Time) {
        let (reason, length) = (cause.reason().code(), now.since(room.started));
        let messages = room.history.said();
        self.record_of_room(
            room,
            match room.setting {
                Setting::Debate { .. } => Event::DebateEnded { reason, length, messages },
                Setting::Call { .. } => Event::CallEnded { reason, length, messages },
            },
        );
        for member in room.users() {
            self.app
                .config
                .experiments
                .outcome(self.subject(member, room.queue.as_str()), Outcome::Ended(length));
        }
    }

    fn subject<'a>(&'a self, user: &'a User, queue: &'a str) -> Subject<'a> {
        Subject { tenant: &self.tenant, user: user.as_str(), queue }
    }

    fn record_of_room(&self, room: &Room, event: Event) {
        let users = room.users().map(User::as_str);
        self.record(room.queue.as_str(), Some(&room.id), &users, event);
    }

    fn record(&self, queue: &str, room: Option<&str>, users: &[&str], event: Event) {
        let about = About { app: self.app.theme.name(), tenant: &self.tenant, queue, room, users };
        self.app.config.analytics.record(about, event);
    }
}

impl State {
    fn new(now: Time) -> Self {
        Self {
            people: People::new(),
            rooms: HashMap::new(),
            schedule: Schedule::default(),
            acquaintances: Acquaintances::default(),
            board: Board::default(),
            pace: Pace::new(),
            calls: Calls::default(),
            records: Records::default(),
            rolls: Rolls::default(),
            routes: HashMap::new(),
            unheard: Vec::new(),
            errands: Vec::new(),
            alarm: now,
            sweep: now + timing::SWEEP_INTERVAL,
            stage: HallStage::Open,
        }
    }

    /// When there is something to do.
    fn next_alarm(&self) -> Time {
        let dues = [self.schedule.next(), self.board.due()];
        dues.into_iter().flatten().fold(self.sweep, Time::min)
    }

    /// Forgets somebody of whom nothing is left.
    fn forget_if_gone(&mut self, user: &User) {
        if self.people.get(user).is_some_and(|presence| presence.is_gone(service::now())) {
            self.people.remove(user);
        }
    }
}

impl Drop for Hall {
    fn drop(&mut self) {
        self.bell.notify_one();
    }
}

#[cfg(test)]
mod tests;
