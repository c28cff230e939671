//! One connection publishes, all receive, and every delivery is timed. A connection receives its room's publications in
//! order, so that the so-manyth message belongs to the so-manyth publication and no payload needs to be read.

use super::beat::Beat;
use crate::{
    failure::Fault,
    plan::{FANOUT_WINDOW_MAX, Pace, Plan},
    pool::{Happening, Pool},
    wire,
};
use std::collections::VecDeque;

const DELIVERY: &[u8] = br#"["msg""#;

/// See the module.
#[derive(Debug)]
pub(crate) struct Fanout {
    pace: Beat,
    /// One for all, or as many as asked for.
    rooms: Vec<Room>,
    /// By the connection's key.
    members: Vec<Member>,
    /// Whether members must join their room first.
    joins: bool,
    joined: usize,
    /// The room that is published to next.
    turn: usize,
    /// Publications that somebody has yet to receive.
    undelivered: usize,
    /// Publications written in one send.
    batch: Vec<u8>,
}

#[derive(Debug)]
struct Room {
    /// Asks the server to add the sender; empty where every socket is a member anyway.
    join: Vec<u8>,
    publication: Vec<u8>,
    members: usize,
    /// The number of the first publication in `pending`.
    first: u64,
    pending: VecDeque<Pending>,
}

/// A publication that some members have yet to receive.
#[derive(Debug)]
struct Pending {
    sent_at: u64,
    remaining: usize,
}

/// What one connection has received of its room.
#[derive(Debug, Clone, Default)]
struct Member {
    up: bool,
    room: usize,
    received: u64,
}

