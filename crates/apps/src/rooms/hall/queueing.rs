//! Wishes: joining a queue, leaving it, going on to the next partner.

use std::sync::Arc;

use throng_lobby::{Bound, JoinError, Newcomer, Place, User, Wish, service};

use super::{Hall, HallStage, State};
use crate::analytics::Event;
use crate::request::{Done, Failure};
use crate::rooms::clock::whole_millis;
use crate::rooms::ending::Cause;
use crate::rooms::events::Queued;
use crate::rooms::people::{Errand, Joining, Target, Waiting};
use crate::rooms::refusal::{
    DRAINING, IN_ROOM, INVALID_PROPERTY, NO_ROOM, NO_WISH, NOT_WAITING, QUEUE_FULL, UNAVAILABLE,
    UNKNOWN_QUEUE,
};
use crate::rooms::wish::Wanted;

impl Hall {
    /// Somebody wishes to be paired. A second wish replaces the first.
    pub(super) async fn join(&self, user: &User, wanted: Wanted) -> Result<Queued, Failure> {
        let newcomer = {
            let mut state = self.state();
            let presence = state.people.get(user).ok_or(UNAVAILABLE)?;
            if presence.room.is_some() {
                return Err(IN_ROOM);
            }
            self.newcomer(&mut state, user, wanted, Bound::Kept)?
        };
        self.enter(newcomer).await
    }

    /// Somebody waits no more.
    pub(super) async fn leave_queue(&self, user: &User) -> Result<Done, Failure> {
        {
            let mut state = self.state();
            let presence = state.people.get_mut(user).ok_or(NOT_WAITING)?;
            let waiting = presence.waiting.take().ok_or(NOT_WAITING)?;
            self.count_leaving(&mut state, user, &waiting);
            self.finish(state);
        }
        self.settle(user).await;
        Ok(Done {})
    }

    /// Somebody leaves their room, if they are in one, and waits for the next partner with the last wish.
    pub(super) async fn next(&self, user: &User, named: Option<&str>) -> Result<Queued, Failure> {
        let (newcomer, errands) = {
            let mut state = self.state();
            let presence = state.people.get(user).ok_or(NO_WISH)?;
            let target = match presence.target(named) {
                Err(NO_ROOM) => None,
                target => Some(target?),
            };
            let wanted = presence.wanted.clone().ok_or(NO_WISH)?;
            if state.stage == HallStage::Draining {
                return Err(DRAINING);
            }
            let mut bound = Bound::Kept;
            if let Some(Target::Current(id)) = target {
                self.end_room(&mut state, &id, user, Cause::Next);
                // They have been told that they wait.
                bound = Bound::Waived;
            }
            let newcomer = self.newcomer(&mut state, user, wanted, bound);
            (newcomer, self.release(&mut state))
        };
        // The lobby lets nobody in whom it believes to be in a pairing.
        self.run_errands(errands).await;
        self.enter(newcomer?).await
    }

    /// Puts somebody who waits into the queue again, with the place that they had.
    pub(super) async fn rejoin(&self, user: &User) -> Result<Queued, Failure> {
        let newcomer = {
            let mut state = self.state();
            let presence = state.people.get(user).ok_or(NOT_WAITING)?;
            if presence.room.is_some() || presence.waiting.is_none() {
                return Err(NOT_WAITING);
            }
            let wanted = presence.wanted.clone().ok_or(NO_WISH)?;
            self.newcomer(&mut state, user, wanted, Bound::Kept)?
        };
        self.enter(newcomer).await
    }

    /// Counts somebody who waits no more, without having been paired.
    pub(super) fn count_leaving(&self, state: &mut State, user: &User, waiting: &Waiting) {
        self.count_joining(state, user);
        state.board.change(service::now());
        self.record_leaving(user, waiting);
    }

    /// Counts somebody whose wish has been let in, if that has not been done.
    pub(super) fn count_joining(&self, state: &mut State, user: &User) {
        let joining = state.people.get_mut(user).and_then(|presence| presence.joining.take());
        let Some(Joining { queue, former }) = joining else { return };
        if let Some((waiting, _)) = former {
            self.record_leaving(user, &waiting);
        }
        self.app.config.experiments.assigned(self.subject(user, queue.as_str()));
        self.record(queue.as_str(), None, &[user.as_str()], Event::QueueJoined);
    }

    fn record_leaving(&self, user: &User, waiting: &Waiting) {
        let wait = service::now().since(waiting.since);
        self.record(waiting.queue.as_str(), None, &[user.as_str()], Event::QueueLeft { wait });
    }

