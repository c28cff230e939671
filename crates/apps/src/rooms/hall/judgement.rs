//! What people say about each other: reports, blocks, feedback.

use throng_lobby::{QueueName, User, service};

use super::{Hall, State};
use crate::analytics::Event;
use crate::experiments::Outcome;
use crate::request::{Done, Failure};
use crate::rooms::clock::millis;
use crate::rooms::ending::Cause;
use crate::rooms::events::Reported;
use crate::rooms::people::{Errand, Target};
use crate::rooms::records::{Feedback, MESSAGES_MAX, Quote, Report};
use crate::rooms::refusal::{ALREADY_RATED, ALREADY_REPORTED, INVALID_RATING, NO_ROOM};
use crate::rooms::requests::{FeedbackRequest, ReportRequest};
use crate::rooms::room::{Room, RoomId, Seat};
use crate::rooms::text;

/// The room that somebody speaks of, current or last.
struct Judged {
    room: RoomId,
    queue: QueueName,
    partner: User,
}

impl Hall {
    /// Somebody accuses the partner, once for a room. The room ends, if it has not, and the two never meet again.
    pub(super) fn report(&self, user: &User, request: ReportRequest) -> Result<Reported, Failure> {
        let ReportRequest { reason, text, room: named } = request;
        let now = service::now();
        let text = text.as_deref().map(text::message).transpose()?;
        let mut state = self.state();
        let judged = judged(&state, user, named.as_deref())?;
        let presence = state.people.get_mut(user).ok_or(NO_ROOM)?;
        if presence.reported.as_ref() == Some(&judged.room) {
            return Err(ALREADY_REPORTED);
        }
        presence.reported = Some(judged.room.clone());
        let report = format!("{:016x}", getrandom::u64().expect("the system has randomness"));
        let messages = state.rooms.get(&judged.room).map(quotes);
        state.records.report(Report {
            report: report.clone(),
            at: millis(now),
            tenant: self.tenant.to_string(),
            queue: judged.queue.to_string(),
            room: judged.room.to_string(),
            reporter: user.to_string(),
            reported: judged.partner.to_string(),
            reason,
            text: text.map(|text| text.to_string()),
            messages,
        });
        let users = [user.as_str(), judged.partner.as_str()];
        let event = Event::Reported { reason: reason.code() };
        self.record(judged.queue.as_str(), Some(&judged.room), &users, event);
        self.part(&mut state, user, &judged, Cause::Reported);
        self.finish(state);
        Ok(Reported { report })
    }

    /// Somebody never wants to meet the partner again. The room ends, if it has not.
    pub(super) fn block(&self, user: &User, named: Option<&str>) -> Result<Done, Failure> {
        let mut state = self.state();
        let judged = judged(&state, user, named)?;
        let users = [user.as_str(), judged.partner.as_str()];
        self.record(judged.queue.as_str(), Some(&judged.room), &users, Event::Blocked);
        self.part(&mut state, user, &judged, Cause::Left);
        self.finish(state);
        Ok(Done {})
    }

    /// Somebody rates a room, once.
    pub(super) fn feedback(&self, user: &User, request: FeedbackRequest) -> Result<Done, Failure> {
        let FeedbackRequest { rating, text, room: named } = request;
        let text = text.as_deref().map(text::message).transpose()?;
        if !(1..=5).contains(&rating) {
            return Err(INVALID_RATING);
        }
        let mut state = self.state();
        let Judged { room, queue, partner } = judged(&state, user, named.as_deref())?;
        let presence = state.people.get_mut(user).ok_or(NO_ROOM)?;
        if presence.rated.as_ref() == Some(&room) {
            return Err(ALREADY_RATED);
        }
        presence.rated = Some(room.clone());
        state.records.rate(Feedback {
            at: millis(service::now()),
            tenant: self.tenant.to_string(),
            queue: queue.to_string(),
            room: room.to_string(),
            user: user.to_string(),
            partner: partner.to_string(),
            rating,
            text: text.map(|text| text.to_string()),
        });
        let outcome = Outcome::Rated(rating);
        self.app.config.experiments.outcome(self.subject(user, queue.as_str()), outcome);
        self.record(queue.as_str(), Some(&room), &[user.as_str()], Event::Feedback { rating });
        Ok(Done {})
    }

    /// Sees to it that two never meet again, and ends the room that they are in.
    fn part(&self, state: &mut State, user: &User, judged: &Judged, cause: fn(Seat) -> Cause) {
        state.acquaintances.block(user, &judged.partner);
        self.write_blocked(state, user);
        if state.rooms.contains_key(&judged.room) {
            self.end_room(state, &judged.room, user, cause);
        } else if state.people.get(user).is_some_and(|presence| presence.waiting.is_some()) {
            // The ticket does not know of it yet.
            state.errands.push(Errand::Rejoin(user.clone()));
        }
    }
}

fn judged(state: &State, user: &User, named: Option<&str>) -> Result<Judged, Failure> {
    match state.people.get(user).ok_or(NO_ROOM)?.target(named)? {
        Target::Last(past) => Ok(Judged { room: past.room, queue: past.queue, partner: past.partner }),
        Target::Current(id) => {
            let room = state.rooms.get(&id).ok_or(NO_ROOM)?;
            let seat = room.seat(user).ok_or(NO_ROOM)?;
            let (queue, partner) = (room.queue.clone(), room.user(seat.other()).clone());
            Ok(Judged { room: id, queue, partner })
        }
    }
}

/// The last messages of a room.
fn quotes(room: &Room) -> Vec<Quote> {
    let lines: Vec<_> = room.history.lines().collect();
    let last = lines.len().saturating_sub(MESSAGES_MAX);
    let quote = |line: &&crate::rooms::history::Line| Quote {
        user: room.user(line.by).to_string(),
        text: line.text.to_string(),
        at: millis(line.at),
    };
    lines[last..].iter().map(quote).collect()
}