impl Fanout {
    pub(crate) fn new(plan: &Plan, pace: Pace, rooms: usize) -> Self {
        let prefix = plan.target.prefix();
        let payload = "x".repeat(plan.payload_bytes);
        let room = |join: Vec<u8>, publication: String| Room {
            join,
            publication: wire::text(&publication),
            members: 0,
            first: 0,
            pending: VecDeque::new(),
        };
        let everyone = || room(Vec::new(), format!(r#"42{prefix}["bcast","{payload}"]"#));
        let named = |index: usize| {
            let name = format!("bench-{index}");
            let join = wire::text(&format!(r#"42{prefix}0["join","{name}"]"#));
            room(join, format!(r#"42{prefix}["in-room","{name}","msg","{payload}"]"#))
        };
        Self {
            pace: Beat::of(pace),
            rooms: if rooms == 0 { vec![everyone()] } else { (0..rooms).map(named).collect() },
            members: Vec::new(),
            joins: rooms > 0,
            joined: 0,
            turn: 0,
            undelivered: 0,
            batch: Vec::new(),
        }
    }

    pub(crate) fn is_prepared(&self, pool: &Pool) -> bool {
        !self.joins || self.joined >= pool.ready
    }

    pub(crate) fn begin(&mut self, pool: &mut Pool) {
        self.pace.begin();
        self.refill(pool);
    }

    pub(crate) fn rest(&mut self) {
        self.pace.rest();
    }

    pub(crate) fn on(&mut self, pool: &mut Pool, key: usize, happening: Happening<'_>, now: u64) {
        match happening {
            Happening::Ready { .. } => self.enter(pool, key),
            Happening::Event(data) if data.starts_with(DELIVERY) => self.delivered(pool, key, now),
            Happening::Ack(_) => self.joined += 1,
            Happening::Left | Happening::Lost => self.lost(pool, key),
            Happening::Event(_) => {}
        }
    }

    fn enter(&mut self, pool: &mut Pool, key: usize) {
        if self.members.len() <= key {
            self.members.resize_with(key + 1, Member::default);
        }
        let index = key % self.rooms.len();
        let room = &mut self.rooms[index];
        room.members += 1;
        self.members[key] = Member { up: true, room: index, received: room.first };
        if self.joins {
            pool.send(key, &room.join);
        }
    }

    fn delivered(&mut self, pool: &mut Pool, key: usize, now: u64) {
        let member = &mut self.members[key];
        let room = &mut self.rooms[member.room];
        let place = usize::try_from(member.received - room.first).unwrap_or(usize::MAX);
        let Some(pending) = room.pending.get_mut(place) else {
            return pool.tally.fault(&Fault::Unexpected);
        };
        member.received += 1;
        pending.remaining -= 1;
        pool.tally.done_in(now.saturating_sub(pending.sent_at));
        if pending.remaining == 0 {
            self.undelivered -= room.settle();
            self.refill(pool);
        }
    }

    /// A member is gone: nobody waits for it any more.
    fn lost(&mut self, pool: &mut Pool, key: usize) {
        let member = std::mem::take(&mut self.members[key]);
        let room = &mut self.rooms[member.room];
        room.members -= 1;
        let received = usize::try_from(member.received - room.first).unwrap_or(usize::MAX);
        for pending in room.pending.iter_mut().skip(received) {
            pending.remaining -= 1;
        }
        self.undelivered -= room.settle();
        self.refill(pool);
    }

    /// Fills the window in one send, once half of it is free.
    fn refill(&mut self, pool: &mut Pool) {
        if let Some(window) = self.pace.window()
            && self.undelivered <= window / 2
        {
            self.publish(pool, window - self.undelivered);
        }
    }

    fn publish(&mut self, pool: &mut Pool, count: usize) {
        let Some(publisher) = self.members.iter().position(|member| member.up) else { return };
        let sent_at = pool.now();
        self.batch.clear();
        for _ in 0..count {
            if self.undelivered >= FANOUT_WINDOW_MAX {
                pool.tally.fault(&Fault::Skipped);
                continue;
            }
            let index = self.turn % self.rooms.len();
            self.turn = index + 1;
            let room = &mut self.rooms[index];
            if room.members > 0 {
                room.pending.push_back(Pending { sent_at, remaining: room.members });
                self.undelivered += 1;
                self.batch.extend_from_slice(&room.publication);
                pool.tally.sent += 1;
            }
        }
        pool.send(publisher, &self.batch);
    }

    pub(crate) fn keep_pace(&mut self, pool: &mut Pool) -> Option<u64> {
        let (due, next) = self.pace.due(pool.now())?;
        if due > 0 {
            self.publish(pool, usize::try_from(due).unwrap_or(usize::MAX));
        }
        Some(next)
    }

    pub(crate) fn give_up(&mut self, pool: &mut Pool, patience: u64) {
        let now = pool.now();
        for (index, room) in self.rooms.iter_mut().enumerate() {
            if room.pending.front().is_none_or(|oldest| now.saturating_sub(oldest.sent_at) <= patience) {
                continue;
            }
            pool.tally.faults(&Fault::Lost, room.under_way());
            self.undelivered -= room.pending.len();
            room.first += room.pending.len() as u64;
            room.pending.clear();
            for member in self.members.iter_mut().filter(|member| member.up && member.room == index) {
                member.received = room.first;
            }
        }
        self.refill(pool);
    }

    pub(crate) fn under_way(&self) -> u64 {
        self.rooms.iter().map(Room::under_way).sum()
    }
}

impl Room {
    /// Deliveries that are still to come.
    fn under_way(&self) -> u64 {
        self.pending.iter().map(|pending| pending.remaining as u64).sum()
    }

    /// Forgets what everyone has received; returns how many publications that were.
    fn settle(&mut self) -> usize {
        let mut settled = 0;
        while self.pending.front().is_some_and(|oldest| oldest.remaining == 0) {
            self.pending.pop_front();
            self.first += 1;
            settled += 1;
        }
        settled
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{plan::Load, target::Target};
    use std::time::Duration;

    #[test]
    fn nothing_is_published_before_everyone_is_there() {
        let plan = Plan {
            target: Target::resolve("ws://127.0.0.1:1", "/socket.io/", "/").unwrap(),
            load: Load::Idle,
            connections: 2,
            handshakes: 1,
            payload_bytes: 1,
            warm_up: Duration::ZERO,
            duration: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
        };
        let mut pool = Pool::new(&plan).unwrap();
        let mut fanout = Fanout::new(&plan, Pace::Window(1), 0);
        fanout.on(&mut pool, 0, Happening::Ready { after: 1, answer: b"" }, 1);
        fanout.on(&mut pool, 1, Happening::Ready { after: 1, answer: b"" }, 1);
        fanout.on(&mut pool, 0, Happening::Lost, 2);
        fanout.give_up(&mut pool, 0);
        assert_eq!(pool.tally.sent, 0);
        fanout.begin(&mut pool);
        assert_eq!(pool.tally.sent, 1);
    }
}