    /// Notes that somebody waits from now on, and what the lobby has to know of them.
    fn newcomer(
        &self,
        state: &mut State,
        user: &User,
        wanted: Wanted,
        bound: Bound,
    ) -> Result<Newcomer, Failure> {
        let queue = wanted.wish.queue.clone();
        if !self.app.config.queues.contains_key(queue.as_str()) {
            return Err(UNKNOWN_QUEUE);
        }
        if state.stage == HallStage::Draining {
            return Err(DRAINING);
        }
        let presence = state.people.get_mut(user).ok_or(UNAVAILABLE)?;
        // As the lobby compares them: what to call with is no reason to lose one's place.
        let same = presence.wanted.as_ref().is_some_and(|known| known.wish == wanted.wish);
        if presence.waiting.is_none() || !same {
            let former = presence.waiting.replace(Waiting { queue: queue.clone(), since: service::now() });
            let former = match presence.joining.take() {
                Some(earlier) => earlier.former,
                None => former.zip(presence.wanted.take()),
            };
            presence.joining = Some(Joining { queue: queue.clone(), former });
        }
        presence.wanted = Some(wanted.clone());
        let (blocked, recent) = state.acquaintances.of_user(user);
        Ok(Newcomer {
            user: user.clone(),
            wish: wanted.wish,
            blocked: blocked.iter().cloned().collect(),
            recent: recent.iter().cloned().collect(),
            policy: self.app.config.experiments.policy(self.subject(user, queue.as_str())),
            bound,
        })
    }

    /// Lets somebody into the lobby.
    async fn enter(&self, newcomer: Newcomer) -> Result<Queued, Failure> {
        let (user, wish) = (newcomer.user.clone(), newcomer.wish.clone());
        let mut entered = self.lobby.join(newcomer.clone(), service::now()).await;
        if let Err(JoinError::Paired(_)) = entered {
            // Perhaps another thread is about to tell the lobby how that pairing ended: then it is told now.
            let last = self.state().people.get(&user).and_then(|presence| presence.last.clone());
            if let Some(last) = last {
                self.dissolve(&last.dissolution).await;
                entered = self.lobby.join(newcomer, service::now()).await;
            }
        }
        let mut state = self.state();
        let is_here = state.people.get(&user).is_some_and(|presence| presence.guest.is_some());
        match &entered {
            Ok(_) => {
                self.count_joining(&mut state, &user);
                if !is_here {
                    state.errands.push(Errand::Settle(user));
                }
            }
            // They are in a room, or whoever keeps the hall next goes on with what is written.
            Err(JoinError::Paired(_) | JoinError::Deposed) => {
                if let Some(presence) = state.people.get_mut(&user) {
                    presence.joining = None;
                }
            }
            Err(_) => self.refuse(&mut state, &user, &wish),
        }
        state.board.change(service::now());
        self.finish(state);
        match entered {
            Ok(Place { others, estimated_wait }) => {
                let queue = wish.queue.to_string();
                Ok(Queued { queue, waiting: others, estimated_wait_ms: estimated_wait.map(whole_millis) })
            }
            Err(JoinError::QueueFull) => Err(QUEUE_FULL),
            Err(JoinError::UnknownQueue) => Err(UNKNOWN_QUEUE),
            Err(JoinError::Paused) => Err(DRAINING),
            Err(JoinError::Paired(_)) => Err(IN_ROOM),
            Err(JoinError::TooLarge) => Err(INVALID_PROPERTY),
            Err(JoinError::StoreAway | JoinError::Deposed) => Err(UNAVAILABLE),
        }
    }

    /// The lobby has not let somebody in: they wait for what they waited for before, or no more.
    fn refuse(&self, state: &mut State, user: &User, wish: &Arc<Wish>) {
        let Some(presence) = state.people.get_mut(user) else { return };
        if presence.wanted.as_ref().is_none_or(|wanted| !Arc::ptr_eq(&wanted.wish, wish)) {
            // What becomes of a later wish is up to that one.
            return;
        }
        match (presence.waiting.take(), presence.joining.take()) {
            (Some(_), Some(Joining { former: Some((waiting, wanted)), .. })) => {
                (presence.waiting, presence.wanted) = (Some(waiting), Some(wanted));
            }
            (Some(waiting), None) => self.count_leaving(state, user, &waiting),
            _ => {}
        }
        // The lobby may have the former ticket still, or no longer.
        state.errands.push(Errand::Settle(user.clone()));
        state.forget_if_gone(user);
    }
}
