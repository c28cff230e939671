//! What members of a room do: write, type, call, leave.

use std::sync::Arc;

use throng_lobby::User;

use super::Hall;
use crate::analytics::Event;
use crate::request::{Done, Failure};
use crate::rooms::backlog::BacklogFull;
use crate::rooms::clock::millis;
use crate::rooms::ending::Cause;
use crate::rooms::events::Sent;
use crate::rooms::refusal::{NO_ROOM, NOT_A_CALL, SIGNAL_BACKLOG};
use crate::rooms::room::{Effect, Notice, Room};
use crate::rooms::text;
use crate::roulette::call::{CallReport, Milestone};
use crate::roulette::media::MediaState;
use crate::roulette::signal::SignalRequest;

impl Hall {
    /// Somebody says something.
    pub(super) fn say(&self, user: &User, text: &str, named: Option<&str>) -> Result<Sent, Failure> {
        let sent = self.act(user, named, |room, seat, now| {
            let (line, effects) = room.say(seat, text::message(text)?, now);
            Ok((Sent { seq: line.seq, at: millis(line.at) }, effects))
        })?;
        self.state().pace.messages += 1;
        Ok(sent)
    }

    /// Somebody is writing, or no longer.
    pub(super) fn typing(&self, user: &User, typing: bool, named: Option<&str>) -> Result<Done, Failure> {
        self.act(user, named, |_, seat, _| {
            Ok((Done {}, vec![Effect::Tell(seat.other(), Notice::Typing(typing))]))
        })
    }

    /// Somebody leaves.
    pub(super) fn leave_room(&self, user: &User, named: Option<&str>) -> Result<Done, Failure> {
        let mut state = self.state();
        let id = state.people.get(user).ok_or(NO_ROOM)?.room(named)?;
        self.end_room(&mut state, &id, user, Cause::Left);
        self.finish(state);
        Ok(Done {})
    }

    /// Somebody's browser has something for the partner's.
    pub(super) fn signal(
        &self,
        user: &User,
        asked: SignalRequest,
        named: Option<&str>,
    ) -> Result<Done, Failure> {
        self.act(user, named, |room, seat, _| {
            must_be_call(room)?;
            let effects =
                room.signal(seat, Arc::new(asked.signal()?)).map_err(|BacklogFull| SIGNAL_BACKLOG)?;
            Ok((Done {}, effects))
        })
    }

    /// Somebody turns their devices on or off.
    pub(super) fn show(&self, user: &User, media: MediaState, named: Option<&str>) -> Result<Done, Failure> {
        self.act(user, named, |room, seat, _| {
            must_be_call(room)?;
            Ok((Done {}, room.show(seat, media)))
        })
    }

    /// Somebody's page says how the call fares.
    pub(super) fn call_report(&self, user: &User, report: &CallReport) -> Result<Done, Failure> {
        let milestone = self.act(user, report.room.as_deref(), |room, seat, now| {
            must_be_call(room)?;
            let milestone = room.call.report(seat, report, now)?;
            match milestone {
                Some(Milestone::Connected { setup, relayed }) => {
                    self.record_of_room(room, Event::CallConnected { setup, relayed });
                }
                Some(Milestone::Failed(reason)) => {
                    self.record_of_room(room, Event::CallFailed { reason: reason.code() });
                }
                Some(Milestone::Started) | None => {}
            }
            Ok((milestone, Vec::new()))
        })?;
        if let Some(milestone) = milestone {
            self.state().calls.count(milestone);
        }
        Ok(Done {})
    }
}

fn must_be_call(room: &Room) -> Result<(), Failure> {
    let is_call = room.setting.media().is_some_and(crate::roulette::media::Media::is_call);
    if is_call { Ok(()) } else { Err(NOT_A_CALL) }
}
