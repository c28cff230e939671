//! What a kept lobby has done and nobody has heard of: each change waits until it is written, and is told then, in order. And
//! whoever waits for that.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use throng_backbone::{Commit, Receipt, Register};
use tokio::sync::{Notify, oneshot};

use crate::event::Event;
use crate::lobby::JoinError;
use crate::ticket::Handle;
use crate::time::Time;

/// How long somebody who joins waits for their ticket to be written.
pub(super) const JOIN_PATIENCE: Duration = Duration::from_secs(5);

/// Of one lobby.
#[derive(Debug)]
pub(super) struct Outbox {
    register: Register,
    /// In the order in which they were done. The first one's receipt may be in the hands of whoever tells.
    filed: VecDeque<Filed>,
    /// How many changes were ever filed, and how many of them told.
    filed_count: u64,
    told_count: u64,
    /// In the order of what they wait for.
    waiters: VecDeque<Waiter>,
    /// Rings when there is something to wait for.
    bell: Arc<Notify>,
    /// The store is away, and nobody is paired until it is back.
    held: bool,
    /// Nothing is written any more.
    closed: bool,
}

#[derive(Debug)]
struct Filed {
    receipt: Option<Receipt>,
    events: Vec<Event>,
}

/// Who waits until a change is told.
#[derive(Debug)]
struct Waiter {
    number: u64,
    answer: Answer,
    joins: Option<Joining>,
}

/// Somebody who joins: their ticket, and until when it has to be written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Joining {
    pub(crate) ticket: Handle,
    pub(crate) deadline: Time,
}

/// Where somebody waits.
pub(super) type Answer = oneshot::Sender<Result<(), JoinError>>;

/// What there is to wait for.
#[derive(Debug)]
pub(super) enum Wait {
    /// Everything is told.
    Over,
    /// Nothing will be.
    Deposed,
    Until(oneshot::Receiver<Result<(), JoinError>>),
}

impl Outbox {
    pub(super) fn new(register: Register, bell: Arc<Notify>) -> Self {
        Self {
            register,
            filed: VecDeque::new(),
            filed_count: 0,
            told_count: 0,
            waiters: VecDeque::new(),
            bell,
            held: false,
            closed: false,
        }
    }

    /// Has a change written, and its events told after that.
    pub(super) fn file(&mut self, commit: Commit, events: Vec<Event>) {
        if self.closed {
            return;
        }
        let receipt = Some(self.register.commit(commit));
        self.filed.push_back(Filed { receipt, events });
        self.filed_count += 1;
        self.bell.notify_one();
    }

    /// Whether somebody may join without getting in the way of what cannot wait.
    pub(super) fn has_room(&self) -> bool {
        self.register.has_room()
    }

    /// Whether the store is away, or was until now.
    pub(super) fn hold(&mut self) -> bool {
        if !self.held && !self.closed && self.register.is_stalled() {
            self.held = true;
            // So that it is noticed when the store is back.
            if self.filed.is_empty() {
                self.file(Commit::default(), Vec::new());
            }
        }
        self.held
    }

    /// As [`hold`](Self::hold), for who only looks.
    pub(super) fn is_held(&self) -> bool {
        self.held || self.register.is_stalled()
    }

    /// Ends the hold if the store is back. Says whether it did.
    pub(super) fn release(&mut self) -> bool {
        let over = self.held && !self.register.is_stalled();
        self.held &= !over;
        over
    }

    /// What to wait for so that everything is told which was done by now.
    pub(super) fn wait(&mut self, joins: Option<Joining>) -> Wait {
        if self.closed {
            return Wait::Deposed;
        }
        if self.told_count == self.filed_count {
            return Wait::Over;
        }
        let (answer, wait) = oneshot::channel();
        self.waiters.push_back(Waiter { number: self.filed_count, answer, joins });
        Wait::Until(wait)
    }

    /// The receipt of the first change that is not told, for whoever tells.
    pub(super) fn next_receipt(&mut self) -> Option<Receipt> {
        self.filed.front_mut().and_then(|filed| filed.receipt.take())
    }

    /// The first change is written: its events are to be told, and then these are to be answered.
    pub(super) fn written(&mut self) -> (Vec<Event>, Vec<Answer>) {
        let Some(filed) = self.filed.pop_front() else { return Default::default() };
        self.told_count += 1;
        let count = self.waiters.partition_point(|waiter| waiter.number <= self.told_count);
        (filed.events, self.waiters.drain(..count).map(|waiter| waiter.answer).collect())
    }

    /// Until when the first of those who join waits.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.waiters.iter().find_map(|waiter| waiter.joins).map(|joins| joins.deadline)
    }

    /// The first of those who join who has waited long enough, with where they wait. Whoever was paired meanwhile waits on.
    pub(super) fn pop_late(&mut self, now: Time, waits: impl Fn(Handle) -> bool) -> Option<(Handle, Answer)> {
        for index in 0..self.waiters.len() {
            let Some(joins) = self.waiters[index].joins else { continue };
            if joins.deadline > now {
                break;
            }
            if waits(joins.ticket) {
                return self.waiters.remove(index).map(|waiter| (joins.ticket, waiter.answer));
            }
            self.waiters[index].joins = None;
        }
        None
    }

    /// Nothing is written from now on, and nobody is answered.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.held = false;
        self.filed.clear();
        self.waiters.clear();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }
}
