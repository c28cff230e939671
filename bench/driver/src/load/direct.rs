//! Pairs of connections talk: each sends to its partner alone, and what the partner receives is timed. A connection receives
//! from its partner only, and in order, so that the so-manyth message is the so-manyth sent and no payload needs to be read.

use super::beat::Beat;
use crate::{
    failure::Fault,
    plan::{Addressee, DIRECT_WINDOW_MAX, Pace, Plan},
    pool::{Happening, Pool},
    wire,
};
use std::collections::VecDeque;

const DELIVERY: &[u8] = br#"["msg""#;

/// See the module.
#[derive(Debug)]
pub(crate) struct Direct {
    pace: Beat,
    to: Addressee,
    /// What stands before the data of a packet.
    prefix: String,
    payload: String,
    /// By the connection's key. Keys that differ in the last bit are a pair.
    talkers: Vec<Talker>,
    joined: usize,
    /// Whose turn it is at a fixed rate.
    turn: usize,
}

/// One connection.
#[derive(Debug, Clone, Default)]
struct Talker {
    up: bool,
    /// The event that sends to it, masked.
    message: Vec<u8>,
    /// When each message on its way to it was sent.
    pending: VecDeque<u64>,
}

impl Direct {
    pub(crate) fn new(plan: &Plan, pace: Pace, to: Addressee) -> Self {
        Self {
            pace: Beat::of(pace),
            to,
            prefix: plan.target.prefix(),
            payload: "x".repeat(plan.payload_bytes),
            talkers: Vec::new(),
            joined: 0,
            turn: 0,
        }
    }

    pub(crate) fn is_prepared(&self, pool: &Pool) -> bool {
        self.to == Addressee::Socket || self.joined >= pool.ready
    }

    pub(crate) fn begin(&mut self, pool: &mut Pool) {
        self.pace.begin();
        for key in 0..self.talkers.len() {
            self.refill(pool, key);
        }
    }

    pub(crate) fn rest(&mut self) {
        self.pace.rest();
    }

    pub(crate) fn on(&mut self, pool: &mut Pool, key: usize, happening: Happening<'_>, now: u64) {
        match happening {
            Happening::Ready { answer, .. } => self.enter(pool, key, answer),
            Happening::Event(data) if data.starts_with(DELIVERY) => self.delivered(pool, key, now),
            Happening::Ack(_) => self.joined += 1,
            Happening::Left | Happening::Lost => self.talkers[key] = Talker::default(),
            Happening::Event(_) => {}
        }
    }

    fn enter(&mut self, pool: &mut Pool, key: usize, answer: &[u8]) {
        if self.talkers.len() <= key | 1 {
            self.talkers.resize_with((key | 1) + 1, Talker::default);
        }
        let room = match self.to {
            Addressee::Socket => socket_id(answer).to_owned(),
            Addressee::Room => format!("bench-{key}"),
        };
        let (prefix, payload) = (&self.prefix, &self.payload);
        let message = wire::text(&format!(r#"42{prefix}["in-room","{room}","msg","{payload}"]"#));
        self.talkers[key] = Talker { up: true, message, pending: VecDeque::new() };
        if self.to == Addressee::Room {
            pool.send(key, &wire::text(&format!(r#"42{prefix}0["join","{room}"]"#)));
        }
    }

    fn delivered(&mut self, pool: &mut Pool, key: usize, now: u64) {
        match self.talkers[key].pending.pop_front() {
            Some(sent_at) => pool.tally.done_in(now.saturating_sub(sent_at)),
            None => return pool.tally.fault(&Fault::Unexpected),
        }
        self.refill(pool, key);
    }

    /// Fills the window of what is on its way to a connection.
    fn refill(&mut self, pool: &mut Pool, key: usize) {
        let Some(window) = self.pace.window() else { return };
        while self.talkers[key].pending.len() < window && self.send_to(pool, key) {}
    }

    /// Has a connection's partner send to it; false when one of them is gone, or too much is on its way.
    fn send_to(&mut self, pool: &mut Pool, key: usize) -> bool {
        let is_partner_up = self.talkers[key ^ 1].up;
        let talker = &mut self.talkers[key];
        if !talker.up || !is_partner_up || talker.pending.len() >= DIRECT_WINDOW_MAX {
            return false;
        }
        talker.pending.push_back(pool.now());
        pool.tally.sent += 1;
        pool.send(key ^ 1, &talker.message);
        true
    }

    pub(crate) fn keep_pace(&mut self, pool: &mut Pool) -> Option<u64> {
        let (due, next) = self.pace.due(pool.now())?;
        for _ in 0..due {
            let key = self.turn % self.talkers.len().max(1);
            self.turn = key + 1;
            if !self.send_to(pool, key) {
                pool.tally.fault(&Fault::Skipped);
            }
        }
        Some(next)
    }

    pub(crate) fn give_up(&mut self, pool: &mut Pool, patience: u64) {
        let now = pool.now();
        for key in 0..self.talkers.len() {
            let pending = &mut self.talkers[key].pending;
            if pending.front().is_some_and(|sent_at| now.saturating_sub(*sent_at) > patience) {
                pool.tally.faults(&Fault::Lost, pending.len() as u64);
                pending.clear();
                self.refill(pool, key);
            }
        }
    }

    pub(crate) fn under_way(&self) -> u64 {
        self.talkers.iter().map(|talker| talker.pending.len() as u64).sum()
    }
}

/// The `sid` in what a server says to a socket that has joined; nothing when there is none, which then receives nothing.
fn socket_id(answer: &[u8]) -> &str {
    let answer = std::str::from_utf8(answer).unwrap_or_default();
    let id = answer.split_once(r#""sid":""#).and_then(|(_, rest)| rest.split_once('"'));
    id.map_or("", |(id, _)| id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_found_wherever_it_stands() {
        assert_eq!(socket_id(br#"{"sid":"a-b"}"#), "a-b");
        assert_eq!(socket_id(br#"{"pid":"c","sid":"a"}"#), "a");
        assert_eq!(socket_id(b"{}"), "");
    }
}
