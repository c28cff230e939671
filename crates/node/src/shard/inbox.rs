//! What other threads ask of a shard, and when it is done: in a turn of the event loop, and before the shard's own thread
//! does anything to its sockets. So whatever a thread knows to have been asked for comes before what it asks for itself.

use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::sync::mpsc;

use super::Shard;
use crate::envelope::{Errand, Operation, SocketErrand};

/// Errands of a shard in the order in which they are done.
pub(super) struct Inbox {
    arrivals: mpsc::Receiver<Errand>,
    /// The arrival that woke the loop.
    first: Option<Errand>,
    /// What has to wait for a turn.
    later: VecDeque<Errand>,
}

impl Inbox {
    pub(super) fn new(arrivals: mpsc::Receiver<Errand>) -> Self {
        Self { arrivals, first: None, later: VecDeque::new() }
    }

    /// Whether there is anything to do; if not, the loop is woken by the next arrival.
    pub(super) fn poll_ready(&mut self, context: &mut Context<'_>) -> bool {
        if self.first.is_none()
            && self.later.is_empty()
            && let Poll::Ready(errand) = self.arrivals.poll_recv(context)
        {
            self.first = errand;
        }
        self.first.is_some() || !self.later.is_empty()
    }

    /// What is to be done next in a turn.
    pub(super) fn next(&mut self) -> Option<Errand> {
        self.later.pop_front().or_else(|| self.arrived())
    }

    /// Something for a turn to do.
    pub(super) fn put_off(&mut self, errand: Errand) {
        self.later.push_back(errand);
    }

    fn arrived(&mut self) -> Option<Errand> {
        self.first.take().or_else(|| self.arrivals.try_recv().ok())
    }

    fn arrivals(&self) -> usize {
        usize::from(self.first.is_some()) + self.arrivals.len()
    }
}

impl Shard {
    /// Does what other threads have asked for so far, except for what runs code of the app: whoever is about to do something
    /// to a socket may hold a lock that such code takes.
    pub(crate) fn hear_out(self: &Rc<Self>) {
        let count = self.inbox.borrow().arrivals();
        if count == 0 {
            return;
        }
        for _ in 0..count {
            let errand = self.inbox.borrow_mut().arrived();
            match errand {
                Some(errand) if runs_app(&errand) => self.inbox.borrow_mut().put_off(errand),
                Some(errand) => self.run_errand(errand),
                None => break,
            }
        }
        self.schedule_flush();
    }
}

/// Whether listeners may be called for it at once.
fn runs_app(errand: &Errand) -> bool {
    match errand {
        Errand::Socket(_, errand) => {
            matches!(errand, SocketErrand::Disconnect(_) | SocketErrand::DropTransport)
        }
        Errand::Envelope(envelope) => matches!(envelope.operation, Operation::Disconnect(_)),
        _ => true,
    }
}
