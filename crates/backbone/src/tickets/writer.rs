//! The writer of a register: gathers what waits into batches and has the store take one after the other, each again until there
//! is an answer. It holds a copy of the records as they were answered, so that a store that lost them is written anew.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hashbrown::HashMap;
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::register::{Filed, Tray};
use super::{Commit, Committed, RECORDS_MAX, Scope, TicketsError};
use crate::backbone::{Kind, random_u64};
use crate::backoff::Backoff;
use crate::error::StoreError;

/// A batch ends after so many bytes or commits.
const BATCH_BYTES: usize = 1024 * 1024;
const BATCH_COMMITS: usize = 2000;

/// The waits between attempts to write.
const BACKOFF: Backoff = Backoff { first: Duration::from_millis(20), max: Duration::from_secs(1) };

/// Who writes, and what has been written so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Of the lease.
    pub(crate) fence: u64,
    /// The last fence that the store has answered to; the same unless the lease was lost and got back.
    pub(crate) prior: u64,
    /// Which opening of the scope the register is of. Openings with one fence differ by it.
    pub(crate) opening: u64,
    /// The number of the batch. The store has the one before it.
    pub(crate) number: u64,
}

/// Commits that are written in one step.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) stamp: Stamp,
    pub(crate) commits: Vec<Commit>,
}

/// What the store says to a batch.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// What became of each commit, now or when the batch came the first time.
    Done(Vec<Committed>),
    /// Somebody else has opened the scope.
    Superseded,
    /// The store does not have what it had: it is to be written anew.
    Behind,
}

/// The records of a scope.
pub(crate) type Records = HashMap<Box<str>, Bytes>;

pub(super) struct Writer {
    kind: Kind,
    scope: Scope,
    /// As of the last batch that was answered.
    stamp: Stamp,
    records: Records,
}

type Answers = Vec<oneshot::Sender<Result<Committed, TicketsError>>>;

impl Writer {
    pub(super) fn new((kind, scope): (Kind, Scope), stamp: Stamp, records: Records) -> Self {
        Self { kind, scope, stamp, records }
    }

    /// Writes until somebody else has the scope, or until it is aborted.
    pub(super) async fn run(mut self, tray: Arc<Tray>) {
        loop {
            let Some((batch, answers, bytes)) = self.gather(&tray) else {
                tray.bell.notified().await;
                continue;
            };
            let Some(outcomes) = self.write(&batch, &tray).await else { break };
            self.stamp = Stamp { prior: batch.stamp.fence, ..batch.stamp };
            for (commit, outcome) in batch.commits.into_iter().zip(&outcomes) {
                if *outcome == Committed::Done {
                    apply(&mut self.records, commit);
                }
            }
            {
                let mut waiting = tray.lock();
                waiting.bytes -= bytes;
                waiting.full = self.records.len() >= RECORDS_MAX;
            }
            for (answer, outcome) in answers.into_iter().zip(outcomes) {
                // Who does not wait for it does not want to know.
                let _ = answer.send(Ok(outcome));
            }
        }
        let mut waiting = tray.lock();
        waiting.superseded = true;
        waiting.bytes = 0;
        // Those who wait for them read that it was taken over.
        waiting.commits.clear();
    }

    /// The next batch with who waits for it and how many bytes it counts for; nothing if nothing waits.
    fn gather(&self, tray: &Tray) -> Option<(Batch, Answers, usize)> {
        let mut waiting = tray.lock();
        let (mut commits, mut answers, mut size) = (Vec::new(), Vec::new(), 0);
        while size < BATCH_BYTES && commits.len() < BATCH_COMMITS {
            let Some(Filed { commit, bytes, answer }) = waiting.commits.pop_front() else { break };
            commits.push(commit);
            answers.push(answer);
            size += bytes;
        }
        let stamp = Stamp { fence: waiting.fence, number: self.stamp.number + 1, ..self.stamp };
        (!commits.is_empty()).then_some((Batch { stamp, commits }, answers, size))
    }

    /// Has the store take a batch, however long it is away. Nothing when somebody else has the scope.
    async fn write(&self, batch: &Batch, tray: &Tray) -> Option<Vec<Committed>> {
        let mut failures = 0;
        loop {
            let error = match self.attempt(batch).await {
                Ok(Some(outcomes)) => {
                    if mem::take(&mut tray.lock().stalled) {
                        tracing::warn!(scope = %self.scope.name, failures, "tickets are written again");
                    }
                    return Some(outcomes);
                }
                Ok(None) => return None,
                Err(error) => error,
            };
            failures += 1;
            if !mem::replace(&mut tray.lock().stalled, true) {
                tracing::warn!(scope = %self.scope.name, %error, "tickets wait to be written");
            }
            sleep(BACKOFF.wait(failures, random_u64() as u32)).await;
        }
    }

    async fn attempt(&self, batch: &Batch) -> Result<Option<Vec<Committed>>, StoreError> {
        loop {
            let written = match &self.kind {
                Kind::Memory(seat) => seat.store().tickets().write(&self.scope, batch)?,
                Kind::Redis(store) => store.write_tickets(&self.scope, batch).await?,
            };
            match written {
                Written::Done(outcomes) if outcomes.len() == batch.commits.len() => {
                    return Ok(Some(outcomes));
                }
                Written::Done(_) => return Err(StoreError::Unreadable("an answer about tickets")),
                Written::Superseded => return Ok(None),
                Written::Behind => {
                    let records = self.records.len();
                    tracing::warn!(scope = %self.scope.name, records, "tickets were lost and are written anew");
                    if !self.write_anew(batch.stamp).await? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Writes everything as it was before the batch with this stamp. Says whether nobody else has the scope.
    async fn write_anew(&self, stamp: Stamp) -> Result<bool, StoreError> {
        match &self.kind {
            Kind::Memory(_) => Ok(true),
            Kind::Redis(store) => store.write_tickets_anew(&self.scope, stamp, &self.records).await,
        }
    }
}

/// Makes the changes of a commit that was done.
pub(crate) fn apply(records: &mut Records, commit: Commit) {
    for key in commit.take.iter().chain(&commit.remove) {
        records.remove(key);
    }
    records.extend(commit.put);
}
