//! What the connections do once they are up: one variant per scenario, told by the pool what happens to each.

mod beat;
mod direct;
mod echo;
mod fanout;
mod metronome;

use crate::{
    plan::{self, Plan},
    pool::{Happening, Pool},
};
use direct::Direct;
use echo::Echo;
use fanout::Fanout;

/// The scenario of a run, at work.
#[derive(Debug)]
pub(crate) enum Load {
    Idle,
    Echo(Echo),
    Direct(Direct),
    Fanout(Fanout),
    Connects,
}

impl Load {
    pub(crate) fn new(plan: &Plan) -> Self {
        match plan.load {
            plan::Load::Idle => Self::Idle,
            plan::Load::Echo(pace) => Self::Echo(Echo::new(plan, pace)),
            plan::Load::Direct { pace, to } => Self::Direct(Direct::new(plan, pace, to)),
            plan::Load::Fanout { pace, rooms } => Self::Fanout(Fanout::new(plan, pace, rooms)),
            plan::Load::Connects => Self::Connects,
        }
    }

    /// What is counted as done.
    pub(crate) fn what(&self) -> &'static str {
        match self {
            Self::Idle => "pings answered",
            Self::Echo(_) => "round trips",
            Self::Direct(_) => "messages",
            Self::Fanout(_) => "deliveries",
            Self::Connects => "connects",
        }
    }

    /// Whether every connection that is up has what it needs before the load can begin.
    pub(crate) fn is_prepared(&self, pool: &Pool) -> bool {
        match self {
            Self::Direct(direct) => direct.is_prepared(pool),
            Self::Fanout(fanout) => fanout.is_prepared(pool),
            Self::Idle | Self::Echo(_) | Self::Connects => true,
        }
    }

    /// All connections are up, and nothing is under way: begin, for the first time or after a rest.
    pub(crate) fn begin(&mut self, pool: &mut Pool) {
        match self {
            Self::Echo(echo) => echo.begin(pool),
            Self::Direct(direct) => direct.begin(pool),
            Self::Fanout(fanout) => fanout.begin(pool),
            Self::Idle | Self::Connects => {}
        }
    }

    /// Sends nothing more until it begins again. What is under way still comes in.
    pub(crate) fn rest(&mut self) {
        match self {
            Self::Echo(echo) => echo.rest(),
            Self::Direct(direct) => direct.rest(),
            Self::Fanout(fanout) => fanout.rest(),
            Self::Idle | Self::Connects => {}
        }
    }

    pub(crate) fn on(&mut self, pool: &mut Pool, key: usize, happening: Happening<'_>, now: u64) {
        match self {
            Self::Idle => {}
            Self::Echo(echo) => echo.on(pool, key, happening, now),
            Self::Direct(direct) => direct.on(pool, key, happening, now),
            Self::Fanout(fanout) => fanout.on(pool, key, happening, now),
            Self::Connects => match happening {
                Happening::Ready { after, .. } => {
                    pool.tally.done_in(after);
                    pool.leave(key);
                }
                Happening::Event(_) | Happening::Ack(_) | Happening::Left | Happening::Lost => {}
            },
        }
    }

    /// Sends what the pace asks for by now; returns when it asks next, on the pool's clock.
    pub(crate) fn keep_pace(&mut self, pool: &mut Pool) -> Option<u64> {
        match self {
            Self::Echo(echo) => echo.keep_pace(pool),
            Self::Direct(direct) => direct.keep_pace(pool),
            Self::Fanout(fanout) => fanout.keep_pace(pool),
            Self::Idle | Self::Connects => None,
        }
    }

    /// Gives up, and counts, what has been unanswered for longer than so many nanoseconds.
    pub(crate) fn give_up(&mut self, pool: &mut Pool, patience: u64) {
        match self {
            Self::Echo(echo) => echo.give_up(pool, patience),
            Self::Direct(direct) => direct.give_up(pool, patience),
            Self::Fanout(fanout) => fanout.give_up(pool, patience),
            Self::Idle | Self::Connects => {}
        }
    }

    /// Acknowledgements, deliveries, handshakes or farewells that are still to come.
    pub(crate) fn under_way(&self, pool: &Pool) -> u64 {
        match self {
            Self::Idle => 0,
            Self::Echo(echo) => echo.under_way(),
            Self::Direct(direct) => direct.under_way(),
            Self::Fanout(fanout) => fanout.under_way(),
            Self::Connects => pool.len() as u64,
        }
    }
}
