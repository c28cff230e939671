//! Acknowledgements, both ways: answering a client's, and waiting for those of one or of many.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use throng_protocol::socket::args::{Args, DecodeError, EncodeError, FromArgs, IntoArgs};
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use crate::ids::NodeTag;
use crate::socket::Socket;

/// The answer that a client may be waiting for. It is sent once; dropped unsent, the client waits on.
#[derive(Debug)]
pub struct Ack(Option<Wanted>);

#[derive(Debug)]
struct Wanted {
    socket: Socket,
    number: u64,
    /// Shared when several listeners were given the same acknowledgement: the first answer wins.
    sent: Option<Arc<AtomicBool>>,
}

impl Ack {
    pub(crate) fn new(socket: &Socket, number: Option<u64>) -> Self {
        Self(number.map(|number| Wanted { socket: socket.clone(), number, sent: None }))
    }

    /// As many acknowledgements as there are listeners, of which one can be sent.
    pub(crate) fn share(mut self, count: usize) -> Vec<Self> {
        if let Some(wanted) = &mut self.0 {
            wanted.sent = Some(Arc::default());
        }
        let copy =
            |wanted: &Wanted| Wanted { socket: wanted.socket.clone(), sent: wanted.sent.clone(), ..*wanted };
        (0..count).map(|_| Self(self.0.as_ref().map(copy))).collect()
    }

    /// Whether the client asked for an acknowledgement.
    pub fn is_wanted(&self) -> bool {
        self.0.is_some()
    }

    /// Answers; does nothing when the client did not ask.
    pub fn send(self, answer: impl IntoArgs) {
        let Some(wanted) = self.0 else { return };
        if wanted.sent.is_none_or(|sent| !sent.swap(true, Ordering::Relaxed)) {
            wanted.socket.acknowledge(wanted.number, answer);
        }
    }
}

/// Why an acknowledgement did not come, or could not be used.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The payload of the question could not be encoded, or clients keep its name for their own events. The server's fault; do
    /// not retry.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// No answer within the timeout.
    #[error("no acknowledgement within the timeout")]
    Timeout,
    /// The socket disconnected before it answered.
    #[error("disconnected before the acknowledgement")]
    Disconnected,
    /// The answer is not of the expected shape. The client's fault.
    #[error("unexpected acknowledgement: {0}")]
    Decode(#[from] DecodeError),
}

/// What waits for an acknowledgement.
#[derive(Debug)]
pub(crate) enum Waiter {
    /// The question went to this socket alone.
    One(oneshot::Sender<Args>),
    /// It went to many.
    Many(Arc<dyn Sink<Args>>),
}

impl Waiter {
    pub(crate) fn answer(self, args: Args) {
        match self {
            // The asker may have given up in the meantime.
            Self::One(asker) => drop(asker.send(args)),
            Self::Many(sink) => sink.answer(args),
        }
    }

    /// The socket is gone and will not answer.
    pub(crate) fn lost(self) {
        if let Self::Many(sink) = self {
            sink.lost();
        }
    }
}

/// Where the answers go that one question brings.
pub(crate) trait Sink<T>: std::fmt::Debug + Send + Sync {
    /// A shard has asked so many.
    fn asked(&self, count: usize);
    /// One of them has answered.
    fn answer(&self, answer: T);
    /// One of them will not.
    fn lost(&self);
}

/// An answer on its way. The question is sent before this is returned, in its place among all else that is sent; whoever
/// drops this does not wait any more.
pub type Awaited<T> = Pin<Box<dyn Future<Output = Result<T, AskError>> + Send>>;

/// A question to one socket. When it is dropped, it is forgotten wherever it was asked.
#[derive(Debug)]
pub(crate) struct Unanswered {
    pub(crate) socket: Socket,
    pub(crate) number: u64,
    pub(crate) answer: oneshot::Receiver<Args>,
    pub(crate) since: Instant,
    pub(crate) timeout: Duration,
}

impl Unanswered {
    pub(crate) async fn answer<T: FromArgs>(mut self) -> Result<T, AskError> {
        let left = self.timeout.saturating_sub(self.since.elapsed());
        let args = tokio::time::timeout(left, &mut self.answer).await.map_err(|_| AskError::Timeout)?;
        Ok(args.map_err(|_| AskError::Disconnected)?.decode()?)
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        self.socket.forget(self.number);
    }
}

/// What a question to many brought back.
#[derive(Debug, Clone, PartialEq)]
pub struct Answers<T> {
    /// The answers, in the order they came.
    pub answers: Vec<T>,
    /// Those that were asked and did not answer: the timeout came first, they left, or the answer had another shape.
    pub missing: usize,
    /// Nodes, by name, that did not say in time whom they have asked, or have.
    pub silent: Vec<String>,
}

