//! What waits for the history of one room, in the order of saying. Pure: it says what is to be appended, and is told what
//! came of it.
//!
//! One batch at a time is on its way. What comes meanwhile is the next, and nothing is while nobody knows what came of the
//! last: so nothing is appended before what was said before it. What the store refuses is lost, and so is what finds no room here;
//! the history begins anew before what comes next: nobody takes that for the whole.

use std::collections::VecDeque;

use bytes::Bytes;
use tokio::time::Instant;

use crate::envelope::Envelope;

/// A batch ends after so many messages or bytes; a longer message is one alone.
const BATCH_MAX: usize = 128;
const BATCH_BYTES_MAX: usize = 256 * 1024;

/// The queue of a room.
#[derive(Debug, Default)]
pub(super) struct Line {
    queue: VecDeque<Entry>,
    /// So many of the first are a batch that was sent.
    sent: usize,
    is_under_way: bool,
    /// Messages were lost here, and the history has not begun anew since.
    has_lost: bool,
    /// Messages were lost behind all that is queued.
    will_lose: bool,
    /// The store takes too long: members of this node do not wait for it.
    is_late: bool,
}

/// A message of a room.
#[derive(Debug)]
pub(super) struct Entry {
    /// It is the so-many-eth of all rooms.
    pub(super) number: u64,
    /// How long members of this node wait for it.
    pub(super) until: Instant,
    pub(super) bytes: Bytes,
    /// What to tell the members of this node; nothing when they know.
    pub(super) early: Option<Envelope>,
    /// Messages were lost before it.
    pub(super) follows_loss: bool,
}

/// What is to be done with a history.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Append(Batch),
    BeginAnew,
}

/// Messages to be appended together.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) messages: Vec<Bytes>,
    /// They were on their way before, and may be there.
    pub(super) may_be_there: bool,
}

impl Line {
    pub(super) fn push(&mut self, entry: Entry) {
        let follows_loss = std::mem::take(&mut self.will_lose);
        self.queue.push_back(Entry { follows_loss, ..entry });
    }

    /// A message is lost that would have come behind all that is queued.
    pub(super) fn lose(&mut self) {
        self.will_lose = true;
    }

    /// The next batch; nothing while the last one is on its way, or may be there.
    pub(super) fn next(&mut self) -> Option<Batch> {
        self.come_to_loss();
        if self.sent > 0 || self.has_lost || self.queue.is_empty() {
            return None;
        }
        let mut bytes = 0;
        let fits = |(at, entry): &(usize, &Entry)| {
            bytes += entry.bytes.len();
            *at == 0 || (bytes <= BATCH_BYTES_MAX && !entry.follows_loss)
        };
        self.sent = self.queue.iter().take(BATCH_MAX).enumerate().take_while(fits).count();
        Some(self.send())
    }

    /// What has to be done before the next batch: the one of which nobody knows what came once more, or a new beginning.
    pub(super) fn again(&mut self) -> Option<Step> {
        if self.is_under_way {
            return None;
        }
        self.come_to_loss();
        if self.has_lost {
            self.is_under_way = true;
            return Some(Step::BeginAnew);
        }
        (self.sent > 0).then(|| Step::Append(Batch { may_be_there: true, ..self.send() }))
    }

    /// Notes that what comes next follows a loss, if it does.
    fn come_to_loss(&mut self) {
        if self.sent == 0 && !self.has_lost {
            self.has_lost = match self.queue.front_mut() {
                Some(first) => std::mem::take(&mut first.follows_loss),
                None => std::mem::take(&mut self.will_lose),
            };
        }
    }

    fn send(&mut self) -> Batch {
        self.is_under_way = true;
        let messages = self.queue.iter().take(self.sent).map(|entry| entry.bytes.clone()).collect();
        Batch { messages, may_be_there: false }
    }

    /// The batch is in the history, which takes it out, or that has begun anew.
    pub(super) fn done(&mut self) -> impl ExactSizeIterator<Item = Entry> {
        self.has_lost = false;
        self.take_sent()
    }

    /// The batch never will be in the history: takes it out.
    pub(super) fn refused(&mut self) -> impl ExactSizeIterator<Item = Entry> {
        self.has_lost = true;
        self.take_sent()
    }

    fn take_sent(&mut self) -> impl ExactSizeIterator<Item = Entry> {
        self.is_under_way = false;
        let done = std::mem::take(&mut self.sent);
        // As long as more waits than the next batch takes, what comes would wait for too long.
        self.is_late &= self.queue.len() - done > BATCH_MAX;
        self.queue.drain(..done)
    }

    /// Nobody knows whether the batch is in the history.
    pub(super) fn failed(&mut self) {
        self.is_under_way = false;
    }

    /// Members of this node wait no longer, and not for what comes: gives what they do not know yet.
    pub(super) fn give_up(&mut self) -> impl Iterator<Item = Envelope> {
        self.is_late = true;
        // Nothing is told before what was said before it, so what they know comes first.
        let known = self.queue.partition_point(|entry| entry.early.is_none());
        self.queue.range_mut(known..).filter_map(|entry| entry.early.take())
    }

