//! The register of a scope: takes commits in order, and says what became of each. Writing them is the [`writer`](super::writer)'s.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::sync::{Notify, oneshot};
use tokio::task::AbortHandle;

use super::writer::{Stamp, Writer};
use super::{Commit, Committed, Scope, TicketsError, VALUE_BYTES_MAX};
use crate::backbone::Kind;

/// Bytes that may wait to be written, each commit counted with 64 more.
const WAITING_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The right to change a scope. Cheap to clone. Ends with its last clone and the last [`Receipt`]: what has not been written
/// by then may never be.
///
/// Commits are written in the order in which they were made, many at a time. While the store is away they wait, for as long
/// as it takes. A batch whose answer got lost is sent again and recognised by its number, so each commit happens once at most. A
/// store that comes back without its data is written anew.
#[derive(Clone)]
pub struct Register {
    desk: Arc<Desk>,
}

/// What the clones of a register have in common.
struct Desk {
    tray: Arc<Tray>,
    writing: AbortHandle,
}

/// Where commits wait for the writer.
#[derive(Debug)]
pub(super) struct Tray {
    state: Mutex<Waiting>,
    /// Rings when there is something to write.
    pub(super) bell: Notify,
}

/// What waits, and how the writing goes.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) commits: VecDeque<Filed>,
    /// Of all that was taken and has not been answered.
    pub(super) bytes: usize,
    /// Of the lease, as far as it is known to the owner.
    pub(super) fence: u64,
    /// Whether the scope has as many records as it may.
    pub(super) full: bool,
    /// Whether the last attempt to write failed.
    pub(super) stalled: bool,
    /// Whether somebody else has the scope.
    pub(super) superseded: bool,
}

/// A commit in line, and who waits for it.
#[derive(Debug)]
pub(super) struct Filed {
    pub(super) commit: Commit,
    pub(super) bytes: usize,
    pub(super) answer: oneshot::Sender<Result<Committed, TicketsError>>,
}

/// What will have become of a commit. It is written whether or not this is awaited, as long as the register is there.
#[must_use = "nobody may hear of a commit before it is written"]
pub struct Receipt {
    answer: oneshot::Receiver<Result<Committed, TicketsError>>,
    /// So that the writer stays.
    _desk: Arc<Desk>,
}

impl Register {
    pub(super) fn start(kind: Kind, scope: Scope, stamp: Stamp, records: &[(Box<str>, Bytes)]) -> Self {
        let state = Waiting {
            commits: VecDeque::new(),
            bytes: 0,
            fence: stamp.fence,
            full: false,
            stalled: false,
            superseded: false,
        };
        let tray = Arc::new(Tray { state: Mutex::new(state), bell: Notify::new() });
        let writer = Writer::new((kind, scope), stamp, records.iter().cloned().collect());
        let writing = tokio::spawn(writer.run(tray.clone())).abort_handle();
        Self { desk: Arc::new(Desk { tray, writing }) }
    }

    /// Changes something. It is in line behind every earlier commit when this returns; the receipt says what became of it.
    ///
    /// Answers [`TicketsError::Superseded`] when somebody else has the scope, also long after; [`TicketsError::Full`] and
    /// [`TicketsError::TooLarge`] at once.
    pub fn commit(&self, commit: Commit) -> Receipt {
        let (answer, receipt) = oneshot::channel();
        let receipt = Receipt { answer: receipt, _desk: self.desk.clone() };
        let (bytes, largest) = (bytes_of(&commit), largest_value(&commit));
        let mut waiting = self.desk.tray.lock();
        let problem = if waiting.superseded {
            Some(TicketsError::Superseded)
        } else if largest > VALUE_BYTES_MAX {
            Some(TicketsError::TooLarge(largest))
        } else if waiting.bytes + bytes > WAITING_BYTES_MAX || (waiting.full && !commit.put.is_empty()) {
            Some(TicketsError::Full)
        } else {
            None
        };
        match problem {
            // Nobody can have dropped the receipt yet.
            Some(problem) => drop(answer.send(Err(problem))),
            None => {
                waiting.bytes += bytes;
                waiting.commits.push_back(Filed { commit, bytes, answer });
                self.desk.tray.bell.notify_one();
            }
        }
        receipt
    }

    /// Goes on in the name of a new lease with a greater fence, for an owner who lost the former one and got it back. The receipt
    /// says [`Committed::Done`] if nobody has opened the scope in between, and [`TicketsError::Superseded`] if somebody has.
    pub fn raise(&self, fence: u64) -> Receipt {
        {
            let mut waiting = self.desk.tray.lock();
            waiting.fence = waiting.fence.max(fence);
        }
        self.commit(Commit::default())
    }

    /// The fence of the lease in whose name it writes.
    pub fn fence(&self) -> u64 {
        self.desk.tray.lock().fence
    }

    /// Whether the store has not taken what was last sent: it is away, and everything waits.
    pub fn is_stalled(&self) -> bool {
        self.desk.tray.lock().stalled
    }

    /// Whether less than half of what may wait is waiting. What can be refused had better be when there is no room, so that
    /// what cannot be refused finds some.
    pub fn has_room(&self) -> bool {
        let waiting = self.desk.tray.lock();
        waiting.bytes < WAITING_BYTES_MAX / 2 && !waiting.full
    }
}

impl Tray {
    pub(super) fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing panics halfway through a change of it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Future for Receipt {
    type Output = Result<Committed, TicketsError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // The writer ends without an answer only when somebody else has the scope, or with the runtime.
        Pin::new(&mut self.answer).poll(context).map(|answer| answer.unwrap_or(Err(TicketsError::Superseded)))
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.writing.abort();
    }
}

impl fmt::Debug for Register {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Register").finish_non_exhaustive()
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Receipt").finish_non_exhaustive()
    }
}

fn bytes_of(commit: &Commit) -> usize {
    let keys = commit.take.iter().chain(&commit.remove).map(|key| key.len());
    64 + keys.sum::<usize>() + commit.put.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>()
}

fn largest_value(commit: &Commit) -> usize {
    commit.put.iter().map(|(_, value)| value.len()).max().unwrap_or_default()
}
