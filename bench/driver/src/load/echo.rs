//! Every connection emits `echo` with an acknowledgement and times the answer: in a closed loop, or at a fixed rate.

use super::beat::Beat;
use crate::{
    failure::Fault,
    plan::{ECHO_WINDOW_MAX, Pace, Plan},
    pool::{Happening, Pool},
    wire,
};

/// See the module.
#[derive(Debug)]
pub(crate) struct Echo {
    /// One event per id, masked and ready to send.
    events: [Vec<u8>; ECHO_WINDOW_MAX],
    pace: Beat,
    /// By the connection's key.
    callers: Vec<Caller>,
    /// Whose turn it is at a fixed rate.
    turn: usize,
}

/// What one connection waits for.
#[derive(Debug, Clone, Default)]
struct Caller {
    up: bool,
    /// The id to use next.
    next: usize,
    /// When the event of each id was sent, while it is unanswered.
    sent_at: [Option<u64>; ECHO_WINDOW_MAX],
}

impl Echo {
    pub(crate) fn new(plan: &Plan, pace: Pace) -> Self {
        let prefix = plan.target.prefix();
        let payload = "x".repeat(plan.payload_bytes);
        Self {
            events: std::array::from_fn(|id| wire::text(&format!(r#"42{prefix}{id}["echo","{payload}"]"#))),
            pace: Beat::of(pace),
            callers: Vec::new(),
            turn: 0,
        }
    }

    pub(crate) fn begin(&mut self, pool: &mut Pool) {
        self.pace.begin();
        for _ in 0..self.pace.window().unwrap_or(0) {
            for key in 0..self.callers.len() {
                self.call(pool, key);
            }
        }
    }

    pub(crate) fn rest(&mut self) {
        self.pace.rest();
    }

    pub(crate) fn on(&mut self, pool: &mut Pool, key: usize, happening: Happening<'_>, now: u64) {
        match happening {
            Happening::Ready { .. } => {
                if self.callers.len() <= key {
                    self.callers.resize_with(key + 1, Caller::default);
                }
                self.callers[key].up = true;
            }
            Happening::Ack(id) => self.answered(pool, key, id, now),
            Happening::Left | Happening::Lost => self.callers[key] = Caller::default(),
            Happening::Event(_) => {}
        }
    }

    fn answered(&mut self, pool: &mut Pool, key: usize, id: u64, now: u64) {
        let slot = usize::try_from(id).ok().and_then(|id| self.callers[key].sent_at.get_mut(id));
        match slot.and_then(Option::take) {
            Some(sent_at) => pool.tally.done_in(now.saturating_sub(sent_at)),
            None => return pool.tally.fault(&Fault::Unexpected),
        }
        if self.pace.window().is_some() {
            self.call(pool, key);
        }
    }

    /// Sends the connection's next event; false when its id is still in use.
    fn call(&mut self, pool: &mut Pool, key: usize) -> bool {
        let caller = &mut self.callers[key];
        let id = caller.next;
        if !caller.up || caller.sent_at[id].is_some() {
            return false;
        }
        caller.sent_at[id] = Some(pool.now());
        caller.next = (id + 1) % ECHO_WINDOW_MAX;
        pool.tally.sent += 1;
        pool.send(key, &self.events[id]);
        true
    }

    pub(crate) fn keep_pace(&mut self, pool: &mut Pool) -> Option<u64> {
        let (due, next) = self.pace.due(pool.now())?;
        for _ in 0..due {
            // One round at most: with nobody up there is nobody to send.
            let up = (0..self.callers.len())
                .map(|step| (self.turn + step) % self.callers.len())
                .find(|&key| self.callers[key].up)?;
            self.turn = up + 1;
            if !self.call(pool, up) {
                pool.tally.fault(&Fault::Skipped);
            }
        }
        Some(next)
    }

    pub(crate) fn give_up(&mut self, pool: &mut Pool, patience: u64) {
        let now = pool.now();
        for key in 0..self.callers.len() {
            for id in 0..ECHO_WINDOW_MAX {
                let slot = &mut self.callers[key].sent_at[id];
                if slot.is_some_and(|sent_at| now.saturating_sub(sent_at) > patience) {
                    *slot = None;
                    pool.tally.fault(&Fault::Lost);
                }
            }
        }
    }

    pub(crate) fn under_way(&self) -> u64 {
        self.callers.iter().flat_map(|caller| &caller.sent_at).flatten().count() as u64
    }
}