    pub(super) fn is_late(&self) -> bool {
        self.is_late
    }

    /// Whether members of this node know something that the history does not, or never will.
    pub(super) fn is_behind(&self) -> bool {
        self.has_lost || self.will_lose || self.queue.front().is_some_and(|first| first.early.is_none())
    }

    /// Whether a message that came with this number, or an earlier one, has to be waited for.
    pub(super) fn is_awaited(&self, number: u64) -> bool {
        !self.is_late && self.queue.front().is_some_and(|first| first.number <= number)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty() && !self.has_lost && !self.will_lose
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A queue of messages of these lengths; each says its place in it.
    fn line(lengths: &[usize]) -> Line {
        let mut line = Line::default();
        for (at, length) in lengths.iter().enumerate() {
            push(&mut line, at, *length);
        }
        line
    }

    fn push(line: &mut Line, at: usize, length: usize) {
        let bytes = vec![at as u8; length].into();
        let number = at as u64;
        line.push(Entry { number, until: Instant::now(), bytes, early: None, follows_loss: false });
    }

    /// The places of the messages of a batch.
    fn places(batch: Option<Batch>) -> Vec<u8> {
        let messages = batch.into_iter().flat_map(|batch| batch.messages);
        messages.map(|bytes| bytes.first().copied().unwrap_or_default()).collect()
    }

    #[test]
    fn what_comes_while_a_batch_is_on_its_way_is_the_next() {
        let mut line = line(&[1]);
        assert_eq!(places(line.next()), [0]);
        for at in 1..4 {
            push(&mut line, at, 1);
            assert_eq!((line.next(), line.again()), (None, None));
        }
        assert_eq!(line.done().map(|entry| entry.number).collect::<Vec<_>>(), [0]);
        assert_eq!(places(line.next()), [1, 2, 3]);
        assert_eq!(line.done().len(), 3);
        assert!(line.is_empty() && line.next().is_none());
    }

    #[test]
    fn nothing_passes_a_batch_of_which_nobody_knows_what_came() {
        let mut line = line(&[1, 1]);
        let first = line.next().expect("a batch");
        push(&mut line, 2, 1);
        for _ in 0..2 {
            line.failed();
            assert_eq!(line.next(), None);
            let Some(Step::Append(again)) = line.again() else { panic!("the same batch") };
            assert_eq!((&again.messages, again.may_be_there), (&first.messages, true));
            assert_eq!(line.again(), None, "it is on its way");
        }
        assert_eq!(line.done().len(), 2);
        let next = line.next().expect("a batch");
        assert_eq!((next.may_be_there, places(Some(next))), (false, vec![2]));
    }

    #[test]
    fn after_what_is_refused_a_history_begins_anew_before_the_next() {
        let mut line = line(&[1]);
        drop(line.next());
        push(&mut line, 1, 1);
        assert_eq!(line.refused().len(), 1);
        for _ in 0..2 {
            assert_eq!((line.next(), line.again()), (None, Some(Step::BeginAnew)));
            assert_eq!(line.again(), None, "it is on its way");
            assert_eq!(line.refused().len(), 0);
        }
        drop(line.again());
        assert_eq!(line.done().len(), 0);
        assert_eq!(places(line.next()), [1]);
    }

    #[test]
    fn what_finds_no_room_is_no_gap_that_nobody_sees() {
        let mut line = line(&[1, 1]);
        line.lose();
        push(&mut line, 2, 1);
        line.lose();
        let mut steps = Vec::new();
        while !line.is_empty() {
            if let Some(batch) = line.next() {
                steps.push(places(Some(batch)));
            } else {
                assert_eq!(line.again(), Some(Step::BeginAnew));
                steps.push(Vec::new());
            }
            drop(line.done());
        }
        assert_eq!(steps, [vec![0, 1], vec![], vec![2], vec![]]);
    }

    #[test]
    fn a_batch_is_bounded_and_what_is_larger_goes_alone() {
        let mut many = line(&[1; BATCH_MAX + 1]);
        assert_eq!(places(many.next()).len(), BATCH_MAX);
        let half = BATCH_BYTES_MAX / 2;
        let mut line = line(&[half, half, 1, BATCH_BYTES_MAX + 1, 0, 0]);
        for expect in [&[0, 1][..], &[2], &[3], &[0, 0]] {
            assert_eq!(places(line.next()), expect);
            drop(line.done());
        }
    }

    #[test]
    fn a_message_is_awaited_until_it_is_there_or_late() {
        let mut line = line(&[1, 1]);
        assert!(line.is_awaited(0) && line.is_awaited(1));
        drop(line.next());
        push(&mut line, 2, 1);
        drop(line.done());
        assert!(!line.is_awaited(1) && line.is_awaited(2));
        assert_eq!(line.give_up().count(), 0, "all is known");
        assert!(!line.is_awaited(2) && line.is_late());
        drop(line.next());
        push(&mut line, 3, 1);
        drop(line.done());
        assert!(!line.is_late() && line.is_awaited(3), "the store answers again");
    }
}