impl<T> Answers<T> {
    /// Whether all have answered, and every node has said whom it has asked.
    pub fn is_whole(&self) -> bool {
        self.missing == 0 && self.silent.is_empty()
    }
}

impl<T> Default for Answers<T> {
    fn default() -> Self {
        Self { answers: Vec::new(), missing: 0, silent: Vec::new() }
    }
}

/// Collects the answers to one question.
#[derive(Debug)]
pub(crate) struct Collector<T> {
    /// Whose shards these are.
    here: NodeTag,
    state: Mutex<Collected<T>>,
    changed: Notify,
}

#[derive(Debug)]
struct Collected<T> {
    /// Shards that have not yet said how many they asked.
    shards_due: usize,
    /// The same of other nodes.
    nodes_due: Vec<NodeTag>,
    asked: usize,
    lost: usize,
    answers: Vec<T>,
}

impl<T> Collector<T> {
    pub(crate) fn new(here: NodeTag, shards: usize, nodes: Vec<NodeTag>) -> Self {
        let (answers, asked, lost) = (Vec::new(), 0, 0);
        let state = Collected { shards_due: shards, nodes_due: nodes, asked, lost, answers };
        Self { here, state: Mutex::new(state), changed: Notify::new() }
    }

    /// Another node has asked so many. One that says so twice, or was not asked, is not heard.
    pub(crate) fn heard(&self, node: NodeTag, count: usize) {
        self.change(|state| {
            let due = state.nodes_due.len();
            state.nodes_due.retain(|due| *due != node);
            if state.nodes_due.len() < due {
                state.asked += count;
            }
        });
    }

    fn change(&self, change: impl FnOnce(&mut Collected<T>)) {
        let mut state = self.state.lock().expect("no panic while the lock is held");
        change(&mut state);
        if state.is_complete() {
            self.changed.notify_one();
        }
    }

    /// Waits until all that were asked have answered or left, or the time is over; gives what there is.
    pub(crate) async fn wait(&self, timeout: Duration) -> Answers<T> {
        let complete = async {
            while !self.state.lock().expect("no panic while the lock is held").is_complete() {
                self.changed.notified().await;
            }
        };
        // Partial answers are the point of the timeout: it is no error here.
        let _ = tokio::time::timeout(timeout, complete).await;
        let mut state = self.state.lock().expect("no panic while the lock is held");
        let answers = std::mem::take(&mut state.answers);
        let missing = state.asked.saturating_sub(answers.len());
        let here = (state.shards_due > 0).then_some(&self.here);
        let silent = here.into_iter().chain(&state.nodes_due).map(ToString::to_string).collect();
        Answers { answers, missing, silent }
    }
}

impl<T: std::fmt::Debug + Send> Sink<T> for Collector<T> {
    fn asked(&self, count: usize) {
        self.change(|state| {
            state.shards_due -= 1;
            state.asked += count;
        });
    }

    fn answer(&self, answer: T) {
        self.change(|state| state.answers.push(answer));
    }

    fn lost(&self) {
        self.change(|state| state.lost += 1);
    }
}

impl Answers<Args> {
    /// The answers in the shape that is asked for; others count as missing.
    pub(crate) fn decode<T: FromArgs>(self) -> Answers<T> {
        let all = self.answers.len();
        let answers: Vec<T> = self.answers.into_iter().filter_map(|args| args.decode().ok()).collect();
        Answers { missing: self.missing + all - answers.len(), answers, silent: self.silent }
    }
}

impl<T> Collected<T> {
    fn is_complete(&self) -> bool {
        self.shards_due == 0 && self.nodes_due.is_empty() && self.answers.len() + self.lost >= self.asked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_whole_when_nobody_is_missing_or_silent() {
        let whole = Answers { answers: vec![1], ..Answers::default() };
        assert!(whole.is_whole());
        assert!(!Answers { missing: 1, ..whole.clone() }.is_whole());
        assert!(!Answers { silent: vec!["00ab03".to_owned()], ..whole }.is_whole());
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_with_a_shard_that_says_nothing_is_silent() {
        let here = NodeTag([0, 0xab, 3]);
        let collector = Collector::new(here, 2, Vec::new());
        collector.asked(1);
        collector.answer(1);
        let collected = collector.wait(Duration::from_secs(10)).await;
        assert_eq!(collected, Answers { answers: vec![1], missing: 0, silent: vec![here.to_string()] });
    }
}
